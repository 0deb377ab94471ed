"""Filters and tests of templates: those for mail work, and the few of Jinja2's that are of use here."""

from __future__ import annotations

import json as json_
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from mailrules.model.message import Address

_ADDRESS = re.compile(r"[^\s<>@\"(),:;]+@[^\s<>@\"(),:;]+")


class Described(NamedTuple):
    """A filter or test with what the docs say of it; the example is run by a test."""

    run: Callable[..., Any] | None
    """None for Jinja2's own."""
    summary: str
    example: str
    gives: str


def slug(text: object) -> str:
    """Letters, digits and hyphens only, for file and folder names."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def moment(value: datetime | str | None) -> datetime | None:
    """A moment, or what an earlier step gave of one as text (ISO 8601); None of nothing.

    Raises:
        ValueError: the text is no moment.
    """
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip()) if value.strip() else None
    return value


def date(when: datetime | str | None, form: str = "%Y-%m-%d", timezone: str = "") -> str:
    """A moment by strftime's codes, in a time zone; empty for none."""
    at = moment(when)
    if at is None:
        return ""
    if timezone:
        at = at.astimezone(ZoneInfo(timezone))
    return at.strftime(form)


_LENGTHS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def age(when: datetime | str | None, now: datetime) -> str:
    """How long ago a moment is, in its greatest unit; of one to come, how long it takes."""
    at = moment(when)
    if at is None:
        return ""
    seconds = int(abs((now - (at if at.tzinfo else at.replace(tzinfo=UTC))) // timedelta(seconds=1)))
    unit, length = next(((unit, length) for unit, length in _LENGTHS if seconds >= length), _LENGTHS[-1])
    number = seconds // length
    return f"{number} {unit}{'' if number == 1 else 's'}"


def size(octets: float) -> str:
    """Octets for people."""
    for unit in ("B", "kB", "MB"):
        if abs(octets) < 1000:
            return f"{octets:.3g} {unit}"
        octets /= 1000
    return f"{octets:.3g} GB"


def _mailbox(value: Address | str | None) -> Address:
    """One address: as messages have it, or as text, `Jo <jo@acme.com>`."""
    if isinstance(value, Address):
        return value
    name, _, rest = str(value or "").rpartition("<")
    if rest.rstrip().endswith(">"):
        return Address(name.strip().strip('"'), rest.rstrip()[:-1].strip())
    return Address("", rest.strip())


def address(value: Address | str | None) -> str:
    """The bare address of a mailbox."""
    return _mailbox(value).address


def name(value: Address | str | None) -> str:
    """Its display name; without one what stands before the `@`."""
    return _mailbox(value).name or _mailbox(value).localpart


def domain(value: Address | str | None) -> str:
    """What stands after the `@`, in small letters."""
    return _mailbox(value).domain


def localpart(value: Address | str | None) -> str:
    """What stands before the `@`."""
    return _mailbox(value).localpart


def addresses(values: Iterable[Address | str], between: str = ", ") -> str:
    """The bare addresses of several mailboxes, each once."""
    found = (address(value) for value in values)
    return between.join(dict.fromkeys(one for one in found if one))


def regex_search(text: object, pattern: str, group: int | str = 0) -> str:
    """What a regular expression (RE2 syntax) finds first, or one group of it; empty when it finds nothing."""
    found = compiled(pattern).search(str(text))
    return (found.group(group) or "") if found else ""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The pattern, ready to search.

    Raises:
        ValueError: it is wrong, or more than RE2 can say.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"not a regular expression: {said}") from error


def shorten(text: object, length: int = 80, end: str = "…") -> str:
    """At most so many characters on one line, cut between words."""
    line = " ".join(str(text).split())
    if len(line) <= length:
        return line
    kept = line[: max(0, length - len(end)) + 1]
    return (kept.rpartition(" ")[0] or kept[:-1]).rstrip() + end


def quote(text: object, mark: str = "> ") -> str:
    """Every line with `> ` before it, as replies show what they answer."""
    lines = str(text).rstrip("\n").split("\n")
    return "\n".join(f"{mark if line.strip() else mark.rstrip()}{line}" for line in lines)


def json(value: Any) -> str:
    """As JSON."""
    return json_.dumps(value, default=str, ensure_ascii=False)


def is_address(value: object) -> bool:
    """Whether it looks like one bare address."""
    return isinstance(value, Address) or bool(_ADDRESS.fullmatch(str(value).strip()))


def in_domain(value: Address | str, *domains: str) -> bool:
    """Whether a mailbox is in one of these domains, or in a subdomain of one."""
    own = domain(value)
    return any(own == each.lower() or own.endswith(f".{each.lower()}") for each in domains)


def matching(text: object, pattern: str) -> bool:
    """Whether a regular expression (RE2 syntax) finds anything."""
    return bool(compiled(pattern).search(str(text)))


def indent(text: object, width: int = 4, first: bool = False) -> str:  # noqa: FBT001, FBT002 - as Jinja2 has it
    """Every line but the first further to the right, or the first one, too."""
    moved = textwrap.indent(str(text), " " * width)
    return moved if first else moved.removeprefix(" " * width)


FILTERS: Mapping[str, Described] = {
    # mail
    "address": Described(address, "The bare address of a mailbox.", "'Jo <jo@acme.com>' | address", "jo@acme.com"),
    "name": Described(
        name, "Its display name; without one what stands before the `@`.", "'Jo <jo@acme.com>' | name", "Jo"
    ),
    "domain": Described(domain, "What stands after the `@`, in small letters.", "'jo@Acme.com' | domain", "acme.com"),
    "localpart": Described(localpart, "What stands before the `@`.", "'jo@acme.com' | localpart", "jo"),
    "addresses": Described(
        addresses,
        "The bare addresses of several mailboxes, each once, joined.",
        "['Jo <jo@acme.com>', 'al@acme.com'] | addresses",
        "jo@acme.com, al@acme.com",
    ),
    "date": Described(
        date,
        "A moment by strftime's codes, in a time zone if one is named.",
        "'2026-03-02T23:30+00:00' | date('%d %b %H:%M', 'Europe/Paris')",
        "03 Mar 00:30",
    ),
    "age": Described(None, "How long ago a moment is.", "'2026-02-27T09:00+00:00' | age", "3 days"),
    "size": Described(size, "Octets for people.", "1500000 | size", "1.5 MB"),
    "slug": Described(
        slug, "Letters, digits and hyphens, for file and folder names.", "'Rechnung März!' | slug", "rechnung-marz"
    ),
    "shorten": Described(
        shorten,
        "At most so many characters on one line, cut between words.",
        "'one two three' | shorten(9)",
        "one two…",
    ),
    "quote": Described(quote, "Each line with `> ` before it.", "'well' | quote", "> well"),
    "regex_search": Described(
        regex_search,
        "What a regular expression (RE2 syntax) finds first, or a group of it; empty when nothing.",
        "'Invoice #42' | regex_search('#([0-9]+)', 1)",
        "42",
    ),
    "json": Described(json, "As JSON.", "{'a': [1, 'b']} | json", '{"a": [1, "b"]}'),
    # Jinja2's own
    "default": Described(None, "Something else where a name is not there.", "data.none | default('-')", "-"),
    "d": Described(None, "The same.", "data.none | d('-')", "-"),
    "e": Described(None, "For HTML; in `html:` that comes by itself.", "'a < b' | e", "a &lt; b"),
    "escape": Described(None, "The same.", "'a & b' | escape", "a &amp; b"),
    "safe": Described(None, "In `html:`: this is HTML already.", "'<br>' | safe", "<br>"),
    "striptags": Described(None, "Without HTML tags.", "'<b>a</b>' | striptags", "a"),
    "urlencode": Described(None, "For a URL.", "'a b&c' | urlencode", "a%20b%26c"),
    "upper": Described(None, "In capitals.", "'ab' | upper", "AB"),
    "lower": Described(None, "In small letters.", "'AB' | lower", "ab"),
    "capitalize": Described(None, "With a capital first letter.", "'ab' | capitalize", "Ab"),
    "title": Described(None, "With capital first letters.", "'a b' | title", "A B"),
    "trim": Described(None, "Without spaces around it.", "' a ' | trim", "a"),
    "replace": Described(None, "One text for another.", "'a-b' | replace('-', '+')", "a+b"),
    "indent": Described(indent, "All lines but the first further right.", "'a' | indent(2, true)", "  a"),
    "wordcount": Described(None, "How many words.", "'a b' | wordcount", "2"),
    "string": Described(None, "As text.", "42 | string", "42"),
    "int": Described(None, "As a whole number.", "'42' | int", "42"),
    "float": Described(None, "As a number.", "'1.5' | float", "1.5"),
    "round": Described(None, "Rounded.", "2.345 | round(1)", "2.3"),
    "abs": Described(None, "Without its sign.", "-2 | abs", "2"),
    "first": Described(None, "The first of several.", "[1, 2] | first", "1"),
    "last": Described(None, "The last of several.", "[1, 2] | last", "2"),
    "length": Described(None, "How many.", "[1, 2] | length", "2"),
    "count": Described(None, "The same.", "[1, 2] | count", "2"),
    "join": Described(None, "Several as one text.", "['a', 'b'] | join(', ')", "a, b"),
    "list": Described(None, "As a list.", "'ab' | list", "['a', 'b']"),
    "sort": Described(None, "In order.", "[2, 1] | sort", "[1, 2]"),
    "reverse": Described(None, "From the end.", "'ab' | reverse", "ba"),
    "unique": Described(None, "Each once.", "[1, 1] | unique | list", "[1]"),
    "sum": Described(None, "All added.", "[1, 2] | sum", "3"),
    "min": Described(None, "The least.", "[2, 1] | min", "1"),
    "max": Described(None, "The greatest.", "[2, 1] | max", "2"),
    "map": Described(None, "One filter, or one attribute, of each.", "['a'] | map('upper') | list", "['A']"),
    "select": Described(None, "Those that pass a test.", "[1, 2] | select('odd') | list", "[1]"),
    "reject": Described(None, "Those that do not.", "[1, 2] | reject('odd') | list", "[2]"),
    "selectattr": Described(
        None, "Those of which an attribute passes a test.", "[{'n': 1}] | selectattr('n', 'odd') | list", "[{'n': 1}]"
    ),
    "rejectattr": Described(None, "Those of which it does not.", "[{'n': 1}] | rejectattr('n', 'odd') | list", "[]"),
    "items": Described(None, "Names and values of a mapping.", "{'a': 1} | items | list", "[('a', 1)]"),
    "dictsort": Described(None, "The same by name.", "{'b': 1, 'a': 2} | dictsort", "[('a', 2), ('b', 1)]"),
}
"""Every filter that templates know."""

TESTS: Mapping[str, Described] = {
    "address": Described(is_address, "It looks like one address.", "'jo@acme.com' is address", "True"),
    "in_domain": Described(
        in_domain,
        "A mailbox is in one of these domains, or below one.",
        "'jo@mail.acme.com' is in_domain('acme.com')",
        "True",
    ),
    "matching": Described(
        matching, "A regular expression (RE2 syntax) finds something.", "'Invoice' is matching('(?i)INV')", "True"
    ),
    "defined": Described(None, "The name is there.", "data.none is defined", "False"),
    "undefined": Described(None, "It is not.", "data.none is undefined", "True"),
    "none": Described(None, "It is nothing.", "none is none", "True"),
    "true": Described(None, "It is true.", "true is true", "True"),
    "false": Described(None, "It is false.", "false is false", "True"),
    "string": Described(None, "It is a text.", "'a' is string", "True"),
    "number": Described(None, "It is a number.", "1 is number", "True"),
    "integer": Described(None, "It is a whole number.", "1.5 is integer", "False"),
    "mapping": Described(None, "It is a mapping.", "data is mapping", "True"),
    "sequence": Described(None, "It has an order.", "[1] is sequence", "True"),
    "iterable": Described(None, "It can be gone through.", "[1] is iterable", "True"),
    "odd": Described(None, "A number is odd.", "1 is odd", "True"),
    "even": Described(None, "It is even.", "2 is even", "True"),
    "divisibleby": Described(None, "It can be divided by another.", "6 is divisibleby(3)", "True"),
    "in": Described(None, "It is among others.", "1 is in([1, 2])", "True"),
    "eq": Described(None, "It equals another; so do `==`, `equalto`.", "1 is eq(1)", "True"),
    "ne": Described(None, "It does not; `!=`.", "1 is ne(2)", "True"),
    "lt": Described(None, "It is less; `<`, `lessthan`.", "1 is lt(2)", "True"),
    "le": Described(None, "It is not greater; `<=`.", "1 is le(1)", "True"),
    "gt": Described(None, "It is greater; `>`, `greaterthan`.", "2 is gt(1)", "True"),
    "ge": Described(None, "It is not less; `>=`.", "2 is ge(2)", "True"),
    "upper": Described(None, "A text is in capitals.", "'A' is upper", "True"),
    "lower": Described(None, "It is in small letters.", "'a' is lower", "True"),
}
"""Every test, `x is TEST`, that templates know."""

ALIASES = frozenset({"==", "!=", "<", "<=", ">", ">=", "equalto", "lessthan", "greaterthan"})
"""Other words for tests."""
