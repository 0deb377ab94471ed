"""Plugins found, loaded one by one, and frozen into one value that remembers who gave what."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar

import pluggy

from mailrules import hookspecs
from mailrules.api import ActionType, AuthType, ReceiveProtocol, SendProtocol, Unpacker
from mailrules.api.soundness import unsound

T = TypeVar("T", ReceiveProtocol, SendProtocol, AuthType, ActionType, Unpacker)

GROUP = "mailrules"
"""The entry point group."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """Who gave a descriptor: a package and its version, or a file of the workspace."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Provided(Generic[T]):
    """A descriptor and the plugin that gave it."""

    item: T
    plugin: Plugin


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be loaded, or that clashes with another: `reason` is one sentence."""

    plugin: Plugin
    reason: str
    word: str = "broken-plugin"


class PluginError(Exception):
    """A plugin that was loaded and is none; `str()` is the sentence to show."""


@dataclass(frozen=True)
class Registry:
    """What can be named in the files, by kind and name."""

    receive: Mapping[str, Provided[ReceiveProtocol]] = field(default_factory=dict)
    send: Mapping[str, Provided[SendProtocol]] = field(default_factory=dict)
    auth: Mapping[str, Provided[AuthType]] = field(default_factory=dict)
    actions: Mapping[str, Provided[ActionType]] = field(default_factory=dict)
    unpackers: Mapping[str, Provided[Unpacker]] = field(default_factory=dict)
    plugins: tuple[Plugin, ...] = ()
    broken: tuple[Broken, ...] = ()
    observers: tuple[Plugin, ...] = ()
    """Whose `mailrules_recorded` is told of what was handled."""
    recorded: Callable[..., Any] = field(default=lambda **_: None)
    """Calls every observer's `mailrules_recorded`; may raise what an observer raises."""


BUILTINS = ("receive", "send", "auth", "actions")
"""Modules of `mailrules.builtin`, loaded by name like a stranger's."""

_OWN = frozenset({__file__, pluggy.PluginManager.register.__code__.co_filename})
"""Files whose lines say nothing about what is wrong in a plugin."""


def load_registry(workspace: Path | None = None) -> Registry:
    """Built-ins, then entry points one by one, then `plugins/*.py` of the workspace.

    A plugin that fails is told of in `broken`; the others are there. MAILRULES_PLUGINS names the entry points to load,
    comma-separated (empty: none), instead of all that are installed.
    """
    manager = pluggy.PluginManager("mailrules")
    manager.add_hookspecs(hookspecs)
    broken: list[Broken] = []
    owners: dict[str, Plugin] = {}
    for plugin, load in _sources(workspace):
        _register(manager, plugin, load, owners, broken)
    return _freeze(manager, owners, broken)


def _sources(workspace: Path | None) -> Iterator[tuple[Plugin, Callable[[], Any]]]:
    version = metadata.version("mailrules")
    for name in BUILTINS:
        yield Plugin(f"mailrules.builtin.{name}", version), _importer(f"mailrules.builtin.{name}")
    wanted = os.environ.get("MAILRULES_PLUGINS")
    for point in metadata.entry_points(group=GROUP):
        if wanted is None or point.name in wanted.split(","):
            yield (
                Plugin(point.dist.name if point.dist else point.name, point.dist.version if point.dist else ""),
                point.load,
            )
    for path in sorted((workspace / "plugins").glob("*.py")) if workspace else ():
        yield Plugin(f"plugins/{path.name}"), _file_loader(path)


def _importer(module: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(module)


def _file_loader(path: Path) -> Callable[[], Any]:
    def load() -> Any:
        spec = importlib.util.spec_from_file_location(f"mailrules_workspace_{path.stem}", path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


def _register(
    manager: pluggy.PluginManager,
    plugin: Plugin,
    load: Callable[[], Any],
    owners: dict[str, Plugin],
    broken: list[Broken],
) -> None:
    key = f"{plugin} [{len(owners)}]"
    try:
        manager.register(_marked(load()), name=key)
        manager.check_pending()
    except (Exception, SystemExit) as error:
        if manager.has_plugin(key):
            manager.unregister(name=key)
        broken.append(Broken(plugin, _said(error)))
    else:
        owners[key] = plugin


def _marked(module: Any) -> Any:
    """The same, when every function of it that is named as a hook was marked as one.

    Raises:
        PluginError: one was not; it would never be called, and nobody would know why.
    """
    for name in _hook_names():
        if (function := getattr(module, name, None)) and not hasattr(function, "mailrules_impl"):
            raise PluginError(f"{name} has no @hookimpl above it, and is never called")
    return module


def _hook_names() -> list[str]:
    return [name for name in vars(hookspecs) if name.startswith("mailrules_")]


def _said(error: BaseException) -> str:
    """What went wrong, and in which line of the plugin; a syntax error says that itself."""
    if isinstance(error, PluginError):
        return str(error)
    if isinstance(error, pluggy.PluginValidationError):
        return _hook_fault(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in _OWN]
    named = [frame for frame in frames if not frame.filename.startswith("<") and "importlib" not in frame.filename]
    place = f" ({Path(named[-1].filename).name}:{named[-1].lineno})" if named else ""
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{told}{'' if isinstance(error, SyntaxError) else place}"


def _hook_fault(error: pluggy.PluginValidationError) -> str:
    """In our words: pluggy's name the module object and take several lines."""
    from difflib import get_close_matches  # of no use to plugins that are right, and slow to load

    if found := re.match(r"unknown hook '(\w+)'", str(error)):
        near = get_close_matches(found[1], _hook_names(), n=1)
        return f"there is no hook '{found[1]}'" + (f": did you mean '{near[0]}'?" if near else "")
    if found := re.search(r"for hook '(\w+)'", str(error)):
        wanted = ", ".join(inspect.signature(getattr(hookspecs, found[1])).parameters)
        return f"{found[1]} takes other arguments than it is given: write def {found[1]}({wanted})"
    return " ".join(str(error).split())


def _freeze(manager: pluggy.PluginManager, owners: dict[str, Plugin], broken: list[Broken]) -> Registry:
    tables: dict[str, dict[str, Any]] = {"receive": {}, "send": {}, "auth": {}, "actions": {}, "unpackers": {}}
    hooks = manager.hook
    for hook in (hooks.mailrules_protocols, hooks.mailrules_auths, hooks.mailrules_actions, hooks.mailrules_unpackers):
        for implementation in hook.get_hookimpls():
            plugin = owners[implementation.plugin_name]
            _collect(tables, plugin, implementation.function, broken)
    return Registry(
        **tables,
        plugins=tuple(owners.values()),
        broken=tuple(broken),
        observers=tuple(owners[each.plugin_name] for each in hooks.mailrules_recorded.get_hookimpls()),
        recorded=hooks.mailrules_recorded,
    )


def _collect(
    tables: dict[str, dict[str, Any]],
    plugin: Plugin,
    function: Callable[..., Any],
    broken: list[Broken],
) -> None:
    try:
        items = list(function())
    except (Exception, SystemExit) as error:
        broken.append(Broken(plugin, f"{function.__name__} raised {_said(error)}"))
        return
    for item in items:
        table = tables.get(_kind(item))
        if table is None:
            broken.append(Broken(plugin, f"{function.__name__} gave a {type(item).__name__}, which is no descriptor"))
        elif not plugin.name.startswith("mailrules.builtin.") and (reason := unsound(item)):
            broken.append(Broken(plugin, reason))
        elif item.name in table:
            other = table[item.name].plugin
            broken.append(Broken(plugin, f"'{item.name}' is already given by {other}", "plugin-clash"))
        else:
            table[item.name] = Provided(item, plugin)


def _kind(item: object) -> str:
    """Which table it belongs to; empty when it is no descriptor."""
    kinds = {ReceiveProtocol: "receive", SendProtocol: "send", AuthType: "auth", ActionType: "actions"}
    kinds |= {Unpacker: "unpackers"}
    return kinds.get(type(item), "")
