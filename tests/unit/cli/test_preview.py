"""`--preview`: the very mail that would leave, before it leaves."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import pytest

FILES = {
    "mailrules.yaml": """\
version: 1
accounts:
  support:
    receive: {maildir: mailbox}
    send: {outbox: outbox}
    from: {address: support@desk.example, name: Example, policy: agent and company}
listeners:
  inbox: {account: support, start: all, rules: [rules/inbox.yaml]}
""",
    "rules/inbox.yaml": """\
version: 1
rules:
  - name: answered
    actions:
      - map: {agent: Jo}
      - reply: {text: "Dear {{ message.author.name }}, thank you for [bold]writing[/bold]."}
      - redirect: desk@office.example
      - log: "answered"
""",
}


@pytest.fixture
def mail(workspace, deliver):
    for name, content in FILES.items():
        Path(name).write_text(content)
    Path("rules/inbox.test.yaml").unlink()
    for path in Path("mailbox").rglob("*"):
        if path.is_file():
            path.unlink()
    return deliver("one", "Order 17")


def read(text):
    return email.message_from_string(text, policy=email.policy.default)


def test_the_whole_mail_is_shown_with_its_header(run, mail):
    told = run("explain", mail, "--preview")

    lines = told.out.splitlines()
    assert "From: Jo from Example <support@desk.example>" in lines
    assert "To: Ann <ann@example.net>" in lines
    assert "Subject: Re: Order 17" in lines
    assert "Dear Ann, thank you for [bold]writing[/bold]." in lines
    assert "Resent-To: desk@office.example" in lines


def test_without_it_no_mail_is_shown(run, mail):
    assert "Message-ID" not in run("explain", mail).out
    assert "Message-ID" not in run("dry-run").out
    assert "preview" not in run("dry-run", "--json").out


@pytest.mark.parametrize("arguments", [("dry-run",), ("explain", "mailbox/new/one")], ids=lambda value: value[0])
def test_programs_get_it_with_the_step(run, mail, arguments):
    told = run(*arguments, "--preview", "--json").json

    steps = told["steps"] if "steps" in told else told["mailboxes"][0]["messages"][0]["steps"]
    assert [step["name"] for step in steps if "preview" in step] == ["reply", "redirect"]
    assert read(steps[1]["preview"])["In-Reply-To"] == "<one@example.net>"


def test_a_dry_run_shows_what_then_leaves(run, mail):
    shown = run("dry-run", "--preview", "--json").json["mailboxes"][0]["messages"][0]["steps"]
    run("run", "--once", "--yes")

    left = {}
    for path in Path("outbox/new").iterdir():
        sent = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        left[sent["Resent-Message-ID"] or sent["Message-ID"]] = sent
    for step in shown[1:3]:
        foretold = read(step["preview"])
        sent = left[foretold["Resent-Message-ID"] or foretold["Message-ID"]]
        assert sent.get_content().strip() == foretold.get_content().strip()
        kept = ("From", "To", "Subject", "In-Reply-To", "References", "Auto-Submitted", "X-Loop-Token", "Resent-To")
        assert [sent[name] for name in kept] == [foretold[name] for name in kept]


def test_why_there_is_none_is_said(run, mail):
    mail.write_bytes(b"From: list@example.net\nList-Id: <l.example.net>\nSubject: News\n\nNews\n")

    assert "no mail to show: withheld: list@example.net sent this message, and it is of the kind 'list'" in run(
        "dry-run", "--preview"
    ).out.replace("\n", " ")


def test_a_hostile_mail_steers_no_terminal(run, mail):
    mail.write_bytes(b"From: Ann <ann@example.net>\nSubject: x\n\n\x1b[2Jgone\n")

    assert "\x1b[2J" not in run("explain", mail, "--preview").out
