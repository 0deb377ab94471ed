"""What becomes of a message when a step fails, decides not to act, or goes on where it broke off."""

from dataclasses import replace

import pytest
from tests.unit.engine.house import START, Permanent, Transient, mail

from mailrules.api import InDoubt, Secret, Withheld
from mailrules.cli.resumption import Order, resumption
from mailrules.engine.perform import MOST_KEPT, performer
from mailrules.engine.process import LONGEST_TOLD
from mailrules.model.entry import State, StepState
from mailrules.model.rule import OnError


class Telling:
    """An action that does what a test says, and remembers what it was given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.given = []

    def describe(self, _message, _data):
        return "tell"

    def run(self, _message, data, attempt):
        self.given.append((attempt.key, dict(attempt.progress), dict(data["data"])))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, BaseException):
            raise answer
        return answer


def acting(house, *steps):
    house.box.messages = {"1": mail(1)}
    listener = house.listener(house.rule("all", None, 2, *steps))
    house.run(listener, perform=performer(lambda attempt: attempt))
    return listener


def again(house, listener, **delta):
    house.later(**(delta or {"days": 2}))
    house.run(listener, perform=performer(lambda attempt: attempt))


def states(house):
    return [(record.position, record.state) for record in entry(house).steps if record.state is not StepState.STARTED]


def entry(house):
    return house.entries()["hello"]


def telling(house, *answers, **more):
    action = Telling(*answers)
    return action, replace(house.step(**more), action=action)


def test_a_withheld_step_is_on_record_with_its_reason_and_the_transition_goes_on(house):
    _, first = telling(house, Withheld("it would answer a list"))

    acting(house, first, house.step())

    assert entry(house).state is State.DONE
    assert states(house) == [(0, StepState.WITHHELD), (1, StepState.SUCCEEDED)]
    assert entry(house).step(0).detail == "tell: it would answer a list"
    assert len(house.notes.done) == 1


def test_a_withheld_step_is_not_asked_again(house):
    first, one = telling(house, Withheld("no"))
    _, two = telling(house, Transient("away"))
    listener = acting(house, one, two)

    again(house, listener)

    assert len(first.given) == 1
    assert entry(house).state is State.DONE


def test_progress_reaches_the_next_try_under_the_same_key(house):
    action, step = telling(house, Transient("one is away", progress={"has": ["a@x.example"]}), {"sent": 2})
    listener = acting(house, step)

    assert entry(house).state is State.RETRY
    assert entry(house).step(0).result == {"has": ["a@x.example"]}
    again(house, listener)

    (first, none, _), (second, progress, _) = action.given
    assert (first, none) == (second, {})
    assert progress == {"has": ["a@x.example"]}
    assert entry(house).step(0).result == {"sent": 2}


def test_a_try_without_progress_of_its_own_keeps_what_there_was(house):
    action, step = telling(house, Transient("away", progress={"has": 1}), Transient("away"), {})
    listener = acting(house, step)

    again(house, listener)
    again(house, listener)

    assert [progress for _, progress, _ in action.given] == [{}, {"has": 1}, {"has": 1}]


def test_a_step_that_failed_half_way_is_not_begun_anew_because_its_rule_was_edited(house):
    action, step = telling(house, Transient("one is away", progress={"has": ["a@x.example"]}))
    acting(house, step)

    again(house, house.listener(house.rule("all", None, 2, replace(step, digest="another"))))

    assert len(action.given) == 1, "who has it would get it again by the new words"
    assert entry(house).state is State.PARKED
    assert "the rules changed while this message was in hand: step 1 was note" in entry(house).reason


def test_a_step_that_failed_half_way_is_begun_anew_where_a_person_says_so(house):
    action, step = telling(house, Transient("one is away", progress={"has": ["a@x.example"]}))
    acting(house, step)
    edited = house.listener(house.rule("all", None, 2, replace(step, digest="another")))
    again(house, edited)

    made = resumption(entry(house), Order.ANEW, house.now)
    house.journal.record(made.entry, *made.records)
    again(house, edited)

    assert made.steps == ["step 1, note: one is away (set aside by the operator)"]
    assert [progress for _, progress, _ in action.given] == [{}, {}]
    assert entry(house).state is State.DONE


def test_a_step_that_failed_as_a_whole_is_begun_anew_by_the_edited_rule(house):
    action, step = telling(house, Transient("away"))
    acting(house, step)

    again(house, house.listener(house.rule("all", None, 2, replace(step, digest="another"))))

    assert [progress for _, progress, _ in action.given] == [{}, {}]
    assert entry(house).state is State.DONE


@pytest.mark.parametrize("came_to", ["given", "progress"])
def test_a_secret_that_a_program_tells_back_is_not_kept(house, came_to):
    Secret.holding("s3cr3t-of-the-hook").reveal()
    told = {"json": {"headers": [{"Authorization": "Bearer s3cr3t-of-the-hook"}]}}
    _, step = telling(house, told if came_to == "given" else Transient("later", progress=told))

    acting(house, step)

    assert entry(house).step(0).result == {"json": {"headers": [{"Authorization": "Bearer ***"}]}}


@pytest.mark.parametrize(
    ("repeatable", "step_state"), [(True, StepState.FAILED), (False, StepState.UNKNOWN)], ids=["repeatable", "not"]
)
@pytest.mark.parametrize("answer", [{"x": "y" * (MOST_KEPT + 1)}, ["no mapping"], KeyError("boom")], ids=type)
def test_a_step_that_has_run_and_gives_what_cannot_be_kept_may_have_happened(house, answer, repeatable, step_state):
    action, step = telling(house, answer, repeatable=repeatable)
    listener = acting(house, step)

    again(house, listener)

    assert len(action.given) == 1
    assert (entry(house).state, entry(house).step(0).state) == (State.PARKED, step_state)
    assert entry(house).step(0).result == {}


def test_a_result_that_holds_itself_is_kept_as_far_as_it_can_be(house):
    ring = {"name": "ring"}
    ring["inner"] = ring
    _, step = telling(house, ring)

    acting(house, step)

    assert entry(house).state is State.DONE
    assert entry(house).step(0).result["inner"]["name"] == "ring"


FAILURES = [
    # on_error, failure, where the message stands, where the step stands
    (OnError.RETRY, Transient("away"), State.RETRY, StepState.FAILED),
    (OnError.RETRY, Permanent("never"), State.PARKED, StepState.FAILED),
    (OnError.RETRY, InDoubt("perhaps"), State.PARKED, StepState.UNKNOWN),
    (OnError.PARK, Transient("away"), State.PARKED, StepState.FAILED),
    (OnError.PARK, Permanent("never"), State.PARKED, StepState.FAILED),
    (OnError.IGNORE, Transient("away"), State.DONE, StepState.IGNORED),
    (OnError.IGNORE, Permanent("never"), State.DONE, StepState.IGNORED),
    (OnError.IGNORE, InDoubt("perhaps"), State.DONE, StepState.UNKNOWN),
    (OnError.IGNORE, ZeroDivisionError("oops"), State.DONE, StepState.UNKNOWN),
]


@pytest.mark.parametrize(("on_error", "failure", "state", "step_state"), FAILURES, ids=repr)
def test_what_a_failure_comes_to(house, on_error, failure, state, step_state):
    _, step = telling(house, failure, on_error=on_error)

    acting(house, step)

    assert entry(house).state is state
    assert entry(house).step(0).state is step_state
    assert str(failure) in entry(house).step(0).detail


def test_after_an_ignored_failure_the_next_step_runs_and_the_ignored_one_never_again(house):
    first, one = telling(house, Permanent("never"), on_error=OnError.IGNORE)
    second, two = telling(house, Transient("away"))
    listener = acting(house, one, two)

    again(house, listener)

    assert (len(first.given), len(second.given)) == (1, 2)
    assert states(house) == [(0, StepState.IGNORED), (1, StepState.FAILED), (1, StepState.SUCCEEDED)]


@pytest.mark.parametrize("change", [{"title": "tell the desk"}, {"timeout": 5.0}, {"on_error": OnError.PARK}], ids=str)
def test_a_step_is_the_same_whatever_it_is_called_and_however_its_failures_are_met(house, change):
    action, step = telling(house, Transient("away", progress={"has": 1}), {})
    acting(house, step)

    again(house, house.listener(house.rule("all", None, 2, replace(step, **change))))

    (first, _, _), (second, progress, _) = action.given
    assert first == second
    assert progress == {"has": 1}
    assert entry(house).state is State.DONE


def test_a_step_that_was_done_is_not_done_again_because_it_was_renamed(house):
    first, one = telling(house, {"n": 1})
    second, two = telling(house, Transient("away"))
    acting(house, one, two)

    again(house, house.listener(house.rule("all", None, 2, replace(one, title="count"), two)))

    assert len(first.given) == 1
    assert second.given[-1][2] == {"n": 1, "count": {"n": 1}}


def test_results_are_there_by_field_the_later_over_the_earlier_and_by_title_over_both(house):
    _, one = telling(house, {"n": 1, "who": "one"}, title="first")
    _, two = telling(house, {"n": 2, "first": "a field"})
    last, three = telling(house, {})

    acting(house, one, two, three)

    data = last.given[0][2]
    assert data == {"n": 2, "who": "one", "first": {"n": 1, "who": "one"}}


def test_the_title_of_a_step_that_did_not_act_stands_for_an_empty_result(house):
    _, one = telling(house, Withheld("no"), title="asked")
    last, two = telling(house, {})

    acting(house, one, two)

    assert last.given[0][2] == {"asked": {}}


def test_the_journal_knows_a_step_by_its_title_in_its_flow(house):
    _, step = telling(house, {}, name="desk/tell", title="tell the desk")

    acting(house, step)

    assert [record.name for record in entry(house).steps] == ["desk/tell the desk"] * 2


def test_tries_come_at_growing_intervals_and_not_before_the_other_side_asked(house):
    _, step = telling(house, Transient("away"), Transient("away", after=7200), {})
    listener = acting(house, step)
    first = entry(house).retry_at - START

    again(house, listener, minutes=2)
    second = entry(house).retry_at - house.now

    assert (first.total_seconds(), second.total_seconds()) == (60, 7200)


def test_a_description_that_is_no_text_parks_its_message_alone(house):
    step = replace(house.step(), action=type("Odd", (), {"describe": lambda *_: 5, "run": lambda *_: None})())

    acting(house, step)

    assert entry(house).state is State.PARKED
    assert entry(house).reason.endswith("nothing has run: its description is of type int where a text is meant")


@pytest.mark.parametrize(
    "answer", [{"done": "x" * 1_000_000}, Permanent("x" * 1_000_000), {}], ids=["done", "why", "d"]
)
def test_what_a_step_says_of_itself_is_kept_as_far_as_people_read(house, answer):
    action, step = telling(house, answer)
    action.describe = lambda _message, _data: "y" * 1_000_000

    acting(house, step)

    assert all(len(record.detail) < LONGEST_TOLD + 10 for record in entry(house).steps)
    assert len(entry(house).reason) < LONGEST_TOLD + 10
