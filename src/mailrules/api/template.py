"""Templates in options: what they name is known before they run, and a name that cannot come fails."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import count
from typing import Any, ClassVar, NamedTuple, TypeVar

from mailrules.model.action import Permanent
from mailrules.model.message import Address, Fact, Message

T = TypeVar("T")


def scalar(kind: type[T]) -> type[T]:
    """Marks a dataclass that YAML writes as one scalar.

    msgspec takes a dataclass apart, field by field; one without its list of fields it gives to `build_options`' hook.
    """
    del kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind


BODY_ATTRIBUTES = frozenset({"text", "html", "attachments", "reply_text", "raw", "undecodable"})
"""What of `message` in a template takes more than the header block."""

TEMPLATE_NAMES = frozenset({"message", "match", "data", "account", "listener", "now"})
LISTENER_KEYS = frozenset({"name", "folder", "rule"})
ACCOUNT_KEYS = frozenset({"name", "address"})


class TemplateProblem(NamedTuple):
    """Why a text is no template that works."""

    line: int
    """Of the template, from 1."""
    sentence: str
    name: str = ""
    """The name that is not there; empty when something else is wrong."""
    known: Collection[str] = ()
    """The names that are."""
    hint: str = ""
    """What to do when none of them was meant."""


class Use(NamedTuple):
    """A name after a dot, as in `message.subject`."""

    line: int
    path: str
    """What stands before the dot."""
    name: str


def _public(kind: type[Any]) -> frozenset[str]:
    return frozenset(name for name in dir(kind) if not name.startswith("_"))


_ADDRESS, _FACT = _public(Address), _public(Fact)
_SHAPES: Mapping[str, tuple[str, frozenset[str]]] = {
    "message": ("a message", _public(Message)),
    "message.author": ("an address", _ADDRESS),
    "message.original_sender": ("an address", _ADDRESS),
    "message.kind": ("a fact", _FACT),
    "message.authentication": ("a fact", _FACT),
    "message.original_sender_fact": ("a fact", _FACT),
    "listener": ("the listener", LISTENER_KEYS),
    "account": ("the account", ACCOUNT_KEYS),
}
"""What is known of a name before there is a message, with the word for it."""
_OF_MAPPINGS = _public(dict)


@scalar
@dataclass(frozen=True)
class Template:
    """Text with Jinja2 expressions, filled from `message`, `match`, `data`, `account`, `listener` and `now`.

    Compiled on first use in an immutable sandbox; an undefined name fails. What comes from a mail is never itself
    taken for a template.
    """

    source: str = ""
    html: ClassVar[bool] = False
    """Whether what is filled in is escaped."""

    @property
    def constant(self) -> bool:
        """Whether there is nothing to fill in."""
        return "{{" not in self.source and "{%" not in self.source and "{#" not in self.source

    @cached_property
    def _compiled(self) -> Any:
        return _environment(html=self.html).from_string(self.source)

    @cached_property
    def needs_body(self) -> bool:
        """Whether it mentions something of `message` that only the body tells."""
        if self.constant:
            return False
        if self._simple is not None:
            return any(use.path == "message" and use.name in BODY_ATTRIBUTES for use in self._simple)
        return self._studied.needs_body

    @cached_property
    def _simple(self) -> list[Use] | None:
        """The names after dots when all expressions are names with dots; None when only Jinja2 can tell."""
        rest = _SIMPLE.sub("", self.source)
        if "{{" in rest or "{%" in rest or "{#" in rest:
            return None
        found = list(_SIMPLE.finditer(self.source))
        if not all(each[1] in TEMPLATE_NAMES for each in found):
            return None
        return [use for each in found for use in _steps(self.source.count("\n", 0, each.start()) + 1, each[1], each[2])]

    @cached_property
    def _studied(self) -> _Study:
        """What its syntax tree tells; the tree is not kept."""
        from jinja2 import TemplateSyntaxError

        try:
            tree = _environment().parse(self.source)
        except TemplateSyntaxError as error:
            return _Study(TemplateProblem(error.lineno, error.message or "not a template"), (), needs_body=False)
        return _study(tree)

    @property
    def _uses(self) -> Collection[Use]:
        return self._studied.uses if self._simple is None else self._simple

    def problem(self) -> TemplateProblem | None:
        """What makes it no template, or what it names that no message can have; None when nothing does."""
        if self.constant:
            return None
        found = None if self._simple is not None else self._studied.problem
        return found or next((problem for use in self._uses if (problem := _misnamed(use))), None)

    def captures(self) -> Iterator[tuple[int, str]]:
        """The names it asks `match` for without a default, each with its line."""
        if "match" not in self.source or self.constant:
            return
        yield from ((use.line, use.name) for use in self._uses if use.path == "match" and use.name not in _OF_MAPPINGS)

    def results(self) -> Iterator[Use]:
        """The names it asks `data` for without a default, and those of what is in there: `data.TITLE.NAME`."""
        if "data" not in self.source or self.constant:
            return
        for use in self._uses:
            path, _, title = use.path.partition(".")
            if path == "data" and "." not in title and use.name not in _OF_MAPPINGS:
                yield use

    def render(self, data: Mapping[str, Any]) -> str:
        """The text filled in.

        Raises:
            Permanent: something named is not there, or the expression fails.
        """
        if self.constant:
            return self.source
        try:
            return self._filled(data)
        except Exception as error:
            raise Permanent(f"template {self.source!r}: {error}") from error

    def _filled(self, data: Mapping[str, Any]) -> str:
        from mailrules.api.sandbox import MOST_CHARACTERS, ROUNDS, TooMuchError

        pieces, length = list[str](), 0
        for piece in self._compiled.generate({**data, ROUNDS: count()}):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_CHARACTERS:
                raise TooMuchError(f"more than {MOST_CHARACTERS:,} characters")
        return "".join(pieces)

    def value(self, data: Mapping[str, Any]) -> Any:
        """The text filled in; but a list or mapping, in JSON types, where one expression is all and gives that.

        Raises:
            Permanent: as `render`.
        """
        if self._lone is None:
            return self.render(data)
        try:
            found = self._lone(**data)
            if isinstance(found, Mapping | list | tuple):
                return _plain(found)
        except Exception as error:
            raise Permanent(f"template {self.source!r}: {error}") from error
        return self.render(data)

    def shown_value(self, data: Mapping[str, Any]) -> Any:
        """As `value`, for a description: what later results must fill stays as written.

        Raises:
            Permanent: as `shown`.
        """
        try:
            return self.value(data)
        except Permanent:
            return self.shown(data)

    @cached_property
    def _lone(self) -> Any:
        """What evaluates the one expression that the text is; None when it is more than that."""
        text = self.source.strip()
        if self.constant or not (text.startswith("{{") and text.endswith("}}")) or text.count("{{") > 1:
            return None
        from jinja2 import nodes

        body = _environment().parse(text).body
        lone = len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1
        inner = text[2:-2].removeprefix("-").removesuffix("-")
        return _environment().compile_expression(inner, undefined_to_none=False) if lone else None

    def shown(self, data: Mapping[str, Any]) -> str:
        """As `render`, for a description: what later steps' results must fill, `{{ data.x }}`, stays as written.

        Raises:
            Permanent: as `render`, when anything else is missing.
        """
        try:
            return self.render(data)
        except Permanent:
            if not self._awaits(data):
                raise
        if self._simple is None:
            return self.source
        return _SIMPLE.sub(
            lambda found: found[0] if found[0] == self.source else Template(found[0]).shown(data), self.source
        )

    def _awaits(self, data: Mapping[str, Any]) -> bool:
        """Whether what is missing is a result of a step that has not run."""
        try:
            self._filled({**data, "data": _Results(data.get("data", {}))})
        except _AwaitedError:
            return True
        except Exception:
            return False
        return False

    def __str__(self) -> str:
        """As written."""
        return self.source


class HtmlTemplate(Template):
    """A template of HTML: whatever is filled in is escaped, so that a mail cannot bring markup of its own."""

    html: ClassVar[bool] = True


@scalar
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


class _AwaitedError(Exception):
    """A result was asked for that is not there yet."""


class _Results(dict[str, Any]):
    """What steps gave; what they have not given is told apart from every other name that is missing."""

    def __missing__(self, name: str) -> Any:
        raise _AwaitedError(name)


def _plain(value: Any) -> Any:
    """In JSON types; what is none is its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


_SIMPLE = re.compile(r"\{\{-?\s*([a-z]+)((?:\.[A-Za-z_]\w*)*)\s*-?\}\}")
"""An expression that is a name with dots, as nearly all are: what it needs is plain without loading Jinja2."""


def _steps(line: int, name: str, tail: str) -> Iterator[Use]:
    path = name
    for step in tail.split(".")[1:]:
        yield Use(line, path, step)
        path = f"{path}.{step}"


def _misnamed(use: Use) -> TemplateProblem | None:
    """What is wrong with a name that is never there, whatever the message."""
    what, known = _SHAPES.get(use.path, ("", frozenset()))
    if not known or use.name in known or ("." not in use.path and use.path != "message" and use.name in _OF_MAPPINGS):
        return None
    hint = f"a header is message['{use.name}']" if use.path == "message" else ""
    return TemplateProblem(use.line, f"{what} has no '{use.name}'", use.name, known, hint)


class _Study(NamedTuple):
    """What a syntax tree tells."""

    problem: TemplateProblem | None
    uses: tuple[Use, ...]
    needs_body: bool


def _study(tree: Any) -> _Study:
    """A message that goes elsewhere than before a dot or bracket may be asked for anything."""
    from jinja2 import nodes

    names = [name.name for name in tree.find_all(nodes.Name)]
    fields = [node for node in tree.find_all((nodes.Getattr, nodes.Getitem)) if _path(node.node) == "message"]
    attributes = {node.attr for node in fields if isinstance(node, nodes.Getattr)}
    needs_body = names.count("message") > len(fields) or bool(attributes & BODY_ATTRIBUTES)
    problem = _unknown_filter(tree) or _unknown_name(tree, names) or _bad_pattern(tree)
    return _Study(problem, tuple(_uses(tree)), needs_body)


def _uses(tree: Any) -> Iterator[Use]:
    """Names after dots, but for those whose absence the template sees to, and of names that it gives itself."""
    from jinja2 import nodes

    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    cared_for = [node.node for node in tree.find_all(nodes.Filter) if node.name in ("default", "d")]
    cared_for += [node.node for node in tree.find_all(nodes.Test) if node.name in ("defined", "undefined")]
    excused = {(_path(node.node), _name(node)) for node in cared_for if isinstance(node, nodes.Getattr | nodes.Getitem)}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path, name = _path(node.node), _name(node)
        if path and name and (path, name) not in excused and path.partition(".")[0] not in own:
            yield Use(node.lineno, path, name)


def _name(node: Any) -> str:
    """What stands after a dot, or in brackets where that is the same; empty otherwise."""
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr):
        return node.attr
    plain = isinstance(node.arg, nodes.Const) and _path(node.node) in ("match", "data", "listener", "account")
    return str(node.arg.value) if plain else ""


def _path(node: Any) -> str:
    """`message.author` of a name with dots; empty of anything else."""
    from jinja2 import nodes

    if isinstance(node, nodes.Name):
        return node.name
    before = _path(node.node) if isinstance(node, nodes.Getattr) else ""
    return f"{before}.{node.attr}" if before else ""


def _unknown_filter(tree: Any) -> TemplateProblem | None:
    """A filter or test that there is not."""
    from jinja2 import nodes

    for kind, known, what in (
        (nodes.Filter, _environment().filters, "filter"),
        (nodes.Test, _environment().tests, "test"),
    ):
        for node in tree.find_all(kind):
            if node.name not in known:
                names = frozenset(name for name in known if name[0].isalpha())
                return TemplateProblem(node.lineno, f"there is no {what} '{node.name}'", node.name, names)
    return None


def _bad_pattern(tree: Any) -> TemplateProblem | None:
    """A regular expression, written out, that is none."""
    from jinja2 import nodes

    from mailrules.api.filters import compiled

    for node in tree.find_all((nodes.Filter, nodes.Test)):
        written = node.args[0] if node.name in ("regex_search", "matching") and node.args else None
        if isinstance(written, nodes.Const):
            try:
                compiled(str(written.value))
            except ValueError as error:
                return TemplateProblem(node.lineno, str(error), hint="regular expressions are RE2's")
    return None


def _unknown_name(tree: Any, names: list[str]) -> TemplateProblem | None:
    """A name that templates do not know; asking Jinja2 for scopes only where some name is not one of ours."""
    from jinja2 import meta, nodes

    if TEMPLATE_NAMES.issuperset(names):
        return None
    unknown = meta.find_undeclared_variables(tree) - TEMPLATE_NAMES - _environment().globals.keys()
    if not unknown:
        return None
    name = min(unknown)
    line = next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
    sentence = f"no '{name}' here: templates know {', '.join(sorted(TEMPLATE_NAMES))}"
    return TemplateProblem(line, sentence, name, TEMPLATE_NAMES)


@cache
def _environment(*, html: bool = False) -> Any:
    from mailrules.api.sandbox import environment

    return environment(html=html)
