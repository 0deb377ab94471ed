"""Values in the options of what ships that can be seen to fail: `check` tells of them before any mail comes."""

from __future__ import annotations

import pytest

from mailrules.config.load import load_rules

RULES = "version: 1\nrules:\n  - name: a\n    actions:\n      - {action}\n"


def found(action):
    return [(each.word, each.message) for each in load_rules(RULES.replace("{action}", action))[1]]


@pytest.mark.parametrize(
    ("action", "word", "sentence"),
    [
        ("webhook: ftp://example.com/", "bad-options", "not an http or https URL"),
        ("webhook: {url: 'https:///path'}", "bad-options", "not an http or https URL"),
        ("webhook: example.com/hook", "bad-options", "not an http or https URL"),
        ("send: {from: desk@example.com, to: nobody}", "bad-options", "nobody"),
        ("send: {from: desk, to: jo@example.com}", "bad-options", "desk"),
        ("send: {from: desk@example.com, to: jo@example.com, bcc: [ok@example.com, 'a b@x@y']}", "bad-options", "a b"),
        ("command: [no-such-program-anywhere, x]", "doubtful-option", "no-such-program-anywhere"),
    ],
)
def test_a_constant_that_cannot_work_is_told(action, word, sentence):
    ((told, message),) = found(action)

    assert told == word
    assert sentence in message


@pytest.mark.parametrize(
    ("action", "help_"),
    [
        ("lgo: a line", "did you mean 'log'?"),
        ("command: echo x", "write [program, argument]: there is no shell that would take the text apart"),
        ("command: {run: echo x}", "write [program, argument]: there is no shell that would take the text apart"),
    ],
)
def test_a_slip_is_answered_with_how_it_is_written(action, help_):
    (told,) = load_rules(RULES.replace("{action}", action))[1]

    assert told.help == help_


@pytest.mark.parametrize(
    "action",
    [
        "webhook: https://example.com/hook",
        'webhook: "{{ message.subject }}"',
        (
            "send: {from: Desk <desk@example.com>, "
            "to: ['Jo <jo@example.com>, b@example.com', '{{ message.author.address }}'], cc: ''}"
        ),
        "command: [sh, -c, 'exit 0']",
        "command: [./not-here-yet]",
    ],
)
def test_a_value_that_may_work_is_not(action):
    assert found(action) == []
