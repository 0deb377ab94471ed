"""Journal entries, told: a table, or one message with all that is on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mailrules.cli.outcome import COLOURS, code_of, rule_name, what
from mailrules.cli.record import moment, next_try, zoned
from mailrules.cli.terminal import console, new_table, one_line, plural, safe
from mailrules.model.entry import Entry, State, StepRecord, StepState

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


WIDE = 120
"""Columns of a terminal from which on every column of the table is shown."""


def log_table(entries: Sequence[Entry]) -> Table:
    """One row a message, newest first; a narrow terminal gets fewer columns, not narrower ones."""
    wide = console().width >= WIDE
    headers = ["#", "changed", "listener", "state", "from", "subject", "rule", "code", "what happened"]
    shown = [header for header in headers if wide or header not in ("listener", "from", "code")]
    table = new_table(*shown)
    one_line(table, **{"#": 9, "changed": 19, "state": 8, "from": 16, "subject": 20, "rule": 16})
    for entry in entries:
        cells = _cells(entry, wide=wide)
        table.add_row(*(cells[header] for header in shown), style=COLOURS.get(entry.state, ""))
    return table


def _cells(entry: Entry, *, wide: bool) -> dict[str, str | Text]:
    changed = moment(entry.updated)
    return {
        "#": f"#{entry.id}",
        "changed": changed if wide else changed[5:-3],
        "listener": safe(entry.listener),
        "state": str(entry.state),
        "from": safe(entry.sender),
        "subject": safe(entry.subject) or "(no subject)",
        "rule": rule_name(entry),
        "code": code_of(entry),
        "what happened": what(entry),
    }


def entry_text(entry: Entry) -> str:
    """Everything on record about one message, a line each."""
    return "".join(f"{name + ':':<12} {safe(value)}\n" for name, value in _facts(entry) if value)


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "message", f"#{entry.id} {entry.subject or '(no subject)'}"
    yield "from", entry.sender
    yield "date", zoned(entry.date)
    yield "message id", entry.message_id
    yield "listener", f"{entry.listener} (account {entry.account})"
    yield "place", " ".join(part for part in (entry.ref.folder, entry.ref.validity, entry.ref.uid) if part)
    yield "rule", f"{rule_name(entry)} {entry.rule_span}".strip()
    yield "code", f"{int(entry.code)} {entry.code.word}"
    yield "mailbox", str(entry.disposition)
    yield "captures", ", ".join(f"{name}={value}" for name, value in entry.captures.items())
    yield "state", _state(entry)
    for record in _tries(entry):
        yield f"step {record.position + 1}", _step(record)
    yield "changed", zoned(entry.updated)
    yield "next", _next(entry)


def _state(entry: Entry) -> str:
    tries = f" (after {plural(entry.attempts, 'try', 'tries')})" if entry.attempts else ""
    at = next_try(entry)
    again = f", again at {zoned(at)}" if at else ""
    return f"{entry.state}{tries}{again}" + (f": {entry.reason}" if entry.reason else "")


def _tries(entry: Entry) -> list[StepRecord]:
    """Every try of every step; that one has begun is only of interest where nothing came after."""
    latest = {record.position: record for record in entry.steps}
    return [record for record in entry.steps if record.state is not StepState.STARTED or record in latest.values()]


def _step(record: StepRecord) -> str:
    at = f"{zoned(record.at)} " if record.at else ""
    written = f", {record.span}" if record.span else ""
    return f"{at}{record.state}: {record.detail} ({record.name}{written})"


def _next(entry: Entry) -> str:
    """What a person can do about it."""
    again = f"`mailrules retry {entry.id}`"
    if entry.state is State.RETRY:
        return f"{again} does not wait until then"
    if entry.state is State.SKIPPED:
        return f"{again} takes it up all the same"
    if entry.state is not State.PARKED:
        return ""
    if entry.steps and entry.steps[-1].state is StepState.UNKNOWN:
        return f"find out whether it happened: {again} does it again, {again[:-1]} --done` takes it as done and goes on"
    leave = f"{again[:-1]} --give-up` leaves it alone"
    return f"`mailrules explain {entry.id}` shows the decision, {again} takes it up again, {leave}"
