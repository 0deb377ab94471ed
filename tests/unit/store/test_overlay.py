"""The overlay over a journal that has something in it: truth is read, and nothing is ever written there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.model.mailbox import Ref
from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import LISTENER, NOON, entry, step, uids


@pytest.fixture
def truth(tmp_path):
    """Entry 1 done, 2 to be retried after a step, 3 left acting, 4 of another listener; the first pass was at noon."""
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    one, two, three, _ = journal.claim([entry(1), entry(2), entry(3), entry(4, listener="other")])
    journal.save([replace(one, state=State.DONE)])
    journal.record(replace(two, state=State.RETRY, retry_at=NOON), step())
    journal.record(replace(three, state=State.ACTING), step(StepState.STARTED))
    journal.begin(LISTENER, NOON, [])
    yield journal
    journal.close()


@pytest.fixture
def overlay(truth):
    return OverlayJournal(truth)


def everything(journal):
    refs = [entry(uid).ref for uid in range(10)]
    return (
        journal.find(Query(limit=None)),
        dict(journal.known(LISTENER, refs)),
        journal.handled(LISTENER, [f"print-{uid}" for uid in range(10)]),
        journal.unfinished(LISTENER),
        journal.due(LISTENER, NOON),
        journal.totals(LISTENER),
        journal.first_pass(LISTENER),
    )


def use(journal):
    """Every writing method, on old entries and new."""
    claimed = journal.claim([entry(2), entry(5), *journal.due(LISTENER, NOON)])
    for each in claimed:
        journal.record(replace(each, state=State.ACTED), step(StepState.DESCRIBED))
    journal.save([replace(each, state=State.DONE) for each in journal.unfinished(LISTENER)])
    journal.begin(LISTENER, NOON + timedelta(days=1), [entry(6, state=State.SKIPPED)])
    journal.begin("third", NOON, [entry(7, listener="third")])


def test_untouched_it_says_what_the_journal_below_says(truth, overlay):
    assert everything(overlay) == everything(truth)


def test_whatever_is_written_never_reaches_the_journal_below(truth, overlay):
    before = everything(truth)
    use(overlay)
    assert everything(overlay) != before
    assert everything(truth) == before


def test_whatever_is_written_changes_no_file(truth, tmp_path):
    truth.close()
    digests = {file.name: hashlib.sha256(file.read_bytes()).digest() for file in tmp_path.iterdir()}
    overlay = OverlayJournal(open_journal(f"sqlite:///{tmp_path}/journal.db", readonly=True))
    use(overlay)
    assert uids(overlay.find(Query(listener=LISTENER))) == ["6", "5", "3", "2", "1"]
    overlay.close()
    assert {file.name: hashlib.sha256(file.read_bytes()).digest() for file in tmp_path.iterdir()} == digests


def test_it_answers_as_the_journal_below_would_had_it_been_written(truth, overlay):
    use(overlay)
    imagined = overlay.find(Query(limit=None))
    totals, first = overlay.totals(LISTENER), [overlay.first_pass(name) for name in (LISTENER, "third", "none")]
    use(truth)
    real = truth.find(Query(limit=None))

    def plain(found):
        return [replace(each, id=None, updated=None) for each in found]

    assert plain(imagined) == plain(real)
    assert totals == truth.totals(LISTENER)
    assert first == [truth.first_pass(name) for name in (LISTENER, "third", "none")]


def test_what_is_done_or_in_hand_below_cannot_be_claimed(overlay):
    assert uids(overlay.claim([entry(1), entry(2), entry(3), entry(5)])) == ["2", "5"]


def test_what_is_taken_again_brings_its_steps_along(overlay):
    (again,) = overlay.claim([entry(2)])
    assert again.steps == (step(),)


def test_its_own_numbers_never_meet_those_that_the_journal_below_gives_later(truth, overlay):
    (imagined,) = overlay.claim([entry(5)])
    (real,) = truth.claim([entry(6)])
    assert imagined.id != real.id
    assert uids(overlay.find(Query(listener=LISTENER, limit=3))) == ["5", "6", "3"]


def test_an_entry_that_left_a_state_up_here_is_not_listed_under_it(overlay):
    (three,) = overlay.unfinished(LISTENER)
    overlay.save([replace(three, state=State.PARKED)])
    assert overlay.unfinished(LISTENER) == []
    assert uids(overlay.find(Query(states=frozenset({State.PARKED})))) == ["3"]
    assert uids(overlay.find(Query(states=frozenset({State.ACTING})))) == []


def test_an_entry_that_followed_its_message_up_here_is_not_known_at_its_old_place(overlay):
    two = overlay.known(LISTENER, [entry(2).ref])[entry(2).ref]
    moved = Ref("Archive", "1", "1")
    overlay.save([replace(two, ref=moved)])
    assert set(overlay.known(LISTENER, [two.ref, moved])) == {moved}
    assert overlay.handled(LISTENER, ["print-2"])["print-2"].ref == moved


def test_a_page_is_full_although_entries_changed_up_here(truth):
    truth.claim([entry(uid) for uid in range(10, 60)])
    overlay = OverlayJournal(truth)
    newest = overlay.find(Query(limit=20))
    overlay.save([replace(each, state=State.DONE) for each in newest])
    waiting = overlay.find(Query(listener=LISTENER, states=frozenset({State.CLAIMED}), limit=30))
    assert uids(waiting) == [str(uid) for uid in range(39, 9, -1)]


def test_overlays_stack(overlay):
    upper = OverlayJournal(overlay)
    (five,) = overlay.claim([entry(5)])
    assert upper.find(Query())[0] == five
    assert upper.claim([entry(5), entry(8)])[0].ref.uid == "8"
    assert len(overlay.find(Query(limit=None))) == 5


def test_its_clock_stamps_what_is_written():
    overlay = OverlayJournal(clock=lambda: NOON)
    (one,) = overlay.claim([entry(1)])
    assert (one.updated, overlay.record(one, step(at=None)).steps[0].at) == (NOON, NOON)
