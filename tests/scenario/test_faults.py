"""Faults that meet a process in the middle of its work: what is said of them, and that it goes on."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.scenario.workspace import Place, account
from tests.unit.cli.conftest import boom, deliver, run, unbounded, workspace  # noqa: F401 - fixtures
from tests.unit.cli.daemon import COMMAND, Daemon, edit
from tests.unit.local.conftest import unprivileged  # noqa: F401 - a fixture

from mailrules.api import Disposition, NoCredential, PersonNeeded, Ref, Settlement, build_options
from mailrules.api import Place as Opened
from mailrules.builtin.imap.protocol import IMAP
from mailrules.builtin.local.maildir import MaildirOptions, open_maildir
from mailrules.model.entry import State
from mailrules.testing.bad_imap import BadImap
from mailrules.testing.bad_server import HANG

HANGING = """
import pathlib, time
from mailrules.api import ActionType, Options, hookimpl

class Hang:
    def __init__(self, options):
        pass

    def describe(self, message, data):
        return "hang"

    def run(self, message, data, context):
        pathlib.Path("begun").touch()
        time.sleep(3600)

@hookimpl
def mailrules_actions():
    yield ActionType(name="hang", summary="Never comes back.", options=Options, build=Hang)
"""
OTHER = "listeners:\n  other: {account: home, folder: Other, start: all, schedule: {every: 50ms}}\n"


@pytest.fixture
def home(workspace):  # noqa: F811 - the fixture imported above
    """A workspace that looks every 50 ms, with a journal that waits for nobody."""
    edit("mailrules.yaml", "every: 60s", "every: 50ms")
    with Path("mailrules.yaml").open("a") as file:
        file.write('journal: "sqlite:///.mailrules/journal.sqlite3?timeout=0.1"\n')
    return workspace


def journal():
    return closing(sqlite3.connect(".mailrules/journal.sqlite3", isolation_level=None))


def test_a_journal_that_another_program_locks_is_told_and_the_mail_waits_for_it(home, deliver):  # noqa: F811 - as above
    with Daemon() as daemon:
        daemon.says("inbox: 1 message: 1 done")
        with journal() as other:
            other.execute("BEGIN IMMEDIATE")
            deliver("2.b", "Later")
            assert "another process holds it; wait, or end the other one" in daemon.says("ERROR mailrules.inbox: ")
            daemon.signal(signal.SIGHUP)
            daemon.says("the files have been taken up")
            other.execute("ROLLBACK")

        daemon.says("inbox: 1 message: 1 done")
        assert daemon.end() == 0


def test_a_damaged_journal_is_refused_in_one_line_and_no_mail_is_touched(home, deliver, run):  # noqa: F811 - as above
    message = deliver("2.b", "Later")
    Path(".mailrules").mkdir(exist_ok=True)
    Path(".mailrules/journal.sqlite3").write_bytes(b"SQLite format 3\0" + b"nonsense" * 2000)

    said = run("run", "--once")

    assert said.code == 3
    assert "journal" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert message.exists()


def test_an_action_that_never_comes_back_holds_up_its_listener_alone(home, deliver, run):  # noqa: F811 - as above
    Path("plugins").mkdir()
    Path("plugins/hang.py").write_text(HANGING)
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: hangs, actions: [{hang: {}}]}]\n")
    edit("mailrules.yaml", "listeners:\n", OTHER)
    for kind in ("cur", "new", "tmp"):
        Path("mailbox/.Other", kind).mkdir(parents=True)
    with Daemon() as daemon:
        end = time.monotonic() + 20
        while not Path("begun").exists() and time.monotonic() < end:
            time.sleep(0.02)
        Path("mailbox/.Other/new/1.b").write_text("Subject: Elsewhere\n\nHello.\n")

        daemon.says("other: 1 message: 1 done")
        assert run("status", "other", "--json").json["listeners"][0]["state"] == "ok"

    (entry,) = run("log", "--json", "--state", "acting").json
    assert entry["listener"] == "inbox"
    Path("plugins/hang.py").write_text(HANGING.replace("time.sleep(3600)", "pass"))
    with Daemon() as daemon:
        assert "was cut off: nobody knows whether it happened" in daemon.says("#1 parked")


def test_a_plugin_that_breaks_while_it_runs_keeps_the_old_one_going(home, deliver, boom):  # noqa: F811 - as above
    boom("permanent")
    with Daemon() as daemon:
        daemon.says("boom: boom")
        Path("plugins/boom.py").write_text("raise RuntimeError('not today')\n")

        assert "plugin plugins/boom.py could not be loaded" in daemon.says("RuntimeError: not today")
        assert "no plugin gives the action 'boom'" in daemon.says("ERROR mailrules: ")
        daemon.says("are not taken up; those of ")
        deliver("2.b", "Later")
        daemon.says("'Later'")


def test_a_server_that_hangs_delays_no_other_listener_and_ends_with_the_process(home, deliver):  # noqa: F811 - as above
    slow = {"greeting": [{"repeat": "*", "times": 600, "every": 0.2}]}
    with BadImap({"greeting": [HANG]}) as silent, BadImap(slow) as dripping, BadImap({"uid search": [HANG]}) as lost:
        servers = {"silent": silent, "dripping": dripping, "lost": lost}
        reach = "receive: {{imap: {{host: 127.0.0.1, port: {port}, security: none, timeout: 1s}}}}"
        auth = "auth: {password: {login: jo, password: 'file:secret'}}"
        accounts = "".join(f"  {name}: {{{reach.format(port=s.port)}, {auth}}}\n" for name, s in servers.items())
        listeners = "".join(f"  {name}: {{account: {name}, schedule: {{every: 50ms}}}}\n" for name in servers)
        Path("secret").write_text("x")
        edit("mailrules.yaml", "accounts:\n", f"accounts:\n{accounts}")
        edit("mailrules.yaml", "listeners:\n", f"listeners:\n{listeners}")
        with Daemon() as daemon:
            daemon.says("inbox: 1 message: 1 done")
            assert "no answer within 1 s; next try in" in daemon.says("ERROR mailrules.")
            began = time.monotonic()
            deliver("2.b", "Later")
            daemon.says("inbox: 1 message: 1 done")
            waited = time.monotonic() - began
            assert daemon.end() == 0

    assert waited < 2


@pytest.mark.parametrize(("server", "folder"), [("dovecot", "Box"), ("cyrus", "INBOX.Box")])
def test_a_folder_that_the_server_numbers_anew_is_handled_no_second_time(tmp_path, request, server, folder):
    store = request.getfixturevalue(server)
    mailbox = store.fresh()
    mails = [b"Subject: mail %d\r\nMessage-ID: <%d@x.example>\r\n\r\ntext\r\n" % (n, n) for n in range(4)]
    rules = "version: 1\nrules: [{name: seen, code: keep+activate, keep: {seen: true}, actions: [log: seen]}]\n"
    listener = f"{{account: box, folder: {folder}, start: all, rules: [rules/all.yaml]}}"
    main = f"version: 1\naccounts:\n{account('box', 'imap', store, mailbox)}\nlisteners:\n  inbox: {listener}\n"
    place = Place(tmp_path).write(mailrules=main, rules__all=rules)
    for mail in mails[:3]:
        mailbox.append(mail, folder)
    assert [entry.state for entry in place.run()["inbox"].entries] == [State.DONE] * 3
    before = mailbox.snapshot()[folder].uidvalidity
    with mailbox.session() as imap:
        imap.delete(folder)
    for mail in mails:
        mailbox.append(mail, folder)
    assert mailbox.snapshot()[folder].uidvalidity != before

    again = {entry.subject: (entry.state, entry.reason) for entry in place.run()["inbox"].entries}

    assert again.pop("mail 3") == (State.DONE, "")
    assert again == {f"mail {n}": (State.SKIPPED, f"the same message was handled as #{n + 1}") for n in range(3)}
    assert place.run()["inbox"].entries == ()


def opened(server, **options):
    """A mailbox on a bad server, as a pass opens it."""
    raw = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout": "2s", **options}
    return closing(IMAP.open(build_options(IMAP.options, raw, root=Path()), NoCredential(), Opened(Path())))


def test_a_folder_that_may_only_be_read_needs_a_person_before_anything_is_done():
    script = {
        "greeting": ["* PREAUTH ready\r\n"],
        "select": ["* 3 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n{tag} OK [READ-ONLY] done\r\n"],
    }
    with BadImap(script) as server, pytest.raises(PersonNeeded) as raised, opened(server):
        pass

    assert "folder 'INBOX' may only be read, so nothing in it can be deleted, moved or marked" in str(raised.value)


def test_a_copy_that_names_no_uids_leaves_the_message_where_it_is():
    """UIDPLUS is offered and COPYUID does not come: RFC 4315, section 3, allows it. The next try looks for the copy."""
    script = {
        "greeting": ["* PREAUTH ready\r\n"],
        "capability": ["* CAPABILITY IMAP4rev1 UIDPLUS\r\n{tag} OK done\r\n"],
        "uid search": ["* SEARCH 1\r\n{tag} OK done\r\n"],
    }
    ref = Ref("INBOX", "1", "1")
    with BadImap(script) as server, opened(server) as mailbox:
        failed = mailbox.settle([Settlement(ref, Disposition(move="A"))])

    assert failed == {ref: "the copy in A could not be verified, so it stays here too"}
    assert not any("STORE" in line or "EXPUNGE" in line for line in server.heard)


def test_a_maildir_that_is_damaged_is_told_and_read_when_it_is_whole_again(home):
    Path("mailbox/new").rename("mailbox/gone")
    Path("mailbox/new").write_text("")
    with Daemon() as daemon:
        told = daemon.says("ERROR mailrules.inbox: ")
        Path("mailbox/new").unlink()
        Path("mailbox/gone").rename("mailbox/new")
        daemon.signal(signal.SIGHUP)
        daemon.says("inbox: 1 message: 1 done")
        assert daemon.end() == 0

    assert "mailbox/new is no folder; move away what stands in its place; next try in" in told


@pytest.mark.parametrize("closed", ["mail", "mail/new"])
def test_a_maildir_that_may_not_be_read_needs_a_person(tmp_path, request, closed):
    for kind in ("cur", "new", "tmp"):
        (tmp_path / "mail" / kind).mkdir(parents=True)
    (tmp_path / closed).chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(PersonNeeded, match=f"{closed} may not be read") as raised:
        open_maildir(MaildirOptions(path="mail"), NoCredential(), Opened(Path())).refs(unseen_only=False)

    assert raised.value.remedy == "let the user that mailrules runs as read it"


def test_a_process_without_descriptors_left_goes_on_when_there_are_some(home, deliver):  # noqa: F811 - as above
    with Daemon() as daemon:
        daemon.says("inbox: 1 message: 1 done")
        pid = daemon.process.pid
        held = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        before = _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (held, most))
        deliver("2.b", "Later")
        told = daemon.says("ERROR mailrules")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

        daemon.says("inbox: 1 message: 1 done")
        assert daemon.end() == 0

    assert "Too many open files" in told or "unable to open" in told


def test_a_discovery_url_that_leads_nowhere_needs_a_person(tmp_path, dovecot, oidc):
    said = {"login": "alice@tb.test", "client_id": "svc-alice", "client_secret": "x"}
    auth = json.dumps({"oauth2": said | {"discovery_url": f"{oidc.discovery_url}s"}})
    reach = f"{{imap: {{host: localhost, port: {dovecot.imaps}, certificate: {dovecot.ca}}}}}"
    main = f"accounts: {{box: {{receive: {reach}, auth: {auth}}}}}\nlisteners: {{inbox: {{account: box, rules: []}}}}\n"
    place = Place(tmp_path).write(mailrules=f"version: 1\n{main}")
    with pytest.raises(PersonNeeded) as raised:
        place.run()

    assert "404" in str(raised.value)
    assert "check discovery_url" in raised.value.remedy


def test_a_log_that_nobody_takes_any_more_holds_up_no_mail(home, deliver, run):  # noqa: F811 - as above
    with Daemon() as daemon:
        daemon.says("inbox: 1 message: 1 done")
        daemon.process.stderr.close()
        deliver("2.b", "Later")
        deliver("3.c", "Latest")
        end = time.monotonic() + 20
        while len(run("log", "--json", "--state", "done").json) < 3 and time.monotonic() < end:
            time.sleep(0.2)

        assert daemon.process.poll() is None
        assert daemon.end() == 0

    assert len(run("log", "--json", "--state", "done").json) == 3


def test_a_full_disk_under_the_log_holds_up_no_mail(home, deliver, run):  # noqa: F811 - as above
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen([*COMMAND, "run"], stderr=full)
    try:
        end = time.monotonic() + 20
        while time.monotonic() < end and not run("log", "--json", "--state", "done").json:
            time.sleep(0.2)
        assert process.poll() is None
    finally:
        process.terminate()
        code = process.wait(20)

    assert code == 0
    assert run("log", "--json", "--state", "done").json
