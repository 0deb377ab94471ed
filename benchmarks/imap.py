"""What a mailbox costs over IMAP and POP3, beside the least that it can cost and beside imapfilter.

    python -m benchmarks imap        (python -m benchmarks.imap --messages 1000 --rounds 3)

Ours is the whole job of `run --once` from a loaded workspace on: the journal opened, everything read, decided, claimed,
moved and recorded, the connection closed. A drain is a bare socket that asks for the same octets in one command, looks
at nothing, and makes the same moves. Each run has a mailbox of its own on the testbed's Dovecot, with warm caches.
What counts is the time on the clock, the server's included; rounds go through all in turns, and the median counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import corpus, drain, rulesets
from benchmarks.boxes import Boxes, boxes, filed
from benchmarks.relay import Relay
from tests.servers.dovecot import missing
from tests.servers.mailbox import Mailbox
from tests.servers.place import HOST

from mailrules.cli.run import collect_seldom
from mailrules.config.load import load_workspace
from mailrules.config.settings import Workspace
from mailrules.core.decide import Decider
from mailrules.core.parse import parse
from mailrules.engine.passes import run_pass
from mailrules.engine.worlds import live_world
from mailrules.store.sql import open_journal

RULES = 100
POP3 = 1000
CLIENT_SIDE = 0.1
"""The share of the messages that imapfilter gets where it decides by itself; its time is scaled up."""

WORKSPACE = """
version: 1
accounts:
  box:
    receive: {{{protocol}: {{host: {host}, port: {port}, security: none}}}}
    auth: {{password: {{login: {user}, password: "{password}"}}}}
listeners:
  inbox: {{account: box, start: all, max_emails: -1, rules: [rules/all.yaml]}}
"""
LUA = """
options.timeout = 600
options.starttls = false
options.info = false
options.create = false
options.subscribe = false
box = IMAP {{ server = '{host}', port = {port}, username = '{user}', password = '{password}' }}
"""

Moves = dict[str, list[int]]
"""What the rules do: UIDs by folder."""


def ours(box: Mailbox, port: int, rules: str, *, protocol: str = "imap") -> float:
    """Seconds of one live pass."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder), box, port, rules, protocol)
        listener = workspace.listeners["inbox"]
        start = time.perf_counter()
        with closing(open_journal(workspace.journal)) as journal:
            run_pass(listener, Decider(listener.rules), live_world(workspace, journal))
        return time.perf_counter() - start


def _workspace(folder: Path, box: Mailbox, port: int, rules: str, protocol: str) -> Workspace:
    (folder / "rules").mkdir()
    (folder / "rules" / "all.yaml").write_text(rules)
    account = {"host": HOST, "port": port, "user": box.user, "password": box.password, "protocol": protocol}
    (folder / "mailrules.yaml").write_text(WORKSPACE.format(**account))
    loaded = load_workspace(folder)
    assert loaded.workspace is not None, loaded.diagnostics
    return loaded.workspace


def imapfilter(box: Mailbox, port: int, rules: list[rulesets.Line], decides: str) -> float:
    """Seconds of the program, from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "config.lua"
        account = {"host": HOST, "port": port, "user": box.user, "password": box.password}
        script.write_text(LUA.format(**account) + rulesets.to_imapfilter(rules, decides=decides))
        (Path(folder) / ".imapfilter").mkdir()
        return timed(
            lambda: subprocess.run(
                ["imapfilter", "-c", str(script)], env=os.environ | {"HOME": folder}, check=True, capture_output=True
            )
        )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def moves(messages: Sequence[bytes], rules: list[rulesets.Line]) -> Moves:
    """What must come out, decided on the messages at hand."""
    decider, found = Decider(rulesets.to_ruleset(rules)), defaultdict(list)
    for uid, raw in enumerate(messages, start=1):
        folder = decider.decide(parse(raw), datetime(2026, 7, 1, tzinfo=UTC)).disposition.move
        if folder is not None:
            found[folder].append(uid)
    return dict(found)


def check(box: Mailbox, expected: Moves, name: str) -> None:
    """That a run did what the others did; imapfilter's patterns do not decode, and may differ a little."""
    got = filed(box)
    wrong = sum(abs(got[folder] - len(expected.get(folder, ()))) for folder in got)
    if wrong and (name == "mailrules" or wrong > 0.02 * sum(got.values())):
        raise RuntimeError(f"{name} filed {got}, where {Counter({name: len(uids) for name, uids in expected.items()})}")


class Bench:
    """The runs to compare on mailboxes of one size."""

    def __init__(self, made: Boxes, size: int, rounds: int) -> None:
        self.boxes, self.size, self.rounds = made, size, rounds

    def medians(self, runs: dict[str, tuple[int, Callable[[Mailbox], float]]]) -> dict[str, float]:
        """Seconds by name, taken in turns; the number is of messages, and a smaller one scales the time up."""
        taken: dict[str, list[float]] = defaultdict(list)
        for _ in range(self.rounds):
            for name, (size, run) in runs.items():
                with self.boxes.fresh(size) as box:
                    taken[name].append(run(box) * self.size / size)
        return {name: statistics.median(times) for name, times in taken.items()}

    def traffic(self, run: Callable[[Mailbox, int], float]) -> tuple[int, int]:
        """Commands sent and octets received by one *run*, to which the port to connect to is handed."""
        with self.boxes.fresh(self.size) as box, Relay(box.imap) as relay:
            run(box, relay.port)
        return relay.commands, relay.received


def by_headers(bench: Bench, messages: Sequence[bytes]) -> None:
    rules = rulesets.lines(RULES, body=False)
    text, expected = rulesets.to_yaml(rules), moves(messages, rules)

    def own(box: Mailbox) -> float:
        seconds = ours(box, box.imap, text)
        check(box, expected, "mailrules")
        return seconds

    def theirs(decides: str) -> Callable[[Mailbox], float]:
        return lambda box: imapfilter(box, box.imap, rules, decides)

    runs: dict[str, tuple[int, Callable[[Mailbox], float]]] = {
        "mailrules": (bench.size, own),
        "drain of the needed fields": (bench.size, lambda box: timed(lambda: drain.imap(box, drain.NEEDED, {}))),
        "that drain and the moves": (bench.size, lambda box: timed(lambda: drain.imap(box, drain.NEEDED, expected))),
        "drain of header blocks and the moves": (
            bench.size,
            lambda box: timed(lambda: drain.imap(box, drain.HEADER, expected)),
        ),
    }
    if shutil.which("imapfilter"):
        runs["imapfilter, the server decides"] = (bench.size, theirs("server"))
        runs["imapfilter, it decides"] = (int(bench.size * CLIENT_SIDE), theirs("client"))
    else:
        print("imapfilter is not installed and is left out: apt-get install imapfilter")
    moved = sum(map(len, expected.values()))
    print(f"\nIMAP, {bench.size} messages, {RULES} rules on headers, {moved} moved")
    table(bench.medians(runs))
    commands, received = bench.traffic(lambda box, port: ours(box, port, text))
    print(f"{commands} commands (bar {10 + bench.size // 1000}), {received / 1e6:.1f} MB received")
    if shutil.which("imapfilter"):
        commands, received = bench.traffic(lambda box, port: imapfilter(box, port, rules, "server"))
        print(f"imapfilter, the server decides: {commands} commands, {received / 1e6:.1f} MB received")


def by_bodies(bench: Bench, messages: Sequence[bytes]) -> None:
    rules = rulesets.lines(RULES, body=True)
    text, expected = rulesets.to_yaml(rules), moves(messages, rules)
    drained: list[int] = []

    def own(box: Mailbox) -> float:
        seconds = ours(box, box.imap, text)
        check(box, expected, "mailrules")
        return seconds

    print(f"\nIMAP, {bench.size} messages, {RULES} rules with some on bodies, {sum(map(len, expected.values()))} moved")
    table(
        bench.medians(
            {
                "mailrules": (bench.size, own),
                "drain of whole messages": (
                    bench.size,
                    lambda box: timed(lambda: drained.append(drain.imap(box, drain.WHOLE, {}))),
                ),
            }
        )
    )
    commands, received = bench.traffic(lambda box, port: ours(box, port, text))
    print(f"{commands} commands, {received / 1e6:.1f} MB received, {received / drained[0]:.2f}x the drain (bar 0.25x)")


def by_pop3(bench: Bench, messages: Sequence[bytes]) -> None:
    rules = rulesets.lines(RULES, body=False)
    text = rulesets.to_yaml(rules, act="code: delete")
    deleted = sorted(uid for uids in moves(messages[: bench.size], rules).values() for uid in uids)
    port = bench.boxes.store.pop3
    print(f"\nPOP3, {bench.size} messages, {RULES} rules on headers, {len(deleted)} deleted")
    table(
        bench.medians(
            {
                "mailrules": (bench.size, lambda box: ours(box, port, text, protocol="pop3")),
                "drain of header blocks and the deletions": (
                    bench.size,
                    lambda box: timed(lambda: drain.pop3(port, box, bench.size, deleted)),
                ),
            }
        )
    )


def table(medians: dict[str, float]) -> None:
    own = medians["mailrules"]
    for name, seconds in medians.items():
        ratio = "" if name == "mailrules" else f"  mailrules takes {own / seconds:6.2f}x that"
        print(f"  {name:40} {seconds:8.3f} s{ratio}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if lack := missing():
        print(f"IMAP and POP3 are not measured: {lack}")
        return
    collect_seldom()
    messages = list(corpus.messages(options.messages))
    with boxes(messages) as made:
        bench = Bench(made, options.messages, options.rounds)
        print(f"{options.rounds} rounds, medians")
        by_headers(bench, messages)
        by_pop3(Bench(made, min(POP3, options.messages), options.rounds), messages)
        by_bodies(bench, messages)


if __name__ == "__main__":
    main()
