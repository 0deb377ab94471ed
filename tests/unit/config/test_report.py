"""The three formats in which diagnostics are told."""

from __future__ import annotations

import json

import pytest

from mailrules.config.diagnostic import Diagnostic
from mailrules.config.load import load_rules
from mailrules.config.report import render, summary
from mailrules.model.span import Span

FOUND = Diagnostic(
    Span("rules/a.yaml", 8, 9, 15),
    "unknown-action",
    "no plugin gives the action 'webhok'",
    "did you mean 'webhook'?",
    source="      - webhok: {url: x}",
    underline=(8, 14),
)


def test_text_shows_the_line_and_what_is_meant():
    assert render([FOUND]) == (
        "rules/a.yaml:8:9: error[unknown-action]: no plugin gives the action 'webhok'\n"
        "   8 |       - webhok: {url: x}\n"
        "     |         ^^^^^^\n"
        "  help: did you mean 'webhook'?\n"
    )


def test_text_of_a_whole_file_has_no_line():
    assert render([Diagnostic(Span("mailrules.yaml"), "no-file", "it is not there")]) == (
        "mailrules.yaml: error[no-file]: it is not there\n"
    )


def test_colour_adds_nothing_but_colour():
    import re

    coloured = render([FOUND], colour=True)

    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == render([FOUND])


def test_json_is_a_list_of_objects():
    (told,) = json.loads(render([FOUND], format="json"))

    assert told == {
        "file": "rules/a.yaml",
        "line": 8,
        "column": 9,
        "end_column": 15,
        "severity": "error",
        "word": "unknown-action",
        "message": "no plugin gives the action 'webhok'",
        "help": "did you mean 'webhook'?",
    }


def test_json_of_nothing_is_an_empty_list():
    assert json.loads(render([], format="json")) == []
    assert render([]) == render([], format="github") == ""


def test_github_escapes_what_would_break_a_command():
    found = Diagnostic(Span("a,b:c.yaml", 1, 2, 3), "bad-regex", "100%\nlost", "a\rb", severity="warning")

    assert render([found], format="github") == (
        "::warning file=a%2Cb%3Ac.yaml,line=1,col=2,endColumn=3,title=warning[bad-regex]::100%25%0Alost%0Ahelp: a%0Db\n"
    )


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_folder_stands_before_every_file(form):
    assert "mail/rules/a.yaml" in render([FOUND], format=form, folder="mail")


@pytest.mark.parametrize(
    ("line", "piece", "below"),
    [
        ("\ta: b", "b", "\t   ^"),
        ("名前: b", "b", "      ^"),
        ("a: 名前", "名前", "   ^^^^"),
        ("e\u0301: b", "b", "   ^"),
    ],
)
def test_the_caret_stands_below_its_place(line, piece, below):
    begin = line.index(piece)
    found = Diagnostic(Span("a", 1, begin + 1), "x", "m", source=line, underline=(begin, begin + len(piece)))

    assert render([found]).splitlines()[2] == f"     | {below}"


def test_of_a_long_line_the_part_that_matters_is_shown():
    line = "x" * 500 + "HERE" + "y" * 500
    found = Diagnostic(Span("a", 1, 501), "x", "m", source=line, underline=(500, 504))

    _, shown, carets = render([found]).splitlines()
    assert len(shown) < 150
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_control_characters_do_not_reach_the_terminal():
    _, found = load_rules("version: 1\nrules:\n  - name: a\x1b[31mb\n", registry=None)

    assert "\x1b" not in render(found)


@pytest.mark.parametrize(
    ("severities", "said"),
    [
        ([], "no findings"),
        (["error"], "1 error"),
        (["warning", "error", "warning"], "1 error, 2 warnings"),
        (["warning"], "1 warning"),
    ],
)
def test_a_summary_counts(severities, said):
    assert summary([Diagnostic(Span("a"), "x", "m", severity=each) for each in severities]) == said
