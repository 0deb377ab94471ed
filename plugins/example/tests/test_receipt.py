"""The action `receipt`: the contract of every action, and what is special to it."""

from __future__ import annotations

import pytest
from mailrules_example import RECEIPT

from mailrules.api import build_options
from mailrules.testing.action_contract import ActionContract
from mailrules.testing.context import action_data, message_of, recording_context


class TestReceipt(ActionContract):
    action = RECEIPT
    options = "seen: {{ message.subject }}"


@pytest.fixture
def context(tmp_path):
    return recording_context(tmp_path, key="abc")


def run(options, context, **data):
    message = message_of()
    action = RECEIPT.build(build_options(RECEIPT.options, options, root=context.files.root))
    return action.run(message, action_data(message, **data), context)


def test_it_says_who_wrote_what_and_the_note(context):
    result = run({"note": "number {{ match.number }}", "to": "night"}, context, match={"number": "42"})

    assert context.files.saved() == {
        "night/abc.txt": b"From: Ada Field <ada@acme.example>\nSubject: Invoice #42\nNote: number 42\n"
    }
    assert result == {"receipt": "night/abc.txt"}


def test_a_note_from_a_mail_stays_one_line(context):
    run("{{ match.x }}", context, match={"x": "a\nFrom: somebody else"})

    assert context.files.saved()["receipts/abc.txt"].endswith(b"\nNote: a From: somebody else\n")
