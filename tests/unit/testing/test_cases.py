"""The case runner, as a library: `mailrules.testing.run_cases`."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import msgspec
import pytest

from mailrules.config.spec import MailSpec
from mailrules.testing import run_cases
from mailrules.testing.compare import flow
from mailrules.testing.compose import compose


@pytest.fixture
def cases(tmp_path):
    """Runs cases, given as YAML, on rules, given as YAML."""

    def run(rules, text):
        (tmp_path / "x.yaml").write_text(f"version: 1\nrules:\n{rules}")
        (tmp_path / "x.test.yaml").write_text(f"cases:\n{text}")
        return run_cases(tmp_path / "x.test.yaml")

    return run


OLD = "  - {name: old, match: {date: {older_than: 30d}}, code: delete}\n"


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        ("mail: {date: 2026-01-01}", "null"),
        ("mail: {date: 2026-01-01}, now: 2026-01-20", "null"),
        ("mail: {date: 2026-01-01}, now: 2026-02-20", "old"),
        ("mail: {subject: no date}, now: 2026-02-20", "null"),
    ],
)
def test_a_case_is_decided_when_it_says_or_when_its_message_was_sent(cases, says, rule):
    results = cases(OLD, f"  - {{name: c, {says}, expect: {{rule: {rule}}}}}\n")

    assert results.passed, results


def test_received_and_flags_are_the_servers_word(cases):
    results = cases(
        "  - {name: late, match: {received: {time: '18:00-08:00'}}, code: keep}\n",
        "  - {name: c, mail: {subject: x}, received: 2026-03-02T21:00, flags: ['\\Seen'], expect: {rule: late}}\n",
    )

    assert results.passed, results


def test_what_a_case_does_not_say_is_not_looked_at(cases):
    results = cases("  - {name: any, keep: {move: A}}\n", "  - {name: c, mail: {subject: x}, expect: {rule: any}}\n")

    assert results.passed
    assert results.outcomes[0].got == {"rule": "any"}


@pytest.mark.parametrize(
    ("expect", "passed"),
    [
        ("{rule: filed}", True),
        ("{rule: other}", False),
        ("{rule: null}", False),
        ("{code: 2}", True),
        ("{code: keep+activate}", True),
        ("{code: 4}", False),
        ("{keep: {move: A, seen: true}}", True),
        ("{keep: {move: A}}", False),
        ("{keep: {}}", False),
        ("{actions: [log, log]}", True),
        ("{actions: [log]}", False),
        ("{captures: {word: Hello}}", True),
        ("{captures: {}}", False),
        ("{continued: [marks]}", True),
        ("{continued: []}", False),
    ],
)
def test_everything_that_is_said_must_hold(cases, expect, passed):
    rules = (
        "  - {name: marks, continue: true, code: keep, keep: {seen: true}}\n"
        "  - {name: filed, match: {subject: {regex: '(?P<word>Hello)'}}, keep: {move: A}, actions: [log: a, log: b]}\n"
        "  - {name: other, match: {subject: bye}, code: keep}\n"
    )

    results = cases(rules, f"  - {{name: c, mail: {{subject: Hello}}, expect: {expect}}}\n")

    assert results.passed is passed, results


def test_rules_that_never_speak_are_told(cases):
    rules = (
        "  - {name: marks, continue: true, code: keep, keep: {seen: true}}\n"
        "  - {name: one, match: {subject: one}, code: keep}\n"
        "  - {name: two, match: {subject: two}, code: keep}\n"
    )

    results = cases(rules, "  - {name: c, mail: {subject: one}, expect: {rule: one}}\n")

    assert [rule.name for rule in results.unreached] == ["two"]
    assert results.rules == 3


def test_the_difference_is_yaml_ready_to_paste(cases):
    results = cases("  - {name: any, code: keep}\n", "  - {name: c, mail: {}, expect: {rule: null, code: 3}}\n")

    assert results.outcomes[0].diff.splitlines() == [
        "--- expected",
        "+++ got",
        "@@ -1,2 +1,2 @@",
        "-rule: null",
        "-code: delete",
        "+rule: any",
        "+code: keep",
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain words", "plain words"),
        ("null", "'null'"),
        ("with: colon", "'with: colon'"),
        ("it's", '"it\'s"'),
        ("", "''"),
        ("42", "'42'"),
        (None, "null"),
        (True, "true"),
        (["a", "b c"], "[a, b c]"),
        ({"move": "A/B", "seen": True}, "{move: A/B, seen: true}"),
        ("\\Flagged", "\\Flagged"),
    ],
)
def test_values_are_written_as_yaml(value, written):
    assert flow(value) == written


MAIL = {
    "from": "Jö <jo@example.org>",
    "to": ["a@example.com", "b@example.com"],
    "cc": "c@example.com",
    "reply_to": "r@example.com",
    "subject": "Grüße",
    "date": "2026-03-02T09:00",
    "message_id": "<m@example.org>",
    "headers": {"X-Spam-Score": 7.5, "Received": ["by a", "by b"]},
    "text": "Hällo",
    "html": "<p>Hällo</p>",
    "attachments": [{"name": "März.pdf", "type": "application/pdf", "content": "x"}, {"size": 2000}],
}


def test_the_mail_of_a_case_is_a_real_message():
    raw = compose(msgspec.convert(MAIL, MailSpec), timezone="Europe/Paris")

    made = message_from_bytes(raw, policy=policy.default)
    assert made["From"] == "Jö <jo@example.org>"
    assert made["To"] == "a@example.com, b@example.com"
    assert (made["Cc"], made["Reply-To"], made["Message-ID"]) == ("c@example.com", "r@example.com", "<m@example.org>")
    assert made["Subject"] == "Grüße"
    assert made["Date"].datetime.astimezone(UTC) == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (made["X-Spam-Score"], made.get_all("Received")) == ("7.5", ["by a", "by b"])
    assert made.get_body(("plain",)).get_content().rstrip() == "Hällo"
    assert made.get_body(("html",)).get_content().rstrip() == "<p>Hällo</p>"
    assert [(part.get_filename(), len(part.get_content())) for part in made.iter_attachments()] == [
        ("März.pdf", 1),
        (None, 2000),
    ]


@pytest.mark.parametrize(
    "mail",
    [{"headers": {"X-A": "one\ntwo"}}, {"attachments": [{"type": "message/rfc822"}]}, {"subject": "a\r\nBcc: b"}],
)
def test_what_no_message_can_hold_fails_its_case_with_a_sentence(cases, mail):
    results = cases(
        "  - {name: any, code: keep}\n", f"  - {{name: c, mail: {msgspec.json.encode(mail).decode()}, expect: {{}}}}\n"
    )

    assert not results.passed
    assert results.outcomes[0].failure.startswith("its message cannot be made: ")
