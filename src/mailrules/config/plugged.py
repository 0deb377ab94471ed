"""What a plugin is named by, `{name: options}`, and its options built and looked through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from mailrules.api import Options, OptionsError, Secret, Template, Templates, build_options, options_schema
from mailrules.api.python_file import PythonFile
from mailrules.config.document import Node, Place
from mailrules.config.findings import Findings
from mailrules.config.nearest import nearest, suggestion
from mailrules.config.needs import Asked
from mailrules.config.script import load_function
from mailrules.config.structure import explain, validator, wrong_type
from mailrules.registry import Provided

_ONE_KEY = "keep one of them, or give each its own '- ' in a list; options are indented below their name"
_RUN = "write def run(message, data, context), giving a mapping or None"
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_BARREN = frozenset({str, int, float, bool, type(None)})
"""Types of values in which there is nothing to look for: most options of most actions."""


def named(node: Node, findings: Findings, *, owner: str) -> tuple[str, Node] | None:
    """The name and the node of the options in `{name: options}`; a name alone is without options."""
    if isinstance(node.value, str) and node.value:
        return node.value, Node(node.source, None, node.mark, node.mark[:2])
    if not isinstance(node.value, dict):
        wrong_type(node, ["object"], findings, owner)
        return None
    if len(node.value) != 1:
        words = f"{len(node.value)}: {', '.join(node.value)}" if node.value else "none"
        findings.add(
            node.label if not node.value else node[next(iter(node.value))].label,
            "not-one-key",
            f"{owner} is one name with its options, {{name: options}}, and here are {words}",
            _ONE_KEY if node.value else "name one",
        )
        return None
    return next(node.items())


def provided(
    name: str, node: Node, table: Mapping[str, Provided[Any]], findings: Findings, *, what: str
) -> Provided[Any] | None:
    """Who gives *name*; None and a diagnostic with the nearest when nobody does."""
    found = table.get(name)
    if found is None:
        close = nearest(name, table)
        help_ = suggestion(name, table, what=_NOUNS[what][1])
        if close and not table[close].plugin.name.startswith("mailrules.builtin."):
            help_ += f" (from plugin {table[close].plugin})"
        findings.add(node.label, f"unknown-{what}", f"no plugin gives the {_NOUNS[what][0]} '{name}'", help_)
    return found


_NOUNS = {
    "action": ("action", "actions"),
    "protocol": ("protocol", "protocols"),
    "auth": ("way to log in", "ways to log in"),
}


def build(node: Node, kind: type[Options], root: Path, findings: Findings, *, owner: str) -> Any | None:
    """The options as a *kind*, their secrets and templates looked at; None and diagnostics when they do not fit."""
    try:
        options = build_options(kind, node.value, root=root)
    except OptionsError as error:
        raw = node if node.value is not None else Node(node.source, {}, (*node.mark[:2], {}), node.key)
        if not explain(raw, _validator(kind), findings, owner=owner):
            _tell(raw, str(error), findings, owner)
        return None
    except Exception as error:
        findings.add(
            node.label, "bad-options", f"{owner}: {type(error).__name__}: {error}", "this is the plugin's own error"
        )
        return None
    for key, sentence, help_ in options.doubts():
        findings.add(_child(node, key).place, "doubtful-option", f"{owner}: {sentence}", help_)  # type: ignore[union-attr] # of a node comes a node
    fine = [_look(leaf, place, findings) for leaf, place in _leaves(options, node)]
    return options if all(fine) else None


def asked(options: Any, node: Node) -> tuple[list[Asked], list[Asked]]:
    """What templates in *options* ask of `match`, and of `data`, each with its line."""
    captures, data = list[Asked](), list[Asked]()
    for leaf, at in _leaves(options, node):
        if not isinstance(leaf, Template) or at is None:
            continue
        captures += (Asked(name, _line_within(at, line)) for line, name in leaf.captures())
        data += (Asked(use.name, _line_within(at, use.line), title=use.path[5:]) for use in leaf.results())
    return captures, data


@lru_cache(maxsize=256)
def _validator(kind: type[Options]) -> Any:
    return validator(options_schema(kind))


def _tell(node: Node, sentence: str, findings: Findings, owner: str) -> None:
    """A sentence of msgspec with its path: the path becomes the place."""
    found = _AT.search(sentence)
    for key, position in _STEP.findall(found[1]) if found else ():
        step = int(position) if position else key
        if isinstance(node.value, dict | list) and (isinstance(step, int) or step in node.value):
            node = node[step]
    findings.add(
        node.place if node.value is not None else node.label, "bad-options", f"{owner}: {_AT.sub('', sentence)}"
    )


def _leaves(options: Any, node: Node | None) -> Iterator[tuple[Any, Node | None]]:
    """Every secret and template in *options*, with where it was written; None for a default."""
    if isinstance(options, Secret | Template | PythonFile):
        yield options, node
    elif isinstance(options, Templates):
        whole = node is None or not isinstance(node.value, list)
        yield from ((item, node if whole else _child(node, at)) for at, item in enumerate(options.items))
    elif isinstance(options, msgspec.Struct):
        inline, shorthand = (getattr(type(options), kind, None) for kind in ("inline", "shorthand"))
        for name, key in zip(options.__struct_fields__, options.__struct_encode_fields__, strict=True):
            value = getattr(options, name)
            if type(value) in _BARREN:
                continue
            bare = name == shorthand and node is not None and not isinstance(node.value, dict)
            bare = bare or name == inline
            yield from _leaves(value, node if bare else _child(node, key))
    elif isinstance(options, Mapping):
        for key, value in options.items():
            yield from _leaves(value, _child(node, key))
    elif isinstance(options, list | tuple):
        for position, value in enumerate(options):
            yield from _leaves(value, _child(node, position))


def _child(node: Node | None, step: str | int) -> Node | None:
    if node is None:
        return None
    inside = step in node if isinstance(step, str) else isinstance(node.value, list)
    return node[step] if inside else node


def _look(leaf: Secret | Template | PythonFile, node: Node | None, findings: Findings) -> bool:
    """Whether it can be used."""
    if node is None:
        return True
    if isinstance(leaf, PythonFile):
        return load_function(node, leaf.root, findings, name="run", help_=_RUN) is not None
    if isinstance(leaf, Secret):
        if leaf.literal and leaf.reference:
            findings.secret(leaf.reference, node.place)
            help_ = "write env:NAME, file:PATH or keyring:SERVICE/USER, and put the secret there"
            findings.add(node.label, "literal-secret", "a secret stands in the file itself", help_)
    elif (problem := leaf.problem()) is not None:
        message = f"this template does not work: {problem.sentence}"
        close = nearest(problem.name, problem.known)
        help_ = f"did you mean '{close}'?" if close else problem.hint or "templates are Jinja2"
        if close and problem.hint:
            help_ += f"; {problem.hint}"
        findings.add(_line_within(node, problem.line), "bad-template", message, help_)
        return False
    return True


def _line_within(node: Node, line: int) -> Place:
    """The line of a text of several lines; the text of one line as a whole."""
    place, source = node.place, node.source
    block = source.text[place.start : place.start + 1] in ("|", ">")
    if line == 1 and not block:
        return place
    at = place.start
    for _ in range(line if block else line - 1):
        following = source.text.find("\n", at)
        if following < 0:
            return place
        at = following + 1
    text = source.text[at:].partition("\n")[0]
    indent = len(text) - len(text.lstrip())
    return Place(source, at + indent, at + len(text.rstrip()))
