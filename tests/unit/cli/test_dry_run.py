"""`mailrules dry-run`."""

import mailbox
import os
from pathlib import Path

import pytest


def tree(root):
    """Every file under a folder with its time and its content."""
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(root.rglob("*")) if path.is_file()}


def test_it_tells_of_each_message_and_totals_by_rule(run, deliver):
    deliver("1.a", "Invoice 42", header="List-Id: <week.example.org>\r\n")
    deliver("2.b", "Something else")

    told = run("dry-run")

    assert told.code == 0
    rows = [line.split("  ") for line in told.out.splitlines()]
    assert ["Ann <ann@example.net>", "Invoice 42", "newsletters", "4", "move to Newsletters, mark seen"] in [
        [cell.strip() for cell in row if cell.strip()] for row in rows
    ]
    assert "3 messages tried; nothing was changed." in told.out
    assert ["1", "newsletters", "4 keep"] in [[cell.strip() for cell in row if cell.strip()] for row in rows]


def test_it_changes_nothing_at_all(run, workspace, deliver):
    deliver("1.a", "Invoice 42", header="List-Id: <week.example.org>\r\n")
    before = tree(workspace)

    run("dry-run")

    assert tree(workspace) == before


def test_messages_side_by_side_are_two_however_alike(run, workspace, deliver):
    twin = deliver("2.b", "Twice")
    twin.with_name("3.c").write_bytes(twin.read_bytes())

    (mailbox,) = run("dry-run", "--json").json["mailboxes"]

    assert [message["state"] for message in mailbox["messages"] if message["subject"] == "Twice"] == ["done", "done"]


def test_a_message_has_a_number_only_where_the_journal_has_it(run, workspace, deliver, boom):
    boom("transient")
    run("run", "--once")
    run("retry", "1")
    deliver("2.b", "Not seen before")

    (mailbox,) = run("dry-run", "--json").json["mailboxes"]

    assert {message["subject"]: message["id"] for message in mailbox["messages"]} == {
        "Welcome to mailrules": 1,
        "Not seen before": None,
    }
    (afresh,) = run("dry-run", "--again", "--json").json["mailboxes"]
    assert {message["id"] for message in afresh["messages"]} == {None}


def test_what_was_handled_is_left_out_unless_asked_for(run, workspace):
    run("run", "--once")

    again, all_of_it = run("dry-run"), run("dry-run", "--again", "--json")

    assert "nothing new here" in again.out
    assert "1 message of this listener stands in the journal" in again.out
    assert len(all_of_it.json["mailboxes"][0]["messages"]) == 1


def test_it_reads_what_a_first_live_pass_would_leave_alone_and_says_so(run, workspace):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("start: all", "start: now"))

    told = run("dry-run")

    assert "1 message tried" in told.out
    assert "a live first pass leaves alone what is there already (start: now)" in told.out


@pytest.mark.parametrize(
    ("bound", "flags", "told"),
    [
        ("max_age: 30d", "", ["done", "skipped"]),
        ("unseen_only: true", ":2,S", ["done"]),
    ],
)
def test_what_no_live_pass_would_touch_is_not_shown_as_handled(run, workspace, deliver, bound, flags, told):
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("start: all", f"start: all\n    {bound}"))
    old = deliver("1.old", "Long ago")
    os.utime(old, (0, 0))
    old.rename(workspace / "mailbox" / "cur" / f"1.old{flags or ':2,'}")

    tried, again = run("dry-run", "--json"), run("dry-run", "--again", "--json")

    assert sorted(message["state"] for message in tried.json["mailboxes"][0]["messages"]) == told
    assert [message["state"] for message in again.json["mailboxes"][0]["messages"]] == ["done", "done"]


def test_at_most_so_many_as_the_limit_says(run, deliver):
    for number in range(3):
        deliver(f"{number}.x", f"Number {number}")

    told = run("dry-run", "--limit", "2", "--json")

    assert len(told.json["mailboxes"][0]["messages"]) == 2
    assert told.json["mailboxes"][0]["left"] == 2


def test_what_a_live_pass_takes_at_most_is_said(run, deliver):
    for number in range(3):
        deliver(f"{number}.x", f"Number {number}")
    file = Path("mailrules.yaml")
    file.write_text(file.read_text().replace("max_emails: 50", "max_emails: 2"))

    assert "a live pass takes 2 of these (max_emails: 2)" in run("dry-run").out


def test_each_step_is_listed_once(run, workspace):
    (message,) = run("dry-run", "--json").json["mailboxes"][0]["messages"]

    assert [step["state"] for step in message["steps"]] == ["described"] * len(
        {s["position"] for s in message["steps"]}
    )


@pytest.fixture
def messages(workspace):
    """The same two messages as files, as an mbox, as a maildir and as a folder."""
    raw = [f"From: ann@example.net\nSubject: Invoice {n}\nMessage-ID: <{n}@e>\n\nHello.\n".encode() for n in (1, 2)]
    folder = workspace / "mails"
    folder.mkdir()
    for number, content in enumerate(raw):
        (folder / f"{number}.eml").write_bytes(content)
    boxes = {"box.mbox": mailbox.mbox(workspace / "box.mbox"), "maildir": mailbox.Maildir(workspace / "maildir")}
    for box in boxes.values():
        for content in raw:
            box.add(content)
        box.close()
    return workspace


@pytest.mark.parametrize("paths", [["mails"], ["mails/0.eml", "mails/1.eml"], ["box.mbox"], ["maildir"]])
def test_messages_at_hand_are_decided_by_a_rules_file(run, messages, paths):
    Path("by.yaml").write_text("version: 1\nrules: [{name: invoices, match: {subject: invoice}, code: delete}]")
    before = tree(messages)

    told = run("dry-run", "--rules", "by.yaml", "--json", *[word for path in paths for word in ("--mail", path)])

    decided = [(m["subject"], m["rule"], m["code"]) for box in told.json["mailboxes"] for m in box["messages"]]
    assert sorted(decided) == [("Invoice 1", "invoices", 3), ("Invoice 2", "invoices", 3)]
    assert tree(messages) == before


def test_folders_within_a_folder_are_read_too(run, messages):
    told = run("dry-run", "--rules", "rules/inbox.yaml", "--json", "--mail", messages)

    assert {box["name"].removeprefix(f"{messages}/") for box in told.json["mailboxes"]} == {
        "mails",
        "maildir",
        "mailbox",
    }


def test_messages_at_hand_are_decided_by_the_only_listener(run, messages):
    told = run("dry-run", "--mail", "mails/0.eml", "--json")

    assert told.json["mailboxes"][0]["messages"][0]["rule"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no listener named 'nobody' (there are: inbox)"),
        (["--mail", "absent.eml"], "absent.eml: No such file or directory"),
        (["--rules", "rules/inbox.yaml"], "add --mail PATH"),
    ],
)
def test_what_is_not_there_is_a_usage_error_that_says_what_is(run, workspace, arguments, said):
    told = run("dry-run", *arguments)

    assert told.code == 2
    assert said in told.err


def test_a_mailbox_that_cannot_be_read_is_told_and_the_others_go_on(run, workspace):
    file = Path("mailrules.yaml")
    text = file.read_text().replace("accounts:\n", "accounts:\n  away: {receive: {maildir: away}}\n")
    other = "listeners:\n  away: {account: away, start: all, rules: [rules/inbox.yaml]}\n"
    file.write_text(text.replace("listeners:\n", other))

    told = run("dry-run")

    assert told.code == 3
    assert "cannot be read" in told.err
    assert "1 message tried" in told.out


def test_nothing_in_a_mail_steers_the_terminal(run, deliver):
    deliver("1.a", "red \x1b[31malert\x07 \u202eesrever", header="")

    told = run("dry-run")

    assert "\x1b" not in told.out
    assert "\x07" not in told.out
    assert "\u202e" not in told.out
    assert "red \ufffd[31malert\ufffd esrever" in told.out
