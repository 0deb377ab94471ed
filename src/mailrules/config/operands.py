"""The operands of an operator, from what is written to the form that evaluation wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from mailrules.api import Duration, Size
from mailrules.config import moments, patterns
from mailrules.config.document import Node
from mailrules.config.fields import DOMAINS, NO_FIELD, RESULTS, FieldKind
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.structure import kind_of, not_allowed, wrong_type
from mailrules.model.condition import Operator

ZERO_OPERANDS = "say what to look for"


@dataclass(frozen=True, slots=True)
class Reading:
    """How operands are read here."""

    findings: Findings
    timezone: str
    field: str = ""
    kind: FieldKind = NO_FIELD
    case_sensitive: bool = False
    zone: str = ""
    """The rules file's own time zone, which goes with its tests; empty for the account's."""

    def of(self, field: str, kind: FieldKind, *, case_sensitive: bool = False) -> Reading:
        """The same for another field."""
        return replace(self, field=field, kind=kind, case_sensitive=case_sensitive)


_STARRED = re.compile(r"\*[^*?]+\*?|[^*?]+\*")
"""As file names are looked for elsewhere: `*invoice*`; not `***SPAM***`, which mail really says."""


def operator(name: str, node: Node, reading: Reading) -> Operator | None:
    """One operator with its operands; None and diagnostics when one cannot be read."""
    items = list(node) if isinstance(node.value, list) else [node]
    if not items:
        reading.findings.add(
            node.label, "empty-condition", f"'{name}' of '{reading.field}' is an empty list", ZERO_OPERANDS
        )
        return None
    read = _READ[name]
    operands = [read(name, item, reading) for item in items]
    if None in operands:
        return None
    written = ", ".join(item.value if isinstance(item.value, str) else item.place.text for item in items)
    flat = [one for many in operands for one in many] if name == "weekday" else operands
    return Operator(name, tuple(dict.fromkeys(flat)), written)


def bare_operator(node: Node, reading: Reading) -> Operator | None:
    """What a value without an operator means: the field's own, or a glob where that is `is` and it holds a wildcard."""
    name = reading.kind.bare
    values = node.value if isinstance(node.value, list) else [node.value]
    wild = any(isinstance(value, str) and ("*" in value or "?" in value) for value in values)
    if wild and (name == "is" or reading.field == "attachment.name"):
        name = "glob"
    return operator(name, node, reading)


def text_of(node: Node, reading: Reading, name: str) -> str | None:
    """Text, or a number as it is written; None and a diagnostic for anything else."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.place.text
    wrong_type(node, ["string"], reading.findings, f"'{name}' of '{reading.field}'")
    return None


def _text(name: str, node: Node, reading: Reading) -> str | None:
    text = text_of(node, reading, name)
    if text == "" and name != "is":
        reading.findings.add(
            node.place,
            "empty-condition",
            f"'{name}' of '{reading.field}' with an empty text is true of everything",
            "to ask whether it is there: {exists: true}; whether it is empty: {is: ''}",
        )
        return None
    if text is None or not _known_word(name, text, node, reading):
        return None
    if name in {"contains", "starts", "ends"} and _STARRED.fullmatch(text):
        message = f"'{name}' looks for the star in '{text}', too"
        reading.findings.add(
            node.place, "doubtful-pattern", message, f"leave the star out, or write {{glob: '{text}'}}"
        )
    return text if reading.case_sensitive else text.casefold()


def _known_word(name: str, text: str, node: Node, reading: Reading) -> bool:
    if name == "is" and reading.kind.values and text.casefold() not in reading.kind.values:
        not_allowed(node, reading.kind.values, reading.findings, f"'{reading.field}'")
        return False
    if name == "is" and reading.field == "attachment.type" and "/" not in text:
        reading.findings.add(
            node.place,
            "not-allowed-value",
            f"'{text}' is no media type: it has no '/'",
            f"write 'application/{text}' or 'image/*', or ask for the name: {{name: '*.{text}'}}",
        )
        return False
    return True


def _glob(name: str, node: Node, reading: Reading) -> Any | None:
    text = _text(name, node, reading.of(reading.field, reading.kind, case_sensitive=True))
    if text is None:
        return None
    made = patterns.glob(text, ignore_case=not reading.case_sensitive)
    if reading.kind.values and not any(made.search(word) for word in reading.kind.values):
        not_allowed(node, reading.kind.values, reading.findings, f"'{reading.field}'")
        return None
    return made


def _regex(name: str, node: Node, reading: Reading) -> Any | None:
    text = _text(name, node, reading.of(reading.field, reading.kind, case_sensitive=True))
    if text is None:
        return None
    return patterns.regex(node, text, reading.findings, ignore_case=reading.kind.address and not reading.case_sensitive)


def _address_part(name: str, node: Node, reading: Reading) -> str | None:
    text = text_of(node, reading, name)
    if name == "domain" and text is not None:
        text = text.removeprefix("@")
        if "@" in text or " " in text or "*" in text.removeprefix("*."):
            reading.findings.add(
                node.place,
                "not-allowed-value",
                f"'{text}' is no domain",
                "write 'acme.com', or '*.acme.com' for its subdomains; for a pattern: glob",
            )
            return None
    return _nonempty(name, text.casefold(), node, reading) if text is not None else None


def _domain(_name: str, node: Node, reading: Reading) -> str | None:
    return _address_part("domain", node, reading)


def _nonempty(name: str, text: str, node: Node, reading: Reading) -> str | None:
    if text:
        return text
    reading.findings.add(node.place, "empty-condition", f"'{name}' of '{reading.field}' is empty", ZERO_OPERANDS)
    return None


def _measure(_name: str, node: Node, reading: Reading) -> Any | None:
    """A size; for a header also a plain number or a date, by the look of it."""
    value = node.value
    sizes_only = reading.field != "header"
    if not sizes_only and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not sizes_only and isinstance(value, str) and value[4:5] == "-":
        return moments.read_date(node, value, reading.timezone, reading.findings)
    try:
        octets = Size.parse(value).octets
    except (ValueError, OverflowError):
        octets = -1
    if octets >= 0:
        return octets
    forms = "4096, 500KB, 10MB, 10MiB" + ("" if sizes_only else "; or a number, or a date")
    reading.findings.add(
        node.place, "bad-size", f"{_shown(node)} is no size", f"write a number of octets, or one with a unit: {forms}"
    )
    return None


def _moment(_name: str, node: Node, reading: Reading) -> Any | None:
    return moments.read_date(node, node.value, reading.timezone, reading.findings)


def _age(_name: str, node: Node, reading: Reading) -> timedelta | None:
    try:
        return Duration.parse(node.value).delta
    except (ValueError, OverflowError):
        reading.findings.add(
            node.place,
            "bad-duration",
            f"{_shown(node)} is no length of time",
            "write a number with a unit: 90m, 12h, 30d, 2w",
        )
        return None


def _weekday(_name: str, node: Node, reading: Reading) -> tuple[int, ...] | None:
    days = moments.weekdays(node.value)
    if days is None:
        reading.findings.add(
            node.place,
            "bad-weekday",
            f"{_shown(node)} is no day of the week",
            "write mon, tue, wed, thu, fri, sat, sun, or mon-fri",
        )
    return days


def _time(_name: str, node: Node, reading: Reading) -> tuple[int, int] | None:
    minutes = moments.window(node.value)
    if minutes is None:
        reading.findings.add(
            node.place, "bad-time", f"{_shown(node)} is no time of day", 'write from-until, in quotes: "08:00-18:00"'
        )
    return minutes


def _result(name: str, node: Node, reading: Reading) -> str | None:
    if node.value in RESULTS:
        return str(node.value)
    not_allowed(node, RESULTS, reading.findings, f"'{name}' of 'auth'")
    return None


def _number(name: str, node: Node, reading: Reading) -> int | None:
    if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= 0:
        return node.value
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        reading.findings.add(node.place, "not-allowed-value", f"'{name}' of '{reading.field}' cannot be negative")
    else:
        wrong_type(node, ["integer"], reading.findings, f"'{name}' of '{reading.field}'")
    return None


def _shown(node: Node) -> str:
    return kind_of(node.value) if isinstance(node.value, dict | list) else (node.place.text or "nothing")


_READ: Mapping[str, Callable[[str, Node, Reading], Any]] = {
    **dict.fromkeys(("contains", "is", "starts", "ends"), _text),
    **dict.fromkeys(("domain", "localpart", "detail"), _address_part),
    **dict.fromkeys(("over", "under"), _measure),
    **dict.fromkeys(("before", "after"), _moment),
    **dict.fromkeys(("older_than", "newer_than"), _age),
    **dict.fromkeys(("spf", "dkim", "dmarc"), _result),
    **dict.fromkeys(DOMAINS, _domain),
    "glob": _glob,
    "regex": _regex,
    "weekday": _weekday,
    "time": _time,
}


def counts(node: Node, reading: Reading) -> tuple[Operator, ...] | None:
    """How many there must be: a number, a list of numbers, or bounds `{over: 1, under: 5}`."""
    if not isinstance(node.value, dict):
        items: Iterable[Node] = node if isinstance(node.value, list) else [node]
        numbers = [_number("count", item, reading) for item in items]
        written = str(node.value)
        return None if None in numbers or not numbers else (Operator("is", tuple(numbers), written),)
    bounds = []
    for name, child in node.items():
        if name not in ("over", "under"):
            reading.findings.add(
                child.label,
                "unknown-operator",
                f"'count' has no operator '{name}'",
                suggestion(name, ("over", "under"), what="operators"),
            )
            return None
        number = _number(f"count {name}", child, reading)
        if number is None:
            return None
        bounds.append(Operator(name, (number,), str(number)))
    return tuple(bounds)
