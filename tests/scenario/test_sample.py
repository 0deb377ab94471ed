"""The sample workspace: what `make run` shows on a fresh clone, and a second time."""

import json
import mailbox
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from mailrules.cli.main import main

ROOT = Path(__file__).parents[2]
SHIPPED = ("mailrules.yaml", "rules", "scripts", "sample")

FATES: Mapping[str, tuple[str | None, int, str]] = {
    "01-question": (None, 4, "INBOX"),
    "02-invoice": ("invoices", 4, "Invoices"),
    "03-invoice-encoded-names": ("invoices", 4, "Invoices"),
    "04-newsletter": ("newsletters", 4, "Newsletters"),
    "05-out-of-office": ("automatic answers", 4, "Automatic"),
    "06-bounce": ("bounces", 2, "Bounces"),
    "07-spam": ("certain spam", 3, ""),
    "08-nearly-spam": ("perhaps spam", 4, "Junk"),
    "09-director-at-night": ("the director, out of hours", 2, "INBOX"),
    "10-director-at-noon": (None, 4, "INBOX"),
    "11-raw-8bit-subject": (None, 4, "INBOX"),
    "12-same-message-id-a": (None, 4, "INBOX"),
    "13-same-message-id-b": (None, 4, "INBOX"),
    "14-large-log": ("large mail", 4, "Large"),
    "15-forwarded-as-attachment": ("complaints", 2, "INBOX"),
    "16-forwarded-inline": ("forwarded by the desk", 2, "INBOX"),
    "17-invitation": ("invitations", 4, "INBOX"),
    "18-empty": (None, 4, "INBOX"),
    "19-broken-mime": (None, 4, "INBOX"),
    "20-complaint": ("complaints", 2, "INBOX"),
    "21-program-attached": ("programs attached", 1, ""),
    "22-urgent": ("triage by script", 2, "INBOX"),
    "23-disclosed-to-nobody": (None, 4, "INBOX"),
}
"""Each message of the sample: the rule that decides, its code, and where it is afterwards; empty for nowhere."""


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone, its mailbox filled as the Makefile fills it."""
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for name in ("cur", "new", "tmp"):
        (tmp_path / ".mailrules" / "mailbox" / name).mkdir(parents=True)
    for mail in sorted((tmp_path / "sample" / "mail").glob("*.eml")):
        shutil.copy(mail, tmp_path / ".mailrules" / "mailbox" / "new")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capsys, *arguments):
    """A command's JSON."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def decided(messages):
    """Rule and code of each message, by the name of its file."""
    return {m["uid"].rpartition("/")[2].removesuffix(".eml"): (m["rule"], m["code"]) for m in messages}


def whereabouts(folder):
    """The files of a maildir, by folder."""
    places = {".": "INBOX"} | {path.name: path.name[1:] for path in folder.iterdir() if path.name.startswith(".")}
    files = {name: [*(folder / name).glob("new/*"), *(folder / name).glob("cur/*")] for name in places}
    return {
        (file.name.partition(":")[0].removesuffix(".eml"), places[name])
        for name, found in files.items()
        for file in found
    }


def test_the_table_of_fates_is_of_the_mail_that_ships():
    assert sorted(path.stem for path in (ROOT / "sample" / "mail").iterdir()) == sorted(FATES)


def test_each_message_is_handled_as_the_rules_say(clone, capsys):
    done = answer(capsys, "run", "--once")

    inbox, invoices = (one["messages"] for one in done["listeners"])
    assert decided(inbox) == {name: (rule, code) for name, (rule, code, _) in FATES.items()}
    assert decided(invoices) == {
        "02-invoice": ("save the invoice", 2),
        "03-invoice-encoded-names": ("save the invoice", 2),
    }
    assert {message["state"] for message in inbox + invoices} == {"done"}


def test_each_message_is_where_it_belongs_afterwards(clone, capsys):
    answer(capsys, "run", "--once")

    expected = {(name, folder) for name, (_, _, folder) in FATES.items() if folder}
    copies = {place for place in whereabouts(Path(".mailrules/mailbox")) if place[1] in ("Internal", "Calendar")}
    assert whereabouts(Path(".mailrules/mailbox")) - copies == expected
    assert ("17-invitation", "Calendar") in copies


def test_attachments_are_saved_and_mail_is_sent(clone, capsys):
    answer(capsys, "run", "--once")

    saved = {path.relative_to(".mailrules/files") for path in Path(".mailrules/files").rglob("*") if path.is_file()}
    sent = {(mail["To"], mail["Subject"]) for mail in mailbox.Maildir(".mailrules/outbox", create=False)}
    assert {str(path.parent) for path in saved} == {"invoices/2026", "quarantine"}
    assert len(saved) == 3
    assert sent == {
        ("desk@example.com", "[complaints] Fwd: Broken on arrival"),
        ("desk@example.com", "[complaints] Order 779"),
        ("desk@example.com", "[triage by script] URGENT: checkout is down"),
        ("on-call@example.com", "Out of hours: The shop looks odd on my phone"),
        ("security@example.com", "Deleted: Your parcel label"),
    }


def test_a_second_run_handles_nothing_twice_and_says_so(clone, capsys):
    answer(capsys, "run", "--once")
    before = sorted(clone.rglob("*"))

    assert main(["run", "--once"]) == 0

    said = capsys.readouterr().out
    assert "nothing new: 23 handled" in said
    assert "nothing new: 2 handled" in said
    assert sorted(clone.rglob("*")) == before


def test_the_mail_that_ships_is_not_touched(clone, capsys):
    answer(capsys, "run", "--once")

    for name in SHIPPED:
        for path in [ROOT / name, *(ROOT / name).rglob("*")]:
            if path.is_file() and "__pycache__" not in path.parts:
                assert (clone / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path


def test_a_dry_run_foretells_the_run(clone, capsys):
    foretold = [decided(box["messages"]) for box in answer(capsys, "dry-run")["mailboxes"]]

    assert foretold == [decided(one["messages"]) for one in answer(capsys, "run", "--once")["listeners"]]


def test_its_rules_pass_their_cases_and_every_rule_is_reached(clone, capsys):
    assert main(["check"]) == 0
    tested = answer(capsys, "test")

    assert (tested["passed"], tested["unreached"], tested["untested"]) == (True, [], [])
