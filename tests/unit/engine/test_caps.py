"""How many automatic mails a correspondent, and a thread, gets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailrules.config.settings import Account, Listener
from mailrules.core.parse import parse
from mailrules.engine.caps import Caps
from mailrules.engine.perform import Attempt
from mailrules.model.limits import Cap
from mailrules.model.message import Extent, Trust
from mailrules.model.rule import RuleSet, Step
from mailrules.store.overlay import OverlayJournal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JO = "jo@a.example"


class Office:
    """Where mails are sent because of messages."""

    def __init__(self, cap=Cap()):  # noqa: B008 - a frozen value
        self.now = NOON
        self.caps = Caps(OverlayJournal(), lambda: self.now)
        self.listener = Listener("inbox", Account("support", cap=cap), RuleSet())
        self.sent = 0

    def send(self, to, subject, *, author=JO, key=None, thread=None, instead=None, results=""):
        """Why the mail was not let through; empty when it was."""
        self.sent += 1
        head = f"From: {author}\nMessage-ID: <{self.sent}@a.example>\n"
        head += f"References: <{thread}@a.example> <r{self.sent}@a.example>\n" if thread else ""
        head += f"Authentication-Results: mx.b.example; {results}\n" if results else ""
        message = parse(f"{head}\nbody\n".encode(), extent=Extent.WHOLE, trust=Trust(authserv_id="mx.b.example"))
        attempt = Attempt(Step("reply", action=None), message, {}, self.listener, key or f"key-{self.sent}")
        caps = instead or self.caps
        return caps.reserve(attempt, [to], subject)


class Listening(OverlayJournal):
    """A journal that hands on what it counts."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def tally(self, marks, now):
        self.told += marks
        super().tally(marks, now)


@pytest.fixture
def office():
    return Office()


def test_two_of_one_subject_are_enough_whatever_says_that_it_is_an_answer(office):
    assert [office.send(JO, subject) for subject in ("Hello", "Re: Hello")] == ["", ""]
    assert "has had 2 automatic mails of this subject within 180 minutes (cap)" in office.send(JO, "AW: hello")
    assert office.send(JO, "another") == ""


def test_ten_of_any_subject_are_enough(office):
    assert [office.send(JO, f"subject {at}") for at in range(10)] == [""] * 10
    assert office.send(JO, "one more") == "jo@a.example has had 10 automatic mails within 180 minutes (cap)"


def test_ten_in_a_thread_are_enough_whoever_writes(office):
    given = [office.send(f"{at}@a.example", f"s {at}", author=f"{at}@a.example", thread="t") for at in range(11)]
    assert given[:10] == [""] * 10
    assert given[10] == "<t@a.example> has had 10 automatic mails in this thread within 180 minutes (cap)"


def test_after_the_time_it_goes_on(office):
    for at in range(10):
        office.send(JO, f"subject {at}")
    office.now += timedelta(minutes=180, microseconds=1)
    assert office.send(JO, "subject 0") == ""


def test_what_is_held_back_does_not_count(office):
    for _ in range(50):
        office.send(JO, "Hello")
    office.now += timedelta(minutes=180, microseconds=1)
    assert office.send(JO, "Hello") == ""


@pytest.mark.parametrize(
    ("author", "to"),
    [
        pytest.param("jo@münchen.example", "jo@xn--mnchen-3ya.example", id="a domain in another script"),
        pytest.param('"jo"@a.example', "jo@a.example", id="quotes that say nothing"),
        pytest.param('"j\\o"@a.example', "jo@a.example", id="a backslash that says nothing"),
        pytest.param("jo@A.example", "jo@a.example", id="capitals"),
    ],
)
def test_a_correspondent_is_known_however_a_message_writes_the_address(office, author, to):
    assert [office.send(to, "Hello", author=author) for _ in range(2)] == ["", ""]
    assert "(cap)" in office.send(to, "Hello", author=author)


def test_details_behind_a_plus_make_no_more_correspondents(office):
    given = [office.send(f"jo+{at}@a.example", f"s {at}", author=f"jo+{at}@a.example") for at in range(11)]
    assert given[:10] == [""] * 10
    assert given[10] == "jo@a.example has had 10 automatic mails within 180 minutes (cap)"


def test_what_a_stranger_wrote_is_counted_under_a_name_that_any_database_can_index(office):
    long = "".join(chr(0x4E00 + at) for at in range(3_000))
    told = []
    office.caps = Caps(Listening(told), lambda: office.now)
    assert [office.send(JO, f"{long}{end}", thread=long + end) for end in ("a", "b")] == ["", ""]
    names = [mark.whom for mark in told]
    assert max(len(name.encode()) for name in names) < 2_704
    assert len(set(names)) == 5, "two subjects, two threads, one address"


def test_the_writing_of_an_address_makes_it_no_other(office):
    assert [office.send(to, "Hello") for to in ("Jo@A.example", "JO@a.EXAMPLE")] == ["", ""]
    assert office.send(JO, "Hello")


def test_a_mail_counts_once_however_often_it_is_tried(office):
    assert [office.send(JO, "Hello", key="same") for _ in range(5)] == [""] * 5
    assert office.send(JO, "Hello") == ""


def test_mail_to_anybody_else_is_not_capped(office):
    assert [office.send("desk@b.example", "New mail") for _ in range(50)] == [""] * 50


def test_correspondents_are_counted_apart(office):
    for at in range(10):
        office.send(JO, f"subject {at}")
    assert office.send("mo@a.example", "subject", author="mo@a.example") == ""


def test_the_account_says_how_many():
    office = Office(Cap(mails=1, same_subject=5, within=timedelta(hours=1)))
    assert [bool(office.send(JO, f"subject {at}")) for at in range(2)] == [False, True]
    assert Office(Cap(mails=0)).send(JO, "Hello")


def test_another_process_counts_along(office):
    for at in range(10):
        office.send(JO, f"subject {at}")
    other = replace(office.caps)
    assert office.send(JO, "one more", instead=other)


def test_reports_to_a_desk_end_where_they_would_be_about_the_desk_itself(office):
    def report(at):
        raw = f"From: MAILER-DAEMON@mx.example\nSubject: Undelivered mail\nMessage-ID: <{at}@mx.example>\n\nx\n"
        return Attempt(Step("send", action=None), parse(raw.encode()), {}, office.listener, f"key-{at}")

    given = [office.caps.reserve(report(at), ["desk@b.example"], f"s {at}") for at in range(101)]

    assert given[:100] == [""] * 100
    assert given[100] == "desk@b.example has had 100 automatic mails about delivery reports within 180 minutes (cap)"


def test_a_desk_is_told_of_all_other_mail_without_end(office):
    assert [office.send("desk@b.example", "s", author=f"{at}@a.example") for at in range(150)] == [""] * 150


def test_who_forges_an_address_uses_up_nothing_of_its_owners(office):
    forged = [office.send(JO, "Hello", thread="t", results="dmarc=fail") for _ in range(20)]
    assert forged[:2] == ["", ""]
    assert "jo@a.example (unauthenticated): re: hello has had 2 automatic mails" in forged[2]
    assert office.send(JO, "Hello", thread="t", results="dmarc=pass header.from=a.example") == ""
