"""The page that tells of a run: written from its figures, so that nothing in it is from memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median

from benchmarks.reliability.process import Sample
from benchmarks.reliability.run import Latency, Result

MIB = 1 << 20
SHOWN = 20
"""Complaints that are told one by one."""


def page(result: Result) -> str:
    """The whole page."""
    return (Path(__file__).with_name("page.md").read_text()).format(
        began=result.began,
        seconds=result.seconds,
        rate=result.rate,
        token_seconds=result.token_seconds,
        cores=os.cpu_count(),
        python=platform.python_version(),
        linux=platform.release().split("-")[0],
        rhythm=_rhythm(result),
        waiting=_waiting(result),
        listeners=_listeners(result),
        verdict=_verdict(result),
        wrong=_wrong(result.complaints),
        recoveries=_recoveries(result),
        statuses=_statuses(result),
        latencies=_latencies(result),
        costs=_costs(result),
        lines=", ".join(f"{count:,} {level}" for level, count in sorted(result.lines.items())),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"


def _rhythm(result: Result) -> str:
    if result.idle:
        waiting = "IMAP listeners wait for the server's notice (`idle: true`), all but `person`"
        return f"{waiting}, as an open connection outlives the log-in; the others look every {result.every}."
    return f"Every listener looks every {result.every}."


def _waiting(result: Result) -> str:
    others = "Where a listener looks by its schedule" if result.idle else "As every listener looks by its schedule"
    said = f"{others}, half of that pause ({result.every}) is waiting for the next look."
    return f"{said}\nOf a notice Dovecot takes half a second to give, and Cyrus up to two." if result.idle else said


def _listeners(result: Result) -> str:
    head = ("listener", "server", "protocol", "security", "log-in", "mail comes by", "action", "then")
    return table(head, result.listeners)


def _verdict(result: Result) -> str:
    found = result.verdict
    rows = (
        ("messages delivered", f"{found.delivered:,}"),
        ("handled exactly once; what `orders` files counts again for `filed`", f"{found.handled:,}"),
        ("lost", sum("was not done" in one for one in result.complaints)),
        ("done twice", found.twice),
        ("parked, as a kill left open whether a step had happened", found.parked),
        ("of those: it had", found.parked_and_done),
        ("deliveries cut off before the server's answer: there may be a message or none", found.in_doubt),
        ("seconds from the last message until nothing was in hand", f"{result.drained:.0f}"),
    )
    return table(("what", "count"), rows)


def _wrong(complaints: Sequence[str]) -> str:
    if not complaints:
        return "Nothing was wrong.\n"
    shown = "\n".join(f"- {complaint}" for complaint in complaints[:SHOWN])
    more = f"\n\n{len(complaints) - SHOWN} more are like these." if len(complaints) > SHOWN else ""
    return f"This was wrong:\n\n{shown}{more}\n"


def _recoveries(result: Result) -> str:
    rows = (
        (
            one.fault,
            f"{one.lasted:.1f} s",
            _states(one.states, one.exit_code),
            one.listeners,
            f"{one.first:.1f} s",
            f"{one.last:.1f} s",
            "; ".join(one.remarks),
        )
        for one in result.recoveries
    )
    head = ("fault", "it lasted", "`mailrules status` meanwhile", "listeners concerned", "first back", "all back", "")
    return table(head, rows)


def _statuses(result: Result) -> str:
    told = result.statuses.items()
    return "".join(f"`mailrules status` {when}: {_states(states, code)}.\n" for when, (code, states) in told)


def _states(states: dict[str, int], code: int | None) -> str:
    if code is None:
        return ""
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) + f"; exit code {code}"


def _latencies(result: Result) -> str:
    def row(one: Latency) -> Sequence[object]:
        return one.what, one.when, one.messages, f"{one.median:.2f} s", f"{one.p95:.2f} s", f"{one.longest:.2f} s"

    head = ("mailbox", "when", "messages", "median", "95 of 100 within", "longest")
    return table(head, map(row, result.latencies))


def _costs(result: Result) -> str:
    head = ("process", "from", "processor", "memory", "threads", "descriptors", "connections")
    return table(head, _spans(result.samples))


def _spans(samples: Sequence[Sample]) -> Iterator[Sequence[object]]:
    processes = [list(group) for _, group in groupby(samples, key=lambda one: one.pid)]
    for number, seen in enumerate(processes, start=1):
        third = len(seen) // 3
        for at in range(3) if third > 1 else ():
            part = seen[at * third : (at + 1) * third + 1]
            spent = (part[-1].cpu - part[0].cpu) / max(part[-1].at - part[0].at, 0.1)
            yield (
                number,
                f"{part[0].at - seen[0].at:.0f} s",
                f"{spent:.0%}",
                _spread([one.memory / MIB for one in part], " MB"),
                _spread([one.threads for one in part]),
                _spread([one.descriptors for one in part]),
                _spread([one.connections for one in part]),
            )


def _spread(values: Sequence[float], unit: str = "") -> str:
    return f"{median(values):.0f}, {max(values):.0f}{unit}"
