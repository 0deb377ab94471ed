"""A mail that one recipient has and another not yet, killed before and after every write: nobody gets it twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.engine.house import mail

from mailrules.api import build_options
from mailrules.builtin.action.send import SEND
from mailrules.builtin.smtp.protocol import SMTP
from mailrules.config.settings import Account
from mailrules.engine.edges import live_context
from mailrules.engine.perform import performer
from mailrules.model.entry import State
from mailrules.model.message import Address
from mailrules.model.rule import Step
from mailrules.registry import Plugin, Provided
from mailrules.testing.bad_smtp import BadSmtp

WRITES = frozenset({"record", "save", "claim", "tally", "advance"})
SEND_IT = {"from": "us@desk.example", "to": ["a@x.example", "b@x.example"], "text": "Hello."}


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """A journal before or after whose so-manieth write the process is killed."""

    def __init__(self, journal, at):
        self._journal, self._left = journal, at

    def __getattr__(self, name):
        real = getattr(self._journal, name)
        return (lambda *args, **more: self._write(real, args, more)) if name in WRITES else real

    def _write(self, real, args, more):
        self._count()
        given = real(*args, **more)
        self._count()
        return given

    def _count(self):
        self._left -= 1
        if not self._left:
            raise Killed


@pytest.fixture
def send_both(house, tmp_path):
    """Runs a pass of a rule that mails two and deletes; the server takes the second at the second try."""
    with BadSmtp({"rcpt 2": ["451 later\r\n"]}) as server:
        raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "2s"}
        way = (Provided(SMTP, Plugin("built-in", "1")), build_options(SMTP.options, raw, root=Path()))
        account = Account("local", send=way, sender=Address("", "us@desk.example"))
        action = SEND.build(build_options(SEND.options, SEND_IT, root=tmp_path))
        step = Step("send", action, digest="send", sends=True)
        listener = replace(house.listener(house.rule("all", None, 1, step)), account=account)
        place = SimpleNamespace(root=tmp_path, files=tmp_path, accounts={"local": account})
        house.box.messages = {"1": mail(1)}

        def run(journal):
            house.run(listener, journal=journal, perform=performer(live_context(place, journal)))

        run.told = lambda: [line[9:20] for line in server.heard if line.lower().startswith("rcpt")]
        yield run


@pytest.mark.parametrize("at", range(1, 17))
def test_killed_at_any_write_nobody_gets_it_twice_and_nobody_is_forgotten(house, send_both, at):
    with pytest.raises(Killed):
        send_both(Dying(house.journal, at))
    for _ in range(3):
        house.later(days=1)
        send_both(house.journal)

    entry = house.entries()["hello"]
    if entry.state is State.PARKED:  # killed when it had begun: whether it has left is a person's to find out
        assert entry.reason.startswith("send was cut off: nobody knows whether it happened")
        assert send_both.told() in ([], ["a@x.example", "b@x.example"])
        assert house.box.messages
    else:
        assert (entry.state, house.box.messages) == (State.DONE, {})
        assert send_both.told() == ["a@x.example", "b@x.example", "b@x.example"]
