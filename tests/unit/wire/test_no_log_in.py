"""Servers that ask for no log-in: IMAP that takes us in unasked (PREAUTH), and what `check` wants said."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from mailrules.api import NoCredential, PersonNeeded, Place, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.config.load import load_accounts
from mailrules.engine.check import check_account
from mailrules.testing.bad_imap import BadImap

UNASKED = {"greeting": ["* PREAUTH welcome\r\n"]}


def opened(server, security="none"):
    raw = {"host": "127.0.0.1", "port": server.port, "security": security}
    return IMAP.open(build_options(IMAP.options, raw, root=Path()), NoCredential(), Place(Path()))


def test_a_server_that_takes_us_in_unasked_is_read():
    with BadImap(UNASKED) as server, closing(opened(server)) as box:
        assert len(box.refs(unseen_only=False)) == 3
        assert not [line for line in server.heard if "LOGIN" in line or "AUTHENTICATE" in line]


def test_a_server_that_wants_a_log_in_says_so():
    with BadImap() as server, pytest.raises(PersonNeeded, match="it wants a log-in") as raised:
        opened(server)
    assert "`auth:`" in raised.value.remedy


def test_unasked_rules_starttls_out():
    with BadImap(UNASKED) as server, pytest.raises(PersonNeeded, match="PREAUTH"):
        opened(server, "starttls")


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ({"receive": {"imap": {"host": "h"}}}, ["auth-mismatch"]),
        ({"receive": {"imap": {"host": "h"}}, "auth": "none"}, []),
        ({"receive": {"pop3": {"host": "h"}}, "auth": "none"}, ["auth-mismatch"]),
        ({"send": {"smtp": {"host": "h"}}}, []),
        ({"send": {"smtp": {"host": "h"}}, "auth": "none"}, []),
        ({"receive": {"maildir": "box"}, "auth": {"password": {"login": "jo", "password": "env:JO"}}}, []),
    ],
)
def test_that_there_is_no_log_in_is_said(tmp_path, account, words):
    (tmp_path / "mailrules.yaml").write_text(json.dumps({"version": 1, "accounts": {"a": account}}))

    assert [found.word for found in load_accounts(tmp_path)[2]] == words


def test_it_is_told_by_accounts_test(tmp_path):
    with BadImap(UNASKED) as server:
        receive = {"imap": {"host": "127.0.0.1", "port": server.port, "security": "none"}}
        said = {"version": 1, "accounts": {"a": {"receive": receive, "auth": "none"}}}
        (tmp_path / "mailrules.yaml").write_text(json.dumps(said))
        account = load_accounts(tmp_path)[0]["a"]
        found = {one.name: one for one in check_account(account, ["INBOX"], tmp_path)}

    assert {one.state for one in found.values()} == {"ok"}
    assert found["log-in"].said == "the server takes us in unasked (PREAUTH)"
    assert found["TLS"].said == "none, on this machine"
