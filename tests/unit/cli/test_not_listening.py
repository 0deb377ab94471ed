"""`listen: false`: an account that only sends has a listener that no pass is made for, and every command says so."""

from __future__ import annotations

from pathlib import Path

import pytest

OTHER = """\
accounts:
  desk:
    send: {outbox: outbox}
    from: {address: desk@example.com}
"""
LISTENER = "listeners:\n  desk: {account: desk, listen: false}\n"


@pytest.fixture
def desk(workspace):
    """The workspace with an account that only sends, and its listener."""
    file = Path("mailrules.yaml")
    text = file.read_text().replace("accounts:\n", OTHER, 1).replace("listeners:\n", LISTENER, 1)
    file.write_text(text)
    return workspace


def test_it_is_no_finding(run, desk):
    done = run("check")

    assert done.code == 0
    assert "desk" not in done.out


def test_no_pass_is_made_for_it(run, desk):
    assert [one["listener"] for one in run("run", "--once", "--json").json["listeners"]] == ["inbox"]


def test_by_name_it_is_run_where_its_account_can_receive(run, desk):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("    account: home\n", "    account: home\n    listen: false\n"))

    assert run("run", "--once", "inbox").code == 0
    assert "account 'desk' has no `receive:`" in run("run", "--once", "desk").err


def test_status_says_so_and_needs_nobody(run, desk):
    run("run", "--once")
    done = run("status", "--json")

    assert done.code == 0
    assert [(one["listener"], one["state"], one["error"]) for one in done.json["listeners"]] == [
        ("desk", "not listening", ""),
        ("inbox", "ok", ""),
    ]
    assert "not listening" in run("status").out


def test_schedule_says_so(run, desk):
    done = run("schedule", "desk")

    assert done.code == 0
    assert "it does not listen (listen: false)" in done.out


def test_its_account_is_tested_for_what_it_can(run, desk):
    done = run("accounts", "test", "desk")

    assert done.code == 0
    assert "outbox" in done.out


def test_a_listener_that_is_put_to_sleep_keeps_its_record_but_needs_nobody(run, workspace):
    file = Path("mailrules.yaml")
    before = file.read_text()
    file.write_text(before.replace("path: mailbox", "path: gone").replace("maildir: mailbox", "maildir: gone"))
    assert run("run", "--once").code == 3
    file.write_text(before.replace("    account: home\n", "    account: home\n    listen: false\n"))
    state = run("status", "--json")

    assert state.code == 0
    assert (state.json["listeners"][0]["state"], state.json["listeners"][0]["error"]) == ("not listening", "")
