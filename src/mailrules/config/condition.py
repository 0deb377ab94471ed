"""`match:` to a condition: fields, operators, `all any none`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mailrules.config import moments
from mailrules.config.document import Node
from mailrules.config.fields import FIELDS, JUNCTIONS, MEASURE, PARTED, PROPERTIES, TEXT
from mailrules.config.nearest import nearest, suggestion
from mailrules.config.operands import Reading, bare_operator, counts, operator
from mailrules.config.structure import wrong_type
from mailrules.model.condition import All, AnyOf, Condition, NoneOf, Operator, Test
from mailrules.model.span import Span

_JUNCTIONS: dict[str, type[All | AnyOf | NoneOf]] = {"all": All, "any": AnyOf, "none": NoneOf}
_HEADER_NAME = re.compile(r"[!-9;-~]+")
"""RFC 5322, section 2.2: printable ASCII without the colon."""


def compile_match(node: Node, reading: Reading) -> Condition | None:
    """The condition that a mapping says; None and diagnostics when something in it is wrong."""
    if not isinstance(node.value, dict):
        wrong_type(node, ["object"], reading.findings, "a condition")
        return None
    if not node.value:
        reading.findings.add(
            node.label, "empty-condition", "a condition without a field", "leave 'match' out to match every message"
        )
        return None
    parts = [_part(name, child, reading) for name, child in node.items()]
    return _joined(parts, node.span)


def _joined(parts: list[Condition | None], span: Span) -> Condition | None:
    whole = [part for part in parts if part is not None]
    if len(whole) != len(parts):
        return None
    return whole[0] if len(whole) == 1 else All(tuple(whole), span)


def _part(name: str, node: Node, reading: Reading) -> Condition | None:
    if name in JUNCTIONS:
        return _junction(name, node, reading)
    kind = FIELDS.get(name)
    if kind is None:
        _unknown_field(name, node, reading)
        return None
    if name == "header":
        return _header(node, reading.of(name, kind))
    return _field(node, reading.of(name, kind))


_OTHER_WORDS = {"or": "any", "one_of": "any", "any_of": "any", "and": "all", "all_of": "all"}
_OTHER_WORDS |= {"not": "none", "none_of": "none", "except": "none", "unless": "none"}
"""What other programs call `any`, `all` and `none`."""


def _unknown_field(name: str, node: Node, reading: Reading) -> None:
    names = [*FIELDS, *JUNCTIONS]
    spelt = name.lower().replace("-", "_")
    if spelt in FIELDS:
        help_ = f"did you mean '{spelt}'?"
    elif spelt in _OTHER_WORDS:
        help_ = f"did you mean '{_OTHER_WORDS[spelt]}'? It takes a list of conditions"
    elif "-" in name or (name[:1].isupper() and not nearest(name, names)):
        help_ = f"for a header: header: {{{name}: ...}}"
    else:
        help_ = suggestion(name, names, what="fields")
    reading.findings.add(node.label, "unknown-field", f"a message has no field '{name}'", help_)


def _junction(name: str, node: Node, reading: Reading) -> Condition | None:
    if not isinstance(node.value, list):
        wrong_type(node, ["array"], reading.findings, f"'{name}'")
        return None
    if not node.value:
        reading.findings.add(
            node.label, "empty-condition", f"'{name}' is an empty list", "give it conditions, each after '- '"
        )
        return None
    parts = [compile_match(item, reading) for item in node]
    if None in parts:
        return None
    conditions: tuple[Any, ...] = tuple(parts)
    return _JUNCTIONS[name](conditions, node.span)


def _field(node: Node, reading: Reading, names: tuple[str, ...] = ()) -> Condition | None:
    """What one field is put to: a value, a list of values, or a mapping of operators."""
    if isinstance(node.value, dict):
        return _test(node, reading, names)
    if isinstance(node.value, list) and any(isinstance(item, dict) for item in node.value):
        parts = [_field(Node(item.source, item.value, item.mark, node.key), reading, names) for item in node]
        return AnyOf(tuple(part for part in parts if part), node.span) if None not in parts else None
    if not reading.kind.bare:
        _needs_operator(node, reading)
        return None
    if reading.field == "header":
        _doubt_number(node, reading)
    parted = reading.field in PARTED
    found = _property(reading.kind.bare, node, reading) if parted else bare_operator(node, reading)
    return Test(reading.field, (found,), names, span=node.span) if found else None


def _doubt_number(node: Node, reading: Reading) -> None:
    value = node.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        message = f"a bare number asks whether the text of the header holds '{node.place.text}'"
        help_ = f"to compare: {{over: {node.place.text}}}; else quote it: '{node.place.text}'"
        reading.findings.add(node.place, "bare-number", message, help_)


def _needs_operator(node: Node, reading: Reading) -> None:
    message = f"'{reading.field}' takes an operator with its value"
    reading.findings.add(node.label, "wrong-type", message, reading.kind.hint)


def _test(node: Node, reading: Reading, names: tuple[str, ...]) -> Test | None:
    kind = reading.kind
    said = {name: child for name, child in node.items() if not (name == "names" and names)}
    modified = _modifiers(said, reading)
    sensitive = bool(modified.get("case_sensitive"))
    reading = reading.of(reading.field, kind, case_sensitive=sensitive)
    reading = _in_zone(modified, reading)
    operators = [_one(name, child, reading) for name, child in said.items() if name not in kind.modifiers]
    if not said.keys() - {"case_sensitive", "occurrence", "timezone"}:
        _says_nothing(node, reading)
        return None
    if None in operators or None in modified.values():
        return None
    whole = tuple(found for found in operators if found)
    if "timezone" in kind.modifiers:
        modified.setdefault("timezone", reading.zone)
    return Test(field=reading.field, operators=whole, names=names, span=node.span, **modified)


def _says_nothing(node: Node, reading: Reading) -> None:
    known = (*reading.kind.operators, *(name for name in ("exists", "count") if name in reading.kind.modifiers))
    reading.findings.add(
        node.label,
        "empty-condition",
        f"'{reading.field}' is put to no test",
        f"operators: {', '.join(known)}",
    )


def _one(name: str, node: Node, reading: Reading) -> Operator | None:
    kind = reading.kind
    if name not in kind.operators:
        _unknown_operator(name, node, reading)
        return None
    if reading.field in PARTED:
        return _property(name, node, reading)
    return operator(name, node, reading)


def _unknown_operator(name: str, node: Node, reading: Reading) -> None:
    known = (*reading.kind.operators, *reading.kind.modifiers)
    help_ = suggestion(name, known, what="operators")
    if reading.kind.hint and (name in (*TEXT, *MEASURE) or not nearest(name, known)):
        help_ = reading.kind.hint
    reading.findings.add(node.label, "unknown-operator", f"'{reading.field}' has no operator '{name}'", help_)


def _property(name: str, node: Node, reading: Reading) -> Operator | None:
    """One property of an attachment or a recipient: its operators, all of which must hold."""
    kind = PROPERTIES[name]
    inner = reading.of(f"{reading.field}.{name}", kind, case_sensitive=reading.case_sensitive)
    if not isinstance(node.value, dict):
        if not kind.bare:
            _needs_operator(node, inner)
            return None
        found = bare_operator(node, inner)
        return Operator(name, (found,), found.written) if found else None
    if not node.value:
        _says_nothing(node, inner)
        return None
    operators = [_one_of_property(word, child, inner) for word, child in node.items()]
    if None in operators:
        return None
    return Operator(name, tuple(operators), ", ".join(f"{found.name} {found.written}" for found in operators if found))


def _one_of_property(name: str, node: Node, reading: Reading) -> Operator | None:
    if name in reading.kind.operators:
        return operator(name, node, reading)
    _unknown_operator(name, node, reading)
    return None


def _modifiers(said: dict[str, Node], reading: Reading) -> dict[str, Any]:
    """The test's own words; one that cannot be read is None."""
    found: dict[str, Any] = {}
    for name in reading.kind.modifiers:
        if name in said:
            found[name] = _modifier(name, said[name], reading)
    return found


def _modifier(name: str, node: Node, reading: Reading) -> Any:
    if name == "count":
        return counts(node, reading)
    if name == "timezone":
        if isinstance(node.value, str):
            return moments.read_zone(node, node.value, reading.findings)
        wrong_type(node, ["string"], reading.findings, f"'timezone' of '{reading.field}'")
        return None
    wanted = "integer" if name == "occurrence" else "boolean"
    if type(node.value) is not (int if name == "occurrence" else bool):
        wrong_type(node, [wanted], reading.findings, f"'{name}' of '{reading.field}'")
        return None
    if name == "occurrence" and node.value == 0:
        reading.findings.add(node.place, "not-allowed-value", "there is no occurrence 0", "1 is the first, -1 the last")
        return None
    return node.value


def _in_zone(modified: dict[str, Any], reading: Reading) -> Reading:
    return replace(reading, timezone=modified["timezone"]) if modified.get("timezone") else reading


def _header(node: Node, reading: Reading) -> Condition | None:
    """`{NAME: test}`, several of which must all hold; or `{names: [A, B], OPERATOR: ...}`, any of which will do."""
    if not isinstance(node.value, dict) or not node.value:
        reading.findings.add(
            node.label,
            "empty-condition" if node.value in ({}, None) else "wrong-type",
            "'header' takes the name of a header",
            "write header: {List-Id: {exists: true}}",
        )
        return None
    if "names" in node:
        names = _header_names(node["names"], reading)
        return _test(node, reading, names) if names else None
    parts = [
        _field(child, reading, (name,)) if _is_header_name(name, child, reading) else None
        for name, child in node.items()
    ]
    return _joined(parts, node.span)


def _header_names(node: Node, reading: Reading) -> tuple[str, ...]:
    items = list(node) if isinstance(node.value, list) else [node]
    if not items:
        reading.findings.add(
            node.label, "empty-condition", "'names' of 'header' is an empty list", "name one header or more"
        )
        return ()
    good = [_is_header_name(item.value, item, reading) for item in items]
    return tuple(item.value for item in items) if all(good) else ()


def _is_header_name(name: object, node: Node, reading: Reading) -> bool:
    forgotten = name in (*reading.kind.operators, *reading.kind.modifiers)
    if isinstance(name, str) and _HEADER_NAME.fullmatch(name) and not forgotten:
        return True
    help_ = "a name is letters, digits and hyphens: List-Id"
    if isinstance(name, str) and name.endswith(":"):
        help_ = "leave the colon out"
    elif forgotten:
        help_ = f"name the header first: header: {{List-Id: {{{name}: ...}}}}"
    reading.findings.add(node.label, "bad-header-name", f"'{name}' cannot be the name of a header", help_)
    return False
