"""A step that does not end holds up nobody: it is cut off, said loudly, and never repeated where that could harm."""

import logging
import threading
from dataclasses import replace

import pytest
from tests.unit.engine.house import mail, subject

from mailrules.engine.deadline import Overrun, StepThreads
from mailrules.engine.perform import performer
from mailrules.model.action import Transient
from mailrules.model.entry import State, StepState
from mailrules.model.rule import OnError

LOG = logging.getLogger("mailrules.test")


@pytest.fixture
def hang():
    """Something that hangs until the test is over."""
    over = threading.Event()
    yield lambda *_: over.wait(30)
    over.set()


class Hanging:
    def __init__(self, wait):
        self.run = wait

    def describe(self, *_):
        return "hang"


def pass_with(house, hang, **more):
    house.box.messages = {"1": mail(1, "hangs"), "2": mail(2, "fine")}
    step = replace(house.step("hang", timeout=0.05, **more), action=Hanging(hang))
    listener = house.listener(
        house.rule("hangs", subject("hangs"), 2, step, house.step()),
        house.rule("fine", subject("fine"), 2, house.step()),
    )
    house.run(listener, perform=performer(lambda attempt: attempt.key, threads=StepThreads(grace=0.05)))
    return house.entries()


def test_what_may_be_repeated_is_tried_again_and_the_pass_goes_on(house, hang):
    entries = pass_with(house, hang, repeatable=True)

    assert entries["hangs"].state is State.RETRY
    assert "did not end within 0.05 s (in test_deadline.py:" in entries["hangs"].reason
    assert entries["fine"].state is State.DONE


def test_what_may_not_be_repeated_is_in_doubt_and_the_pass_goes_on(house, hang):
    entries = pass_with(house, hang)

    assert entries["hangs"].state is State.PARKED
    assert "nobody knows whether it happened" in entries["hangs"].reason
    assert entries["hangs"].step(0).state is StepState.UNKNOWN
    assert entries["fine"].state is State.DONE


def test_where_failures_are_ignored_the_transition_goes_on(house, hang):
    entries = pass_with(house, hang, on_error=OnError.IGNORE)

    assert entries["hangs"].state is State.DONE
    assert [key for key, _ in house.notes.done] == ["hangs", "fine"]


def test_one_that_is_left_behind_is_said_loudly_and_so_is_its_end(caplog):
    threads, go_on = StepThreads(grace=0), threading.Event()
    with pytest.raises(Overrun):
        threads.run(go_on.wait, seconds=0.01, what="desk/send", log=LOG)
    hanging = next(iter(threads._left))

    go_on.set()
    hanging.join(5)

    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in said] == ["ERROR", "WARNING"]
    assert "step 'desk/send': it did not end within 0.01 s" in said[0][1]
    assert said[1][1] == "step 'desk/send' that was left behind came to its end"


def test_with_too_many_left_behind_nothing_is_begun_until_some_end(hang):
    threads, go_on, begun = StepThreads(grace=0, most_left=2), threading.Event(), []
    for wait in (hang, go_on.wait):
        with pytest.raises(Overrun):
            threads.run(wait, seconds=0.01, what="hook", log=LOG)
    with pytest.raises(Transient, match="2 steps hang and none is begun"):
        threads.run(lambda: begun.append(1), seconds=1, what="hook", log=LOG)
    assert not begun

    ends = next(worker for worker in threads._left if worker is not next(iter(threads._left)))
    go_on.set()
    ends.join(5)

    threads.run(lambda: begun.append(1), seconds=1, what="hook", log=LOG)
    assert begun == [1]


def test_steps_one_after_the_other_share_a_thread():
    threads, used = StepThreads(), set()

    for _ in range(20):
        threads.run(lambda: used.add(threading.get_ident()), seconds=5, what="log", log=LOG)

    assert len(used) == 1


@pytest.mark.parametrize("raised", [Transient("away"), SystemExit(3), KeyError("x")], ids=repr)
def test_what_a_step_raises_comes_through(raised):
    def fail():
        raise raised

    threads = StepThreads()
    with pytest.raises(type(raised)) as caught:
        threads.run(fail, seconds=5, what="log", log=LOG)

    assert caught.value is raised
    assert threads.run(lambda: "still there", seconds=5, what="log", log=LOG) == "still there"
