"""A workspace whose journal is a PostgreSQL database that several machines share."""

import textwrap

import pytest
from tests.scenario.workspace import Place

RULES = """
    version: 1
    rules:
      - {name: all, match: {subject: hello}, code: 4, keep: {seen: true}}
"""


@pytest.fixture
def machines(tmp_path, postgres, mailbox, dovecot):
    """Two workspaces alike on one mailbox and one journal."""
    journal = postgres.fresh()
    reach = f"{{host: localhost, port: {dovecot.imaps}, certificate: {dovecot.ca}}}"
    text = f"""
        version: 1
        journal: {journal}
        accounts:
          a: {{receive: {{imap: {reach}}}, auth: {{password: {{login: {mailbox.user}, password: {mailbox.password}}}}}}}
        listeners:
          l: {{account: a, rules: [rules.yaml], start: all, max_emails: -1}}
    """
    return [Place(tmp_path / name).write(mailrules=textwrap.dedent(text), rules=RULES) for name in ("one", "two")]


def test_what_one_machine_has_handled_another_leaves_alone(machines, mailbox):
    mailbox.load(
        [b"From: jo@x.example\nSubject: hello %d\nMessage-ID: <%d@x.example>\n\nbody\n" % (n, n) for n in range(20)]
    )
    one, two = machines
    handled = [len(one.run()["l"].entries), len(two.run()["l"].entries)]

    assert handled == [20, 0]
    assert {entry.rule for entry in two.entries()} == {"all"}
    assert all("\\Seen" in message.flags for message in mailbox.snapshot()["INBOX"].messages)
