"""`mailrules status`: how each listener fares."""

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrules.model.health import Health
from mailrules.store.lock import WorkspaceLock
from mailrules.store.sql import open_journal

NOW = datetime.now(UTC)
AGO = NOW - timedelta(hours=1)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def note(workspace):
    """Puts on record how listeners fare."""

    def note_(**health):
        (workspace / ".mailrules").mkdir(exist_ok=True)
        with closing(open_journal(f"sqlite:///{workspace}/.mailrules/journal.sqlite3")) as journal:
            journal.note(health)

    return note_


def states(answer):
    return {one["listener"]: one["state"] for one in answer.json["listeners"]}


def test_a_listener_that_no_process_has_taken_up_needs_somebody(run, workspace):
    shown = run("status")

    assert shown.code == 1
    assert shown.out.startswith("nothing runs here\n")
    assert "inbox: no process has taken it up; start: mailrules run" in shown.out


def test_asking_leaves_no_trace(run, workspace):
    run("status")

    assert not (workspace / ".mailrules").exists()


def test_after_a_pass_all_is_well(run, workspace):
    run("run", "--once")

    shown = run("status", "--json")

    assert (shown.code, shown.json["fine"], states(shown)) == (0, True, {"inbox": "ok"})
    assert shown.json["listeners"][0]["last_success"]


def test_a_pass_that_fails_is_told_with_its_cause(run, workspace):
    Path("mailbox").rename("elsewhere")
    run("run", "--once")

    shown = run("status")

    assert "inbox: maildir mailbox: no such folder; if it will not come by itself, correct `path:`" in shown.out
    assert "`mailrules accounts test home` looks closer" in " ".join(shown.out.split())
    assert states(run("status", "--json")) == {"inbox": "failing"}


@pytest.mark.parametrize(
    ("health", "state", "code"),
    [
        (Health(NOW, overdue=LATER), "ok", 0),
        (Health(overdue=LATER), "waiting", 0),
        (Health(NOW, failures=2, since=AGO, error="away", overdue=LATER), "failing", 0),
        (Health(NOW, failures=2, since=AGO, error="refused", person=True, overdue=LATER), "person needed", 1),
        (Health(AGO, overdue=NOW), "stale", 1),
        (Health(AGO, next_run=AGO, overdue=LATER), "stale", 1),
        (Health(AGO, ended="it has run 1 time"), "ended", 0),
    ],
)
def test_each_state_has_its_exit_code(run, note, health, state, code):
    note(inbox=health)

    shown = run("status", "--json")

    assert (states(shown), shown.code) == ({"inbox": state}, code)


def test_trouble_is_told_with_its_remedy_and_how_long_it_lasts(run, note):
    note(inbox=Health(NOW, failures=3, since=AGO, error="refused", remedy="log in", person=True))

    assert "inbox: refused; log in (3 times in a row, since " in run("status").out


def test_messages_that_wait_are_counted_by_what_they_wait_for(run, boom, note):
    boom("transient")
    run("run", "--once")
    note(inbox=Health(NOW, waiting=7))
    one = run("status", "--json").json["listeners"][0]
    assert (one["waiting"], one["retrying"], one["parked"]) == (7, 1, 0)


def test_parked_messages_are_counted_and_do_not_turn_it_red(run, boom):
    boom("permanent")
    run("run", "--once")

    shown = run("status", "--json")

    assert (shown.json["listeners"][0]["parked"], shown.code) == (1, 0)


def test_it_works_beside_a_process_and_names_it(run, workspace, note):
    note(inbox=Health(NOW, next_run=LATER, overdue=LATER))
    with WorkspaceLock(workspace / ".mailrules" / "lock"):
        shown, told = run("status"), run("status", "--json").json

    assert f"process {os.getpid()} works here" in shown.out
    assert told["process"] == os.getpid()
    assert LATER.astimezone().strftime("%H:%M:%S") in shown.out


def test_files_with_errors_need_somebody_and_what_is_on_record_is_still_told(run, workspace, note):
    note(inbox=Health(NOW), old=Health(AGO, ended="it is not in the files any more"))
    file = Path("mailrules.yaml")
    file.write_text(file.read_text() + "odd: 1\n")

    shown = run("status")

    assert shown.code == 1
    assert "the files are not right: 1 error (`mailrules check` shows more)" in shown.out
    assert states(run("status", "--json")) == {"inbox": "ok"}


def test_a_journal_elsewhere_is_found_though_the_files_have_errors(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text() + "journal: sqlite:///else.sqlite3\n")
    run("run", "--once")
    file.write_text(file.read_text() + "odd: 1\n")

    assert states(run("status", "--json")) == {"inbox": "ok"}


@pytest.mark.parametrize(
    ("health", "error", "remedy"),
    [
        ({}, "a@b.example cannot log in: nobody has logged in yet", "run: mailrules auth login far"),
        ({"far": Health(NOW)}, "", ""),
    ],
)
def test_a_log_in_that_is_missing_is_told_unless_the_mailbox_was_read_with_it(
    run, workspace, note, health, error, remedy
):
    auth = (
        "auth: {oauth2: {login: a@b.example, client_id: x, "
        "discovery_url: 'https://login.b.example/.well-known/openid-configuration'}}"
    )
    imap = f"accounts:\n  far: {{receive: {{imap: {{host: b.example}}}}, {auth}}}\n"
    file = Path("mailrules.yaml")
    text = file.read_text().replace("accounts:\n", imap)
    file.write_text(text.replace("listeners:\n", "listeners:\n  far: {account: far, rules: [rules/inbox.yaml]}\n"))
    note(**health)

    far = run("status", "--json").json["listeners"][0]

    assert (far["listener"], far["error"], far["remedy"]) == ("far", error, remedy)


def test_a_name_that_is_not_there_is_wrong_usage(run, workspace):
    assert run("status", "nobody").code == 2


def test_a_journal_that_cannot_be_read_cannot_tell(run, workspace):
    (workspace / ".mailrules").mkdir()
    (workspace / ".mailrules" / "journal.sqlite3").write_text("no journal, but long enough to be taken for one" * 99)

    assert run("status").code == 3
