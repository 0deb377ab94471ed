"""Logging in by access token, on real servers: got, renewed, revoked, given again by a person."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.scenario.workspace import Place

from mailrules.api import Refused
from mailrules.engine.listen import Failure, Loop
from mailrules.engine.sending import AccountSender
from mailrules.engine.worlds import live_world
from mailrules.model.action import PersonNeeded, Transient
from mailrules.store.sql import open_journal

MAILRULES = Path(sys.executable).parent / "mailrules"
BROWSER = """
import sys, urllib.request
urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(sys.argv[1], timeout=20)
"""
"""Follows the provider, which consents by itself, back to the port that waits."""
LUNCH = b"From: jo@x.example\r\nTo: alice@tb.test\r\nSubject: lunch\r\n\r\nat noon?\r\n"
RULES = "version: 1\nrules:\n  - {name: lunches, match: {subject: lunch}, code: 4}\n"


class Servers:
    """The servers, and accounts on them."""

    def __init__(self, dovecot, postfix, oidc):
        self.dovecot, self.postfix, self.oidc = dovecot, postfix, oidc

    def account(self, auth, *, protocol="imap", security="tls", send=""):
        port = getattr(self.dovecot, protocol if security == "starttls" else f"{protocol}s")
        reach = f"{{host: localhost, port: {port}, security: {security}, certificate: {self.dovecot.ca}}}"
        more = f", send: {{smtp: {send}}}" if send else ""
        return (
            "version: 1\n"
            f"accounts:\n  box: {{receive: {{{protocol}: {reach}}}, auth: {{oauth2: {auth}}}{more}}}\n"
            "listeners:\n"
            "  inbox: {account: box, start: all, max_emails: -1, rules: [rules/all.yaml], schedule: {every: 300ms}}\n"
        )

    def auth(self, login, client, **more):
        said = {"login": login, "client_id": client, "discovery_url": self.oidc.discovery_url, **more}
        return json.dumps(said)

    def oidc_is_not_there(self, place):
        """The discovery address of the workspace leads nowhere from now on; its tokens stay those of the account."""
        file = place.root / "mailrules.yaml"
        tokens = next((place.root / ".mailrules" / "tokens").glob("*.json"))
        text = file.read_text().replace(self.oidc.discovery_url, "http://127.0.0.1:1/nobody")
        file.write_text(text.replace('"login"', f'"tokens": "file:{tokens}", "login"'))

    def service(self, name="alice", **more):
        more = {"client_secret": f"svc-{name}-secret", "scopes": ["imap", "pop", "smtp"], **more}
        return self.auth(f"{name}@tb.test", f"svc-{name}", **more)


@pytest.fixture
def servers(dovecot, postfix, oidc):
    for name in ("alice", "support"):
        dovecot.mailbox(name).clear()
    return Servers(dovecot, postfix, oidc)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text(RULES)
    return Place(tmp_path)


def subjects(place):
    return [entry.subject for entry in place.run()["inbox"].entries]


def person(servers, **more):
    return servers.auth("alice@tb.test", "mailrules-cli", **{"scopes": ["openid", "imap", "pop", "smtp"], **more})


def command(place, *arguments, **environment):
    """`mailrules` in a process of its own."""
    return subprocess.Popen(
        [MAILRULES, *arguments],
        cwd=place.root,
        env={**os.environ, "TZ": "UTC", "MAILRULES_PLUGINS": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def log_in(place):
    """As a person does, with a browser that follows every redirect."""
    script = place.root / "browser.py"
    script.write_text(BROWSER)
    with command(place, "auth", "login", "box", BROWSER=f"{sys.executable} {script} %s") as running:
        said, _ = running.communicate(timeout=30)
    assert running.returncode == 0, said
    return said


def kept(place):
    """What the token file holds."""
    (file,) = (place.root / ".mailrules" / "tokens").glob("*.json")
    return json.loads(file.read_text())


def change(place, **values):
    (file,) = (place.root / ".mailrules" / "tokens").glob("*.json")
    file.write_text(json.dumps(kept(place) | values))


def revoke(oidc, token, client="mailrules-cli", secret=None):
    form = {"token": token, "client_id": client} | ({"client_secret": secret} if secret else {})
    urllib.request.urlopen(f"{oidc.issuer}/token/revocation", urllib.parse.urlencode(form).encode(), timeout=10).close()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_service_reads_its_mailbox_by_client_credentials(place, servers, protocol, security):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(servers.service(), protocol=protocol, security=security))

    assert subjects(place) == ["lunch"]


@pytest.mark.parametrize(("port", "security"), [("submission", "starttls"), ("smtps", "tls")])
def test_a_service_sends_by_client_credentials(place, servers, port, security):
    mailbox = servers.dovecot.fresh()
    line = f"port: {getattr(servers.postfix, port)}, security: {security}, certificate: {servers.postfix.ca}"
    smtp = f"{{host: localhost, {line}}}"
    place.write(mailrules=servers.account(servers.service(), send=smtp))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "alice@tb.test", mailbox.user, "by token"
    account = place.load().accounts["box"]

    assert AccountSender(account, place.root)(mail).startswith("250")
    mailbox.wait(1)


def test_a_shared_mailbox_is_another_than_that_of_who_logs_in(place, servers):
    servers.dovecot.mailbox("support").deliver(LUNCH)
    auth = servers.auth(
        "alice@tb.test", "svc-support", client_secret="svc-support-secret", scopes=["imap"], mailbox="support@tb.test"
    )
    place.write(mailrules=servers.account(auth))

    assert subjects(place) == ["lunch"]


def test_a_token_is_kept_for_its_owner_alone_and_used_again(place, servers):
    place.write(mailrules=servers.account(servers.service()))
    place.run()
    (file,) = (place.root / ".mailrules" / "tokens").glob("*.json")
    before = file.read_bytes()
    place.run()

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.read_bytes() == before


def test_a_person_allows_it_in_a_browser_that_comes_back(place, servers):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(person(servers)))
    said = log_in(place)

    assert f"  {servers.oidc.issuer}/auth?" in said
    assert re.search(r"logged in as alice@tb.test until 20.*, for .*imap.*; renewed by itself", said)
    assert not any(secret in said for secret in (kept(place)["access"], kept(place)["refresh"]))
    assert subjects(place) == ["lunch"]


def test_a_person_allows_it_on_another_device(place, servers):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(person(servers)))
    with command(place, "auth", "login", "box", "--device", PYTHONUNBUFFERED="1") as running:
        code = re.search(r"the code (\S+):", running.stdout.readline())[1]
        servers.oidc.approve(code, "alice@tb.test")
        said, _ = running.communicate(timeout=30)

    assert running.returncode == 0, said
    assert "renewed by itself" in said
    assert subjects(place) == ["lunch"]


def test_a_person_who_says_no_is_told_so(place, servers):
    place.write(mailrules=servers.account(person(servers, flow="device_code")))
    with command(place, "auth", "login", "box", PYTHONUNBUFFERED="1") as running:
        code = re.search(r"the code (\S+):", running.stdout.readline())[1]
        servers.oidc.approve(code, deny=True)
        said, _ = running.communicate(timeout=30)

    assert running.returncode == 3
    assert "access_denied: the person said no; try again: mailrules auth login box" in said


def test_logging_in_works_whatever_else_is_wrong_in_the_files(place, servers):
    place.write(mailrules=servers.account(person(servers)) + "  other: {account: nobody, rules: [gone.yaml]}\n")

    assert "logged in as alice@tb.test" in log_in(place)


def test_status_says_what_each_account_has_and_what_a_person_must_do(place, servers):
    place.write(mailrules=servers.account(person(servers)))

    def status():
        with command(place, "auth", "status", "--json") as running:
            said, _ = running.communicate(timeout=30)
        (account,) = json.loads(said)
        return running.returncode, account

    code, before = status()
    assert (code, before["remedy"]) == (1, "run: mailrules auth login box")
    log_in(place)
    code, after = status()
    assert (code, after["way"], after["login"], after["renewable"]) == (0, "oauth2", "alice@tb.test", True)
    assert {"imap", "offline_access"} <= set(after["scopes"])
    assert after["until"] > time.strftime("%Y-%m-%d")


def listening(place, until, seconds=30):
    """Runs the loop until *until(outcomes)*; gives what it told."""
    workspace, told, enough = place.load(), [], threading.Event()

    def tell(outcome):
        told.append(outcome)
        if until(told):
            enough.set()

    with closing(open_journal(workspace.journal)) as journal:
        loop = Loop(workspace.listeners.values(), live_world(workspace, journal), tell)
        thread = threading.Thread(target=loop.run)
        thread.start()
        assert enough.wait(seconds), told
        loop.stop()
        thread.join(10)
    return told


@pytest.mark.parametrize("way", ["service", "person"])
def test_tokens_that_expire_are_renewed_while_it_listens(place, servers, way):
    place.write(mailrules=servers.account(servers.service() if way == "service" else person(servers)))
    box, seen = servers.dovecot.mailbox("alice"), set()
    with servers.oidc.tokens_for(2):
        if way == "person":
            log_in(place)

        def until(told):
            if held := list((place.root / ".mailrules" / "tokens").glob("*.json")):
                seen.add(json.loads(held[0].read_text())["access"])
            return len(seen) >= 4

        box.deliver(LUNCH)
        told = listening(place, until)

    assert [outcome for outcome in told if isinstance(outcome, Failure)] == []
    assert [entry.subject for outcome in told for entry in outcome.entries] == ["lunch"]


def test_a_revoked_log_in_needs_a_person_and_the_provider_is_not_asked_again(place, servers):
    place.write(mailrules=servers.account(person(servers)))
    log_in(place)
    revoke(servers.oidc, kept(place)["refresh"])
    change(place, expires=time.time() - 1)
    with pytest.raises(PersonNeeded) as error:
        place.run()
    before = kept(place)

    assert "cannot log in: invalid_grant" in str(error.value)
    assert error.value.remedy == "run: mailrules auth login box"
    assert not any(before[secret] in str(error.value) for secret in ("access", "refresh"))
    servers.oidc_is_not_there(place)
    with pytest.raises(PersonNeeded) as again:
        place.run()
    assert str(again.value) == str(error.value)


def test_logging_in_again_heals_what_was_revoked(place, servers):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(person(servers)))
    log_in(place)
    revoke(servers.oidc, kept(place)["refresh"])
    change(place, expires=time.time() - 1)
    told = listening(place, lambda told: isinstance(told[-1], Failure))
    assert "run: mailrules auth login box" in told[-1].reason
    log_in(place)

    assert subjects(place) == ["lunch"]


def test_while_it_runs_a_person_is_told_once_and_logging_in_heals_it(place, servers):
    place.write(mailrules=servers.account(person(servers)))
    log_in(place)
    revoke(servers.oidc, kept(place)["refresh"])
    change(place, expires=time.time() - 1)
    with command(place, "run", PYTHONUNBUFFERED="1") as running:
        try:
            said = [next(line for line in running.stdout if "a person must act" in line)]
            time.sleep(4)
            servers.dovecot.mailbox("alice").deliver(LUNCH)
            log_in(place)
            for line in running.stdout:
                said.append(line)
                if "1 done" in line:
                    break
        finally:
            running.terminate()

    told = "".join(said)
    assert told.count("a person must act") == 1
    assert "ERROR mailrules.inbox: a person must act: alice@tb.test cannot log in: invalid_grant" in told
    assert "run: mailrules auth login box; next try in" in told
    assert "it goes on" in told


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_token_that_the_mail_server_refuses_is_renewed_once(place, servers, protocol):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(person(servers), protocol=protocol))
    log_in(place)
    change(place, access="stolen-and-withdrawn")

    assert subjects(place) == ["lunch"]
    assert kept(place)["access"] != "stolen-and-withdrawn"


def test_sending_renews_a_refused_token_once(place, servers):
    mailbox = servers.dovecot.fresh()
    line = f"port: {servers.postfix.smtps}, security: tls, certificate: {servers.postfix.ca}"
    place.write(mailrules=servers.account(servers.service(), send=f"{{host: localhost, {line}}}"))
    place.run()
    change(place, access="stolen-and-withdrawn")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "alice@tb.test", mailbox.user, "by token"

    AccountSender(place.load().accounts["box"], place.root)(mail)
    mailbox.wait(1)


def test_a_server_that_goes_on_refusing_gets_no_token_a_pass(place, servers):
    place.write(mailrules=servers.account(servers.service(mailbox="bob@tb.test")))
    with pytest.raises(Refused) as error:
        place.run()
    before = kept(place)
    with pytest.raises(Refused):
        place.run()

    assert "log-in as bob@tb.test refused" in str(error.value)
    assert "invalid_request" in str(error.value) or "invalid_token" in str(error.value)
    assert before["access"] not in str(error.value)
    assert kept(place) == before


def test_a_provider_that_is_away_is_tried_again_and_a_good_token_used_meanwhile(place, servers):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(servers.service()))
    place.run()
    servers.oidc_is_not_there(place)
    change(place, expires=time.time() + 60)
    assert place.run()["inbox"].entries == ()
    change(place, expires=time.time() - 1, again=0)

    with pytest.raises(Transient, match="connection refused"):
        place.run()


def test_a_refresh_token_from_the_environment_begins_what_is_kept(place, servers, monkeypatch):
    servers.dovecot.mailbox("alice").deliver(LUNCH)
    place.write(mailrules=servers.account(person(servers)))
    log_in(place)
    monkeypatch.setenv("ALICE_REFRESH", kept(place)["refresh"])
    for file in (place.root / ".mailrules" / "tokens").glob("*"):
        file.unlink()
    place.write(mailrules=servers.account(person(servers, refresh_token="env:ALICE_REFRESH")))
    with servers.oidc.tokens_for(1):
        assert subjects(place) == ["lunch"]
    first = kept(place)
    time.sleep(1.2)
    place.run()

    assert first["refresh"] != os.environ["ALICE_REFRESH"]
    assert kept(place)["refresh"] != first["refresh"]
