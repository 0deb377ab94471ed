"""Column types that keep any text, moment or mapping, and give back what was put in, on every database alike."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_decode = json.JSONDecoder().raw_decode  # four times as fast as json.loads, for text that is ours

# The types below give whole processors rather than the usual process_* methods: one call a value instead of three.


class AnyText(TypeDecorator[str]):
    """Text from mail and file names: NUL and lone surrogates, which no database takes, are escaped and restored.

    The escape is SUBSTITUTE (U+001A) and four hexadecimal digits, so that two different texts stay different.
    """

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 - the base's shape
        """From a text to what is stored."""
        return _escaped

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], str | None]:  # noqa: ARG002 - as above
        """And back."""
        return _restored


def _escaped(text: str | None) -> str | None:
    if text is None or text.isprintable() or not _UNSTORABLE.search(text):
        return text
    return _UNSTORABLE.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def _restored(text: str | None) -> str | None:
    if text is None or "\x1a" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC; a naive one is taken as UTC, one off the calendar moves to its edge.

    SQLite has no moments: there it is ISO 8601 text with its zone, to the microsecond: text order is time order.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type, or text."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """From a moment to what is stored."""
        return _moment_text if dialect.name == "sqlite" else _utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002 - as above
        """And back."""
        return _moment if dialect.name == "sqlite" else _utc


def _moment_text(moment: datetime | None) -> str | None:
    aware = _utc(moment)
    return None if aware is None else aware.isoformat(timespec="microseconds")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # the first journals had no zone in their text


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


class Json(TypeDecorator[Any]):
    """A mapping of JSON types as ASCII text; what JSON cannot say is kept as its text, never refused."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:  # noqa: ARG002 - as above
        """From a mapping to what is stored."""
        return _json

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str], Any]:  # noqa: ARG002 - as above
        """And back."""
        return _mapping


def _json(value: Any) -> str:
    if not value:
        return "{}"
    try:
        return json.dumps(value if type(value) is dict else dict(value), default=_plain)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, a mapping that holds itself
        return json.dumps({str(key): repr(item) for key, item in dict(value).items()})


def _mapping(text: str) -> Any:
    return {} if text == "{}" else _decode(text)[0]


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
