"""What every journal must do: subclass `JournalContract`, give it a `journal`, and pytest runs the lot.

```python
class TestMyJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path):
        journal = MyJournal(tmp_path)
        yield journal
        journal.close()
```
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from mailrules.model.code import Code
from mailrules.model.entry import UNFINISHED, Entry, State, StepRecord, StepState
from mailrules.model.journal import Journal, JournalError, Query
from mailrules.model.mailbox import Ref
from mailrules.model.rule import Disposition
from mailrules.testing.progress_contract import ProgressContract
from mailrules.testing.runs_contract import RunsContract
from mailrules.testing.tally_contract import TallyContract

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LISTENER = "support-inbox"


def entry(uid: str | int = 1, **changes: Any) -> Entry:
    """An entry as the engine claims it, for the message *uid*."""
    usual = Entry(
        listener=LISTENER,
        account="support",
        ref=Ref("INBOX", "1700000000", str(uid)),
        fingerprint=f"print-{uid}",
        state=State.CLAIMED,
        rule="acme invoices",
        subject=f"Invoice #{uid}",
        sender="Jo <jo@acme.example>",
        message_id=f"<{uid}@acme.example>",
    )
    return replace(usual, **changes)


def step(state: StepState = StepState.SUCCEEDED, position: int = 0, **changes: Any) -> StepRecord:
    """A record of the step at *position*."""
    return replace(StepRecord(position, "save", "d1", state, f"key-{position}", at=NOON), **changes)


def claim_one(journal: Journal, wanted: Entry) -> Entry:
    """The claimed entry, which must be had."""
    (claimed,) = journal.claim([wanted])
    return claimed


def uids(entries: Sequence[Entry]) -> list[str]:
    """Which messages, in their order."""
    return [each.ref.uid for each in entries]


FULL = entry(
    "full",
    rule_span="rules/support.yaml:12:3",
    code=Code.DELETE_ACTIVATE,
    disposition=Disposition(move="Invoices", copy=("A", "B"), seen=False, flags=(r"\Flagged",), labels=("x",)),
    reason="because",
    attempts=3,
    retry_at=NOON + timedelta(minutes=5),
    date=NOON - timedelta(days=1),
    captures={"number": "42", "who": "Zoë"},
)
ODD_TEXT = "nul \x00, surrogates \udcff\ud800, substitute \x1a001a, quote ' \" \\, emoji 🙂, % _"


class JournalContract(ProgressContract, RunsContract, TallyContract):
    """Behaviours of `mailrules.model.journal.Journal`, each a test. A subclass gives the fixture `journal`, empty."""

    @pytest.fixture
    def journal(self) -> Journal:
        """An empty journal."""
        raise NotImplementedError("give the fixture 'journal' in the subclass")

    @pytest.fixture
    def peer(self, journal: Journal) -> Journal:
        """A second way in to the same journal, as another process has one; the journal itself unless overridden."""
        return journal

    # claim

    def test_a_claimed_entry_comes_back_with_an_id_and_a_time(self, journal: Journal) -> None:
        """And is otherwise what was given."""
        claimed = claim_one(journal, FULL)
        assert claimed.id is not None
        assert claimed.updated is not None
        assert claimed == replace(FULL, id=claimed.id, updated=claimed.updated)

    def test_what_is_claimed_is_read_back_whole(self, journal: Journal) -> None:
        """Every column survives."""
        claimed = claim_one(journal, FULL)
        assert journal.known(LISTENER, [FULL.ref])[FULL.ref] == claimed
        assert journal.find(Query()) == [claimed]

    def test_claims_come_back_in_the_order_asked_for(self, journal: Journal) -> None:
        """Oldest mail first stays oldest first."""
        wanted = [entry(uid) for uid in (3, 1, 2)]
        assert uids(journal.claim(wanted)) == ["3", "1", "2"]

    def test_each_claim_has_an_id_of_its_own(self, journal: Journal) -> None:
        """The CLI names entries by it."""
        claimed = journal.claim([entry(uid) for uid in range(50)])
        assert len({each.id for each in claimed}) == 50

    def test_a_claim_of_nothing_is_nothing(self, journal: Journal) -> None:
        """An empty pass writes nothing."""
        assert journal.claim([]) == []
        journal.save([])
        assert journal.known(LISTENER, []) == {}
        assert journal.handled(LISTENER, []) == {}

    def test_a_message_given_twice_in_one_claim_is_had_once(self, journal: Journal) -> None:
        """The first one counts."""
        claimed = journal.claim([entry(1, rule="first"), entry(1, rule="second"), entry(2)])
        assert [(each.ref.uid, each.rule) for each in claimed] == [("1", "first"), ("2", "acme invoices")]

    @pytest.mark.parametrize("state", [state for state in State if state is not State.RETRY])
    def test_what_stands_in_another_state_is_left_out(self, journal: Journal, state: State) -> None:
        """By reference and by id alike, and it stays as it is."""
        held = claim_one(journal, entry(1, state=state))
        assert uids(journal.claim([entry(1, rule="mine"), entry(2)])) == ["2"]
        assert journal.claim([replace(held, state=State.CLAIMED, rule="mine")]) == []
        assert journal.known(LISTENER, [held.ref])[held.ref] == held

    def test_what_waits_for_a_retry_is_taken_again_by_its_id(self, journal: Journal) -> None:
        """With the columns that the caller gives."""
        first = claim_one(journal, entry(1, state=State.RETRY, retry_at=NOON))
        again = claim_one(journal, replace(first, state=State.CLAIMED, attempts=1, retry_at=None))
        assert (again.id, again.state, again.attempts) == (first.id, State.CLAIMED, 1)
        assert journal.known(LISTENER, [first.ref])[first.ref] == again

    def test_what_waits_for_a_retry_is_taken_again_by_its_reference_with_its_steps(self, journal: Journal) -> None:
        """So that a step that succeeded is not done again by a caller who did not know of it."""
        first = claim_one(journal, entry(1))
        journal.record(replace(first, state=State.RETRY), step())
        again = claim_one(journal, entry(1))
        assert (again.id, again.steps) == (first.id, (step(),))

    def test_what_is_taken_again_is_not_taken_a_third_time(self, journal: Journal) -> None:
        """A claim is exclusive."""
        first = claim_one(journal, entry(1, state=State.RETRY))
        again = replace(first, state=State.CLAIMED)
        assert journal.claim([again, again]) != []
        assert journal.claim([again]) == []

    @pytest.mark.parametrize(
        "other",
        [
            {"listener": "other"},
            {"account": "other"},
            {"ref": Ref("Archive", "1700000000", "1")},
            {"ref": Ref("INBOX", "1800000000", "1")},
            {"ref": Ref("INBOX", "1700000000", "2")},
        ],
    )
    def test_messages_of_another_place_are_others(self, journal: Journal, other: dict[str, Any]) -> None:
        """Listener, account, folder, UIDVALIDITY and UID together are the key."""
        assert len(journal.claim([entry(1), entry(1, **other)])) == 2
        assert journal.claim([entry(1), entry(1, **other)]) == []

    def test_of_many_claiming_at_once_exactly_one_gets_each(self, journal: Journal, peer: Journal) -> None:
        """Fresh messages and retries alike."""
        journal.claim([entry(uid, state=State.RETRY) for uid in range(20)])
        with ThreadPoolExecutor(4) as threads:
            wanted = [entry(uid) for uid in range(40)]
            tries = [threads.submit(each.claim, wanted) for each in (journal, peer, journal, peer)]
            claimed = [uid for each in tries for uid in uids(each.result())]
        assert sorted(claimed, key=int) == [str(uid) for uid in range(40)]

    def test_more_messages_than_one_statement_takes(self, journal: Journal) -> None:
        """A large mailbox is no special case; SQLite takes 32,766 values."""
        wanted = [entry(uid) for uid in range(33_000)]
        journal.begin(LISTENER, NOON, wanted)
        assert len(journal.known(LISTENER, [each.ref for each in wanted])) == 33_000
        assert len(journal.handled(LISTENER, [each.fingerprint for each in wanted])) == 33_000
        numbers = frozenset(each.id for each in journal.find(Query(limit=None)) if each.id is not None)
        assert len(journal.find(Query(ids=numbers, limit=None))) == 33_000

    # known and handled

    def test_known_has_the_references_that_have_an_entry(self, journal: Journal) -> None:
        """And no others, of this listener only."""
        journal.claim([entry(1), entry(2), entry(3, listener="other")])
        asked = [entry(uid).ref for uid in (1, 3, 4)]
        found = journal.known(LISTENER, asked)
        assert set(found) == {asked[0]}
        assert [ref in found for ref in asked] == [True, False, False]
        assert len(found) == 1

    def test_known_goes_without_steps(self, journal: Journal) -> None:
        """They are many, and whoever asks of ten thousand messages reads none."""
        journal.record(claim_one(journal, entry(1)), step())
        assert journal.known(LISTENER, [entry(1).ref])[entry(1).ref].steps == ()
        assert journal.handled(LISTENER, ["print-1"])["print-1"].steps == ()

    def test_known_tells_accounts_apart_when_asked_to(self, journal: Journal) -> None:
        """A listener given another account may meet the same reference there."""
        before = claim_one(journal, entry(1, account="before"))
        after = claim_one(journal, entry(1, account="after"))
        assert journal.known(LISTENER, [before.ref], account="before")[before.ref] == before
        assert journal.known(LISTENER, [before.ref], account="third") == {}
        assert journal.known(LISTENER, [before.ref])[before.ref] == after

    def test_handled_finds_a_message_wherever_it_is_now(self, journal: Journal) -> None:
        """After a UIDVALIDITY reset or a move; of this listener only, and the latest of several."""
        old = entry(1, fingerprint="same", ref=Ref("Old", "1", "1"))
        latest = journal.claim([old, entry(2, fingerprint="same"), entry(3, listener="other", fingerprint="other")])[1]
        assert journal.handled(LISTENER, ["same", "other", "unseen"]) == {"same": latest}

    # record and save

    def test_record_appends_steps_and_writes_columns_together(self, journal: Journal) -> None:
        """The entry that it gives is the one that is on record."""
        claimed = claim_one(journal, entry(1))
        started = journal.record(replace(claimed, state=State.ACTING), step(StepState.STARTED))
        done = journal.record(replace(started, state=State.ACTED), step(), step(StepState.STARTED, 1))
        assert [record.state for record in done.steps] == [StepState.STARTED, StepState.SUCCEEDED, StepState.STARTED]
        assert journal.find(Query()) == [done]

    def test_record_keeps_every_field_of_a_step(self, journal: Journal) -> None:
        """Its result is data for later steps."""
        result = {"path": "a.pdf", "sizes": [1, 2.5, None, True], "deep": {"Zoë": "\ud800"}}
        full = step(StepState.FAILED, 7, detail="disk full", result=result, span="rules/a.yaml:3:5")
        journal.record(claim_one(journal, entry(1)), full)
        assert journal.find(Query())[0].steps == (full,)

    @pytest.mark.parametrize("result", [{"when": NOON}, {"raw": b"\xff"}, {"some": {1, 2}}, {("a", 1): "x"}])
    def test_record_never_refuses_a_result(self, journal: Journal, result: dict[Any, Any]) -> None:
        """The step has been done: what JSON cannot say is kept in some form."""
        recorded = journal.record(claim_one(journal, entry(1)), step(result=result))
        assert recorded.steps[0].state is StepState.SUCCEEDED
        assert journal.find(Query())[0].steps[0].result

    def test_a_step_without_a_time_gets_one(self, journal: Journal) -> None:
        """The journal's own clock stamps it."""
        recorded = journal.record(claim_one(journal, entry(1)), step(at=None))
        assert recorded.steps[0].at is not None
        assert journal.find(Query()) == [recorded]

    def test_save_writes_the_columns_and_keeps_the_steps(self, journal: Journal) -> None:
        """Of each entry given, and of no other."""
        one, two, three = journal.claim([entry(1), entry(2), entry(3)])
        journal.record(one, step())
        journal.save([replace(one, state=State.DONE), replace(two, state=State.PARKED, reason="no such folder")])
        found = {each.id: each for each in journal.find(Query())}
        assert (found[one.id].state, found[one.id].steps) == (State.DONE, (step(),))
        assert (found[two.id].state, found[two.id].reason) == (State.PARKED, "no such folder")
        assert found[three.id] == three

    def test_save_lets_an_entry_follow_its_message(self, journal: Journal) -> None:
        """To another UID or folder: it is known there, and at the old place no more."""
        claimed = claim_one(journal, entry(1))
        moved = Ref("Archive", "9", "77")
        journal.save([replace(claimed, ref=moved)])
        assert set(journal.known(LISTENER, [claimed.ref, moved])) == {moved}
        assert uids(journal.claim([entry(1)])) == ["1"]

    def test_writing_an_entry_that_is_not_there_is_an_error_and_writes_nothing(self, journal: Journal) -> None:
        """Whole or not at all."""
        claimed = claim_one(journal, entry(1))
        lost = replace(claimed, id=987_654)
        with pytest.raises(JournalError, match="not in the journal"):
            journal.save([replace(claimed, state=State.DONE), lost])
        with pytest.raises(JournalError, match="not in the journal"):
            journal.record(lost, step())
        assert journal.find(Query()) == [claimed]

    # unfinished and due

    @pytest.mark.parametrize("state", list(State))
    def test_unfinished_is_what_only_a_crash_leaves(self, journal: Journal, state: State) -> None:
        """With its steps."""
        recorded = journal.record(claim_one(journal, entry(1, state=state)), step(StepState.STARTED))
        assert journal.unfinished(LISTENER) == ([recorded] if state in UNFINISHED else [])
        assert journal.unfinished("other") == []

    def test_unfinished_comes_oldest_first(self, journal: Journal) -> None:
        """In the order in which the messages were claimed."""
        one, two = journal.claim([entry(2), entry(1)])
        journal.save([two, replace(one, state=State.ACTED)])
        assert uids(journal.unfinished(LISTENER)) == ["2", "1"]

    @pytest.mark.parametrize(("after", "due"), [(-1, True), (0, True), (1, False)])
    def test_due_is_what_waits_and_whose_time_has_come(self, journal: Journal, after: int, due: bool) -> None:  # noqa: FBT001 - a table's column
        """To the microsecond, whatever the zone, with its steps."""
        abroad = timezone(timedelta(hours=-9))
        when = (NOON + timedelta(microseconds=after)).astimezone(abroad)
        recorded = journal.record(claim_one(journal, entry(1, state=State.RETRY, retry_at=when)), step())
        assert journal.due(LISTENER, NOON) == ([recorded] if due else [])
        assert journal.due("other", NOON) == []

    def test_due_is_what_waits_for_no_time_and_nothing_that_does_not_wait(self, journal: Journal) -> None:
        """Oldest first."""
        journal.claim([entry(2, state=State.RETRY), entry(1, state=State.RETRY), entry(3, retry_at=NOON)])
        assert uids(journal.due(LISTENER, NOON)) == ["2", "1"]

    # find and totals

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (Query(), ["4", "3", "2", "1"]),
            (Query(limit=2), ["4", "3"]),
            (Query(limit=None), ["4", "3", "2", "1"]),
            (Query(listener="other"), ["3"]),
            (Query(states=frozenset({State.PARKED, State.DONE})), ["4", "2"]),
            (Query(rule="newsletters"), ["2"]),
            (Query(text="INVOICE #1"), ["1"]),
            (Query(text="ärger"), ["3"]),
            (Query(text="zoë@"), ["4"]),
            (Query(text="<2@"), ["2"]),
            (Query(text="%"), ["4"]),
            (Query(text="_"), []),
            (Query(listener=LISTENER, states=frozenset({State.CLAIMED}), text="invoice"), ["1"]),
        ],
    )
    def test_find_lists_what_is_asked_for_newest_first(
        self, journal: Journal, query: Query, expected: list[str]
    ) -> None:
        """Every condition must hold; text is looked for in subject, sender and Message-ID, ignoring case."""
        parked = entry(4, state=State.PARKED, sender="ZOË@acme.example", subject="100%")
        done = entry(2, state=State.DONE, rule="newsletters")
        journal.claim([entry(1), done, entry(3, listener="other", subject="ÄRGER"), parked])
        assert uids(journal.find(query)) == expected

    def test_find_by_number_and_by_time(self, journal: Journal) -> None:
        """`since` is the last change."""
        one, two = journal.claim([entry(1), entry(2)])
        assert journal.find(Query(ids=frozenset({one.id or 0, 987_654}))) == [one]
        assert two.updated is not None
        assert journal.find(Query(since=two.updated)) == [two, one]
        assert journal.find(Query(since=two.updated + timedelta(days=1))) == []

    def test_totals_name_every_state(self, journal: Journal) -> None:
        """At nought where nothing stands, of this listener only."""
        journal.claim([entry(1), entry(2), entry(3, state=State.DONE), entry(4, listener="other")])
        expected = dict.fromkeys(State, 0) | {State.CLAIMED: 2, State.DONE: 1}
        assert journal.totals(LISTENER) == expected

    # the first pass

    def test_the_first_pass_is_noted_once_with_what_it_leaves_alone(self, journal: Journal) -> None:
        """A second note changes nothing that stands."""
        assert journal.first_pass(LISTENER) is None
        journal.begin(LISTENER, NOON, [entry(1, state=State.SKIPPED, reason="it was there before")])
        journal.begin(LISTENER, NOON + timedelta(days=1), [entry(1), entry(2, state=State.SKIPPED)])
        assert journal.first_pass(LISTENER) == NOON
        assert journal.first_pass("other") is None
        assert [(each.ref.uid, each.reason) for each in journal.find(Query())] == [
            ("2", ""),
            ("1", "it was there before"),
        ]
        assert journal.claim([entry(1)]) == []

    # values

    def test_any_text_survives(self, journal: Journal) -> None:
        """Names of files and folders and mail itself may hold anything."""
        ref = Ref(ODD_TEXT, ODD_TEXT, ODD_TEXT)
        odd = entry(1, ref=ref, fingerprint=ODD_TEXT, subject=ODD_TEXT, rule=ODD_TEXT, captures={ODD_TEXT: ODD_TEXT})
        claimed = claim_one(journal, odd)
        assert journal.known(LISTENER, [ref])[ref] == claimed
        assert journal.handled(LISTENER, [ODD_TEXT])[ODD_TEXT] == claimed
        assert journal.claim([odd]) == []

    @pytest.mark.parametrize(
        "date",
        [
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-12))),
            datetime(2026, 1, 1),  # noqa: DTZ001 - mail has such dates
        ],
    )
    def test_any_date_is_taken(self, journal: Journal, date: datetime) -> None:
        """What mail says of its date cannot stop the journal."""
        claim_one(journal, entry(1, date=date))
        (found,) = journal.find(Query())
        assert found.date is not None

    def test_moments_are_aware_and_exact(self, journal: Journal) -> None:
        """To the microsecond."""
        claim_one(journal, entry(1, date=NOON, retry_at=NOON))
        (found,) = journal.find(Query())
        assert (found.date, found.retry_at) == (NOON, NOON)
        assert all(moment and moment.tzinfo for moment in (found.date, found.retry_at, found.updated))
