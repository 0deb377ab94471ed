"""What happened, or would happen, to each message: one table for dry run, run and log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from mailrules.cli.record import last_records, moment
from mailrules.cli.terminal import new_table, one_line, safe
from mailrules.model.entry import Entry, State, StepRecord, StepState

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

COLOURS = {State.PARKED: "red", State.RETRY: "yellow", State.SKIPPED: "dim"}
MOST_ROWS = 500
"""More rows than this nobody reads; ten thousand take longer to lay out than to handle."""


def outcome_table(entries: Iterable[Entry], *, live: bool) -> Table:
    """One row a message: who, subject, rule, code and what happened (*live*) or would happen."""
    happened = "what happened" if live else "what would happen"
    table = new_table(*(["#"] if live else []), "from", "subject", "rule", "code", happened)
    one_line(table, **{"from": 20, "subject": 25, "rule": 16})
    for entry in entries:
        number = [f"#{entry.id}"] if live else []
        table.add_row(*number, *_who(entry), what(entry), style=COLOURS.get(entry.state, ""))
    return table


def worth_a_row(entries: Sequence[Entry]) -> Sequence[Entry]:
    """All of few; of more than `MOST_ROWS` those that did not go well before all others."""
    if len(entries) <= MOST_ROWS:
        return entries
    return sorted(entries, key=lambda entry: entry.state not in (State.PARKED, State.RETRY))[:MOST_ROWS]


def _who(entry: Entry) -> tuple[str, str, str, str]:
    return safe(entry.sender), safe(entry.subject) or "(no subject)", rule_name(entry), code_of(entry)


def rule_name(entry: Entry) -> str:
    """The rule that spoke; what is known where none did."""
    if entry.rule is not None:
        return safe(entry.rule)
    return "(skipped)" if entry.state is State.SKIPPED else "(unmatched)"


def code_of(entry: Entry) -> str:
    """The code's number; nothing was decided about a message that was skipped."""
    return "" if entry.state is State.SKIPPED else str(int(entry.code))


def code_word(entry: Entry) -> str:
    """The code's word, likewise."""
    return "" if entry.state is State.SKIPPED else entry.code.word


def what(entry: Entry) -> Text:
    """What was or would be done, a line each: the steps, then what becomes of the message, then what went wrong."""
    from rich.text import Text

    return Text("\n".join(_lines(entry)) or "keep")


def _lines(entry: Entry) -> Iterator[str]:
    if entry.state is not State.SKIPPED:
        for record in last_records(entry):
            told_below = record.state in (StepState.FAILED, StepState.UNKNOWN) and record.detail in entry.reason
            if not told_below:
                yield step_line(record)
    if entry.state is State.DONE:
        yield safe(str(entry.disposition))
    if entry.state is State.RETRY:
        yield safe(f"again at {moment(entry.retry_at)}: {entry.reason}")
    elif entry.state is not State.DONE:
        yield safe(f"{entry.state}: {entry.reason}" if entry.reason else f"{entry.state}")
    elif entry.reason:
        yield safe(entry.reason)


def step_line(record: StepRecord) -> str:
    """A step for people; one that neither succeeded nor was told says so."""
    if record.state in (StepState.SUCCEEDED, StepState.DESCRIBED):
        return safe(record.detail or record.name)
    return safe(f"{record.state}: {record.detail or record.name}")


def totals_table(entries: Sequence[Entry]) -> Table:
    """How many messages each rule took, the busiest first."""
    counted = Counter((rule_name(entry), f"{code_of(entry)} {code_word(entry)}".strip()) for entry in entries)
    table = new_table("messages", "rule", "code")
    table.columns[0].justify = "right"
    for (rule, code), number in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(str(number), rule, code)
    return table


def totals_json(entries: Iterable[Entry]) -> dict[str, int]:
    """How many messages each rule took; None of the rules is `(unmatched)`."""
    return dict(Counter(rule_name(entry) for entry in entries).most_common())
