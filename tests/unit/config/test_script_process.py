"""Rule scripts are asked in a process of their own: what hangs is killed, and the next message meets another."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest

from mailrules.config.script_process import ScriptError, ScriptProcess
from mailrules.testing.context import SAMPLE, message_of


@pytest.fixture
def script(tmp_path):
    def script_(code, *, seconds=10.0, **more):
        return ScriptProcess(tmp_path / "one.py", dedent(code), seconds=seconds, **more)

    return script_


@pytest.mark.parametrize("answer", [1, 4, 7, None])
def test_a_number_or_nothing_is_the_answer(script, answer):
    assert script(f"def decide(mail): return {answer}")(message_of()) == answer


@pytest.mark.parametrize("answer", ["True", "'keep'", "[1, 2]"])
def test_anything_else_is_shown_as_it_looks(script, answer):
    assert repr(script(f"def decide(mail): return {answer}")(message_of())) == answer


def test_it_sees_the_whole_message(script):
    code = "def decide(mail): return len(mail.raw) if mail.attachments[0].content().startswith(b'%PDF') else 0"

    assert script(code)(message_of()) == len(SAMPLE)


def test_what_it_raises_looks_as_it_does_there_and_it_goes_on(script):
    asked = script("""
        seen = []
        def decide(mail):
            seen.append(1)
            return len(seen) if len(seen) != 2 else 1 / 0
    """)

    assert asked(message_of()) == 1
    with pytest.raises(ScriptError) as error:
        asked(message_of())
    assert repr(error.value) == "ZeroDivisionError('division by zero')"
    assert asked(message_of()) == 3


@pytest.mark.parametrize(
    ("code", "failure", "says"),
    [
        ("while True: pass", TimeoutError, "no answer within 2 s"),
        ("import time; time.sleep(60)", TimeoutError, "no answer within 2 s"),
        ("import os; os._exit(1)", ChildProcessError, "ended without an answer"),
        ("import os; os.kill(os.getpid(), 9)", ChildProcessError, "ended without an answer"),
    ],
)
def test_one_that_hangs_or_ends_costs_one_message_and_little_time(script, code, failure, says):
    asked = script(f"def decide(mail):\n  if 'Invoice' in mail.subject:\n    {code}\n  return 2", seconds=2)
    started = time.monotonic()
    with pytest.raises(failure, match=says):
        asked(message_of())

    assert asked(message_of(b"Subject: else\r\n\r\n")) == 2
    assert time.monotonic() - started < 10


def test_one_that_wants_all_memory_gets_an_error(script):
    with pytest.raises(ScriptError, match="MemoryError"):
        script("def decide(mail): return len(bytearray(1 << 34))", memory=1 << 30)(message_of())


def test_a_message_costs_little(script):
    asked = script("def decide(mail): return 2 if 'Invoice' in mail.subject else None")
    asked(message_of())
    messages = [message_of() for _ in range(200)]
    started = time.monotonic()
    for message in messages:
        asked(message)

    assert (time.monotonic() - started) / len(messages) < 0.005


def test_a_fork_that_comes_back_answers_for_nobody(script):
    asked = script("""
        import os, time
        def decide(mail):
            if mail.subject == "fork":
                if os.fork() == 0:
                    time.sleep(0.2)
                    return 1
                return 2
            time.sleep(0.4)
            return 4
    """)

    assert [asked(message_of(f"Subject: {word}\n\n".encode())) for word in ("fork", "a", "b")] == [2, 4, 4]
