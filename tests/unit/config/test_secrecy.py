"""Lines are shown without what is secret in them, and the caret stays where it belongs."""

from __future__ import annotations

import pytest

from mailrules.api import Secret
from mailrules.api.options import redact
from mailrules.config.secrecy import strike_out, strike_out_line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("password: hunter2", "password: ***"),
        ("{login: a, passwrd: 'hun ter', x: 1}", "{login: a, passwrd: ***, x: 1}"),
        ('client_secret: "hun\\"ter"', "client_secret: ***"),
        ("api-key: abc # note", "api-key: ***"),
        ("Authorization: 'Bearer abc'", "Authorization: ***"),
        ("password: 'never closed", "password: ***"),
        ("journal: postgresql://me:hunter2@db.example/mail", "journal: postgresql://me:***@db.example/mail"),
        ('password: "env:NAME"', 'password: "env:NAME"'),
        ("password: file:secrets/mail", "password: file:secrets/mail"),
        ("auth: {password: {login: a}}", "auth: {password: {login: a}}"),
        ("token_url: https://login.example/token", "token_url: https://login.example/token"),
        ("subject: password reset", "subject: password reset"),
        ("passwd: &anchor x", "passwd: &anchor x"),
    ],
)
def test_a_line_is_shown_as(line, shown):
    assert strike_out(line, ()) == shown


def test_a_known_secret_is_struck_out_wherever_it_stands():
    assert strike_out("x: hunter2, y: a hunter2 b", {"hunter2"}) == "x: ***, y: a *** b"


@pytest.mark.parametrize(
    ("piece", "underlined"),
    [("extra", "extra"), ("hunter2", "***"), ("pass", "pass"), ("unter", "***")],
)
def test_what_is_underlined_stays_underlined(piece, underlined):
    line = "{pass_word: x, password: hunter2, extra: 1}".replace("pass_word", "pass")
    begin = line.index(piece)

    shown, first, last = strike_out_line(line, (), begin, begin + len(piece))

    assert shown[first:last] == underlined


def test_a_short_secret_is_struck_out_in_its_own_place_only():
    assert strike_out_line("{header: e, other: here}", (), 12, 17, places=[(9, 10)]) == (
        "{header: ***, other: here}",
        14,
        19,
    )


def test_what_is_written_down_loses_secrets_but_no_words():
    for secret in ("e", "of", "a long one"):
        Secret(secret).reveal()

    assert redact("some of these: a long one") == "some of these: ***"
