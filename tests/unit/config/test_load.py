"""Whole workspaces: what the files turn into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.diagnostics.plugins import REGISTRY, write

from mailrules.config.cases import load_cases
from mailrules.config.load import load_rules, load_workspace
from mailrules.model.code import Code
from mailrules.model.message import Address
from mailrules.model.rule import UNTOUCHED, Active, Disposition

MAIN = """\
version: 1
accounts:
  support:
    description: Support
    receive: {imap: {host: imap.example.com}}
    send: {smtp: {host: smtp.example.com}}
    auth: {password: {login: Login@Example.com, password: "env:PASSWORD"}}
    from: {address: Support@example.com, name: Example Support}
    timezone: Europe/Paris
    trust: {authserv_id: mx.example.com, forwarders: [Desk@example.com]}
  out: {send: {outbox: out}, from: out@example.com}
listeners:
  inbox:
    account: support
    folder: Support
    unseen_only: true
    max_emails: -1
    stop_after_first: true
    start: {since: 2026-01-01}
    schedule: {every: 1m 30s}
    rules: [rules/a.yaml, rules/b.yaml]
    flow: outer
  plain: {account: support, rules: []}
flows:
  outer: [log: first, flow: inner]
  inner:
    - ring
    - flow: {name: innermost}
  innermost: [log: "{{ message.text }}"]
"""

RULES = {
    "rules/a.yaml": """\
version: 1
rules:
  - name: one
    match: {from: x}
    keep: {copy: C, flags: ['\\Flagged'], labels: [a, b], seen: false}
    continue: true
  - name: two
    match: {date: {before: 2026-07-01}}
    code: delete+activate
    actions: [flow: inner]
    active: {from: 2026-01-01, until: 2027-01-01T12:00, cron: "* 8 * * *"}
""",
    "rules/b.yaml": "version: 1\nrules: [{name: three, match: {to: y}, code: 3}]\nunmatched: {keep: {move: Rest}}\n",
}


@pytest.fixture
def workspace(tmp_path):
    write(tmp_path, {"mailrules.yaml": MAIN, **RULES})
    loaded = load_workspace(tmp_path, registry=REGISTRY, now=datetime(2026, 6, 1, tzinfo=UTC))
    assert loaded.diagnostics == ()
    return loaded.workspace


def test_accounts(workspace):
    support, out = workspace.accounts["support"], workspace.accounts["out"]

    assert (support.receive[0].item.name, support.receive[1].port) == ("imap", 993)
    assert support.sender == Address("Example Support", "Support@example.com")
    assert out.sender == Address("", "out@example.com")
    assert (support.timezone, support.description) == ("Europe/Paris", "Support")
    assert support.trust.forwarders == {"desk@example.com"}
    assert support.trust.authserv_id == "mx.example.com"
    assert (out.receive, out.auth) == (None, None)


def test_every_account_knows_the_addresses_of_all(workspace):
    own = {"login@example.com", "support@example.com", "out@example.com"}

    assert [account.trust.own_addresses for account in workspace.accounts.values()] == [own, own]


def test_a_listener_as_written(workspace):
    inbox = workspace.listeners["inbox"]

    assert (inbox.folder, inbox.unseen_only, inbox.max_emails, inbox.stop_after_first) == ("Support", True, -1, True)
    assert inbox.start == datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    assert (inbox.schedule.every, inbox.schedule.timezone) == (90.0, "Europe/Paris")
    assert inbox.rules.timezone == "Europe/Paris"


def test_a_listener_by_its_defaults(workspace):
    plain = workspace.listeners["plain"]

    assert (plain.folder, plain.unseen_only, plain.max_emails, plain.stop_after_first) == ("INBOX", False, 5, False)
    assert (plain.start, plain.schedule.every, plain.listen) == ("now", 60.0, True)


def test_without_rules_every_message_fires(workspace):
    rules = workspace.listeners["plain"].rules

    assert (rules.rules, rules.unmatched.code, rules.transition) == ((), Code.KEEP_ACTIVATE, ())


def test_rules_of_several_files_in_order(workspace):
    rules = workspace.listeners["inbox"].rules

    assert [(rule.name, rule.code, rule.continues) for rule in rules.rules] == [
        ("one", Code.KEEP, True),
        ("two", Code.DELETE_ACTIVATE, False),
        ("three", Code.DELETE, False),
    ]
    assert [str(rule.span) for rule in rules.rules] == ["rules/a.yaml:3:5", "rules/a.yaml:7:5", "rules/b.yaml:2:9"]
    assert (rules.unmatched.code, rules.unmatched.keep) == (Code.KEEP, Disposition(move="Rest"))


def test_how_a_message_is_kept(workspace):
    one, two, _ = workspace.listeners["inbox"].rules.rules

    assert one.keep == Disposition(copy=("C",), flags=("\\Flagged",), labels=("a", "b"), seen=False)
    assert two.keep == UNTOUCHED


def test_when_a_rule_is_in_force_in_the_zone_of_the_account(workspace):
    active = workspace.listeners["inbox"].rules.rules[1].active

    assert isinstance(active, Active)
    assert [moment.isoformat() for moment in (active.since, active.until)] == [
        "2026-01-01T00:00:00+01:00",
        "2027-01-01T12:00:00+01:00",
    ]
    assert (active.cron, active.timezone) == ("* 8 * * *", "Europe/Paris")


def test_flows_are_written_out_with_their_names(workspace):
    rules = workspace.listeners["inbox"].rules

    assert [step.name for step in rules.transition] == [
        "outer/log",
        "outer/inner/ring",
        "outer/inner/innermost/log",
    ]
    assert [step.name for step in rules.rules[1].steps] == ["inner/ring", "inner/innermost/log"]
    assert [step.needs_body for step in rules.transition] == [False, False, True]
    assert str(rules.transition[1].span) == "mailrules.yaml:27:7"


def test_a_changed_step_has_another_digest():
    def digest(action):
        ruleset, _ = load_rules(f"version: 1\nrules: [{{name: a, actions: [{action}]}}]", registry=REGISTRY)
        return ruleset.rules[0].steps[0].digest

    written = "call: {url: x, method: GET}"
    assert digest(written) == digest("call: {method: GET, url: x}")
    assert (
        len({digest(written), digest("call: {url: y, method: GET}"), digest("call: {url: x}"), digest("log: x")}) == 4
    )


def test_where_things_are_kept(workspace, tmp_path):
    assert workspace.root == tmp_path
    assert workspace.journal == f"sqlite:///{tmp_path}/.mailrules/journal.sqlite3"
    assert workspace.files == tmp_path / "files"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite:///data/j.db", "sqlite:///{root}/data/j.db"),
        ("sqlite:////var/j.db", "sqlite:////var/j.db"),
        ("postgresql://db.example/mail", "postgresql://db.example/mail"),
    ],
)
def test_a_journal_elsewhere(tmp_path, written, url):
    write(tmp_path, {"mailrules.yaml": f"version: 1\njournal: {written}\n"})

    workspace = load_workspace(tmp_path / "mailrules.yaml", registry=REGISTRY).workspace

    assert workspace.journal == url.format(root=tmp_path)


def test_rules_without_a_workspace_start_paths_at_the_workspace_around_them(tmp_path):
    write(
        tmp_path,
        {
            "mailrules.yaml": "version: 1\n",
            "decide.py": "def decide(mail): return 4\n",
            "rules/a.yaml": "version: 1\nrules: [{name: a, script: decide.py}]\n",
        },
    )

    ruleset, found = load_rules(tmp_path / "rules" / "a.yaml", registry=REGISTRY)

    assert found == ()
    assert ruleset.rules[0].script.decide(None) == 4
    assert str(ruleset.rules[0].span) == "rules/a.yaml:2:9"


def test_loading_a_script_leaves_no_trace_on_disk(tmp_path):
    write(tmp_path, {"a.yaml": "version: 1\nrules: [{name: a, script: a.py}]\n", "a.py": "def decide(mail): pass\n"})

    load_rules(tmp_path / "a.yaml", registry=REGISTRY)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "a.yaml"]


def test_test_cases(tmp_path):
    cases = """\
timezone: Europe/Paris
cases:
  - name: written
    mail: {from: a@example.com, subject: x, attachments: [{name: a.pdf}]}
    now: 2026-07-01T10:00
    flags: ['\\Seen']
    expect: {rule: a, code: delete, keep: {copy: C}, actions: [log], captures: {n: '1'}, continued: [b]}
  - {name: on disk, eml: x.eml, expect: {rule: null}}
"""
    write(
        tmp_path,
        {"a.test.yaml": cases, "a.yaml": "version: 1\nrules: [{name: a, match: {from: x}}]", "x.eml": "Subject: x"},
    )

    (written, on_disk), found = load_cases(tmp_path / "a.test.yaml")

    assert found == ()
    assert written.rules == tmp_path / "a.yaml"
    assert (written.mail.author, written.mail.attachments[0].name) == ("a@example.com", "a.pdf")
    assert written.now.isoformat() == "2026-07-01T10:00:00+02:00"
    assert (written.expect.rule, written.expect.code, written.expect.keep) == (
        "a",
        Code.DELETE,
        Disposition(copy=("C",)),
    )
    assert (written.expect.actions, written.expect.captures, written.expect.continued) == (("log",), {"n": "1"}, ("b",))
    assert (on_disk.eml, on_disk.expect.rule, on_disk.expect.code) == (tmp_path / "x.eml", None, None)
    assert str(on_disk.span) == "a.test.yaml:8:5"
