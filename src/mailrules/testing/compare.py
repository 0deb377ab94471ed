"""What a case expects against what was decided, both as plain values that print as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from msgspec import UNSET

from mailrules.config.cases import Expectation
from mailrules.model.decision import Decision
from mailrules.model.entry import Entry
from mailrules.model.rule import Disposition, Step

Values: TypeAlias = dict[str, Any]

UNMATCHED = "unmatched"
_PLAIN = re.compile(r"[A-Za-z_\\][\w \\./@*+-]*(?<! )")


def expected_and_got(expect: Expectation, decision: Decision, entry: Entry) -> tuple[Values, Values]:
    """The two under the same keys: those that the case says something of."""
    expected: Values = {}
    got: Values = {}
    if expect.rule is not UNSET:
        expected["rule"] = None if expect.rule == UNMATCHED else expect.rule
        got["rule"] = entry.rule
    if expect.code is not None:
        expected["code"], got["code"] = expect.code.word, entry.code.word
    if expect.keep is not None:
        expected["keep"], got["keep"] = kept(expect.keep), kept(entry.disposition)
    if expect.actions is not None:
        expected["actions"], got["actions"] = list(expect.actions), _as_written(decision.steps, expect.actions)
    if expect.continued is not None:
        expected["continued"], got["continued"] = list(expect.continued), list(decision.continued)
    if expect.captures is not None:
        expected["captures"], got["captures"] = dict(expect.captures), dict(entry.captures)
    return expected, got


def kept(disposition: Disposition) -> Values:
    """As `keep:` is written; deleting is the code's word."""
    plain = replace(disposition, delete=False)
    values = {"move": plain.move, "copy": plain.copy, "seen": plain.seen, "flags": plain.flags, "labels": plain.labels}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value not in (None, ())
    }


def _as_written(steps: Sequence[Step], expected: Sequence[str]) -> list[str]:
    """The steps as the case calls them: by action or `name:`, with or without their flow; else by flow and action."""
    if len(steps) != len(expected):
        return [step.name for step in steps]
    known = ({step.name, step.kind, step.label, step.title} for step in steps)
    return [
        wanted if wanted in names else step.name for step, names, wanted in zip(steps, known, expected, strict=True)
    ]


def flow(value: Any) -> str:
    """A value in YAML's flow style, ready to paste."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in ("null", "true", "false")
        return value if plain else f"'{value}'" if "'" not in value and value.isprintable() else json.dumps(value)
    return json.dumps(value)
