"""The sample workspace of docs/support-desk on real servers, with a CRM that keeps what it hears."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from kombu import Connection

SAMPLE = Path(__file__).parents[2] / "docs" / "support-desk"
MAILRULES = [sys.executable, "-c", "from mailrules.cli.main import main; main()"]


class Crm(ThreadingHTTPServer):
    """Keeps each request, and ends the caller in the middle of one where it is told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hook)
        self.heard: list[dict[str, str]] = []
        self.keys: list[str] = []
        self.kills: subprocess.Popen[bytes] | None = None


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.headers["Authorization"] == "Bearer secret-of-the-crm"
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.keys.append(self.headers["Idempotency-Key"])
        if caller := self.server.kills:
            self.server.kills = None
            caller.send_signal(signal.SIGKILL)
            caller.wait()
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def crm():
    with Crm() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


DATE = "Mon, 1 Jun 2026 09:59:00 +0000"


def letters(mailbox, folder="INBOX"):
    """What lies in a folder, parsed, oldest first."""
    with mailbox.session() as imap:
        if imap.select(f'"{folder}"', readonly=True)[0] != "OK":
            return []
        found = imap.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
    return [message_from_bytes(part[1], policy=policy.default) for part in found if isinstance(part, tuple)]


@dataclass
class Desk:
    """The workspace, those around it, and what they have got."""

    root: Path
    support: object
    desk: object
    customer: object
    crm: Crm
    broker: str
    environment: dict[str, str]
    sent: list[bytes] = field(default_factory=list)

    def receive(self, *mails):
        for mail in mails:
            raw = mail if isinstance(mail, bytes) else mail.as_bytes(policy=policy.SMTP)
            self.sent.append(raw)
            self.support.deliver(raw)

    def start(self):
        return subprocess.Popen(
            [*MAILRULES, "run", "--once", "--yes"],
            cwd=self.root, env=os.environ | self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self):
        process = self.start()
        said, _ = process.communicate(timeout=120)
        return process.returncode, said.decode()

    def log(self):
        done = subprocess.run(
            [*MAILRULES, "log", "--json"], cwd=self.root, env=os.environ | self.environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    def queued(self):
        """What is taken from the queue of invoices."""
        with Connection(self.broker) as connection:
            waiting = connection.SimpleQueue("invoices")
            got = []
            while waiting.qsize():
                message = waiting.get(block=False)
                got.append(json.loads(message.body))
                message.ack()
            waiting.close()
            return got

    def counts(self):
        """How many mails, calls and so on everybody has got."""
        return {"customer": len(letters(self.customer)), "desk": len(letters(self.desk)), "crm": len(self.crm.heard)}


@pytest.fixture
def desk(tmp_path, dovecot, postfix, rabbitmq, mailbox, crm):
    """The sample with the hosts, addresses and folders of the tests in the place of its own."""
    root, others = tmp_path / "desk", (dovecot.fresh(), dovecot.fresh())
    shutil.copytree(SAMPLE, root)
    there = {
        "host: imap.example.com": f"host: localhost, port: {dovecot.imaps}, certificate: {dovecot.ca}",
        "host: smtp.example.com, port: 587": f"host: localhost, port: {postfix.submission}, certificate: {postfix.ca}",
        "support@example.com": mailbox.user,
        "https://crm.example.com/mail": f"http://127.0.0.1:{crm.server_port}/mail\n        allow_private: true",
        "desk@example.com": others[0].user,
    }
    for file in (root / "mailrules.yaml", root / "rules" / "desk.yaml"):
        text = file.read_text()
        for ours, theirs in there.items():
            text = text.replace(ours, theirs)
        file.write_text(text)
    secrets = {"SUPPORT_PASSWORD": mailbox.password, "CRM_TOKEN": "Bearer secret-of-the-crm", "BROKER_URL": rabbitmq}
    return Desk(root, mailbox, *others, crm, rabbitmq, secrets)


def question(desk, number=1):
    """A customer's mail, with an attachment."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Ada Field <{desk.customer.user}>", desk.support.user
    mail["Subject"], mail["Message-ID"] = f"Broken lamp {number}", f"<q{number}@acme.example>"
    mail["Date"] = DATE
    mail.set_content("The lamp does not shine; a picture is attached.\n")
    mail.add_attachment(b"\x89PNG lamp", maintype="image", subtype="png", filename="lamp.png")
    return mail


def invoice(desk):
    mail = EmailMessage()
    mail["From"], mail["To"] = "books@supplier.example", desk.support.user
    mail["Subject"], mail["Message-ID"] = "Invoice 2026-117", "<i1@supplier.example>"
    mail["Date"] = DATE
    mail.set_content("Invoice number: 2026-117\nTotal: 1,250.00 EUR\nDue: 2026-12-24\n")
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="invoice.pdf")
    return mail


def absence(desk):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = desk.customer.user, desk.support.user, "Out of office"
    mail["Message-ID"], mail["Auto-Submitted"] = "<o1@acme.example>", "auto-replied"
    mail["Date"] = DATE
    mail.set_content("I am away.\n")
    return mail


def bounce(desk, of):
    """A delivery report (RFC 3464) on a mail that went out."""
    return (
        f"From: MAILER-DAEMON@mx.tb.test\r\nTo: {desk.support.user}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        f"Date: {DATE}\r\nMessage-ID: <b1@mx.tb.test>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.tb.test\r\n\r\n"
        f"Final-Recipient: rfc822; {desk.customer.user}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {of}\r\nSubject: Re: Broken lamp\r\n\r\n--b--\r\n"
    ).encode()


def test_everybody_gets_what_is_theirs_and_nobody_gets_it_twice(desk):
    desk.receive(question(desk), invoice(desk), absence(desk))
    code, said = desk.run()
    assert code == 0, said
    desk.customer.wait(1)
    desk.desk.wait(1)

    (receipt,) = letters(desk.customer)
    assert (receipt["Subject"], receipt["In-Reply-To"]) == ("Re: Broken lamp 1", "<q1@acme.example>")
    assert receipt["Auto-Submitted"] == "auto-replied"
    (passed_on,) = letters(desk.desk)
    assert [part.get_filename() for part in passed_on.iter_attachments()] == ["lamp.png"]
    (queued,) = desk.queued()
    assert (queued["number"], queued["total"], queued["due"]) == ("2026-117", "1250.00", "2026-12-24")
    assert (queued["currency"], queued["from"]) == ("EUR", "books@supplier.example")
    folders = {name: len(letters(desk.support, name)) for name in ("INBOX", "Customers", "Invoices", "Automatic")}
    assert folders == {"INBOX": 0, "Customers": 1, "Invoices": 1, "Automatic": 1}

    desk.receive(bounce(desk, of=receipt["Message-ID"]))
    assert desk.run()[0] == 0
    assert [(each["event"], each["about"]) for each in desk.crm.heard] == [
        ("asked", ""),
        ("bounced", receipt["Message-ID"]),
    ]
    assert len(letters(desk.support, "Bounces")) == 1

    before = desk.counts()
    desk.support.deliver(*desk.sent)
    code, said = desk.run()
    assert code == 0, said
    assert desk.counts() == before
    assert desk.queued() == []


def test_killed_in_the_middle_nobody_gets_anything_twice(desk):
    desk.receive(question(desk, 1), question(desk, 2), invoice(desk))
    process = desk.start()
    desk.crm.kills = process
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL

    for _ in range(3):
        code, said = desk.run()
        assert code == 0, said
    desk.customer.wait(2)
    desk.desk.wait(2)

    assert desk.counts() == {"customer": 2, "desk": 2, "crm": 2}
    assert len(set(desk.crm.keys)) == 2
    assert len(desk.queued()) == 1
    parked = [entry for entry in desk.log() if entry["state"] == "parked"]
    assert [entry["subject"] for entry in parked] == ["Broken lamp 1"]
    assert "nobody knows whether it happened" in parked[0]["reason"]
    assert [mail["Subject"] for mail in letters(desk.support)] == ["Broken lamp 1"]
