"""What deciding costs, file read included, beside programs that do the same: `python -m benchmarks.offline`.

One message after the other: open the file, read (the header block, or all of it where a rule is about the body), parse,
decide; nothing is moved, by nobody. All files are in the page cache and every program has run once before it counts.
What is counted is processor time, user and system, children included; what a program needs to start is measured on an
empty maildir and taken off. Rounds go through all programs and numbers of rules, so that a busy moment of the machine
meets all of them alike; the best round of each counts.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import corpus, rulesets
from benchmarks.peers import PEERS, Bench, Peer, sieve_folders

from mailrules.core.decide import Decider
from mailrules.core.parse import parse
from mailrules.model.decision import Decision
from mailrules.model.message import Extent
from mailrules.model.rule import RuleSet

BARS = {("headers", 10): 1.0, ("headers", 100): 3.5, ("headers", 1000): 20.0} | {
    ("body", 10): 1.0,
    ("body", 100): 4.0,
    ("body", 1000): 20.0,
}
"""How many times faster than sieve-filter it must be."""

GROWTH = {"headers": 1.5, "body": 2.0}
"""How much dearer a message may be with 10,000 rules than with 10."""

COMPILE = 0.5
"""Seconds for 10,000 rules."""

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CHUNK = 8192
OURS = "mailrules"
Case = tuple[str, int]
"""A program and a number of rules."""


def header_of(path: str) -> bytes:
    """The header block of a message on disk, with no more of it read than that takes."""
    file = os.open(path, os.O_RDONLY)
    try:
        octets = os.read(file, CHUNK)
        while b"\n\n" not in octets and (more := os.read(file, CHUNK)):
            octets += more
        return octets
    finally:
        os.close(file)


def whole_of(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


def ours(ruleset: RuleSet, paths: Sequence[str], *, body: bool) -> Callable[[], float]:
    """Seconds for all of *paths*, once a call."""
    decider = Decider(ruleset)

    def whole(path: str) -> Decision:
        return decider.decide(parse(whole_of(path)), NOW)

    def header(path: str) -> Decision:
        return decider.decide(parse(header_of(path), extent=Extent.HEADER), NOW)

    each = whole if body else header

    def run() -> float:
        gc.collect()
        start = time.process_time()
        for path in paths:
            each(path)
        return time.process_time() - start

    return run


def theirs(peer: Peer, bench: Bench, rules: list[rulesets.Line]) -> Callable[[], float]:
    command = peer.prepare(bench, rules)
    start = min(bench.run(command, bench.empty) for _ in range(3))
    return lambda: max(bench.run(command, bench.mail) - start, 0.0)


def best(runs: dict[Case, Callable[[], float]], rounds: int) -> dict[Case, float]:
    """The best of *rounds* after one that does not count, taken in turns."""
    taken: dict[Case, list[float]] = {case: [] for case in runs}
    for _ in range(rounds + 1):
        for case, run in runs.items():
            taken[case].append(_repeated(run))
    return {case: min(times[1:]) for case, times in taken.items()}


def _repeated(run: Callable[[], float]) -> float:
    """The best of as many times as a second holds."""
    times = [run()]
    while sum(times) < 1:
        times.append(run())
    return min(times)


def measure(kind: str, options: argparse.Namespace, mail: Path, peers: Sequence[Peer]) -> dict[Case, float]:
    """Microseconds a message, by program and number of rules."""
    paths = sorted(str(path) for path in (mail / "cur").iterdir())
    runs: dict[Case, Callable[[], float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for count in options.rules:
            rules = rulesets.lines(count, body=kind == "body")
            runs[OURS, count] = ours(rulesets.to_ruleset(rules), paths, body=kind == "body")
            for peer in peers if count <= options.peer_rules else ():
                runs[peer.name, count] = theirs(peer, _bench(folder, f"{peer.name}-{count}", mail), rules)
        return {case: taken / len(paths) * 1e6 for case, taken in best(runs, options.rounds).items()}


def _bench(folder: str, name: str, mail: Path) -> Bench:
    own = Path(folder) / name
    own.mkdir()
    return Bench(own, mail)


def disagreements(kind: str, mail: Path) -> list[str]:
    """The messages that 100 rules file elsewhere than sieve-filter does with the same."""
    rules = rulesets.lines(100, body=kind == "body")
    decider = Decider(rulesets.to_ruleset(rules))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        theirs_ = sieve_folders(_bench(folder, "agree", mail), rules)
    messages = [parse(path.read_bytes()) for path in (mail / "cur").iterdir()]
    own = {message.message_id: decider.decide(message, NOW).disposition.move for message in messages}
    return [message_id for message_id, folder in own.items() if theirs_[message_id] != folder]


def compile_time(count: int) -> float:
    """Seconds from rules to a decider that has answered, best of three."""
    ruleset = rulesets.to_ruleset(rulesets.lines(count, body=True))
    message = parse(corpus.message(0))

    def once() -> float:
        start = time.process_time()
        Decider(ruleset).decide(message, NOW)
        return time.process_time() - start

    return min(once() for _ in range(3))


def row(kind: str, count: int, taken: dict[Case, float], peers: Sequence[Peer]) -> str:
    own = taken[OURS, count]
    cells = [f"{kind:8}", f"{count:6}", f"{own:10.1f}"]
    for peer in peers:
        if (peer.name, count) in taken:
            theirs_, bar = taken[peer.name, count], BARS.get((kind, count)) if peer.name == "sieve-filter" else None
            verdict = f"{_met(theirs_ / own >= bar)} {bar:4.1f}x" if bar else ""
            cells.append(f"{theirs_:12.1f} {theirs_ / own:6.1f}x {verdict:12}")
    return "  ".join(cells).rstrip()


def _met(reached: bool) -> str:  # noqa: FBT001 - the one thing that it says
    return "meets" if reached else "BELOW"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rules", type=int, nargs="+", default=[10, 100, 1000, 10000])
    parser.add_argument("--peer-rules", type=int, default=1000, help="the most rules that peers are given")
    options = parser.parse_args(arguments)
    peers = [peer for peer in PEERS if peer.installed]
    for peer in PEERS:
        if not peer.installed:
            print(f"{peer.name} is not installed and is left out: apt-get install {peer.package}")
    folder = Path(tempfile.mkdtemp())
    try:
        corpus.write_maildir(folder / "mail", options.messages)
        _table(options, folder / "mail", peers)
    finally:
        shutil.rmtree(folder)


def _table(options: argparse.Namespace, mail: Path, peers: Sequence[Peer]) -> None:
    print(f"{options.messages} messages; processor microseconds a message, best of {options.rounds} rounds\n")
    print("  ".join(["rules on", " count", f"{OURS:>10}", *(f"{peer.name:>12} {'ratio':>20}" for peer in peers)]))
    for kind, limit in GROWTH.items():
        taken = measure(kind, options, mail, peers)
        for count in options.rules:
            print(row(kind, count, taken, peers), flush=True)
        least, most = min(options.rules), max(options.rules)
        growth = taken[OURS, most] / taken[OURS, least]
        print(f"{kind}: {most} rules cost {growth:.2f}x what {least} cost ({_met(growth <= limit)} {limit}x)")
        if any(peer.name == "sieve-filter" for peer in peers):
            print(f"{kind}: {len(disagreements(kind, mail))} messages are filed elsewhere than sieve-filter does")
        print()
    seconds = compile_time(10000)
    print(f"compile 10000 rules, YAML apart: {seconds:.3f} s ({_met(seconds <= COMPILE)} {COMPILE} s)")


if __name__ == "__main__":
    main()
