"""What `preset:` fills, that what is written wins, and where mistakes are told."""

from __future__ import annotations

import json

import jsonschema
import pytest

from mailrules.api import Secret
from mailrules.config.load import load_accounts
from mailrules.config.presets import PRESETS
from mailrules.config.schema import schemas
from mailrules.registry import load_registry

PASSWORD = {"password": {"login": "jo@example.com", "password": "env:JO"}}
TOKEN = {"oauth2": {"login": "jo@example.com", "client_id": "desk"}}


def load(tmp_path, account):
    (tmp_path / "mailrules.yaml").write_text(json.dumps({"version": 1, "accounts": {"a": account}}))
    accounts, _, found = load_accounts(tmp_path)
    return accounts.get("a"), [str(each) for each in found]


@pytest.mark.parametrize(
    ("preset", "imap", "smtp", "security"),
    [
        ("gmail", "imap.gmail.com", "smtp.gmail.com", "tls"),
        ("outlook", "outlook.office365.com", "smtp.office365.com", "starttls"),
        ("yahoo", "imap.mail.yahoo.com", "smtp.mail.yahoo.com", "tls"),
        ("icloud", "imap.mail.me.com", "smtp.mail.me.com", "starttls"),
        ("fastmail", "imap.fastmail.com", "smtp.fastmail.com", "tls"),
    ],
)
def test_a_preset_and_a_password_are_an_account(tmp_path, preset, imap, smtp, security):
    account, found = load(tmp_path, {"preset": preset, "auth": PASSWORD})

    assert found == []
    assert (account.receive[0].item.name, account.receive[1].host, account.receive[1].security) == ("imap", imap, "tls")
    assert (account.send[0].item.name, account.send[1].host, account.send[1].security) == ("smtp", smtp, security)


@pytest.mark.parametrize("preset", [name for name, known in PRESETS.items() if "auth" in known])
def test_a_preset_knows_where_to_get_tokens(tmp_path, preset):
    account, found = load(tmp_path, {"preset": preset, "auth": TOKEN})

    assert found == []
    assert account.auth[1].discovery_url == PRESETS[preset]["auth"]["oauth2"]["discovery_url"]
    assert account.auth[1].scopes


def test_what_is_written_wins(tmp_path):
    own = {"oauth2": {**TOKEN["oauth2"], "client_secret": "env:S", "scopes": ["mine"]}}
    receive = {"pop3": {"port": 1995, "timeout": "5s"}}
    account, found = load(tmp_path, {"preset": "gmail", "receive": receive, "send": {"outbox": "o"}, "auth": own})

    assert found == []
    assert (account.receive[1].host, account.receive[1].port) == ("pop.gmail.com", 1995)
    assert account.send[0].item.name == "outbox"
    assert (account.auth[1].scopes, type(account.auth[1].client_secret)) == (("mine",), Secret)


def test_a_protocol_by_its_name_alone(tmp_path):
    account, found = load(tmp_path, {"preset": "yahoo", "receive": "pop3", "auth": PASSWORD})

    assert (found, account.receive[1].host) == ([], "pop.mail.yahoo.com")


@pytest.mark.parametrize(
    ("account", "word", "says"),
    [
        ({"preset": "gmial", "auth": PASSWORD}, "not-allowed-value", "'preset'"),
        ({"preset": "icloud", "receive": {"pop3": {}}, "auth": PASSWORD}, "missing-key", "needs 'host'"),
        ({"preset": "gmail", "receive": {"imap": {"prot": 1}}, "auth": PASSWORD}, "unknown-key", "'prot'"),
        ({"preset": "icloud", "auth": TOKEN}, "missing-key", "needs 'discovery_url'"),
        ({"preset": "gmail"}, "auth-mismatch", "'imap'"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, account, word, says):
    built, found = load(tmp_path, account)

    assert built is None
    assert any(word in each and says in each for each in found), found


@pytest.mark.parametrize("account", [{"preset": "gmail", "auth": TOKEN}, {"preset": "yahoo", "receive": {"imap": {}}}])
def test_editors_take_what_a_preset_fills(account):
    schema = schemas(load_registry())["mailrules"]

    jsonschema.validate({"version": 1, "accounts": {"a": account}}, schema)
