"""Templates in options: what they name is known before they run, and a name that cannot come fails."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mailrules.api.names import BODY_ATTRIBUTES, OF_MAPPINGS, TEMPLATE_NAMES, TemplateProblem, Use, misnamed
from mailrules.model.action import Permanent

if TYPE_CHECKING:
    from mailrules.api.study import Study

T = TypeVar("T")


def scalar(kind: type[T]) -> type[T]:
    """Marks a dataclass that YAML writes as one scalar.

    msgspec takes a dataclass apart, field by field; one without its list of fields it gives to `build_options`' hook.
    """
    del kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind


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
        """The names after dots when all expressions are names with plain filters; None when only Jinja2 can tell."""
        rest = _SIMPLE.sub("", self.source)
        if "{{" in rest or "{%" in rest or "{#" in rest:
            return None
        found = list(_SIMPLE.finditer(self.source))
        if not all(each[1] in TEMPLATE_NAMES and _is_plain(each[2], each[3]) for each in found):
            return None
        return [use for each in found for use in _steps(self.source.count("\n", 0, each.start()) + 1, each[1], each[2])]

    @property
    def _studied(self) -> Study:
        """What its syntax tree tells; the tree is not kept."""
        return _study(self.source)

    @property
    def _uses(self) -> Collection[Use]:
        return self._studied.uses if self._simple is None else self._simple

    def problem(self) -> TemplateProblem | None:
        """What makes it no template, or what it names that no message can have; None when nothing does."""
        if self.constant:
            return None
        found = None if self._simple is not None else self._studied.problem
        return found or next((problem for use in self._uses if (problem := misnamed(use))), None)

    def captures(self) -> Iterator[tuple[int, str]]:
        """The names it asks `match` for without a default, each with its line."""
        if "match" not in self.source or self.constant:
            return
        yield from ((use.line, use.name) for use in self._uses if use.path == "match" and use.name not in OF_MAPPINGS)

    def results(self) -> Iterator[Use]:
        """The names it asks `data` for without a default, and those of what is in there: `data.TITLE.NAME`."""
        if "data" not in self.source or self.constant:
            return
        for use in self._uses:
            path, _, title = use.path.partition(".")
            if path == "data" and "." not in title and use.name not in OF_MAPPINGS:
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
            lambda found: found[0] if found[0] == self.source else type(self)(found[0]).shown(data), self.source
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


_FILTER = r"""\s*\|\s*[a-z]+(?:\(\s*(?:'[^'\\{}]*'|"[^"\\{}]*"|[0-9]+)\s*\))?"""
_SIMPLE = re.compile(rf"\{{\{{-?\s*([a-z]+)((?:\.[A-Za-z_]\w*)*)((?:{_FILTER})*)\s*-?\}}\}}")
"""An expression that is a name with dots, filtered or not, as nearly all are: it is plain without loading Jinja2."""
_FILTER_NAME = re.compile(r"""'[^']*'|"[^"]*"|([a-z]+)""")
_PLAIN_FILTERS = frozenset(
    {"address", "capitalize", "date", "domain", "int", "json", "length", "localpart", "lower", "name", "quote"}
    | {"shorten", "size", "slug", "string", "title", "trim", "upper", "urlencode", "wordcount"}
)
"""Those that take a value and at most a literal, and say nothing about names."""


def _is_plain(tail: str, filters: str) -> bool:
    """Whether the filters neither ask for names of their own nor see to it that one is missing."""
    names = [found[1] for found in _FILTER_NAME.finditer(filters) if found[1]]
    return not names or bool(tail and _PLAIN_FILTERS.issuperset(names))


def _steps(line: int, name: str, tail: str) -> Iterator[Use]:
    path = name
    for step in tail.split(".")[1:]:
        yield Use(line, path, step)
        path = f"{path}.{step}"


@cache
def _environment(*, html: bool = False) -> Any:
    from mailrules.api.sandbox import environment

    return environment(html=html)


@lru_cache(maxsize=1000)
def _study(source: str) -> Study:
    """Once for a text: thousands of rules say the same, and defaults are the same in all of them."""
    from jinja2 import TemplateSyntaxError

    from mailrules.api.study import Study, study

    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        return Study(TemplateProblem(error.lineno, error.message or "not a template"), (), needs_body=False)
    return study(tree, _environment())
