"""`mailrules auth` without any provider: what is said of accounts, and of those that there is nothing to allow for."""

import pytest

MAIN = """
version: 1
accounts:
  by-token:
    receive: {imap: {host: mail.example}}
    auth: {oauth2: {login: jo@x.example, client_id: me, discovery_url: https://login.example/x}}
  by-secret:
    receive: {imap: {host: mail.example}}
    auth: {oauth2: {login: bot@x.example, client_id: bot, client_secret: "env:BOT", discovery_url: https://login.example/x}}
  by-password: {receive: {imap: {host: mail.example}}, auth: {password: {login: jo, password: "env:JO"}}}
  local: {receive: {maildir: mail}}
"""


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JO", "hunter2")
    monkeypatch.setenv("BOT", "hunter3")
    (tmp_path / "mailrules.yaml").write_text(MAIN)
    return tmp_path


def test_each_account_is_told_with_what_it_logs_in_by(run, accounts):
    told = run("auth", "status", "--json").json

    assert [(each["account"], each["way"], each["login"], each["renewable"]) for each in told] == [
        ("by-token", "oauth2", "jo@x.example", False),
        ("by-secret", "oauth2", "bot@x.example", True),
        ("by-password", "password", "jo", False),
        ("local", "none", "", False),
    ]


@pytest.mark.parametrize(
    ("account", "code", "remedy"),
    [
        ("by-token", 1, "run: mailrules auth login by-token"),
        ("by-secret", 0, ""),
        ("by-password", 0, ""),
        ("local", 0, ""),
    ],
)
def test_the_exit_code_says_whether_a_person_must_act(run, accounts, account, code, remedy):
    told = run("auth", "status", account, "--json")

    assert (told.code, told.json[0]["remedy"]) == (code, remedy)


@pytest.mark.parametrize(("account", "name"), [("by-password", "JO"), ("by-secret", "BOT")])
def test_a_secret_that_is_missing_is_told(run, accounts, monkeypatch, account, name):
    monkeypatch.delenv(name)
    told = run("auth", "status", account)

    assert told.code == 1
    assert f"{account}: environment variable {name} is not set; provide it" in told.out


def test_looking_writes_nothing(run, accounts):
    run("auth", "status")

    assert [path.name for path in accounts.rglob("*")] == ["mailrules.yaml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["login", "by-password"], "account 'by-password' logs in by password: there is nothing for a person to allow"),
        (["login", "local"], "account 'local' logs in by none"),
        (["login", "by-tokn"], "no account named 'by-tokn' (there are: by-token, by-secret, by-password, local)"),
        (["status", "nobody"], "no account named 'nobody'"),
        (["login"], "Missing argument 'ACCOUNT'"),
    ],
)
def test_what_cannot_be_done_is_wrong_usage(run, accounts, arguments, said):
    told = run("auth", *arguments)

    assert told.code == 2
    assert said in told.err


def test_one_account_that_is_wrong_does_not_hide_the_others(run, accounts):
    (accounts / "mailrules.yaml").write_text(MAIN + "  broken: {receive: {imap: {}}}\n")

    assert run("auth", "status", "by-password").code == 0
    told = run("auth", "status", "broken")
    assert told.code == 1
    assert "host" in told.err


@pytest.mark.parametrize(("text", "said"), [("accounts: [\n", "yaml-syntax"), ("version: 1\n", "there are: none")])
def test_files_without_accounts_are_told(run, accounts, text, said):
    (accounts / "mailrules.yaml").write_text(text)
    told = run("auth", "login", "any")

    assert told.code in {1, 2}
    assert said in told.err


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_files_that_cannot_be_read_are_no_empty_table(run, accounts, flags):
    (accounts / "mailrules.yaml").write_text("version: 1\n\taccounts: {}\n")
    told = run("auth", "status", *flags)

    assert (told.code, told.out) == (1, "")
    assert "yaml-syntax" in told.err


def test_a_plugin_that_cannot_be_loaded_is_no_reason_to_fail_where_there_are_no_accounts(run, accounts):
    (accounts / "mailrules.yaml").write_text("version: 1\n")
    (accounts / "plugins").mkdir()
    (accounts / "plugins" / "broken.py").write_text("import nothing_of_that_name\n")

    assert run("auth", "status", "--json").json == []


def test_a_provider_that_cannot_be_reached_is_one_line(run, accounts):
    text = MAIN.replace("https://login.example/x", "http://127.0.0.1:1/x", 1)
    (accounts / "mailrules.yaml").write_text(text)
    told = run("auth", "login", "by-token")

    assert (told.code, told.err) == (3, "mailrules: 127.0.0.1:1: connection refused\n")
