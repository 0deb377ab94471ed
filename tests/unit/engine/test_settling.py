"""When dispositions are carried out: those of messages with actions as they come, all others once a pass."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.unit.engine.house import MOVE, Box, mail, subject

from mailrules.model.entry import State

FILES = {str(n): mail(n, "file") for n in range(6)}


@dataclass
class Counting(Box):
    """A mailbox that notes how many messages it was told about at a time."""

    settled: list[int] = field(default_factory=list)
    breaks_at: int = -1
    """How many messages have been read when the connection breaks."""
    read: int = 0

    def heads(self, refs):
        for head in super().heads(refs):
            if self.read == self.breaks_at:
                raise ConnectionError("gone")
            self.read += 1
            yield head

    def settle(self, settlements):
        self.settled.append(len(settlements))
        return super().settle(settlements)


@pytest.fixture
def counting(house, monkeypatch):
    """A house whose passes read two messages at a time, with rules that file some and act on others."""
    monkeypatch.setattr("mailrules.engine.passes.BATCH", 2)
    house.box = Counting()
    files = house.rule("files", subject("file"), 4, keep=MOVE)
    acts = house.rule("acts", subject("act"), 2, house.step(), keep=MOVE)
    return house, house.listener(files, acts)


def test_what_is_only_filed_is_settled_once_however_many_batches_there_are(counting):
    house, listener = counting
    house.box.messages = dict(FILES)

    report = house.run(listener)

    assert house.box.settled == [6]
    assert [entry.ref.uid for entry in report.entries] == list("012345")
    assert {entry.state for entry in report.entries} == {State.DONE}


def test_a_message_with_an_action_does_not_wait_for_those_that_come_later(counting):
    house, listener = counting
    house.box.messages = FILES | {"3": mail(3, "act")}

    house.run(listener)

    assert house.box.settled == [4, 2]


def test_what_waited_when_the_connection_broke_is_settled_by_the_next_pass_before_anything_new(counting):
    house, listener = counting
    house.box.messages = dict(FILES)
    house.box.breaks_at = 4
    with pytest.raises(ConnectionError):
        house.run(listener)
    assert house.box.settled == []
    house.box.breaks_at = -1

    report = house.run(listener)

    assert house.box.settled == [2, 2, 2]
    assert house.box.messages == {}
    assert [entry.ref.uid for entry in report.entries] == list("012345")
