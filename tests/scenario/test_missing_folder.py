"""`missing_folder`: folders that rules move to are looked for before any message is acted on, or made when used."""

from __future__ import annotations

import json

import pytest
from tests.scenario.workspace import Place

from mailrules.api import PersonNeeded

RULES = """\
version: 1
rules:
  - {name: lunches, match: {subject: lunch}, actions: [{log: seen}], keep: {copy: Copies, move: Invoices}}
"""
LUNCH = b"From: jo@x.example\r\nSubject: lunch\r\n\r\nnoon?\r\n"


class Mailboxes:
    """One mailbox with one message, of any kind."""

    def __init__(self, root, request):
        self.root, self._request = root, request

    def imap(self, server):
        store = self._request.getfixturevalue(server)
        self.mailbox = store.fresh()
        self.mailbox.append(LUNCH)
        reach = {"host": "localhost", "port": store.imaps, "certificate": str(store.ca)}
        auth = {"password": {"login": self.mailbox.user, "password": self.mailbox.password}}
        return {"receive": {"imap": reach}, "auth": auth}

    def maildir(self):
        for name in ("new", "cur", "tmp", ".M&APw-ll/cur"):
            (self.root / "box" / name).mkdir(parents=True)
        (self.root / "box" / "new" / "1.x").write_bytes(LUNCH)
        return {"receive": {"maildir": "box"}}

    def mbox(self):
        (self.root / "in.mbox").write_bytes(b"From jo Mon Mar  2 10:15:00 2026\n" + LUNCH.replace(b"\r", b"") + b"\n")
        (self.root / "Old.mbox").write_bytes(b"")
        return {"receive": {"mbox": "in.mbox"}}

    def eml(self):
        (self.root / "box" / "Old").mkdir(parents=True)
        (self.root / "box" / "1.eml").write_bytes(LUNCH)
        return {"receive": {"eml": "box"}}

    def make(self, kind):
        return self.imap(kind) if kind in {"dovecot", "cyrus"} else getattr(self, kind)()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def write(place, account, policy):
    listener = {"account": "box", "start": "all", "rules": ["rules/all.yaml"]}
    said = {"version": 1, "accounts": {"box": account | policy}, "listeners": {"inbox": listener}}
    (place.root / "mailrules.yaml").write_text(json.dumps(said))
    (place.root / "rules").mkdir(exist_ok=True)
    (place.root / "rules" / "all.yaml").write_text(RULES)


KINDS = {"dovecot": "Archive", "cyrus": "Archive", "maildir": "Müll", "mbox": "Old", "eml": "Old"}
"""Each kind of mailbox, and a folder that is there."""


@pytest.mark.parametrize(("kind", "there"), KINDS.items())
@pytest.mark.parametrize("run", ["run", "rehearse"])
def test_with_fail_nothing_is_done_when_one_is_missing(place, request, kind, there, run):
    write(place, Mailboxes(place.root, request).make(kind), {"missing_folder": "fail"})

    with pytest.raises(PersonNeeded, match="rules move or copy to 'Copies', 'Invoices', and there is only ") as raised:
        getattr(place, run)()

    assert there in str(raised.value)
    assert "missing_folder: create" in raised.value.remedy
    assert place.entries() == []


@pytest.mark.parametrize("kind", KINDS)
def test_with_create_they_are_made_when_used_and_then_fail_is_content(place, request, kind):
    made = Mailboxes(place.root, request).make(kind)
    write(place, made, {})

    (entry,) = place.run()["inbox"].entries
    assert entry.state.value == "done"

    write(place, made, {"missing_folder": "fail"})
    assert place.run()["inbox"].entries == ()


def test_a_role_that_the_server_has_is_there(place, request):
    write(place, Mailboxes(place.root, request).make("dovecot"), {"missing_folder": "fail"})
    rules = place.root / "rules" / "all.yaml"
    rules.write_text(RULES.replace("Copies", "\\Trash").replace("Invoices", "\\Archive"))

    (entry,) = place.run()["inbox"].entries

    assert entry.state.value == "done"
