"""An explanation, told: the message, a tree of rules and conditions, the decision, and what would be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mailrules.cli.explanation import Explanation
from mailrules.cli.fact_lines import fact_lines, facts_json
from mailrules.cli.outcome import step_line
from mailrules.cli.preview import print_previews, with_previews
from mailrules.cli.record import disposition_json, entry_json, last_records, zoned
from mailrules.cli.terminal import console, plural, safe, show
from mailrules.core.why import why
from mailrules.model.condition import Condition, Test, Verdict
from mailrules.model.decision import Trace

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

STYLES = {Verdict.YES: "green", Verdict.NO: "dim", Verdict.UNKNOWN: "yellow"}
MANY = 30
"""Rules that said no are counted instead of shown when there are more than this."""


def print_explanation(made: Explanation, rule: str | None, *, everything: bool) -> None:
    """For people; *rule* is the one asked about, *everything* shows every rule however many there are."""
    out = console()
    for name, value in _facts(made):
        out.print(f"{name + ':':<16} {safe(value)}", soft_wrap=True)
    out.print()
    show(_tree(made, everything=everything or rule is not None))
    out.print()
    if rule is not None:
        sentence = safe(why(rule, made.traces[0], made.decision))
        out.print(f"{sentence[:1].upper()}{sentence[1:]}.\n")
    for line in _conclusion(made):
        out.print(line, style="bold", soft_wrap=True)
    for record in last_records(made.entry):
        out.print(f"  {record.position + 1}. {step_line(record)}", soft_wrap=True)
    if made.previews:
        print_previews(made.entry, made.previews)


def _facts(made: Explanation) -> Iterator[tuple[str, str]]:
    message = made.message
    yield "message", made.found.name
    yield "from", str(message.author)
    yield "subject", message.subject or "(no subject)"
    yield "date", _when(made, message.date) or "(none)"
    yield "size", f"{message.size:,} octets"
    yield from fact_lines(message)
    for part in message.attachments:
        origin = f" (from {part.origin})" if part.origin else ""
        yield "attachment", f"{part.name or '(no name)'}, {part.type}, {part.kind}, {part.size:,} octets{origin}"
    for defect in message.defects:
        yield "defect", f"{defect.word} {defect.detail}"
    yield "decided as of", _when(made, made.found.now)


def _when(made: Explanation, at: datetime | None) -> str:
    """With its zone; where conditions ask for weekday or hours, also as they read it."""
    if at is None:
        return ""
    rules = made.found.listener.rules
    zones = dict.fromkeys(zone or rules.timezone for rule in rules.rules for zone in _zones(rule.condition))
    local = "; ".join(f"{at.astimezone(ZoneInfo(zone)):%A %H:%M:%S} {zone}" for zone in zones)
    return f"{zoned(at)} (for the rules: {local})" if local else zoned(at)


def _zones(condition: Condition | None) -> Iterator[str]:
    """Where weekdays and hours are read; empty for the account's zone."""
    if isinstance(condition, Test):
        if any(operator.name in ("weekday", "time") for operator in condition.operators):
            yield condition.timezone
    elif condition is not None:
        for inner in condition.conditions:
            yield from _zones(inner)


def _tree(made: Explanation, *, everything: bool) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(f"rules of {made.found.listener.name}"), guide_style="dim")
    hidden = [] if everything else _hidden(made.traces)
    for trace in made.traces:
        if not any(trace is each for each in hidden):
            _grow(tree, trace)
    if hidden:
        tree.add(Text(f"{plural(len(hidden), 'rule')} said no (-v shows them)", style="dim"))
    return tree


def _hidden(traces: tuple[Trace, ...]) -> list[Trace]:
    refused = [trace for trace in traces if trace.verdict is Verdict.NO]
    return refused if len(refused) > MANY else []


def _grow(tree: Tree, trace: Trace) -> None:
    branch = tree.add(_line(trace))
    for child in trace.children:
        _grow(branch, child)


def _line(trace: Trace) -> Text:
    from rich.text import Text

    text = Text()
    text.append(f"{trace.verdict.value:<8}", style=STYLES[trace.verdict])
    text.append(safe(trace.label), style="bold" if trace.verdict is Verdict.YES else "")
    text.append(f"  saw {safe(trace.seen)}" if trace.seen else "")
    text.append(f"  {safe(trace.reason)}" if trace.reason else "", style="italic")
    text.append(f"  {trace.span}" if trace.span.line else "", style="dim")
    return text


def _conclusion(made: Explanation) -> Iterator[str]:
    decision = made.decision
    if decision.failure:
        yield f"decision: left alone, {safe(decision.failure)} ({decision.span})"
        return
    who = f"rule '{decision.rule}' ({decision.span})" if decision.rule is not None else "no rule matches"
    after = f" after {', '.join(decision.continued)}" if decision.continued else ""
    yield safe(f"decision: {who}{after}")
    yield safe(f"code {int(decision.code)} ({decision.code.word}), mailbox: {decision.disposition}")
    for name, value in decision.captures.items():
        yield safe(f"match.{name} = {value}")
    if made.entry.reason:
        yield safe(made.entry.reason)


def explanation_json(made: Explanation) -> dict[str, Any]:
    """For programs."""
    decision, message = made.decision, made.message
    return {
        "message": made.found.name,
        "from": str(message.author),
        "subject": message.subject,
        "kind": message.kind.value,
        "facts": facts_json(message),
        "defects": [f"{defect.word} {defect.detail}".strip() for defect in message.defects],
        "decided_as_of": made.found.now,
        "rule": decision.rule,
        "rule_at": str(decision.span),
        "continued": list(decision.continued),
        "code": int(decision.code),
        "word": decision.code.word,
        "disposition": disposition_json(decision.disposition),
        "captures": dict(decision.captures),
        "passed_over": list(decision.passed_over),
        "failure": decision.failure,
        "steps": with_previews(entry_json(made.entry, tries=False), made.previews)["steps"],
        "trace": [_trace_json(trace) for trace in made.traces],
    }


def _trace_json(trace: Trace) -> dict[str, Any]:
    return {
        "label": trace.label,
        "verdict": trace.verdict.value,
        "seen": trace.seen,
        "reason": trace.reason,
        "at": str(trace.span),
        "children": [_trace_json(child) for child in trace.children],
    }
