"""One whole run: everything set up, everything broken, everything counted."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.reliability.house import House, furnish
from benchmarks.reliability.postman import Postman, Sent
from benchmarks.reliability.process import Mailrules, Sample
from benchmarks.reliability.records import Hook, Record, records
from benchmarks.reliability.story import Recovery, Story, flush
from benchmarks.reliability.verdict import Verdict, entries, judge, owed
from tests.servers.testbed import Testbed

from mailrules.model.entry import IN_HAND, State
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import HANG

DRAIN = 150.0
"""Seconds at most that the last messages may take: one that is tried again waits for a minute."""
DRIP = {"repeat": "*", "times": 100_000, "every": 1}


@dataclass(frozen=True, slots=True)
class Latency:
    """From the moment a server took a message to the moment its action had happened, in seconds."""

    what: str
    when: str
    messages: int
    median: float
    p95: float
    longest: float


@dataclass(slots=True)
class Result:
    """All that is to be told of a run."""

    began: datetime
    seconds: float
    rate: float
    idle: bool
    every: str
    token_seconds: int
    listeners: list[tuple[str, ...]]
    verdict: Verdict = field(default_factory=Verdict)
    recoveries: list[Recovery] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    statuses: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """How many lines the log has of each level."""
    drained: float = 0
    complaints: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"began": self.began.isoformat()}


def run(seconds: float, *, rate: float, idle: bool = False, every: str = "2s", keep: Path | None = None) -> Result:
    """Run it. Raises what keeps it from being run at all; what went wrong in it is in the result."""
    with ExitStack() as held:
        bed = held.enter_context(Testbed.temporary())
        bed.start("oidc", "dovecot", "postfix", "cyrus")
        hook = Hook()
        root = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="mailrules-reliability-")))
        house = House(bed, root, hook.start(), idle, every)
        held.callback(hook.stop)
        silent, slow = BadImap({"greeting": [HANG]}), BadImap({"greeting": [DRIP]})
        house.hopeless = {"silent": held.enter_context(silent).port, "slow": held.enter_context(slow).port}
        furnish(house)
        house.write()
        mailrules = Mailrules(root)
        held.callback(mailrules.stop)
        if keep:
            held.callback(shutil.copytree, root, keep, dirs_exist_ok=True)
        return _run(house, mailrules, hook, seconds, rate)


def _run(house: House, mailrules: Mailrules, hook: Hook, seconds: float, rate: float) -> Result:
    postman = Postman(house, rate, lambda: story.phase)
    story = Story(house, mailrules, postman, hook, seconds)
    shown = [(p.name, p.server, p.protocol, p.security, p.login, p.by, p.action, p.then) for p in house.posts]
    began = datetime.now(UTC)
    result = Result(began, seconds, rate, house.idle, house.every, story.token_seconds, list(shown))
    with story.lifetimes:
        story.short_tokens()
        for post in house.posts:
            if post.by_person:
                mailrules.log_in(post.name)
        mailrules.start()
        mailrules.watch()
        postman.start()
        story.tell()
        postman.stop()
        flush(house)
        result.drained = _drain(house, postman.sent, hook)
        result.statuses["at the end"] = _counted(mailrules)
        code, _ = mailrules.end(signal.SIGTERM)
        story.complaints += [f"at the end it ends with exit code {code}"] if code else []
        done = records(house, hook)
        result.verdict = judge(house, postman.sent, done, kills=len(story.kills))
    result.recoveries, result.samples = story.recoveries, mailrules.samples
    result.latencies = latencies(story, postman.sent, done)
    log = mailrules.log.read_text()
    result.lines = dict(Counter(line.split()[1] for line in log.splitlines() if " mailrules" in line))
    tracebacks = log.count("Traceback")
    story.complaints += [f"{tracebacks} tracebacks in the log"] if tracebacks else []
    result.complaints = story.complaints + result.verdict.complaints
    return result


def _counted(mailrules: Mailrules) -> tuple[int, dict[str, int]]:
    code, listeners = mailrules.status()
    return code, dict(Counter(one["state"] for one in listeners.values()))


def _drain(house: House, sent: list[Sent], hook: Hook) -> float:
    """Seconds until everything that was delivered has been done and nothing is in hand."""
    began = time.monotonic()
    wanted = {(name, subject) for name, subjects in owed(house, sent).items() for subject in subjects}
    while time.monotonic() - began < DRAIN:
        time.sleep(1)
        journal = entries(house)
        parked = {entry.subject for entry in journal if entry.state is State.PARKED}
        busy = any(entry.state in IN_HAND - {State.PARKED} for entry in journal)
        done = {(record.listener, record.subject) for record in records(house, hook)}
        if not busy and all(subject in parked for _, subject in wanted - done):
            break
    return time.monotonic() - began


def latencies(story: Story, sent: list[Sent], done: list[Record]) -> list[Latency]:
    """By protocol and circumstances; of the second listener on a folder nothing is said here."""
    first: dict[str, float] = {}
    for record in sorted(done, key=lambda record: record.at):
        if record.listener != "filed":
            first.setdefault(record.subject, record.at)
    posts = story.house.posts
    kind = {p.name: f"{p.server.title()} {p.protocol.upper()}{' by Postfix' * (p.by == 'smtp')}" for p in posts}
    waits: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in sent:
        if not one.in_doubt and one.subject in first:
            at = first[one.subject]
            when = "a fault lasts, or is being got over" if story.troubled(one.at, at) else "nothing fails"
            waits[kind[one.post], when].append(at - one.at)
    return [_latency(what, when, found) for (what, when), found in sorted(waits.items())]


def _latency(what: str, when: str, found: list[float]) -> Latency:
    found.sort()
    return Latency(what, when, len(found), median(found), found[int(len(found) * 0.95)], found[-1])
