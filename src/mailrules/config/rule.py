"""One rule: its condition, code, disposition, steps and time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from msgspec import UNSET, UnsetType

from mailrules.config import moments
from mailrules.config.condition import compile_match
from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.config.limits import read_limits
from mailrules.config.nearest import suggestion
from mailrules.config.operands import Reading
from mailrules.config.script import load_script
from mailrules.config.spec import ActiveSpec, KeepSpec, OutcomeSpec, RuleSpec
from mailrules.config.structure import fit
from mailrules.config.transition import Transitions
from mailrules.model.code import CODE_WORDS, Code
from mailrules.model.rule import UNTOUCHED, Active, Disposition, Rule, Script, Step

_SYSTEM_FLAGS = frozenset({"\\flagged", "\\answered", "\\seen", "\\draft"})
"""What may be set of those that begin with a backslash (RFC 9051, section 2.3.2)."""
_FLAG = re.compile(r"\\?[^\s(){%*\"\\\]\x00-\x1f\x7f]+")
"""RFC 9051, section 9: flag-keyword and flag-extension."""


@dataclass(frozen=True)
class Surroundings:
    """What every rule of a file is compiled in."""

    root: Path
    findings: Findings
    transitions: Transitions
    timezone: str
    now: datetime
    zone: str = ""
    """The file's own time zone; empty where it says none."""

    @cached_property
    def scripts(self) -> dict[str, Script | None]:
        """Scripts that have been loaded."""
        return {}

    @cached_property
    def reading(self) -> Reading:
        """How conditions are read."""
        return Reading(self.findings, self.timezone, zone=self.zone)


def compile_rule(node: Node, around: Surroundings) -> Rule | None:
    """The rule at *node*; None and diagnostics when it cannot be used.

    Without a code: 2 if there are actions, else 4. Never a delete that is not written.
    """
    name = node.value.get("name") if isinstance(node.value, dict) else None
    owner = f"rule '{name}'" if isinstance(name, str) else "a rule"
    before = around.findings.errors
    spec = fit(node, RuleSpec, around.findings, owner=owner)
    condition = compile_match(node["match"], around.reading) if "match" in node else None
    steps = _steps(node, around, owner)
    if spec is None:
        return None
    code = code_of(spec.code, Code.KEEP_ACTIVATE if spec.actions else Code.KEEP)
    _check_code(node, code, around.findings, owner)
    _check_script_and_continue(node, spec, code, around.findings, owner)
    active = _active(node, spec.active, around, owner) if not isinstance(spec.active, UnsetType) else None
    script = _script(node["script"], around) if spec.script else None
    keep = keep_of(node, spec.keep, around.findings)
    limits = read_limits(node, spec.limits, around.findings, owner=owner)
    lost = (condition is None and "match" in node) or (script is None and bool(spec.script))
    if lost or around.findings.errors > before:
        return None
    return Rule(spec.name, code, condition, script, keep, steps, spec.continues, active, node.span, limits)


def compile_unmatched(node: Node, around: Surroundings) -> Rule | None:
    """What is done with a message that no rule claims."""
    spec = fit(node, OutcomeSpec, around.findings, owner="'unmatched'")
    steps = _steps(node, around, "'unmatched'")
    if spec is None:
        return None
    code = code_of(spec.code, Code.KEEP_ACTIVATE if spec.actions else Code.KEEP)
    _check_code(node, code, around.findings, "'unmatched'")
    keep = keep_of(node, spec.keep, around.findings)
    limits = read_limits(node, spec.limits, around.findings, owner="'unmatched'")
    return Rule("unmatched", code, keep=keep, steps=steps, span=node.span, limits=limits)


def _steps(node: Node, around: Surroundings, owner: str) -> tuple[Step, ...]:
    if "actions" not in node or not isinstance(node["actions"].value, list):
        return ()
    return around.transitions.steps(node["actions"], owner=f"'actions' of {owner}")


def code_of(written: int | str | UnsetType, default: Code) -> Code:
    """The code as written, by number or word; *default* where none is."""
    if isinstance(written, UnsetType):
        return default
    return CODE_WORDS[written] if isinstance(written, str) else Code(written)


def _check_code(node: Node, code: Code, findings: Findings, owner: str) -> None:
    if node.value.get("actions") and not code.fires:
        findings.add(
            node["actions"].label,
            "actions-never-run",
            f"{owner} has actions, and code {code.value} ({code.word}) does not run them",
            f"write code: {Code.of(deletes=code.deletes, fires=True).word}, or leave the actions out",
        )
    if "keep" in node and code.deletes:
        findings.add(
            node["keep"].label,
            "keep-of-deleted",
            f"{owner} says how to keep the message, and code {code.value} ({code.word}) deletes it",
            f"write code: {Code.of(deletes=False, fires=code.fires).word}, or leave 'keep' out",
        )


def _check_script_and_continue(node: Node, spec: RuleSpec, code: Code, findings: Findings, owner: str) -> None:
    if spec.script and "code" in node:
        findings.add(
            node["code"].label,
            "code-of-script",
            f"{owner} has a code, and its script gives the code",
            "leave 'code' out",
        )
    moves = isinstance(spec.keep, KeepSpec) and spec.keep.move is not UNSET
    if spec.continues and (code.deletes or moves):
        findings.add(
            node["continue"].label,
            "continue-moves",
            f"{owner} continues, so it may not {'delete' if code.deletes else 'move'}",
            "only the last rule that speaks may: use keep: {copy: ...}, or leave 'continue' out",
        )


def keep_of(node: Node, spec: KeepSpec | UnsetType, findings: Findings) -> Disposition:
    """What `keep:` of *node* says."""
    if isinstance(spec, UnsetType):
        return UNTOUCHED
    for key in ("flags", "labels"):
        if key in node["keep"]:
            _check_flags(node["keep"][key], key, findings)
    return Disposition(
        move=spec.move if isinstance(spec.move, str) else None,
        copy=_texts(spec.copy),
        seen=spec.seen if isinstance(spec.seen, bool) else None,
        flags=_texts(spec.flags),
        labels=_texts(spec.labels),
    )


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check_flags(node: Node, key: str, findings: Findings) -> None:
    for item in node if isinstance(node.value, list) else [node]:
        text = str(item.value)
        if key == "flags" and text.lower() in ("\\deleted", "\\recent"):
            help_ = "to delete write code: delete" if text.lower() == "\\deleted" else "servers set it themselves"
            findings.add(item.place, "not-allowed-value", f"the flag '{text}' cannot be set", help_)
        elif key == "flags" and text.startswith("\\") and text.lower() not in _SYSTEM_FLAGS:
            help_ = suggestion(text, ["\\Flagged", "\\Answered", "\\Seen", "\\Draft"], what="flags")
            findings.add(item.place, "not-allowed-value", f"there is no flag '{text}'", help_)
        elif key == "flags" and f"\\{text.lower()}" in _SYSTEM_FLAGS:
            message = f"'{text}' is a word of your own, and no mail program shows it as a mark"
            findings.add(item.place, "doubtful-flag", message, f"write '\\{text.capitalize()}', in single quotes")
        elif (key == "flags" and not _FLAG.fullmatch(text)) or not text.strip():
            help_ = "a flag is \\Flagged, \\Answered or one word"
            findings.add(item.place, "not-allowed-value", f"'{text}' is no {key.rstrip('s')}", help_)


def _script(node: Node, around: Surroundings) -> Script | None:
    if node.value not in around.scripts:
        around.scripts[node.value] = load_script(node, around.root, around.findings)
    return around.scripts[node.value]


def _active(node: Node, spec: ActiveSpec, around: Surroundings, owner: str) -> Active:
    inside, findings = node["active"], around.findings
    timezone = moments.read_zone(inside["timezone"], spec.timezone, findings) if spec.timezone else around.timezone
    since = moments.read_date(inside["from"], spec.since, timezone, findings) if "from" in inside else None
    until = moments.read_date(inside["until"], spec.until, timezone, findings) if "until" in inside else None
    if "cron" in inside and (problem := moments.cron_problem(spec.cron)):
        findings.add(inside["cron"].place, "bad-cron", problem, 'an example: "* 8-17 * * mon-fri"')
    if since and until and since >= until:
        findings.add(
            inside["until"].label, "never-matches", f"{owner} ends before it begins", "swap 'from' and 'until'"
        )
    elif until and until <= around.now:
        findings.add(
            inside["until"].label,
            "expired-rule",
            f"{owner} ended {until:%Y-%m-%d %H:%M}",
            "delete it, or give it more time",
        )
    return Active(since, until, spec.cron, timezone)
