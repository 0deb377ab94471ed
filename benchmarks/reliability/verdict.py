"""Whether every message was handled exactly once: what was delivered, done, recorded and kept, put side by side."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from benchmarks.reliability.house import House, Post
from benchmarks.reliability.postman import Sent
from benchmarks.reliability.records import Record

from mailrules.model.entry import Entry, State
from mailrules.model.journal import Query
from mailrules.store.sql import open_journal

CUT_OFF = "was cut off: nobody knows whether it happened"
SUBJECT = re.compile(rb"^Subject: (m\d+)", re.MULTILINE)


@dataclass(slots=True)
class Verdict:
    """What was counted, and what is wrong with it."""

    delivered: int = 0
    handled: int = 0
    parked: int = 0
    """Messages that a kill caught between a step that may not be repeated and its answer."""
    parked_and_done: int = 0
    """Of those, such whose step had happened."""
    in_doubt: int = 0
    """Deliveries of which the sender never learnt whether they succeeded."""
    twice: int = 0
    complaints: list[str] = field(default_factory=list)


def entries(house: House) -> list[Entry]:
    """The whole journal, read beside the process."""
    with closing(open_journal(f"sqlite:///{house.root}/.mailrules/journal.sqlite3", readonly=True)) as journal:
        return journal.find(Query(limit=None))


def owed(house: House, sent: list[Sent]) -> dict[str, set[str]]:
    """For each listener the subjects that it must handle; what was filed by the first is mail for `filed`."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in sent:
        if not one.in_doubt:
            wanted[one.post].add(one.subject)
    wanted["filed"] = set(wanted[house.posts[0].name])
    return wanted


def judge(house: House, sent: list[Sent], done: list[Record], *, kills: int) -> Verdict:
    """Put all side by side. To be called when nothing is under way any more."""
    wanted, journal = owed(house, sent), entries(house)
    verdict = Verdict(delivered=sum(not one.in_doubt for one in sent), in_doubt=sum(one.in_doubt for one in sent))
    by_name: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in journal:
        by_name[entry.listener, entry.subject].append(entry)
    count = Counter((record.listener, record.subject) for record in done)
    parked = {at for at, found in by_name.items() if any(_by_a_kill(entry) for entry in found)}
    behind = {("filed", subject) for listener, subject in parked if listener == house.posts[0].name}
    for listener, subjects in wanted.items():
        for subject in subjects:
            at = (listener, subject)
            if at in behind:  # the first listener has not filed it yet: a person must look
                continue
            verdict.handled += count[at] == 1
            verdict.complaints += _complaints(at, count[at], by_name[at], parked=at in parked)
    doubted = {(one.post, one.subject) for one in sent if one.in_doubt}
    verdict.complaints += [f"{at} was done and never delivered" for at in count if _unknown(at, wanted, doubted)]
    verdict.twice = sum(number > 1 for number in count.values())
    verdict.parked = len(parked)
    verdict.parked_and_done = sum(count[at] > 0 for at in parked)
    if len(parked) > 8 * kills:
        verdict.complaints.append(f"{len(parked)} messages are parked after {kills} kills: more than were in hand")
    for post in house.posts:
        parked_here = {subject for name, subject in parked if name == post.name}
        emptied = post is house.posts[0]  # `filed` deletes what it has filed
        verdict.complaints += _left(post, wanted[post.name] - parked_here, emptied=emptied)
    return verdict


def _by_a_kill(entry: Entry) -> bool:
    return entry.state is State.PARKED and CUT_OFF in entry.reason


def _unknown(at: tuple[str, str], wanted: dict[str, set[str]], doubted: set[tuple[str, str]]) -> bool:
    listener, subject = at
    return subject not in wanted[listener] and at not in doubted and listener != "filed"


def _complaints(at: tuple[str, str], times: int, found: list[Entry], *, parked: bool) -> Iterator[str]:
    states = [f"{entry.state} ({entry.reason})" if entry.reason else str(entry.state) for entry in found]
    if times > 1:
        yield f"{at} was done {times} times; the journal says {states}"
    if times == 0 and not parked:
        yield f"{at} was not done; the journal says {states}"
    if not parked and [entry.state for entry in found] != [State.DONE]:
        yield f"{at}: the journal says {states} and not once done"


def _left(post: Post, wanted: set[str], *, emptied: bool) -> Iterator[str]:
    """What the server holds must be what the rule says: gone, filed, or there once."""
    held = {name: Counter(subjects) for name, subjects in _held(post).items()}
    inbox = held.pop("INBOX", Counter())
    elsewhere = sum(held.values(), Counter[str]())
    filed = post.then == "move" and not emptied
    for subject in wanted:
        if inbox[subject] != (post.then == "keep"):
            yield f"{post.name}: {subject} lies {inbox[subject]} times in INBOX"
        if elsewhere[subject] != filed:
            yield f"{post.name}: {subject} lies {elsewhere[subject]} times in other folders"


def _held(post: Post) -> dict[str, list[str]]:
    """The subjects in each folder, as another client sees them."""
    found: dict[str, list[str]] = {}
    with post.mailbox.session() as imap:
        for line in imap.list()[1]:
            name = line.decode().rpartition(" ")[2].strip('"') if isinstance(line, bytes) else ""
            status, count = imap.select(f'"{name}"', readonly=True) if name else ("NO", [None])
            if status != "OK" or not int(count[0] or 0):
                continue
            data = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            subjects = [SUBJECT.search(item[1]) for item in data if isinstance(item, tuple)]
            found[name] = [match[1].decode() for match in subjects if match]
    return found
