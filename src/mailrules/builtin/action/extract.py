"""The action `extract`: fields out of the body or an attachment, as data for later steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from mailrules.api import ActionType, Context, Data, Message, Options, Permanent, misfit
from mailrules.builtin.action.fields import document, markup, table, text, value
from mailrules.builtin.action.parts import chosen_attachments, patterns_of

MOST_OCTETS = 10_000_000
"""The longest attachment that is read; of a body, parsing bounds what there is."""
LONGEST_VALUE = 10_000
"""Characters of one value."""
MOST_CHARACTERS = 200_000
"""Characters of all values together: the journal keeps them."""

Kind = Literal["text", "integer", "number", "amount", "date"]


class ExtractOptions(Options, frozen=True):
    """Where fields stand, by the form of the text; several forms may be given, the first that finds a field counts."""

    attachment: Annotated[
        str | list[str] | None,
        Meta(description="Read the first attachment whose name fits, '*.csv', instead of the body."),
    ] = None
    regex: Annotated[
        str | list[str],
        Meta(description="RE2 patterns with named groups: 'Order (?P<number>[0-9]+)'; each where it first matches."),
    ] = field(default_factory=list)
    lines: Annotated[
        dict[str, str], Meta(description="Lines of 'key: value', by what stands before the colon: {number: Order no}.")
    ] = field(default_factory=dict)
    json: Annotated[dict[str, str], Meta(description="Paths in JSON: {number: order.items[0].sku}.")] = field(
        default_factory=dict
    )
    xml: Annotated[dict[str, str], Meta(description="Paths in XML below its root: {number: 'order/@id'}.")] = field(
        default_factory=dict
    )
    csv: Annotated[dict[str, str], Meta(description="Columns of CSV by their titles; the first row counts.")] = field(
        default_factory=dict
    )
    table: Annotated[
        dict[str, str], Meta(description="Columns of a table in HTML by their titles; the first row counts.")
    ] = field(default_factory=dict)
    form: Annotated[
        dict[str, str],
        Meta(description="Labels in HTML: the value is in the cell beside, in the <dd>, or in the field of that name."),
    ] = field(default_factory=dict)
    rows: Annotated[str, Meta(description="All rows of `csv` or `table`, as a list under this name.")] = ""
    into: Annotated[str, Meta(description="One name that all fields go under: data.NAME.field.")] = ""
    required: Annotated[list[str], Meta(description="Fields without which the message is parked.")] = field(
        default_factory=list
    )
    defaults: Annotated[dict[str, str | int | float], Meta(description="What a field is where none is found.")] = field(
        default_factory=dict
    )
    types: Annotated[dict[str, Kind], Meta(description="What a field is, where it is no text: {total: amount}.")] = (
        field(default_factory=dict)
    )
    decimal: Annotated[
        Literal[".", ","] | UnsetType, Meta(description="The decimal mark, where numbers may be read in two ways.")
    ] = UNSET
    dates: Annotated[
        Literal["dmy", "mdy"] | UnsetType,
        Meta(description="The order of day and month, where dates may be read in two ways."),
    ] = UNSET

    def __post_init__(self) -> None:
        """What can never find anything is told at once, at its place."""
        for at, written in enumerate(patterns_of(self.regex)):
            _try(f"regex[{at}]" if isinstance(self.regex, list) else "regex", text.pattern, written)
        for key, paths, reads in (("json", self.json, document.json_steps), ("xml", self.xml, document.xml_path)):
            for name, path in paths.items():
                _try(f"{key}.{name}", reads, path)
        if not self.names():
            raise ValueError("say where fields stand: `regex`, `lines`, `json`, `xml`, `csv`, `table` or `form`")
        if self.rows and not (self.csv or self.table):
            raise misfit("rows", "rows are those of `csv` or `table`")
        for key, named in (("required", self.required), ("types", self.types)):
            unknown = [name for name in named if name not in self.names()]
            if unknown:
                raise misfit(key, f"nothing gives the field {unknown[0]!r}; there are {', '.join(self.names())}")

    def names(self) -> list[str]:
        """Every field that may be found."""
        groups = [name for written in patterns_of(self.regex) for name in text.pattern(written).groupindex]
        forms = (self.lines, self.json, self.xml, self.csv, self.table, self.form)
        return list(dict.fromkeys([*groups, *(name for form in forms for name in form)]))

    def results(self) -> list[str]:
        """The names that become data."""
        names = [*self.names(), *self.defaults, *([self.rows] if self.rows else [])]
        return [self.into] if self.into else names


def _try(key: str, reads: Callable[[str], Any], written: str) -> None:
    try:
        reads(written)
    except ValueError as error:
        raise misfit(key, str(error)) from error


@dataclass(frozen=True, slots=True)
class ExtractAction:
    """Reads, and touches nothing: a dry run shows what it finds."""

    options: ExtractOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The fields that are looked for."""
        source = f"attachment {', '.join(patterns_of(self.options.attachment))}" if self.options.attachment else "body"
        return f"extract {', '.join(self.options.names())} from the {source}"

    def run(self, message: Message, data: Data, context: Context | None) -> Mapping[str, Any]:  # noqa: ARG002 - same
        """Find the fields.

        Raises:
            Permanent: a required field is not there, a value is not what it should be, or the text is not of its form.
        """
        options = self.options
        found: dict[str, Any] = dict(options.defaults)
        rows: list[dict[str, Any]] = []
        try:
            found |= self._typed(self._fields(_Source(message, options.attachment), rows))
        except document.UnreadableError as error:
            raise Permanent(str(error)) from error
        missing = [name for name in options.required if found.get(name) in (None, "")]
        if missing:
            raise Permanent(f"nothing found for {', '.join(missing)}")
        said = "extract " + (", ".join(f"{name}={_short(what)}" for name, what in found.items()) or "nothing")
        found |= {options.rows: rows} if options.rows else {}
        if len(str(found)) > MOST_CHARACTERS:
            raise Permanent(f"over {MOST_CHARACTERS} characters of values")
        return ({options.into: found} if options.into else found) | {"done": said}

    def _fields(self, source: _Source, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """What each form finds; of a field that several find, the first counts."""
        options = self.options
        forms: Iterable[tuple[Any, Callable[[], Iterable[tuple[str, Any]]]]] = (
            (options.regex, lambda: text.by_pattern(patterns_of(options.regex), source.text())),
            (options.lines, lambda: text.by_label(options.lines, source.text())),
            (options.json, lambda: document.by_json_path(options.json, source.octets())),
            (options.xml, lambda: document.by_xml_path(options.xml, source.octets())),
            (options.csv, lambda: self._rows(table.csv_rows(options.csv, source.text()), rows)),
            (options.table, lambda: self._rows(markup.table_rows(options.table, source.html()), rows)),
            (options.form, lambda: markup.by_html_label(options.form, source.html())),
        )
        found: dict[str, Any] = {}
        for wanted, read in forms:
            for name, what in read() if wanted else ():
                if what != "":
                    found.setdefault(name, what)
        return found

    def _rows(self, read: Iterator[dict[str, str]], rows: list[dict[str, Any]]) -> Iterable[tuple[str, str]]:
        """The first row's fields; all of them kept where they are asked for."""
        if not self.options.rows:
            return next(read, {}).items()
        written = list(read)
        rows += [self._typed(row) for row in written]
        return written[0].items() if written else ()

    def _typed(self, found: Mapping[str, Any]) -> dict[str, Any]:
        options = self.options
        typed: dict[str, Any] = {}
        for name, what in found.items():
            if len(str(what)) > LONGEST_VALUE:
                raise Permanent(f"{name} has over {LONGEST_VALUE} characters")
            kind = options.types.get(name)
            try:
                typed[name] = _read(what, kind, options) if kind and what != "" else what
            except ValueError as error:
                raise Permanent(f"{name} is {_short(what)}: {error}") from error
        return typed


def _read(what: Any, kind: Kind, options: ExtractOptions) -> Any:
    return value.read(
        what,
        kind,
        decimal="" if options.decimal is UNSET else options.decimal,
        order="" if options.dates is UNSET else options.dates,
    )


def _short(what: Any) -> str:
    shown = repr(what)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


@dataclass(frozen=True, slots=True)
class _Source:
    """The body, or an attachment, as each form reads it."""

    message: Message
    attachment: str | list[str] | None

    def text(self) -> str:
        return self.message.text if self.attachment is None else _decoded(self.octets())

    def html(self) -> str:
        if self.attachment is not None:
            return _decoded(self.octets())
        return self.message.html or self.message.text

    def octets(self) -> bytes:
        if self.attachment is None:
            return self.message.text.strip().encode(errors="replace")
        patterns = patterns_of(self.attachment)
        for _, attachment in chosen_attachments(self.message, patterns):
            return self._whole(attachment.pieces())
        raise Permanent(f"no attachment fits {', '.join(patterns)}")

    @staticmethod
    def _whole(pieces: Iterator[bytes]) -> bytes:
        read = bytearray()
        for piece in pieces:
            read += piece
            if len(read) > MOST_OCTETS:
                raise Permanent(f"the attachment has over {MOST_OCTETS // 1_000_000} MB")
        return bytes(read)


def _decoded(content: bytes) -> str:
    """UTF-8 or UTF-16 where it says so, else what most spreadsheets write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


EXTRACT = ActionType(
    name="extract",
    summary="Read fields out of the body or an attachment.",
    options=ExtractOptions,
    build=ExtractAction,
    needs_body=lambda _options: True,
    results=lambda options: options.results(),
    repeatable=True,
    pure=True,
)
