"""The whole path on real servers: from a YAML rule to a message handled, once."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest
from benchmarks.corpus import messages
from benchmarks.rulesets import lines, to_yaml
from tests.scenario.workspace import KILLED, Place, account

from mailrules.model.action import PersonNeeded, Transient
from mailrules.model.entry import State

RULES = """
    version: 1
    rules:
      - name: invoices
        match: {subject: Invoice, attachment: {type: application/pdf}}
        code: 2
        keep: {move: Invoices/2026, seen: true, flags: [$Paid]}
        actions: [{save: {attachments: "*.pdf", to: "invoices"}}]
      - name: newsletters
        match: {header: {List-Id: {exists: true}}}
        code: delete
      - name: complaints
        match: {body: [unhappy, refund]}
        actions: [{log: "complaint from {{ message.author.address }}"}]
"""
INVOICE = (
    b"From: Shop <bill@shop.example>\nTo: us@tb.test\nSubject: Invoice 7\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhere it is\n"
    b'--b\nContent-Type: application/pdf; name="7.pdf"\nContent-Disposition: attachment; filename="7.pdf"\n'
    b"Content-Transfer-Encoding: base64\n\nJVBERi0x\n--b--\n"
)
NEWSLETTER = b"From: news@shop.example\nSubject: News\nList-Id: <news.shop.example>\n\nhello\n"
COMPLAINT = b"From: sad@x.example\nSubject: the thing\n\nI am unhappy with the thing.\n"
OTHER = b"From: jo@x.example\nSubject: lunch\n\nat noon?\n"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path).write(rules__all=RULES)


def listeners(text, *accounts):
    return "\n".join(["version: 1", "accounts:", *accounts, "listeners:", text])


INBOX = "  inbox: {account: box, start: all, max_emails: -1, rules: [rules/all.yaml]}"


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_imap_from_rule_to_handled(place, dovecot, mailbox, security):
    mailbox.load([INVOICE, NEWSLETTER, COMPLAINT, OTHER])
    place.write(mailrules=listeners(INBOX, account("box", "imap", dovecot, mailbox, security=security)))

    report = place.run()["inbox"]

    assert [(entry.rule, entry.code.word, entry.state) for entry in report.entries] == [
        ("invoices", "keep+activate", "done"),
        ("newsletters", "delete", "done"),
        ("complaints", "keep+activate", "done"),
        (None, "keep", "done"),
    ]
    state = mailbox.snapshot()
    assert len(state["INBOX"].messages) == 2
    assert [held.flags for held in state["Invoices/2026"].messages] == [frozenset({"\\Seen", "$Paid"})]
    assert all("\\Seen" not in held.flags for held in state["INBOX"].messages)
    assert (place.root / "files" / "invoices" / "7.pdf").read_bytes() == b"%PDF-1"


def test_a_second_run_handles_nothing_twice(place, dovecot, mailbox):
    mailbox.load([INVOICE, NEWSLETTER, COMPLAINT, OTHER])
    place.write(mailrules=listeners(INBOX, account("box", "imap", dovecot, mailbox)))
    place.run()
    before = mailbox.snapshot()

    report = place.run()["inbox"]

    assert report.entries == ()
    assert mailbox.snapshot() == before


def test_a_message_moved_back_by_hand_is_not_handled_again(place, dovecot, mailbox):
    mailbox.load([INVOICE])
    place.write(mailrules=listeners(INBOX, account("box", "imap", dovecot, mailbox)))
    place.run()
    with mailbox.session() as session:
        session.select('"Invoices/2026"')
        session.uid("MOVE", "1", "INBOX")

    report = place.run()["inbox"]

    assert [entry.state for entry in report.entries] == [State.SKIPPED]
    assert len(mailbox.snapshot()["INBOX"].messages) == 1


def test_a_dry_run_changes_nothing_on_the_server_and_nothing_here(place, dovecot, mailbox):
    mailbox.load([INVOICE, NEWSLETTER, COMPLAINT, OTHER])
    place.write(mailrules=listeners(INBOX, account("box", "imap", dovecot, mailbox)))
    state, files = mailbox.snapshot(), sorted(place.root.rglob("*"))

    report = place.rehearse()["inbox"]

    assert mailbox.snapshot() == state
    assert sorted(place.root.rglob("*")) == files
    assert Counter(entry.rule for entry in report.entries) == Counter(["invoices", "newsletters", "complaints", None])


def test_a_dry_run_after_a_live_run_leaves_its_journal_as_it_is(place, dovecot, mailbox):
    mailbox.load([OTHER])
    place.write(mailrules=listeners(INBOX, account("box", "imap", dovecot, mailbox)))
    place.run()
    mailbox.load([COMPLAINT])
    entries, state = place.entries(), mailbox.snapshot()

    report = place.rehearse()["inbox"]

    assert [entry.rule for entry in report.entries] == ["complaints"]
    assert place.entries() == entries
    assert mailbox.snapshot() == state


def test_what_one_listener_would_move_is_not_there_for_the_next_in_a_dry_run(place, dovecot, mailbox):
    mailbox.load([INVOICE, OTHER])
    second = "  second: {account: box, start: all, max_emails: -1}"
    filed = "  filed: {account: box, folder: Invoices/2026, start: all, max_emails: -1}"
    with mailbox.session() as session:
        session.create('"Invoices/2026"')
    text = f"{INBOX}\n{second}\n{filed}"
    place.write(mailrules=listeners(text, account("box", "imap", dovecot, mailbox)))

    reports = place.rehearse()

    assert [entry.subject for entry in reports["second"].entries] == ["lunch"]
    assert [entry.subject for entry in reports["filed"].entries] == ["Invoice 7"]


def test_pop3_deletes_what_the_rules_say_and_nothing_else(place, dovecot, mailbox):
    mailbox.load([NEWSLETTER, COMPLAINT, OTHER])
    rules = RULES.replace("keep: {move: Invoices/2026, seen: true, flags: [$Paid]}", "")
    place.write(mailrules=listeners(INBOX, account("box", "pop3", dovecot, mailbox)), rules__all=rules)

    place.run()

    assert len(mailbox.snapshot()["INBOX"].messages) == 2
    assert place.run()["inbox"].entries == ()


def test_pop3_with_a_move_is_refused_before_any_log_in(place, dovecot, mailbox):
    from mailrules.config.load import load_workspace

    place.write(mailrules=listeners(INBOX, account("box", "pop3", dovecot, mailbox)))

    words = [diagnostic.word for diagnostic in load_workspace(place.root).diagnostics if diagnostic.severity == "error"]
    assert set(words) == {"unsupported-disposition"}


@pytest.mark.parametrize(
    ("protocol", "count", "body"),
    [("imap", 10_000, False), ("imap", 300, True), ("pop3", 1000, False)],
    ids=["imap-headers", "imap-bodies", "pop3"],
)
def test_a_large_mailbox_is_handled_by_a_hundred_rules(place, dovecot, mailbox, protocol, count, body):
    mailbox.load(messages(count))
    rules = to_yaml(lines(100, body=body))
    if protocol == "pop3":
        rules = "\n".join(line for line in rules.splitlines() if "keep:" not in line)
    (place.root / "rules" / "all.yaml").write_text(rules)
    place.write(mailrules=listeners(INBOX, account("box", protocol, dovecot, mailbox)))

    report = place.run()["inbox"]

    assert len(report.entries) == count
    assert {entry.state for entry in report.entries} == {State.DONE}
    matched = Counter(entry.rule for entry in report.entries)
    assert count * 0.5 < matched[None] < count * 0.75
    if protocol == "imap":
        moved = Counter(entry.disposition.move for entry in report.entries if entry.disposition.move)
        state = mailbox.snapshot(content=False)
        assert {folder: len(state[folder].messages) for folder in moved} == dict(moved)
        assert len(state["INBOX"].messages) == count - moved.total()
    assert place.run()["inbox"].entries == ()


def test_a_wrong_password_is_one_line_and_what_to_do(place, dovecot, mailbox):
    text = account("box", "imap", dovecot, mailbox).replace(mailbox.password, "not-it")
    place.write(mailrules=listeners(INBOX, text))

    with pytest.raises(PersonNeeded) as error:
        place.run()

    assert "\n" not in str(error.value)
    assert "not-it" not in f"{error.value} {error.value.remedy}"
    assert error.value.remedy


def test_a_server_that_is_away_is_transient(place, dovecot, mailbox):
    text = account("box", "imap", dovecot, mailbox).replace(str(dovecot.imaps), "1")
    place.write(mailrules=listeners(INBOX, text))

    with pytest.raises(Transient, match="refused"):
        place.run()


def test_a_listener_that_fails_leaves_the_others_alone(place, dovecot, mailbox):
    from contextlib import closing

    from mailrules.engine.listen import Failure, Loop
    from mailrules.engine.worlds import live_world
    from mailrules.store.sql import open_journal

    mailbox.load([OTHER])
    broken = account("away", "imap", dovecot, mailbox).replace(str(dovecot.imaps), "1")
    text = INBOX + "\n  broken: {account: away, start: all}"
    place.write(mailrules=listeners(text, account("box", "imap", dovecot, mailbox), broken))
    workspace, told, both = place.load(), [], threading.Event()

    def tell(outcome):
        told.append(outcome)
        if len(told) == 2:
            both.set()

    with closing(open_journal(workspace.journal)) as journal:
        loop = Loop(workspace.listeners.values(), live_world(workspace, journal), tell)
        thread = threading.Thread(target=loop.run)
        thread.start()
        assert both.wait(20)
        loop.stop()
        thread.join(10)

    by_name = {outcome.listener: outcome for outcome in told}
    assert isinstance(by_name["broken"], Failure)
    assert "refused" in by_name["broken"].reason
    assert [entry.subject for entry in by_name["inbox"].entries] == ["lunch"]


FILING = """
    version: 1
    rules:
      - {name: both, match: {subject: Invoice}, keep: {copy: [Copies], move: Filed, seen: true}}
      - {name: one, match: {subject: News}, keep: {copy: Copies}}
"""


@pytest.mark.parametrize("server", ["dovecot", "cyrus"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_settling_nothing_is_copied_or_moved_twice(place, request, server, when):
    store = request.getfixturevalue(server)
    mailbox = store.fresh() if server == "dovecot" else request.getfixturevalue("cyrus_mailbox")
    for message in (INVOICE, NEWSLETTER, OTHER):
        mailbox.append(message)
    place.write(mailrules=listeners(INBOX, account("box", "imap", store, mailbox)), rules__all=FILING)

    assert killed_at_settling(place, when)
    place.run()

    state = mailbox.snapshot()
    held = {folder: len(state[folder].messages) for folder in ("INBOX", "Filed", "Copies")}
    assert held == {"INBOX": 2, "Filed": 1, "Copies": 2}
    assert {entry.state for entry in place.entries()} == {State.DONE}


def killed_at_settling(place, when) -> bool:
    """Run in a process of its own that ends, without any clean-up, before or after the dispositions."""
    child = os.fork()
    if child == 0:
        try:
            place.run_until_settling(when)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
