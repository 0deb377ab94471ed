"""How many automatic mails a correspondent, and a thread, gets: what two programs that answer each other run into."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrules.api.guard import REPORTS, correspondents
from mailrules.api.mailbox import canonical, correspondent
from mailrules.builtin.action.conversation import answer_subject
from mailrules.core.fact.authentication import unauthenticated
from mailrules.engine.perform import Attempt
from mailrules.model.journal import Journal
from mailrules.model.message import Message
from mailrules.model.tally import Mark


@dataclass(frozen=True, slots=True)
class Caps:
    """Counts in the journal, so that restarts and other machines are no way around."""

    journal: Journal
    clock: Callable[[], datetime]

    def reserve(self, attempt: Attempt, recipients: Sequence[str], subject: str) -> str:
        """Why no mail of that *subject* may go back to who wrote the message; empty, and counted, where it may.

        Mail to anybody else is not capped: a desk may be told of every message; but of delivery reports only so many,
        as a desk that mail does not reach makes the next report. A mail counts before it leaves, and once however often
        it is tried. Addresses that differ in their detail (`jo+x@`) are one correspondent.
        """
        marks = list(_marks(attempt, recipients, subject))
        cap, now = attempt.listener.account.cap, self.clock()
        most_of = {SUBJECT: cap.same_subject, REPORT: cap.mails * REPORTS_A_MAIL}
        for mark in marks:
            most = most_of.get(mark.what, cap.mails)
            counted = self.journal.tallied(mark.what, mark.whom, now - cap.within, most=most, apart=mark.key)
            if len(counted) >= most:
                minutes = cap.within.total_seconds() / 60
                return f"{mark.whom} has had {most} automatic mails{mark.what[4:]} within {minutes:g} minutes (cap)"
        if marks:
            self.journal.tally(marks, now)
        return ""


MAIL, SUBJECT, THREAD = "mail", "mail of this subject", "mail in this thread"
REPORT = "mail about delivery reports"
REPORTS_A_MAIL = 10
"""How many mails about delivery reports somebody gets for each that a correspondent may get."""
LONGEST = 500
"""Characters of a name in the journal: a stranger wrote it, and an index of PostgreSQL takes 2,704 octets."""


def _marks(attempt: Attempt, recipients: Sequence[str], subject: str) -> Iterator[Mark]:
    back, report = correspondents(attempt.message), attempt.message.kind.value in REPORTS
    to = list(dict.fromkeys(correspondent(each) for each in recipients if canonical(each) in back))
    doubt = _doubt(attempt.message)
    for address in to:
        yield Mark(MAIL, _bounded(f"{address}{doubt}"), attempt.key)
        yield Mark(SUBJECT, _bounded(f"{address}{doubt}: {answer_subject(subject).casefold()}"), attempt.key)
    if to and (thread := _thread(attempt.message)):
        yield Mark(THREAD, _bounded(f"{thread}{doubt}"), attempt.key)
    for address in dict.fromkeys(map(canonical, recipients)) if report else ():
        yield Mark(REPORT, _bounded(address), attempt.key)


def _doubt(message: Message) -> str:
    """What parts mail that nobody vouches for from the rest, where the trusted server tells.

    Who forges an address, or the identifier of a thread, uses up none of what its owner may get.
    """
    return " (unauthenticated)" if message.authentication.known and unauthenticated(message) else ""


def _bounded(name: str) -> str:
    """A name that an index can hold, different for different names."""
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}... {hashlib.blake2b(name.encode(errors='replace'), digest_size=16).hexdigest()}"


def _thread(message: Message) -> str:
    """The identifier that the conversation began with, as far as the message says."""
    return message.references[0] if message.references else message.message_id
