"""How many, how big and how old: what a listener takes, on real servers."""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta

import pytest
from tests.scenario.workspace import Place, account

from mailrules.config.load import load_workspace
from mailrules.model.action import Transient
from mailrules.model.entry import State

RULES = """
    version: 1
    rules:
      - {name: urgent, match: {subject: urgent}, code: keep, keep: {move: Urgent}}
      - {name: contract, match: {body: contract}, code: keep, keep: {move: Contracts}}
"""


def listener(place, store, protocol="imap", **settings):
    told = ", ".join(f"{key}: {value}" for key, value in settings.items())
    place.write(
        rules__all=RULES if protocol == "imap" else "version: 1\nrules: []",
        mailrules=(
            "version: 1\naccounts:\n"
            f"{account('box', protocol, *store)}\n"
            f"listeners:\n  inbox: {{account: box, start: all, rules: [rules/all.yaml], {told}}}\n"
        ),
    )
    return place


def mail(subject, text="text", size=0):
    filling = ("x" * 70 + "\r\n") * (size // 72)
    head = f"From: jo@x.example\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.example>\r\n\r\n"
    return f"{head}{text}\r\n{filling}".encode()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_ten_waiting_and_max_emails_5_are_five_and_five_oldest_first(place, dovecot, mailbox, protocol):
    mailbox.load(mail(f"mail{number}") for number in range(10))
    listener(place, (dovecot, mailbox), protocol, max_emails=5)

    reports = [place.run()["inbox"] for _ in range(3)]

    assert [[entry.subject for entry in report.entries] for report in reports] == [
        [f"mail{number}" for number in range(5)],
        [f"mail{number}" for number in range(5, 10)],
        [],
    ]
    assert [report.left for report in reports] == [5, 0, 0]


def test_without_a_word_it_is_five(place, dovecot, mailbox):
    mailbox.load(mail(f"mail{number}") for number in range(10))
    report = listener(place, (dovecot, mailbox)).run()["inbox"]

    assert (len(report.entries), report.left) == (5, 5)


def test_max_emails_minus_1_is_all(place, dovecot, mailbox):
    mailbox.load(mail(f"mail{number}") for number in range(10))
    report = listener(place, (dovecot, mailbox), max_emails=-1).run()["inbox"]

    assert (len(report.entries), report.left) == (10, 0)


def test_max_emails_0_is_refused_by_check(place, dovecot, mailbox):
    listener(place, (dovecot, mailbox), max_emails=0)
    found = [diagnostic for diagnostic in load_workspace(place.root).diagnostics if diagnostic.severity == "error"]

    assert [diagnostic.message for diagnostic in found] == [
        "listener 'inbox' with max_emails: 0 would never take a message"
    ]


OVERSIZE = {
    "skip": (State.SKIPPED, "", {"INBOX": 1, "Urgent": 1}),
    "park": (
        State.PARKED,
        "; look at it yourself, or write a larger max_size and retry it",
        {"INBOX": 1, "Urgent": 1},
    ),
    "header": (State.DONE, None, {"INBOX": 0, "Urgent": 2}),
}


@pytest.mark.parametrize("oversize", OVERSIZE)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_is_too_big_is_never_fetched_and_the_rest_is_handled(place, dovecot, mailbox, protocol, oversize):
    state, more, folders = OVERSIZE[oversize]
    mailbox.load([mail("urgent-big", size=3_000_000), mail("urgent-small")])
    listener(place, (dovecot, mailbox), protocol, max_size="2MB", oversize=oversize)
    if protocol == "pop3":  # which cannot move
        folders = {"INBOX": 2}
        place.write(rules__all="version: 1\nrules: [{name: urgent, match: {subject: urgent}}]")

    big, small = place.run()["inbox"].entries

    assert (big.subject, big.state, small.state) == ("urgent-big", state, State.DONE)
    if more is not None:
        assert big.reason == f"it has 3 MB, more than max_size: 2 MB{more}"
    held = mailbox.snapshot(content=False)
    assert {name: len(held[name].messages) for name in folders} == folders
    assert place.run()["inbox"].entries == ()


def test_by_its_header_alone_a_rule_on_the_text_is_passed_over(place, dovecot, mailbox):
    mailbox.load([mail("hello", "the contract", size=3_000_000), mail("hi", "the contract")])
    listener(place, (dovecot, mailbox), max_size="2MB", oversize="header")

    big, small = place.run()["inbox"].entries

    assert (big.rule, big.reason) == (None, "passed over: contract: the body is cut off")
    assert small.rule == "contract"


def test_what_came_longer_ago_than_max_age_is_left_alone_with_a_row_each_once(place, dovecot, mailbox):
    now = datetime.now(UTC)
    for number, days in enumerate((90, 40, 20, 1)):
        mailbox.append(mail(f"urgent{number}"), received=now - timedelta(days=days))
    listener(place, (dovecot, mailbox), max_age="30d", max_emails=1)

    reports = [place.run()["inbox"] for _ in range(3)]

    assert [[(e.subject, e.state) for e in report.entries] for report in reports] == [
        [("urgent0", State.SKIPPED), ("urgent1", State.SKIPPED), ("urgent2", State.DONE)],
        [("urgent3", State.DONE)],
        [],
    ]
    assert reports[0].entries[0].reason.endswith("longer ago than max_age: 30d")
    assert len(mailbox.snapshot()["INBOX"].messages) == 2


def test_a_file_name_that_is_used_again_is_handled_again(place):
    (place.root / "in").mkdir()
    place.write(
        rules__all="version: 1\nrules: [{name: all, actions: [{log: '{{ message.subject }}'}]}]",
        mailrules="""
            version: 1
            accounts: {box: {receive: {eml: in}}}
            listeners: {inbox: {account: box, start: all, rules: [rules/all.yaml]}}
        """,
    )
    file = place.root / "in" / "report.eml"
    handled = []
    for subject in ("monday", "tuesday"):
        file.write_bytes(mail(subject))
        handled += [[entry.subject for entry in place.run()["inbox"].entries] for _ in range(2)]

    assert handled == [["monday"], [], ["tuesday"], []]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_full_disk_puts_a_pass_off_and_nothing_is_lost(place, dovecot, mailbox, protocol):
    mailbox.load([mail("first", "a contract"), mail("big", "the contract", size=3_000_000), mail("last", "no")])
    listener(place, (dovecot, mailbox), protocol)
    place.write(rules__all="version: 1\nrules: [{name: r, match: {body: contract}, actions: [{save: {to: in}}]}]")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(Transient, match=r"no room for a message of 3,\d{3},\d{3} octets in "):
            place.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    for _ in range(2):
        place.run()

    assert {entry.subject: entry.rule for entry in place.entries()} == {"first": "r", "big": "r", "last": None}
    assert {entry.state for entry in place.entries()} == {State.DONE}
    assert sorted(path.stat().st_size > 2_000_000 for path in (place.root / "files" / "in").iterdir()) == [False, True]
