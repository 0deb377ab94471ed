from __future__ import annotations

import sys
import time

import pytest

from mailrules.api import OptionsError, Permanent, Transient, build_options
from mailrules.builtin.action.command import COMMAND
from mailrules.testing.context import SAMPLE, recording_context


def python(code, *arguments):
    return {"run": [sys.executable, "-c", f"import os, sys, json, time, subprocess\n{code}", *arguments]}


def test_the_message_stands_on_standard_input_octet_for_octet(act, tmp_path):
    act(COMMAND, python(f"open({str(tmp_path / 'got')!r}, 'wb').write(sys.stdin.buffer.read())"))

    assert (tmp_path / "got").read_bytes() == SAMPLE


def test_with_input_none_there_is_nothing_to_read_and_no_body_needed(act, tmp_path):
    options = python("print(json.dumps({'read': sys.stdin.read()}))") | {"input": "none"}

    assert act(COMMAND, options) == {"read": ""}
    assert not COMMAND.needs_body(build_options(COMMAND.options, options, root=tmp_path))


def test_facts_stand_in_the_environment(act):
    told = act(COMMAND, python("print(json.dumps(dict(os.environ)))"), match={"number": "42\0"}, data={"owner": "kim"})

    assert {name: value for name, value in told.items() if name.startswith(("MAILRULES_", "MATCH_"))} == {
        "MAILRULES_ACCOUNT": "support",
        "MAILRULES_DATA": '{"owner": "kim"}',
        "MAILRULES_DATE": "2026-03-02T10:15:00+01:00",
        "MAILRULES_FROM": "ada@acme.example",
        "MAILRULES_FROM_NAME": "Ada Field",
        "MAILRULES_IDEMPOTENCY_KEY": "key-1",
        "MAILRULES_LISTENER": "support-inbox",
        "MAILRULES_MESSAGE_ID": "<invoice-42@acme.example>",
        "MAILRULES_RULE": "acme invoices",
        "MAILRULES_SUBJECT": "Invoice #42",
        "MAILRULES_TO": "support@desk.example",
        "MATCH_number": "42",
    }


def test_secrets_of_our_own_environment_are_passed_on_only_by_name(act, monkeypatch):
    monkeypatch.setenv("DESK_SECRET", "s3cret")
    code = "print(json.dumps({'got': os.environ.get('DESK_SECRET'), 'path': bool(os.environ.get('PATH'))}))"

    assert act(COMMAND, python(code)) == {"got": None, "path": True}
    assert act(COMMAND, python(code) | {"environment": ["DESK_SECRET"]}) == {"got": "s3cret", "path": True}


def test_there_is_no_shell_between_a_mail_and_the_program(act, tmp_path):
    value = f"$(touch {tmp_path}/evil); `id` && x 'y' \"z\""

    assert act(COMMAND, python("print(json.dumps({'a': sys.argv[1:]}))", "{{ match.x }}"), match={"x": value}) == {
        "a": [value]
    }
    assert not (tmp_path / "evil").exists()


def test_a_very_long_subject_still_starts_the_program(act):
    raw = b"Subject: " + b"x" * 300_000 + b"\n\n"

    assert act(COMMAND, python("print(json.dumps({'n': len(os.environ['MAILRULES_SUBJECT'])}))"), raw=raw)["n"] > 1000


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("print('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("print('[1]')", {"output": "[1]"}),
        ("print('done')", {"output": "done"}),
        ("print('one\\ntwo\\n')", {"output": "one\ntwo"}),
        ("pass", {"output": ""}),
        ("print('{\"a\": NaN}')", {"output": '{"a": NaN}'}),
        ("sys.stdout.buffer.write(b'x' * 100_000)", {"output": "x" * 4096}),
        ("sys.stdout.buffer.write(b'\\xff')", {"output": "\ufffd"}),
    ],
)
def test_output_becomes_data(act, code, result):
    assert act(COMMAND, python(code)) == result


@pytest.mark.parametrize(
    ("code", "failure", "reason"),
    [
        ("sys.exit(75)", Transient, "exit status 75: without a word"),
        ("sys.exit(1)", Permanent, "exit status 1"),
        ("sys.exit('first\\nno such customer\\n')", Permanent, "exit status 1: no such customer"),
        ("os.kill(os.getpid(), 9)", Permanent, "ended by signal 9"),
    ],
)
def test_the_exit_status_says_later_or_never(act, code, failure, reason):
    with pytest.raises(failure, match=reason):
        act(COMMAND, python(code))


@pytest.mark.parametrize("program", ["/no/such/program", "no-such-program-here", "/", "/etc/hostname"])
def test_a_program_that_cannot_be_run_fails_for_good(act, program):
    with pytest.raises(Permanent, match=f"cannot run {program}"):
        act(COMMAND, {"run": [program]})


def alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123 - the kernel's word
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("by", ["its own timeout", "the deadline of the step"])
def test_it_is_killed_with_all_that_it_started_when_time_is_up(act, tmp_path, by):
    children = tmp_path / "children"
    options = python(
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(children)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"time.sleep(60)"
    )
    context = recording_context(tmp_path, seconds=3 if by.startswith("the") else 60)
    started = time.monotonic()
    with pytest.raises(Transient, match="was killed after"):
        act(COMMAND, options | ({} if by.startswith("the") else {"timeout": "3s"}), context=context)

    assert time.monotonic() - started < 20
    time.sleep(0.2)
    assert [alive(int(process)) for process in children.read_text().split()] == [False, False]


def test_what_has_left_its_group_and_session_is_killed_too(act, tmp_path):
    children = tmp_path / "children"
    code = f"""
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open({str(children)!r}, "a").write(f"{{os.getpid()}} ")
        time.sleep(60)
time.sleep(60)
"""
    with pytest.raises(Transient, match="was killed after"):
        act(COMMAND, python(code) | {"timeout": "2s"})

    time.sleep(0.2)
    left = children.read_text().split()
    assert [alive(int(process)) for process in left] == [False, False]


def test_a_program_that_writes_without_end_is_killed(act):
    started = time.monotonic()
    with pytest.raises(Permanent, match="was killed: it had written over 64 MiB"):
        act(COMMAND, python("while True: sys.stdout.buffer.write(b'x' * 100_000)"))
    assert time.monotonic() - started < 20


def test_a_child_that_stays_behind_with_the_output_open_holds_nobody_up(act):
    code = "print('done'); sys.stdout.flush()\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'])"
    started = time.monotonic()

    assert act(COMMAND, python(code)) == {"output": "done"}
    assert time.monotonic() - started < 6


def test_without_time_left_nothing_is_started(act, tmp_path):
    with pytest.raises(Transient, match="no time left"):
        act(COMMAND, python(f"open({str(tmp_path / 'ran')!r}, 'w')"), context=recording_context(tmp_path, seconds=-1))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "options", [{"run": []}, {"run": ["{{ message.subject }}"]}, {"run": "ls -l"}, {"run": ["ls"], "timeout": 5}]
)
def test_what_cannot_be_run_is_refused_before_any_run(tmp_path, options):
    with pytest.raises(OptionsError):
        build_options(COMMAND.options, options, root=tmp_path)


def test_a_description_is_the_command_line(describe):
    assert describe(COMMAND, ["echo", "{{ message.subject }}"]) == "run echo 'Invoice #42'"
