"""A copy of what is sent lies in the folder that the server itself calls the one for sent mail."""

from __future__ import annotations

from email import message_from_bytes, policy

from tests.scenario.test_loops import workspace, write

ANSWERS = """
    version: 1
    rules:
      - name: answer
        actions:
          - reply: {text: "Thank you for your mail.", sent: true}
"""


def in_folder(mailbox, folder):
    """What lies there, parsed, with its flags."""
    with mailbox.session() as imap:
        assert imap.select(f'"{folder}"', readonly=True)[0] == "OK"
        found = imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]
    return [(part[0], message_from_bytes(part[1], policy=policy.default)) for part in found if isinstance(part, tuple)]


def test_the_copy_is_the_mail_that_left_and_is_seen(tmp_path, dovecot, postfix, mailbox):
    customer = dovecot.fresh()
    ours = workspace(tmp_path, dovecot, postfix, mailbox, ANSWERS)
    write(postfix, customer.user, mailbox.user, "Lamp")
    mailbox.wait(1)
    ours.run()
    customer.wait(1)

    ((flags, copy),) = in_folder(mailbox, "Sent")
    ((_, arrived),) = in_folder(customer, "INBOX")
    assert b"\\Seen" in flags
    assert copy["Message-ID"] == arrived["Message-ID"]
    assert copy.get_content() == arrived.get_content()
    ours.run()
    assert len(in_folder(mailbox, "Sent")) == 1
