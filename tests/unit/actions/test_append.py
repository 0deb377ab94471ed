from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrules.api import NewMessage, OptionsError, Permanent, PersonNeeded, Transient, build_options
from mailrules.builtin.action.append import APPEND
from mailrules.builtin.local.maildir import MAILDIR
from mailrules.builtin.pop3.protocol import POP3
from mailrules.config.settings import Account, Workspace
from mailrules.engine.append import AccountAppender
from mailrules.engine.pauses import ObedientAppender, Pauses
from mailrules.registry import Plugin, Provided, Registry
from mailrules.testing.context import SAMPLE

RECEIVED = datetime(2026, 1, 5, 6, 7, 8, tzinfo=UTC)


def test_the_message_goes_into_the_folder_as_it_is(act, context):
    options = {"account": "archive", "folder": "In/{{ message.author.localpart }}", "seen": True, "flags": ["$Filed"]}

    assert act(APPEND, options) == {"appended": {"account": "archive", "folder": "In/ada", "uid": "1"}}
    assert context.append.appended == [("archive", "In/ada", NewMessage(SAMPLE, ("$Filed", "\\Seen")))]


def test_a_folder_alone_is_one_of_the_listeners_own_account(act, context, describe):
    assert act(APPEND, "Copies")["appended"]["account"] == "support"
    assert context.append.appended[0][0] == ""
    assert describe(APPEND, "Copies") == "append to Copies"
    assert describe(APPEND, {"folder": "a\n{{ data.x }}", "account": "b"}) == "append to a {{ data.x }} of b"


@pytest.fixture
def appender(tmp_path):
    for name in ("own", "other"):
        for place in ("new", "cur", "tmp"):
            (tmp_path / name / place).mkdir(parents=True)

    def account(name, protocol=MAILDIR, *, missing_folder="create", **options):
        options = build_options(protocol.options, options or {"path": name}, root=Path())
        return Account(name, receive=(Provided(protocol, Plugin("test")), options), missing_folder=missing_folder)

    accounts = [account("own"), account("other", missing_folder="fail"), account("pop", POP3, host="x"), Account("out")]
    workspace = Workspace(tmp_path, Registry(), {each.name: each for each in accounts})
    return AccountAppender(workspace, workspace.accounts["own"])


def test_any_account_of_the_workspace_can_be_named_and_without_a_name_it_is_the_own_one(appender, tmp_path):
    appender("", "INBOX", SAMPLE, flags=["\\Seen"], received=RECEIVED)
    appender("other", "INBOX", SAMPLE)
    appender("other", "INBOX", SAMPLE)

    (own,), (other,) = (tmp_path / "own" / "cur").iterdir(), (tmp_path / "other" / "new").iterdir()
    assert own.read_bytes() == other.read_bytes() == SAMPLE
    assert own.stat().st_mtime == RECEIVED.timestamp()


def test_a_missing_folder_is_made_or_not_as_the_account_says(appender, tmp_path):
    appender("own", "\\Sent", SAMPLE)
    with pytest.raises(PersonNeeded, match="Sent"):
        appender("other", "\\Sent", SAMPLE)

    assert (tmp_path / "own" / ".Sent" / "cur").is_dir()
    assert not (tmp_path / "other" / ".Sent").exists()


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("nobody", "there is no account 'nobody'"),
        ("out", "account 'out' has no `receive:`"),
        ("pop", "nothing can be put into account 'pop': pop3 cannot do that"),
    ],
)
def test_where_nothing_can_be_put_that_is_said(appender, account, reason):
    with pytest.raises(Permanent, match=reason):
        appender(account, "INBOX", SAMPLE)


def test_an_account_that_its_server_wants_left_alone_gets_nothing_until_then(appender, tmp_path):
    pauses = Pauses()
    obedient = ObedientAppender(appender, "own", pauses)
    pauses.ask("own", 60)

    with pytest.raises(Transient, match="account 'own' is left alone"):
        obedient("", "INBOX", SAMPLE)
    obedient("other", "INBOX", SAMPLE)
    assert list((tmp_path / "own" / "new").iterdir()) == []
    assert len(list((tmp_path / "other" / "new").iterdir())) == 1


@pytest.mark.parametrize("written", ["", "  ", {"folder": ""}])
def test_a_folder_without_a_name_is_refused_before_any_run(written, tmp_path):
    with pytest.raises(OptionsError, match="`folder` is empty"):
        build_options(APPEND.options, written, root=tmp_path)
