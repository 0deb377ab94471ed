"""Answers that are answered: nobody is buried in mail."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import make_msgid

import pytest
from tests.scenario.workspace import Place

from mailrules.model.entry import StepState


def workspace(root, store, relay, mailbox, rules):
    """One instance on a mailbox, which sends as it through Postfix."""
    secret = f"{{login: {mailbox.user}, password: {mailbox.password}}}"
    text = f"""
        version: 1
        accounts:
          a:
            receive: {{imap: {{host: localhost, port: {store.imaps}, certificate: {store.ca}}}}}
            auth: {{password: {secret}}}
            send: {{smtp: {{host: localhost, port: {relay.submission}, security: starttls, certificate: {relay.ca}}}}}
            from: {mailbox.user}
        listeners:
          l: {{account: a, rules: [rules.yaml], start: all, max_emails: -1}}
    """
    return Place(root).write(mailrules=text, rules=rules)


ANSWERS = """
    version: 1
    rules:
      - {name: answer, actions: [{reply: {text: "Thank you for your mail."}}]}
"""


def write(relay, sender, recipient, subject):
    """A mail as a person writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    mail["Message-ID"] = make_msgid(domain="else.example")
    mail.set_content("Hello.")
    with smtplib.SMTP(relay.host, relay.smtp, timeout=10) as smtp:
        smtp.send_message(mail)


def received(mailbox):
    """How many messages have come into a mailbox."""
    return len(mailbox.snapshot(content=False)["INBOX"].messages)


@pytest.fixture
def other(dovecot):
    return dovecot.fresh()


def test_two_instances_that_answer_everything_do_not_answer_each_other(tmp_path, dovecot, postfix, mailbox, other):
    ours = workspace(tmp_path / "ours", dovecot, postfix, mailbox, ANSWERS)
    theirs = workspace(tmp_path / "theirs", dovecot, postfix, other, ANSWERS)
    write(postfix, other.user, mailbox.user, "hello")
    mailbox.wait(1)
    ours.run()
    other.wait(1)
    for _ in range(3):
        theirs.run()
        ours.run()

    assert (received(mailbox), received(other)) == (1, 1)
    (entry,) = theirs.entries()
    assert entry.steps[-1].state is StepState.WITHHELD


@pytest.mark.parametrize(
    ("subject", "answers"), [("Re: hello", 2), ("question {round}", 10)], ids=["of one subject", "of new subjects"]
)
def test_a_program_that_answers_as_a_person_would_gets_so_many_and_no_more(
    tmp_path, dovecot, postfix, mailbox, other, subject, answers
):
    ours = workspace(tmp_path / "ours", dovecot, postfix, mailbox, ANSWERS)
    steps = []
    for at in range(answers + 3):
        write(postfix, other.user, mailbox.user, subject.format(round=at))
        mailbox.wait(at + 1)
        (entry,) = ours.run()["l"].entries
        steps.append(entry.steps[-1])

    assert [step.state for step in steps] == [StepState.SUCCEEDED] * answers + [StepState.WITHHELD] * 3
    assert "(cap)" in steps[-1].detail
    other.wait(answers)
    assert received(other) == answers
