"""Options of plugins: one frozen struct is the schema that editors see and the value that code uses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mailrules.model.action import Permanent, PersonNeeded

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every options type: frozen, keyword-only, unknown keys refused.

    Document a field with `Annotated[str, msgspec.Meta(description="...")]`; the text reaches schema and docs.
    `shorthand` names the field that a bare value stands for: `- flow: new-mail` for `- flow: {name: new-mail}`.
    `inline` names the one field that all that is written stands for: `- map: {to: ...}` fills a mapping of any keys.
    """


class OptionsError(ValueError):
    """The value does not fit the options type; `str()` is msgspec's sentence with its path."""


def _scalar(kind: type[T]) -> type[T]:
    """Marks a dataclass that YAML writes as one scalar.

    msgspec takes a dataclass apart, field by field; one without its list of fields it gives to `build_options`' hook.
    """
    del kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind


_revealed: set[str] = set()
"""Every secret this process has looked up: what `redact` strikes out. A cache, not state: losing it loses nothing."""
_obtained: dict[str, None] = {}
"""The same for what log-ins have obtained, the newest `MOST_OBTAINED`: tokens of an hour would add up."""
MOST_OBTAINED = 10_000


def redact(text: str) -> str:
    """*text* with every secret that this process has looked up replaced by `***`: for journal, log and traces."""
    for secret in (*_revealed, *_obtained):
        text = text.replace(secret, "***")
    return text


@_scalar
@dataclass(frozen=True)
class Secret:
    """A reference to a secret (`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`) or, with a warning, the secret itself.

    Its repr and str are `***`: it cannot reach a log, a journal or a trace by accident.
    """

    reference: str
    root: Path = Path()
    held: bool = False
    """Whether `reference` is the secret itself, however it reads."""

    @classmethod
    def holding(cls, secret: str) -> Secret:
        """One that a log-in has just obtained: a password out of a vault, an access token."""
        return cls(secret, held=True)

    @property
    def literal(self) -> bool:
        """Whether the secret itself stands in the file."""
        return self.reference.partition(":")[0] not in {"env", "file", "keyring"}

    def reveal(self) -> str:
        """The secret; from now on `redact` strikes it out of texts.

        Raises:
            PersonNeeded: the variable, file or keyring entry is missing.
        """
        secret = self._look_up()
        if len(secret) > 3 and not self.held:
            _revealed.add(secret)
        elif len(secret) > 3:
            _obtained[secret] = None
            for oldest in list(_obtained)[:-MOST_OBTAINED] if len(_obtained) > MOST_OBTAINED else ():
                _obtained.pop(oldest, None)
        return secret

    def _look_up(self) -> str:
        if self.held:
            return self.reference
        scheme, _, name = self.reference.partition(":")
        if scheme == "env":
            return self._or_ask(os.environ.get(name), f"environment variable {name} is not set")
        if scheme == "file":
            return self._from_file(self.root / Path(name).expanduser())
        if scheme == "keyring":
            return self._from_keyring(*name.rpartition("/")[::2])
        return self.reference

    @staticmethod
    def _or_ask(value: str | None, reason: str) -> str:
        if value is None:
            raise PersonNeeded(reason, remedy="provide it, then start again")
        return value

    @staticmethod
    def _from_file(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise PersonNeeded(f"secret file {path}: {error.strerror}", remedy="create it, mode 0600") from error

    @classmethod
    def _from_keyring(cls, service: str, user: str) -> str:
        try:
            import keyring
        except ImportError as error:
            raise PersonNeeded("no keyring library here", remedy="pip install keyring") from error
        return cls._or_ask(keyring.get_password(service, user), f"keyring has nothing for {service}/{user}")

    def __repr__(self) -> str:
        """Never the secret."""
        return "***"

    __str__ = __repr__


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m|h|d|w)\s*)+", re.IGNORECASE)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m|h|d|w)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


@_scalar
@dataclass(frozen=True, order=True)
class Duration:
    """A length of time, written with its unit: `5s`, `90m`, `1h 30m`, `14d`, `2w`."""

    seconds: float

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read it as written.

        Raises:
            ValueError: no number with a unit.
        """
        if not (isinstance(text, str) and _DURATION.fullmatch(text.strip())):
            raise ValueError("a duration is a number with a unit: 5s, 90m, 1h 30m, 14d, 2w")
        return cls(sum(float(n) * _SECONDS[unit.lower()] for n, unit in _DURATION_PART.findall(text)))

    @property
    def delta(self) -> timedelta:
        """For adding to moments."""
        return timedelta(seconds=self.seconds)


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)


@_scalar
@dataclass(frozen=True, order=True)
class Size:
    """A number of octets: `4096`, `10MB` (decimal), `10MiB` (binary)."""

    octets: int

    @classmethod
    def parse(cls, text: str | int) -> Size:
        """Read it as written.

        Raises:
            ValueError: no size.
        """
        if isinstance(text, int) and not isinstance(text, bool):
            return cls(text)
        found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
        if not found:
            raise ValueError("a size is a number of octets or one with a unit: 4096, 500KB, 10MB, 10MiB")
        base = 1024 if found[3] else 1000
        return cls(int(float(found[1]) * base ** " kmg".index(found[2].lower() or " ")))


BODY_ATTRIBUTES = frozenset({"text", "html", "attachments", "reply_text", "raw", "undecodable"})
"""What of `message` in a template takes more than the header block."""


@_scalar
@dataclass(frozen=True)
class Template:
    """Text with Jinja2 expressions, filled from `message`, `match`, `data`, `account`, `listener` and `now`.

    Compiled on first use in an immutable sandbox; an undefined name fails. What comes from a mail is never itself
    taken for a template.
    """

    source: str = ""

    @property
    def constant(self) -> bool:
        """Whether there is nothing to fill in."""
        return "{{" not in self.source and "{%" not in self.source and "{#" not in self.source

    @cached_property
    def _compiled(self) -> Any:
        return _environment().from_string(self.source)

    @cached_property
    def needs_body(self) -> bool:
        """Whether it mentions something of `message` that only the body tells."""
        if self.constant:
            return False
        if self._simple is not None:
            return any(name == "message" and attribute in BODY_ATTRIBUTES for name, attribute in self._simple)
        return self._studied[1]

    @cached_property
    def _simple(self) -> list[tuple[str, str]] | None:
        """(name, first attribute) of every expression when all are names with dots; None when only Jinja2 can tell."""
        rest = _SIMPLE.sub("", self.source)
        if "{{" in rest or "{%" in rest or "{#" in rest:
            return None
        found = [(each[1], each[2] or "") for each in _SIMPLE.finditer(self.source)]
        return found if all(name in TEMPLATE_NAMES for name, _ in found) else None

    @cached_property
    def _studied(self) -> tuple[tuple[int, str] | None, bool]:
        """Its problem, and whether it needs the body: of one syntax tree, which is not kept.

        A message that goes elsewhere than before a dot or bracket may be asked for anything.
        """
        from jinja2 import TemplateSyntaxError, nodes

        try:
            tree = _environment().parse(self.source)
        except TemplateSyntaxError as error:
            return (error.lineno, error.message or "not a template"), False
        names = [name.name for name in tree.find_all(nodes.Name)]
        fields = [node for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if _is_message(node.node)]
        attributes = {node.attr for node in fields if isinstance(node, nodes.Getattr)}
        needs_body = names.count("message") > len(fields) or bool(attributes & BODY_ATTRIBUTES)
        return _unknown_filter(tree) or _unknown_name(tree, names), needs_body

    def problem(self) -> tuple[int, str] | None:
        """What makes it no template, as (line within it, sentence); None when it compiles."""
        return None if self.constant or self._simple is not None else self._studied[0]

    def render(self, data: Mapping[str, Any]) -> str:
        """The text filled in.

        Raises:
            Permanent: something named is not there, or the expression fails.
        """
        if self.constant:
            return self.source
        try:
            return str(self._compiled.render(data))
        except Exception as error:
            raise Permanent(f"template {self.source!r}: {error}") from error

    def shown(self, data: Mapping[str, Any]) -> str:
        """As `render`, for a description: what cannot be filled in yet stays as written."""
        try:
            return self.render(data)
        except Permanent:
            return self.source

    def __str__(self) -> str:
        """As written."""
        return self.source


@_scalar
@dataclass(frozen=True)
class Templates:
    """One template or a list of them: `to: a@example.com` or `to: [a@example.com, "{{ data.owner }}"]`."""

    items: tuple[Template, ...] = ()

    def render(self, data: Mapping[str, Any]) -> list[str]:
        """Each text filled in, empty ones left out.

        Raises:
            Permanent: as `Template.render`.
        """
        return [text for text in (item.render(data) for item in self.items) if text.strip()]


_SIMPLE = re.compile(r"\{\{-?\s*([a-z]+)(?:\.([A-Za-z_]\w*))?(?:\.[A-Za-z_]\w*)*\s*-?\}\}")
"""An expression that is a name with dots, as nearly all are: what it needs is plain without loading Jinja2."""

TEMPLATE_NAMES = frozenset({"message", "match", "data", "account", "listener", "now"})
_shared: list[Any] = []


def _unknown_filter(tree: Any) -> tuple[int, str] | None:
    """A filter or test that there is not."""
    from jinja2 import nodes

    for kind, known, what in (
        (nodes.Filter, _environment().filters, "filter"),
        (nodes.Test, _environment().tests, "test"),
    ):
        for node in tree.find_all(kind):
            if node.name not in known:
                return node.lineno, f"there is no {what} '{node.name}'"
    return None


def _unknown_name(tree: Any, names: list[str]) -> tuple[int, str] | None:
    """A name that templates do not know; asking Jinja2 for scopes only where some name is not one of ours."""
    from jinja2 import meta

    if TEMPLATE_NAMES.issuperset(names):
        return None
    unknown = meta.find_undeclared_variables(tree) - TEMPLATE_NAMES - _environment().globals.keys()
    if not unknown:
        return None
    return 1, f"no '{min(unknown)}' here: templates know {', '.join(sorted(TEMPLATE_NAMES))}"


def _is_message(node: Any) -> bool:
    return getattr(node, "name", "") == "message"


def _environment() -> Any:
    if not _shared:
        from mailrules.api.sandbox import environment

        _shared.append(environment())
    return _shared[0]


_PARSERS: Mapping[type[Any], Any] = {Duration: Duration.parse, Size: Size.parse}


def build_options(kind: type[T], raw: Any, *, root: Path) -> T:
    """*raw* (plain mappings, lists and scalars as YAML gave them) as a value of *kind*.

    Args:
        kind: an `Options` type.
        raw: what stands after the plugin's name; a bare value stands for the field that `shorthand` names; None for {}.
        root: the workspace, where `file:` secrets start.

    Raises:
        OptionsError: it does not fit.
    """

    def hook(wanted: type[Any], value: Any) -> Any:
        if wanted is Secret and isinstance(value, str):
            return Secret(value, root)
        if wanted is Template and isinstance(value, str | int | float) and not isinstance(value, bool):
            return Template(str(value))
        if wanted is Templates:
            return Templates(tuple(hook(Template, item) for item in (value if isinstance(value, list) else [value])))
        if wanted in _PARSERS:
            return _PARSERS[wanted](value)
        raise ValueError(f"expected {wanted.__name__.lower()}, got {value!r}")

    try:
        return msgspec.convert(expand_shorthand(kind, raw), kind, dec_hook=hook)
    except msgspec.ValidationError as error:
        raise OptionsError(str(error)) from error


def expand_shorthand(kind: type[Any], raw: Any) -> Any:
    """`flow: name` as `flow: {name: name}` where the type says which field a bare value, or everything, stands for."""
    inline = getattr(kind, "inline", None)
    if inline:
        return {inline: raw}
    field = getattr(kind, "shorthand", None)
    if raw is None:
        return {}
    if field and not isinstance(raw, Mapping):
        return {field: raw}
    return raw


def templates(options: Any) -> Iterator[Template]:
    """Every template anywhere in *options*."""
    if isinstance(options, Template):
        yield options
    elif isinstance(options, Templates):
        yield from options.items
    elif isinstance(options, msgspec.Struct):
        for name in options.__struct_fields__:
            yield from templates(getattr(options, name))
    elif isinstance(options, Mapping):
        for value in options.values():
            yield from templates(value)
    elif isinstance(options, list | tuple):
        for value in options:
            yield from templates(value)
