from __future__ import annotations

import time
from textwrap import dedent

import pytest

from mailrules.api import Permanent, Transient
from mailrules.builtin.action.script import SCRIPT
from mailrules.testing.context import NOW, recording_context

IMPORTS = "import os\nfrom mailrules.api import Permanent, Transient"


@pytest.fixture
def call(act, tmp_path):
    """Writes a script, and calls it."""

    def call_(code, *, more=None, **how):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "one.py").write_text(dedent(code))
        return act(SCRIPT, {"file": "scripts/one.py", **(more or {})}, **how)

    return call_


def test_the_mapping_that_it_returns_becomes_data(call):
    code = """
        def run(message, data, context):
            return {"words": len(message.text.split()), "from": message.author.address, "none": None, "list": (1, 2)}
    """

    assert call(code) == {"words": 5, "from": "ada@acme.example", "none": None, "list": [1, 2]}


def test_it_sees_the_message_what_templates_see_and_its_context(call, context):
    code = """
        def run(message, data, context):
            assert data["message"] is message
            return {
                "attachment": message.attachments[0].content()[:4].decode(),
                "match": data["match"]["number"], "data": data["data"], "rule": data["listener"]["rule"],
                "now": data["now"].isoformat(), "key": context.idempotency_key, "due": context.deadline.isoformat(),
            }
    """

    assert call(code, match={"number": "42"}, data={"owner": "kim"}) == {
        "attachment": "%PDF",
        "match": "42",
        "data": {"owner": "kim"},
        "rule": "acme invoices",
        "now": NOW.isoformat(),
        "key": context.idempotency_key,
        "due": context.deadline.isoformat(),
    }


def test_nothing_returned_is_no_data(call):
    assert call("def run(message, data, context): pass") == {}


def test_what_it_prints_goes_to_the_log_and_not_into_the_result(call, context):
    call("""
        import os
        def run(message, data, context):
            print("looked at\\x1b[2J", message.subject)
            os.system("echo by a child")
            return {}
    """)

    assert {"scripts/one.py: looked at [2J Invoice #42", "scripts/one.py: by a child"} == {
        text for _, text in context.log.lines
    }


def test_what_it_printed_before_it_failed_goes_to_the_log_too(call, context):
    with pytest.raises(Permanent):
        call("""
            def run(message, data, context):
                print("asking for customer 7")
                raise Permanent("no such customer")
        """)

    assert [text for _, text in context.log.lines] == ["scripts/one.py: asking for customer 7"]


@pytest.mark.parametrize(
    ("code", "failure", "reason"),
    [
        ("raise Transient('away', after=30)", Transient, "away"),
        ("raise Permanent('no such customer')", Permanent, "no such customer"),
        ("raise KeyError('x')", Permanent, r"KeyError: 'x' \(line 4\)"),
        ("raise SystemExit(3)", Permanent, r"SystemExit: 3 \(line 4\)"),
        ("os._exit(3)", Permanent, "exit status 3: without a word"),
        ("os.kill(os.getpid(), 9)", Permanent, "ended by signal 9"),
        ("return [1]", Permanent, "it returned list where a mapping or None is meant"),
        ("return {'a': object()}", Permanent, "it returned what JSON cannot hold"),
        ("return {'a': float('nan')}", Permanent, "it returned what JSON cannot hold"),
        ("return {'a': 'x' * 100_000}", Permanent, "its result is over 64 KiB of JSON"),
        ("return {'a': len(bytearray(1 << 32))}", Permanent, "it took more than"),
        ("return deeper(0)", Permanent, "RecursionError"),
    ],
)
def test_later_and_never_are_told_apart_and_say_where(call, code, failure, reason):
    with pytest.raises(failure, match=rf"^scripts/one\.py: {reason}") as error:
        call(f"{IMPORTS}\ndef run(message, data, context):\n    {code}\ndef deeper(n): return deeper(n + 1)\n")
    assert getattr(error.value, "after", None) == (30 if code.startswith("raise Transient") else None)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def run(message, data, context)\n    pass", r"no Python: .* \(line 1\)"),
        ("x = 1\nimport nothing_like_this", r"ModuleNotFoundError: No module named 'nothing_like_this' \(line 2\)"),
        ("def ran(): pass", "it has no function 'run'"),
    ],
)
def test_a_script_that_was_changed_for_the_worse_since_the_check_says_so(call, code, reason):
    with pytest.raises(Permanent, match=reason):
        call(code)


def test_a_script_that_is_gone_fails_for_good(act):
    with pytest.raises(Permanent, match=r"gone\.py cannot be read: No such file"):
        act(SCRIPT, "gone.py")


def test_secrets_of_our_own_environment_are_passed_on_only_by_name(call, monkeypatch):
    monkeypatch.setenv("DESK_SECRET", "s3cret")
    code = "import os\ndef run(message, data, context): return {'got': os.environ.get('DESK_SECRET')}"

    assert call(code) == {"got": None}
    assert call(code, more={"environment": ["DESK_SECRET"]}) == {"got": "s3cret"}


def test_each_message_meets_a_fresh_process(call):
    code = "seen = []\ndef run(message, data, context):\n    seen.append(1)\n    return {'seen': len(seen)}"

    assert [call(code), call(code)] == [{"seen": 1}] * 2


def test_it_leaves_nothing_behind_in_the_workspace(call, tmp_path):
    call("def run(message, data, context): pass")

    assert [path.name for path in (tmp_path / "scripts").iterdir()] == ["one.py"]


@pytest.mark.parametrize("by", ["its own timeout", "the deadline of the step"])
def test_it_is_killed_when_its_time_is_up(call, tmp_path, by):
    own = by.startswith("its")
    started = time.monotonic()
    with pytest.raises(Transient, match=r"^scripts/one\.py: killed after"):
        call(
            "def run(message, data, context):\n    while True: pass",
            more={"timeout": "2s"} if own else {},
            context=recording_context(tmp_path, seconds=60 if own else 2),
        )
    assert time.monotonic() - started < 8


def test_a_description_is_the_file(describe):
    assert describe(SCRIPT, "scripts/one.py") == "run scripts/one.py"


def test_a_fork_that_comes_back_gives_no_second_result(call):
    code = """
        import os
        def run(message, data, context):
            child = os.fork()
            if child:
                os.waitpid(child, 0)
            return {"child": not child}
    """

    assert call(code) == {"child": False}
