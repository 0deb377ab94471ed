"""`mailrules accounts test` on real servers: what each line says, and that nothing changes."""

from __future__ import annotations

import json
import socket
import ssl
import threading

import pytest
from tests.servers.mailbox import Mailbox
from tests.servers.place import sign

from mailrules.api import Remark
from mailrules.builtin.line.check import secured
from mailrules.builtin.line.tls import Server
from mailrules.cli.main import main


class Accounts:
    """A workspace with one account, and the command run on it."""

    def __init__(self, root, capsys, monkeypatch):
        self.root, self._capsys = root, capsys
        monkeypatch.chdir(root)
        monkeypatch.setenv("MAILRULES_PLUGINS", "")

    def write(self, account, folders=("INBOX",)):
        listeners = {f"l{at}": {"account": "box", "folder": folder} for at, folder in enumerate(folders)}
        text = json.dumps({"version": 1, "accounts": {"box": account}, "listeners": listeners})
        (self.root / "mailrules.yaml").write_text(text)

    def test(self, *more):
        """Exit code, and the results by name; of a name in two parts the last."""
        self._capsys.readouterr()
        code = main(["accounts", "test", "box", "--json", *more])
        results = json.loads(self._capsys.readouterr().out)
        return code, {(one["part"].split()[0], one["check"]): one for one in results}


@pytest.fixture
def accounts(tmp_path, capsys, monkeypatch):
    return Accounts(tmp_path, capsys, monkeypatch)


def receive(store, protocol="imap", **more):
    said = {"host": "localhost", "port": getattr(store, f"{protocol}s"), "certificate": str(store.ca), "timeout": "5s"}
    return {protocol: said | more}


def password(mailbox: Mailbox, secret=""):
    return {"password": {"login": mailbox.user, "password": secret or mailbox.password}}


def send(postfix):
    return {"smtp": {"host": "localhost", "port": postfix.submission, "certificate": str(postfix.ca), "timeout": "5s"}}


def states(results, part):
    return {name: one["state"] for (of, name), one in results.items() if of == part}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_account_that_works(accounts, dovecot, postfix, mailbox, security):
    port = dovecot.imaps if security == "tls" else dovecot.imap
    reach = receive(dovecot, port=port, security=security)
    accounts.write({"receive": reach, "send": send(postfix), "auth": password(dovecot.mailbox("alice"))})

    code, results = accounts.test()

    assert (code, {one["state"] for one in results.values()}) == (0, {"ok"})
    assert "certificate of localhost, until 20" in results["receiving", "TLS"]["said"]
    assert results["receiving", "log-in"]["said"] == "as alice@tb.test by password"
    assert results["sending", "log-in"]["said"] == "as alice@tb.test by password"
    assert "nothing was sent" in results["sending", "sending"]["said"]


@pytest.mark.parametrize("server", ["dovecot", "cyrus"])
def test_every_folder_of_its_listeners_is_looked_at_and_nothing_changes(accounts, server, request):
    store = request.getfixturevalue(server)
    mailbox = store.fresh()
    mailbox.append(b"Subject: one\r\n\r\nhere\r\n")
    with mailbox.session() as imap:
        imap.create("Archive" if server == "dovecot" else "INBOX.Archive")
    before = mailbox.snapshot()
    folder = "Archive" if server == "dovecot" else "INBOX.Archive"
    accounts.write({"receive": receive(store), "auth": password(mailbox)}, folders=("INBOX", folder))

    code, results = accounts.test()

    assert code == 0
    assert results["receiving", "folder INBOX"]["said"] == "1 message"
    assert results["receiving", f"folder {folder}"]["said"] == "0 messages"
    assert results["receiving", "permissions INBOX"]["said"] == "may be changed, keeps every flag"
    assert mailbox.snapshot() == before


@pytest.mark.parametrize("server", ["dovecot", "cyrus"])
def test_a_missing_folder_is_told_with_the_nearest_and_the_others_are_looked_at(accounts, server, request):
    store = request.getfixturevalue(server)
    mailbox = store.fresh()
    accounts.write({"receive": receive(store), "auth": password(mailbox)}, folders=("INBOXX", "INBOX"))

    code, results = accounts.test()

    missing = results["receiving", "folder INBOXX"]
    assert (code, missing["state"], missing["remedy"]) == (1, "failed", "did you mean 'INBOX'?")
    assert "no folder 'INBOXX'; there is " in missing["said"]
    assert "INBOX" in missing["said"].partition("there is")[2]
    assert results["receiving", "folder INBOX"]["state"] == "ok"


def test_pop3(accounts, dovecot, mailbox):
    mailbox.append(b"Subject: one\r\n\r\nhere\r\n")
    accounts.write({"receive": receive(dovecot, "pop3"), "auth": password(mailbox)})

    code, results = accounts.test()

    assert (code, results["receiving", "mailbox"]["said"]) == (0, "1 message")


def test_a_wrong_password_skips_what_needs_the_log_in(accounts, dovecot, postfix):
    wrong = password(dovecot.mailbox("alice"), "wr0ng-pa55")
    accounts.write({"receive": receive(dovecot), "send": send(postfix), "auth": wrong})

    code, results = accounts.test()

    assert code == 1
    assert states(results, "receiving") == {
        **dict.fromkeys(("name", "connection", "TLS"), "ok"),
        "log-in": "failed",
        **dict.fromkeys(("abilities", "folder INBOX"), "skipped"),
    }
    assert states(results, "sending")["log-in"] == "failed"
    assert results["receiving", "log-in"]["remedy"] == "check `login` and `password`"
    assert "wr0ng-pa55" not in json.dumps(list(results.values()))


def test_a_certificate_that_nobody_knows(accounts, dovecot, mailbox):
    accounts.write({"receive": receive(dovecot, certificate=""), "auth": password(mailbox)})

    code, results = accounts.test()

    assert (code, results["receiving", "TLS"]["state"]) == (1, "failed")
    assert "signed by an unknown authority" in results["receiving", "TLS"]["said"]
    assert "certificate" in results["receiving", "TLS"]["remedy"]


MIXED_UP = {
    "IMAP where SMTP is": ("imap", "submission", "starttls", "SMTP is spoken there, and not IMAP", "check `port:`"),
    "IMAP where POP3 is": ("imap", "pop3s", "tls", "POP3 is spoken there, and not IMAP", "check `port:`"),
    "POP3 where IMAP is": ("pop3", "imap", "none", "IMAP is spoken there, and not POP3", "check `port:`"),
    "STARTTLS where TLS is": (
        "imap",
        "imaps",
        "starttls",
        "TLS is spoken there from the first octet",
        "set `security:",
    ),
    "none where TLS is": ("pop3", "pop3s", "none", "TLS is spoken there from the first octet", "set `security: tls`"),
}


@pytest.mark.parametrize("case", MIXED_UP)
def test_a_port_where_something_else_is_spoken(accounts, dovecot, postfix, case):
    protocol, named, security, reason, remedy = MIXED_UP[case]
    port = getattr(postfix if named == "submission" else dovecot, named)
    reach = receive(dovecot, protocol, port=port, security=security, timeout="1s")
    accounts.write({"receive": reach, "auth": password(dovecot.mailbox("alice"))})

    code, results = accounts.test()

    said = results["receiving", "TLS"]
    assert (code, said["said"]) == (1, f"localhost:{port}: {reason}")
    assert said["remedy"].startswith(remedy)


def test_sending_where_imap_is_spoken(accounts, dovecot):
    accounts.write({"send": {"smtp": {"host": "localhost", "port": dovecot.imap, "timeout": "2s"}}})

    code, results = accounts.test()

    assert code == 1
    assert results["sending", "TLS"]["said"] == f"localhost:{dovecot.imap}: IMAP is spoken there, and not SMTP"


def test_a_secret_that_is_not_there_leaves_the_server_to_be_looked_at(accounts, dovecot):
    auth = {"password": {"login": "alice@tb.test", "password": "env:NOT_THERE"}}
    accounts.write({"receive": receive(dovecot), "auth": auth})

    code, results = accounts.test()

    assert (code, results["logging", "credential"]["state"]) == (1, "failed")
    assert states(results, "receiving")["TLS"] == "ok"
    assert states(results, "receiving")["log-in"] == "skipped"


def test_a_token_that_the_server_refuses_is_renewed_once(accounts, dovecot, oidc):
    """As in a run: one that was revoked since is no failure."""
    login = {"login": "alice@tb.test", "client_id": "svc-alice", "client_secret": "svc-alice-secret"}
    auth = {"oauth2": {**login, "discovery_url": oidc.discovery_url, "scopes": ["imap"]}}
    accounts.write({"receive": receive(dovecot), "auth": auth})
    assert accounts.test()[0] == 0
    (file,) = (accounts.root / ".mailrules" / "tokens").glob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"access_token": "nonsense"}))

    code, results = accounts.test()

    assert (code, results["receiving", "log-in"]["said"]) == (0, "as alice@tb.test by access token")
    assert [name for part, name in results if part == "receiving"].count("log-in") == 1


def test_a_round_trip_arrives_and_leaves_nothing(accounts, dovecot, postfix):
    alice = dovecot.mailbox("alice")
    alice.clear()
    before = alice.snapshot()
    accounts.write({"receive": receive(dovecot), "send": send(postfix), "auth": password(alice)})

    code, results = accounts.test("--round-trip")

    assert code == 0
    assert states(results, "round") == {"sent": "ok", "arrived": "ok", "deleted": "ok"}
    assert alice.snapshot() == before


def test_a_round_trip_of_an_account_that_cannot_send(accounts, dovecot, mailbox):
    accounts.write({"receive": receive(dovecot), "auth": password(mailbox)})

    code, results = accounts.test("--round-trip")

    assert (code, results["round", "sent"]["state"]) == (1, "failed")
    assert "add `send:`" in results["round", "sent"]["remedy"]


def test_a_round_trip_waits_for_what_has_failed_to_be_mended(accounts, dovecot, postfix):
    mailbox = dovecot.fresh()
    reach = {"receive": receive(dovecot), "send": send(postfix), "auth": password(mailbox), "from": mailbox.user}
    accounts.write(reach, folders=("Nowhere",))

    code, results = accounts.test("--round-trip")

    assert code == 1
    assert results["round", "sent"]["state"] == "skipped"
    assert mailbox.snapshot()["INBOX"].messages == ()


@pytest.mark.parametrize(("days", "kind"), [("15", str), ("14", Remark), ("1", Remark)])
def test_a_certificate_near_its_end_is_told(tmp_path, days, kind):
    sign(tmp_path, "own", "mail.example.com", "-addext", "subjectAltName=DNS:mail.example.com", "-days", days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.crt", tmp_path / "own.key")
    ours, theirs = socket.socketpair()

    def serve():
        with context.wrap_socket(theirs, server_side=True) as line:
            line.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    server = Server("mail.example.com", 993, "tls", certificate=str(tmp_path / "own.crt"))

    with server.encrypt(ours) as line:
        found = secured(server, line)
        line.sendall(b".")

    thread.join(10)
    assert type(found) is kind
    assert "certificate of mail.example.com" in (found.said if isinstance(found, Remark) else found)
