"""A small house for engine tests: real journal on disk, a mailbox in memory, actions that keep a list."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mailrules.config.settings import Account, Listener
from mailrules.core.decide import Decider
from mailrules.engine.passes import run_pass
from mailrules.engine.perform import performer
from mailrules.engine.world import World
from mailrules.model.action import Permanent, Transient
from mailrules.model.code import Code
from mailrules.model.condition import Operator, Test
from mailrules.model.journal import Query
from mailrules.model.mailbox import Head, Ref
from mailrules.model.rule import Disposition, Rule, RuleSet, Step

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def mail(number, subject="hello", body="text"):
    return (
        f"From: a{number}@x.example\nSubject: {subject}\nMessage-ID: <{number}@x.example>\n"
        f"Date: Mon, 1 Jun 2026 10:00:{number % 60:02d} +0000\n\n{body}\n"
    ).encode()


@dataclass
class Box:
    """A mailbox in memory that does what it is told, and counts what it is asked."""

    messages: dict[str, bytes] = field(default_factory=dict)
    validity: str = "1"
    asked_bodies: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    received: datetime = START
    came: dict[str, datetime | None] = field(default_factory=dict)
    """When single ones were received, where that differs."""
    sizes: dict[str, int] = field(default_factory=dict)
    """What it says how big they are."""
    breaks: bool = False
    unreadable: set[str] = field(default_factory=set)
    headless: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def refs(self, *, unseen_only):
        if self.breaks:
            raise Transient("the server is away")
        hidden = self.read if unseen_only else set()
        return [Ref("INBOX", self.validity, uid) for uid in self.messages if uid not in hidden]

    def _there(self, refs):
        return [ref for ref in refs if ref.validity == self.validity and ref.uid in self.messages]

    def heads(self, refs):
        for ref in (ref for ref in self._there(refs) if ref.uid not in self.headless):
            header = self.messages[ref.uid].partition(b"\n\n")[0]
            yield Head(ref, header, self.sizes.get(ref.uid), received=self.came.get(ref.uid, self.received))

    def bodies(self, refs):
        for ref in (ref for ref in self._there(refs) if ref.uid not in self.unreadable):
            self.asked_bodies.append(ref.uid)
            yield ref, self.messages[ref.uid]

    def settle(self, settlements):
        for settlement in settlements:
            gone = settlement.disposition.delete or settlement.disposition.move
            if gone and settlement.ref.uid not in self.refuses:
                self.messages.pop(settlement.ref.uid, None)
        return {s.ref: self.refuses[s.ref.uid] for s in settlements if s.ref.uid in self.refuses}

    def close(self):
        pass


@dataclass
class Notes:
    """An action that keeps a list of what it did, and fails where it is told to."""

    done: list[tuple[str, str]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)

    def describe(self, message, _data):
        return f"note {message.subject}"

    def run(self, message, _data, key):
        if message.subject in self.fails:
            raise self.fails[message.subject]
        self.done.append((message.subject, key))
        return {"noted": message.subject}


@dataclass
class House:
    box: Box
    notes: Notes
    journal: object
    now: datetime = START
    seen: list = field(default_factory=list)

    def listener(self, *rules, **settings):
        settings = {"start": "all", "max_emails": -1} | settings
        return Listener("inbox", Account("local"), RuleSet(rules), **settings)

    def rule(self, name, test, code=2, *steps, **more):
        return Rule(name, Code(code), test, steps=steps, **more)

    def step(self, name="note", **more):
        return Step(name, self.notes, digest=name, **more)

    def world(self, **edges):
        plain = World(
            open=lambda _listener: self.box,
            perform=performer(lambda attempt: attempt.key),
            journal=self.journal,
            clock=lambda: self.now,
            recorded=self.seen.append,
        )
        return replace(plain, **edges)

    def run(self, listener, **edges):
        return run_pass(listener, Decider(listener.rules), self.world(**edges))

    def entries(self):
        return {entry.subject: entry for entry in self.journal.find(Query(limit=None))}

    def later(self, **delta):
        self.now += timedelta(**delta)


def subject(text):
    return Test("subject", (Operator("contains", (text,), text),))


def body(text):
    return Test("body", (Operator("contains", (text,), text),))


MOVE = Disposition(move="Done")
__all__ = ["MOVE", "Permanent", "Transient", "body", "mail", "subject"]
