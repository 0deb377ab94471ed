"""`mailrules accounts show`: what is written, filled by a preset and taken by default; never a secret."""

from __future__ import annotations

import pytest

FILE = """\
version: 1
accounts:
  known: {preset: gmail, auth: {oauth2: {login: jo@example.com, client_id: c, client_secret: "env:S"}}}
  literal: {preset: icloud, auth: {password: {login: jo, password: hunter2}}}
  local: {receive: {maildir: box}}
"""


@pytest.fixture
def accounts(tmp_path, run):
    (tmp_path / "mailrules.yaml").write_text(FILE)
    return lambda *more: run("-w", tmp_path, "accounts", "show", *more)


def test_what_a_preset_fills_is_shown(accounts):
    shown = accounts("known", "--json").json

    assert shown["receive.imap"] == {"host": "imap.gmail.com", "security": "tls", "timeout": "30s"}
    assert shown["auth.oauth2"]["scopes"] == ["https://mail.google.com/"]
    assert shown["auth.oauth2"]["client_secret"] == "env:S"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_secret_in_the_file_is_not_shown(accounts, form):
    answer = accounts("literal", *form)

    assert answer.code == 0
    assert "***" in answer.out
    assert "hunter2" not in answer.out + answer.err


def test_as_a_table(accounts):
    assert accounts("local").out.splitlines()[2].split() == ["receive.maildir.path", "box"]


def test_an_account_that_is_not_there(accounts):
    answer = accounts("nobody")

    assert answer.code == 2
    assert "there are: known, literal, local" in answer.err
