"""What an operator hears of steps that nothing came of, and how they are run again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailrules.cli.log_lines import log_outcome
from mailrules.cli.outcome import what
from mailrules.cli.resumption import Order, resumption
from mailrules.engine.passes import Report
from mailrules.model.entry import Entry, State, StepRecord, StepState
from mailrules.model.mailbox import Ref

ENTRY = Entry("inbox", "desk", Ref("INBOX", "1", "7"), "print", State.DONE, id=12, subject="hello")
LINES = [
    # how the step stands, how the message stands, and what is said
    (StepState.WITHHELD, State.DONE, [("INFO", "#12 step 1 withheld: send to x: a list")]),
    (StepState.IGNORED, State.DONE, [("WARNING", "#12 step 1 ignored: send to x: a list")]),
    (StepState.IGNORED, State.RETRY, []),
    (StepState.SUCCEEDED, State.DONE, []),
]


@pytest.mark.parametrize(("stands", "state", "said"), LINES)
def test_a_step_that_stood_back_or_failed_aside_has_its_line(caplog, stands, state, said):
    record = StepRecord(0, "send", "digest", stands, "key", detail="send to x: a list")
    caplog.set_level("INFO", "mailrules")

    log_outcome(Report("inbox", (replace(ENTRY, state=state, steps=(record,)),)))

    lines = [(line.levelname, line.getMessage()) for line in caplog.records]
    assert [line for line in lines if "step" in line[1]] == said


@pytest.mark.parametrize(
    ("stands", "detail", "lines"),
    [
        (StepState.FAILED, "send: refused", ["parked: send: refused"]),
        (StepState.UNKNOWN, "send: sent to some", ["unknown: send: sent to some", "parked: why"]),
        (StepState.UNKNOWN, "why", ["parked: why"]),
    ],
)
def test_why_a_message_is_parked_is_said_once(stands, detail, lines):
    record = StepRecord(0, "send", "digest", stands, "key", detail=detail)
    reason = detail if stands is StepState.FAILED else "why"

    told = what(replace(ENTRY, state=State.PARKED, reason=reason, steps=(record,)))

    assert str(told).splitlines() == lines


@pytest.mark.parametrize("stands", [StepState.WITHHELD, StepState.IGNORED, StepState.SUCCEEDED, StepState.UNKNOWN])
def test_decided_anew_every_step_is_run_again_and_none_gives_what_it_gave(stands):
    record = StepRecord(0, "send", "digest", stands, "key", result={"sent": 1})
    parked = replace(ENTRY, state=State.PARKED, steps=(record,))

    (again,) = resumption(parked, Order.ANEW, datetime(2026, 6, 1, tzinfo=UTC)).records

    assert (again.state, again.result) == (StepState.FAILED, {})
