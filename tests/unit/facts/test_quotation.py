"""What somebody wrote, apart from what they quote: texts as the usual mail programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrules.core import quotation

CASES = YAML(typ="safe", pure=True).load((Path(__file__).parent / "replies.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_writers_own_words_are_told_from_the_others(case):
    found = quotation.split(case["text"])

    assert found.reply == case["reply"]
    assert found.signature == case.get("signature", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_word_of_the_message_that_is_answered_is_quoted(case):
    found = quotation.split(case["text"])
    asked = [line for line in case["text"].splitlines() if line.startswith(">") or "Would Tuesday" in line]

    assert all(line.strip() in found.quoted for line in asked)


def test_evidence_tells_the_line_and_what_stands_there():
    found = quotation.split("Yes.\n\n-- \nJo\n\nOn 2 Mar 2026, Desk wrote:\n> Tuesday?\n")

    assert found.evidence == "signature from line 3: --; quoted from line 7: > Tuesday?"


def test_a_text_of_its_own_has_nothing_quoted():
    assert quotation.split("Hello.").evidence == "nothing is quoted"


def test_what_is_beyond_the_limit_is_not_taken_apart_but_not_lost():
    found = quotation.split("x" * quotation.MOST + "> beyond")

    assert found.reply == "x" * quotation.MOST
    assert found.quoted == "> beyond"
