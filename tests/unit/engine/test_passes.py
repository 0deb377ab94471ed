"""What one pass does with what waits."""

from __future__ import annotations

import sys
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.engine.house import MOVE, START, Permanent, Transient, body, mail, subject

from mailrules.config.settings import Account
from mailrules.engine.perform import Performed
from mailrules.model.action import InDoubt
from mailrules.model.code import Code
from mailrules.model.condition import Operator, Test
from mailrules.model.entry import State, StepState
from mailrules.model.journal import Query
from mailrules.model.rule import Disposition, Rule, RuleSet, Script, Step


def test_ten_waiting_and_five_a_pass_are_five_and_five_oldest_first(house):
    house.box.messages = {str(n): mail(n, f"mail {n}") for n in range(10)}
    listener = house.listener(max_emails=5)

    reports = [house.run(listener) for _ in range(3)]

    assert [[entry.ref.uid for entry in report.entries] for report in reports] == [list("01234"), list("56789"), []]
    assert [report.left for report in reports] == [5, 0, 0]


@pytest.mark.parametrize(
    ("code", "noted", "kept"),
    [(1, True, False), (2, True, True), (3, False, False), (4, False, True)],
)
def test_the_code_table(house, code, noted, kept):
    house.box.messages = {"1": mail(1)}
    rule = house.rule("r", subject("hello"), code, *([house.step()] if noted else []), keep=Disposition())

    report = house.run(house.listener(rule))

    assert [entry.state for entry in report.entries] == [State.DONE]
    assert [entry.code for entry in report.entries] == [Code(code)]
    assert bool(house.notes.done) is noted
    assert ("1" in house.box.messages) is kept


def test_a_failing_message_stays_and_does_not_stop_the_others(house):
    house.box.messages = {"1": mail(1, "bad"), "2": mail(2, "good")}
    house.notes.fails = {"bad": Transient("the other side is away")}

    house.run(house.listener(house.rule("all", None, 1, house.step())))

    assert list(house.box.messages) == ["1"]
    assert house.entries()["bad"].state is State.RETRY
    assert house.entries()["bad"].reason == "note: the other side is away"
    assert house.entries()["good"].state is State.DONE


def test_a_retry_waits_for_its_time_and_keeps_the_key(house):
    house.box.messages = {"1": mail(1, "bad")}
    listener = house.listener(house.rule("all", None, 1, house.step("first"), house.step("second")))
    house.notes.fails = {"bad": Transient("away")}
    house.run(listener)
    keys = {record.key for record in house.entries()["bad"].steps}
    house.notes.fails = {}

    house.later(seconds=59)
    assert house.run(listener).entries == ()
    house.later(seconds=1)
    house.run(listener)

    entry = house.entries()["bad"]
    assert entry.state is State.DONE
    assert {record.key for record in entry.steps if record.position == 0} == keys
    assert len({record.key for record in entry.steps}) == 2
    assert house.box.messages == {}


def test_a_step_that_succeeded_is_not_run_again(house):
    house.box.messages = {"1": mail(1, "bad")}
    good, bad = type(house.notes)(), type(house.notes)(fails={"bad": Transient("away")})
    steps = (Step("good", good, digest="good"), Step("bad", bad, digest="bad"))
    listener = house.listener(house.rule("all", None, 2, *steps))
    house.run(listener)
    bad.fails = {}
    house.later(minutes=1)
    house.run(listener)

    assert len(good.done) == 1
    assert len(bad.done) == 1
    assert house.entries()["bad"].state is State.DONE


def test_back_off_grows_and_ends_in_parking(house):
    house.box.messages = {"1": mail(1, "bad")}
    house.notes.fails = {"bad": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    waits = []
    while (entry := house.entries().get("bad")) is None or entry.state is State.RETRY:
        if entry:
            waits.append((entry.retry_at - house.now).total_seconds())
            house.now = entry.retry_at
        house.run(listener)

    assert waits == sorted(waits)
    assert waits[0] == 60
    assert house.entries()["bad"].state is State.PARKED
    assert "given up" in house.entries()["bad"].reason
    assert "1" in house.box.messages


def test_the_other_side_may_ask_for_a_longer_wait(house):
    house.box.messages = {"1": mail(1, "bad")}
    house.notes.fails = {"bad": Transient("slow down", after=7200)}

    house.run(house.listener(house.rule("all", None, 2, house.step())))

    assert house.entries()["bad"].retry_at - house.now == timedelta(hours=2)


@pytest.mark.parametrize(
    ("error", "reason", "came_to"),
    [
        (Permanent("550 no such user"), "note: 550 no such user", StepState.FAILED),
        (ZeroDivisionError("by zero"), "note: ZeroDivisionError: by zero (in house.py:", StepState.UNKNOWN),
    ],
)
def test_what_cannot_succeed_is_parked_with_its_place(house, error, reason, came_to):
    house.box.messages = {"1": mail(1, "bad")}
    house.notes.fails = {"bad": error}

    house.run(house.listener(house.rule("all", None, 1, house.step())))

    entry = house.entries()["bad"]
    assert entry.state is State.PARKED
    assert entry.reason.startswith(reason)
    assert entry.steps[-1].state is came_to
    assert "1" in house.box.messages


@pytest.mark.parametrize("answer", [5, 0, True, "2", None.__class__])
def test_a_script_that_answers_nonsense_leaves_the_message_alone(house, answer):
    house.box.messages = {"1": mail(1)}
    rule = Rule("s", script=Script("s.py", lambda _message: answer), steps=(house.step(),))

    house.run(house.listener(rule))

    assert house.entries()["hello"].state is State.PARKED
    assert house.notes.done == []
    assert "1" in house.box.messages


def test_only_messages_whose_rules_need_it_are_fetched_whole(house):
    house.box.messages = {"1": mail(1, "by subject"), "2": mail(2, "other", "say please"), "3": mail(3, "by subject")}
    rules = (house.rule("s", subject("by subject"), 2), house.rule("b", body("please"), 3))

    house.run(house.listener(*rules))

    assert house.box.asked_bodies == ["2"]
    assert house.entries()["other"].rule == "b"


def test_a_disposition_that_the_server_refuses_is_tried_again_without_the_steps(house):
    house.box.messages = {"1": mail(1)}
    house.box.refuses = {"1": "no such folder"}
    listener = house.listener(house.rule("all", None, 2, house.step(), keep=MOVE))
    house.run(listener)
    assert house.entries()["hello"].reason == "move to Done: no such folder"

    house.box.refuses = {}
    house.later(minutes=1)
    house.run(listener)

    assert house.entries()["hello"].state is State.DONE
    assert len(house.notes.done) == 1


def test_start_now_leaves_on_record_what_was_there(house):
    house.box.messages = {"1": mail(1, "old")}
    listener = house.listener(house.rule("all", None, 3), start="now")
    assert house.run(listener).before_start == 1

    house.box.messages |= {"2": mail(2, "new")}
    house.run(listener)

    assert list(house.box.messages) == ["1"]
    assert house.entries()["old"].state is State.SKIPPED
    assert house.entries()["new"].state is State.DONE


@pytest.mark.parametrize(
    ("since", "handled"), [(datetime(2026, 5, 1, tzinfo=UTC), True), (datetime(2026, 7, 1, tzinfo=UTC), False)]
)
def test_start_since_goes_by_the_servers_date(house, since, handled):
    house.box.messages = {"1": mail(1)}

    house.run(house.listener(house.rule("all", None, 3), start=since))

    assert (house.box.messages == {}) is handled


def test_a_renumbered_mailbox_is_not_acted_on_twice(house):
    house.box.messages = {"1": mail(1)}
    listener = house.listener(house.rule("all", None, 2, house.step()))
    house.run(listener)

    house.box.messages, house.box.validity = {"77": mail(1)}, "2"
    report = house.run(listener)

    assert len(house.notes.done) == 1
    assert [entry.state for entry in report.entries] == [State.SKIPPED]
    assert "the same message was handled as #" in report.entries[0].reason


def test_a_retry_finds_its_message_in_a_renumbered_mailbox(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    house.run(listener)

    house.box.messages, house.box.validity = {"77": mail(1)}, "2"
    house.notes.fails = {}
    house.later(minutes=1)
    house.run(listener)
    house.later(hours=2)
    house.run(listener)

    assert house.box.messages == {}
    assert len(house.notes.done) == 1
    assert [entry.state for entry in house.journal.find(Query())] == [State.DONE]


def test_colliding_message_ids_drop_no_mail(house):
    one, two = mail(1, "one"), mail(1, "two")
    house.box.messages = {"1": one, "2": two}

    house.run(house.listener(house.rule("all", None, 2, house.step())))

    assert [subject for subject, _ in house.notes.done] == ["one", "two"]


def test_of_two_messages_alike_one_may_have_been_read_and_both_are_handled(house):
    listener = house.listener(house.rule("all", None, 2, house.step()), unseen_only=True)
    house.box.messages = {"1": mail(1)}
    house.run(listener)
    house.box.read = {"1"}
    house.box.messages["2"] = mail(1)

    report = house.run(listener)

    assert [entry.state for entry in report.entries] == [State.DONE]


def test_two_messages_that_lie_side_by_side_are_two_however_alike(house):
    house.box.messages = {"1": mail(1), "2": mail(1)}

    house.run(house.listener(house.rule("all", None, 2, house.step())))

    assert len(house.notes.done) == 2


def test_a_mended_rule_takes_up_what_has_done_nothing_yet(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": Transient("away")}
    house.run(house.listener(house.rule("all", None, 1, house.step("wrong"))))
    house.notes.fails = {}
    house.later(minutes=1)

    house.run(house.listener(house.rule("all", None, 1, house.step("right"))))

    assert house.entries()["hello"].state is State.DONE
    assert house.box.messages == {}


def test_what_one_listener_has_in_hand_another_does_not_take_away(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": Transient("away")}
    posting = house.listener(house.rule("post", None, 2, house.step()))
    deleting = replace(house.listener(house.rule("delete", None, 3)), name="second", siblings=("inbox",))
    house.run(posting)
    house.run(deleting)
    assert "1" in house.box.messages

    house.notes.fails = {}
    house.later(minutes=1)
    house.run(posting)
    house.run(deleting)

    assert house.box.messages == {}
    assert len(house.notes.done) == 1
    assert {entry.state for entry in house.journal.find(Query())} == {State.DONE}


def test_an_action_may_say_what_it_did(house):
    house.box.messages = {"1": mail(1)}
    said = lambda *_: Performed(StepState.SUCCEEDED, {"n": 1}, "saved a-2.pdf")  # noqa: E731 - a performer in a line

    house.run(house.listener(house.rule("all", None, 2, house.step())), perform=said)

    assert house.entries()["hello"].steps[-1].detail == "saved a-2.pdf"
    assert house.entries()["hello"].steps[-1].result == {"n": 1}


def test_what_was_passed_over_is_on_record_beside_actions_too(house):
    house.box.messages = {"1": b"From: a@x.example\nSubject: hello\nDate: some day\n\ntext\n"}
    unknown = Test("date", (Operator("before", (START,)),))

    house.run(house.listener(house.rule("doubt", unknown, 3), house.rule("all", None, 2, house.step())))

    assert house.entries()["hello"].reason == "passed over: doubt: the Date header cannot be read"


def test_a_message_that_went_while_it_waited_is_on_record(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    house.run(listener)

    house.box.messages = {"9": mail(9, "other")}
    house.later(minutes=1)
    house.run(listener)

    assert house.entries()["hello"].state is State.SKIPPED
    assert "went from the mailbox" in house.entries()["hello"].reason


def test_stopping_finishes_the_message_in_hand_and_leaves_the_rest(house):
    house.box.messages = {str(n): mail(n, f"mail {n}") for n in range(4)}
    listener = house.listener(house.rule("all", None, 1, house.step()))

    report = house.run(listener, stopping=lambda: bool(house.notes.done))

    assert [entry.state for entry in report.entries] == [State.DONE]
    assert list(house.box.messages) == ["1", "2", "3"]
    house.run(listener)
    assert house.box.messages == {}


def test_changed_rules_do_not_run_into_a_half_done_message(house):
    house.box.messages = {"1": mail(1)}
    good, bad = type(house.notes)(), type(house.notes)(fails={"hello": Transient("away")})
    steps = Step("good", good, digest="good"), Step("bad", bad, digest="bad")
    house.run(house.listener(house.rule("all", None, 1, *steps)))
    house.later(minutes=1)

    house.run(house.listener(house.rule("all", None, 1, house.step("after"))))

    assert house.entries()["hello"].state is State.PARKED
    assert "the rules changed" in house.entries()["hello"].reason
    assert "1" in house.box.messages


def test_every_finished_entry_is_told_to_observers(house):
    house.box.messages = {"1": mail(1), "2": mail(2, "b")}

    house.run(house.listener(house.rule("all", None, 4)))

    assert [entry.state for entry in house.seen] == [State.DONE, State.DONE]


def test_journal_numbers_follow_the_order_of_the_mailbox(house):
    house.box.messages = {"1": mail(1, "plain"), "2": mail(2, "note"), "3": mail(3, "plain too")}

    report = house.run(house.listener(house.rule("n", subject("note"), 2, house.step())))

    assert [entry.id for entry in report.entries] == [1, 2, 3]


def test_a_body_that_cannot_be_read_is_on_record_and_blocks_none(house):
    house.box.messages = {"1": mail(1, "huge"), "2": mail(2, "small", "please")}
    house.box.unreadable = {"1"}
    listener = house.listener(house.rule("b", body("please"), 3), max_emails=1)

    for _ in range(2):
        house.run(listener)

    assert house.entries()["huge"].state is State.RETRY
    assert house.entries()["huge"].reason == "its body could not be read"
    assert house.entries()["small"].state is State.DONE
    house.box.unreadable = set()
    house.later(minutes=1)
    house.run(listener)
    assert house.entries()["huge"].state is State.DONE


def test_a_failing_script_is_named(house):
    house.box.messages = {"1": mail(1)}

    house.run(house.listener(Rule("triage", script=Script("s.py", lambda _message: 1 / 0))))

    assert house.entries()["hello"].rule == "triage"
    assert house.entries()["hello"].reason == "script s.py: raised ZeroDivisionError('division by zero')"


def test_an_old_decision_is_never_carried_out_on_another_accounts_message(house):
    house.box.messages = {"1": mail(1, "ours")}
    house.notes.fails = {"ours": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    house.run(listener)

    house.box.messages = {"1": mail(2, "theirs")}
    house.later(minutes=1)
    house.run(replace(listener, account=Account("other"), rules=RuleSet((house.rule("none", None, 4),))))

    assert house.notes.done == []
    assert "1" in house.box.messages
    assert house.entries()["ours"].state is State.RETRY
    assert house.entries()["theirs"].rule == "none"


def test_an_old_decision_is_never_carried_out_on_a_message_that_took_its_number(house):
    house.box.messages = {"1": mail(1, "ours")}
    house.notes.fails = {"ours": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    house.run(listener)

    house.box.messages = {"1": mail(2, "theirs")}
    house.later(minutes=1)
    house.run(listener)

    assert "1" in house.box.messages
    assert house.entries()["ours"].reason == "another message lies under its number now"


@pytest.mark.parametrize("change", [{"folder": "Archive"}, {"account": Account("other")}])
def test_a_listener_turned_elsewhere_begins_anew_there(house, change):
    listener = house.listener(house.rule("all", None, 3), start="now")
    house.run(listener)
    house.box.messages = {"1": mail(1)}

    report = house.run(replace(listener, **change))

    assert report.before_start == 1
    assert "1" in house.box.messages


def test_start_now_leaves_what_is_read_alone_too(house):
    house.box.messages, house.box.read = {"1": mail(1)}, {"1"}
    listener = house.listener(house.rule("all", None, 3), start="now", unseen_only=True)
    house.run(listener)

    house.run(replace(listener, unseen_only=False))

    assert "1" in house.box.messages


@pytest.mark.parametrize("leaves", [SystemExit(0), SystemExit("bye"), RecursionError()])
def test_an_action_that_would_end_the_program_fails_alone(house, leaves):
    house.box.messages = {"1": mail(1, "bad"), "2": mail(2, "good")}
    house.notes.fails = {"bad": leaves}

    house.run(house.listener(house.rule("all", None, 1, house.step())))

    assert house.entries()["bad"].state is State.PARKED
    assert house.entries()["good"].state is State.DONE


def test_a_script_that_would_end_the_program_leaves_the_message_alone(house):
    house.box.messages = {"1": mail(1)}

    house.run(house.listener(Rule("s", script=Script("s.py", lambda _message: sys.exit(0)))))

    assert house.entries()["hello"].state is State.PARKED


@pytest.mark.parametrize("given", ["ok", True, ["a"], 7])
def test_an_action_that_returns_no_mapping_is_parked_alone(house, given):
    house.box.messages = {"1": mail(1, "one"), "2": mail(2, "two")}
    action = type("Odd", (), {"describe": lambda *_: "odd", "run": lambda *_: given})()
    step = Step("odd", action, digest="odd", repeatable=True)

    house.run(house.listener(house.rule("one", subject("one"), 2, step), house.rule("two", None, 3)))

    assert house.entries()["one"].state is State.PARKED
    assert "where a mapping or None is meant" in house.entries()["one"].reason
    assert house.entries()["two"].state is State.DONE


def test_headers_that_cannot_be_read_starve_nobody_and_are_not_lost(house):
    house.box.messages = {str(n): mail(n, f"mail {n}") for n in range(1, 4)}
    house.box.headless = {"1", "2"}
    listener = house.listener(house.rule("all", None, 3), max_emails=2)

    for _ in range(2):
        house.run(listener)
    assert set(house.box.messages) == {"1", "2"}
    assert {entry.reason for entry in house.journal.find(Query()) if entry.state is State.RETRY} == {
        "its header could not be read"
    }

    house.box.headless = set()
    house.later(minutes=1)
    house.run(listener)
    assert house.box.messages == {}


def test_a_message_in_hand_whose_header_does_not_come_is_not_written_off(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": Transient("away")}
    listener = house.listener(house.rule("all", None, 1, house.step()))
    house.run(listener)
    house.notes.fails, house.box.headless = {}, {"1"}
    house.later(minutes=1)
    house.run(listener)
    assert house.entries()["hello"].state is State.RETRY

    house.box.headless = set()
    house.later(minutes=10)
    house.run(listener)
    assert house.box.messages == {}


def test_a_renumbered_mailbox_is_noticed_when_all_is_read(house):
    house.box.messages = {"1": mail(1)}
    house.box.refuses = {"1": "busy"}
    listener = house.listener(house.rule("all", None, 3), unseen_only=True)
    house.run(listener)

    house.box.messages, house.box.validity, house.box.read = {"9": mail(1)}, "2", {"9"}
    house.later(minutes=1)
    house.run(listener)

    assert house.entries()["hello"].state is State.RETRY
    assert "numbered its messages anew" in house.entries()["hello"].reason


def test_messages_alike_without_message_id_that_come_one_after_the_other_are_each_handled(house):
    scan = b"From: scanner@x.example\nSubject: scan\n\npage %d\n"
    listener = house.listener(house.rule("all", None, 1, house.step()))

    for page in (1, 2):
        house.box.messages = {str(page): scan % page}
        house.run(listener)

    assert len(house.notes.done) == 2
    assert house.box.messages == {}


@pytest.mark.parametrize(("after", "waits"), [(1e11, 86400), (float("inf"), 86400), (float("nan"), 60), (-5, 60)])
def test_nobody_puts_a_message_off_for_ever(house, after, waits):
    house.box.messages = {"1": mail(1, "bad")}
    house.notes.fails = {"bad": Transient("later", after=after)}

    house.run(house.listener(house.rule("all", None, 2, house.step())))

    assert (house.entries()["bad"].retry_at - house.now).total_seconds() == waits


def test_what_may_have_happened_is_parked_as_a_step_in_doubt(house):
    house.box.messages = {"1": mail(1)}
    house.notes.fails = {"hello": InDoubt("sent to one, refused for another")}

    house.run(house.listener(house.rule("all", None, 1, house.step())))

    entry = house.entries()["hello"]
    assert (entry.state, entry.steps[-1].state) == (State.PARKED, StepState.UNKNOWN)
    assert "1" in house.box.messages


def test_start_now_leaves_what_cannot_be_read_alone_too(house):
    house.box.messages, house.box.headless = {"1": mail(1)}, {"1"}
    listener = house.listener(house.rule("all", None, 3), start="now")
    house.run(listener)

    house.box.headless = set()
    house.run(listener)

    assert "1" in house.box.messages


def test_it_tells_how_far_it_is_message_by_message(house):
    house.box.messages = {str(n): mail(n) for n in range(1, 4)}
    told = []

    house.run(house.listener(house.rule("all", None, 4)), progress=lambda *how_far: told.append(how_far))

    assert told == [("inbox", 1, 3), ("inbox", 2, 3), ("inbox", 3, 3)]


def test_a_first_pass_that_leaves_everything_alone_lets_go_of_each_header_block(house):
    long = b"X-Long: " + b"x" * 20_000 + b"\n"
    house.box.messages = {str(number): long + mail(number) for number in range(1000)}
    listener = house.listener(start="now")

    tracemalloc.start()
    report = house.run(listener)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert report.before_start == 1000
    assert peak < 10_000_000  # the header blocks have twice that
