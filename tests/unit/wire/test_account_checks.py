"""What `accounts test` says of servers that lack something, or forbid it."""

from __future__ import annotations

import json

import pytest

from mailrules.config.load import load_accounts
from mailrules.engine.check import check_account
from mailrules.testing.bad_imap import BadImap

LESS = {"capability": ["* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"]}
SELECTED = (
    "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n* OK [PERMANENTFLAGS ({flags})] kept\r\n{{tag}} OK [{mode}] done\r\n"
)


def selected(flags, mode="READ-WRITE"):
    return {"select": [SELECTED.format(flags=flags, mode=mode)]}


@pytest.mark.parametrize(
    ("script", "name", "state", "says"),
    [
        ({}, "abilities", "ok", "MOVE, UIDPLUS, IDLE"),
        (LESS, "abilities", "warning", "a message is moved by copying it"),
        (LESS, "abilities", "warning", "only flagged \\Deleted"),
        (LESS, "abilities", "warning", "new mail is found when the schedule says"),
        (selected("\\Seen \\*"), "permissions INBOX", "ok", "keeps every flag"),
        (selected("\\Seen"), "permissions INBOX", "warning", "keeps only the flags \\SEEN"),
        (selected(""), "permissions INBOX", "warning", "no flag is kept here"),
        (selected("", "READ-ONLY"), "folder INBOX", "failed", "folder 'INBOX' may only be read"),
    ],
)
def test_what_a_server_lacks_or_forbids_is_said(tmp_path, script, name, state, says):
    with BadImap(script) as server:
        receive = {"imap": {"host": "127.0.0.1", "port": server.port, "security": "none"}}
        account = {"receive": receive, "auth": {"password": {"login": "jo", "password": "pw"}}}
        (tmp_path / "mailrules.yaml").write_text(json.dumps({"version": 1, "accounts": {"box": account}}))
        checked = check_account(load_accounts(tmp_path)[0]["box"], ["INBOX"], tmp_path)
        results = {one.name: one for one in checked}

    assert results[name].state == state
    assert says in results[name].said
