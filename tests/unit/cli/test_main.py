"""The frame: exit codes, one-line failures, start-up, terminals."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailrules.cli.group import COMMANDS
from mailrules.cli.terminal import safe

MAIN = "import sys; from mailrules.cli.main import main; code = main({arguments}); {then}; sys.exit(code)"
HEAVY = frozenset(
    {
        "alembic",
        "authlib",
        "charset_normalizer",
        "croniter",
        "httpx2",
        "imapclient",
        "jsonschema",
        "mailrules.engine",
        "mailrules.store",
        "mailrules.testing",
        "rich",
        "selectolax",
        "sqlalchemy",
    }
)
"""What only some commands need."""


def process(arguments, *, then="pass"):
    """`mailrules` as a process of its own; without what readline puts into the environment behind Python's back."""
    code = MAIN.format(arguments=arguments, then=then)
    environment = dict(os.environ)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)


def test_help_lists_every_command_with_a_sentence_that_fits(run):
    told = run("--help")

    listed = {line.split()[0]: line for line in told.out.splitlines() if line.startswith("  ")}
    assert told.code == 0
    assert set(COMMANDS) <= set(listed)
    assert all(listed[name].endswith(".") and "..." not in listed[name] for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    told = run(command, "--help")

    assert told.code == 0
    assert f"Usage: mailrules {command}" in told.out


def test_the_version_is_told(run):
    assert run("--version").out.startswith("mailrules 0.")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("dryrun", "no command 'dryrun': did you mean 'dry-run'?"),
        ("frobnicate", "no command 'frobnicate' (there are: init, check,"),
    ],
)
def test_a_command_that_is_not_there_gets_what_was_meant(run, typed, said):
    told = run(typed)

    assert told.code == 2
    assert said in told.err


def test_a_failure_is_one_line_and_its_traceback_is_for_those_who_ask(run, workspace):
    Path(".mailrules").mkdir()
    Path(".mailrules/journal.sqlite3").write_bytes(b"this is no database, " * 100)

    plain, verbose = run("log"), run("log", "-v")

    assert plain.code == verbose.code == 3
    assert plain.err.startswith("mailrules: ")
    assert len(plain.err.splitlines()) == 1
    assert "Traceback" in verbose.err


@pytest.mark.parametrize("arguments", [["--help"], ["check"], ["--version"]])
def test_start_up_imports_only_what_it_needs(workspace, arguments):
    done = process(arguments, then="print(*sys.modules, file=sys.stderr)")

    assert done.returncode == 0
    assert not HEAVY & set(done.stderr.split())


def test_a_reader_that_has_seen_enough_is_no_failure(workspace):
    command = [sys.executable, "-c", "import sys; from mailrules.cli.main import main; sys.exit(main())", "plugins"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process_:
        process_.stdout.close()
        assert process_.stderr.read() == b""
        assert process_.wait(20) == 141


def on_terminal(arguments, **environment):
    """What `mailrules` writes on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    code = MAIN.format(arguments=arguments, then="pass")
    terminal = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment}
    with subprocess.Popen([sys.executable, "-c", code], stdout=follower, stderr=follower, env=terminal) as process_:
        os.close(follower)
        written = b""
        while chunk := _read(leader):
            written += chunk
        process_.wait(20)
    os.close(leader)
    return written.decode()


def _read(leader):
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""


def test_colour_is_for_terminals_that_want_it(workspace):
    Path("rules/inbox.yaml").write_text("version: 1\nrules: [{name: x, match: {subjet: y}}]\n")

    assert "\x1b[31m" in on_terminal(["check"])
    assert "\x1b[" not in on_terminal(["check"], NO_COLOR="1")
    assert "\x1b[" not in process(["check"]).stdout


def test_a_table_fits_a_narrow_terminal(run, workspace):
    written = on_terminal(["dry-run"], NO_COLOR="1")

    lines = re.sub(r"\x1b\[\d*m", "", written).splitlines()
    assert any("welcome" in line for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_off_a_terminal_what_would_happen_is_not_broken_over_lines(workspace, deliver):
    deliver("2.b", "Welcome to mailrules, " + "and so on, " * 30)

    told = process(["dry-run"])

    assert any(line.endswith("and so on,") and len(line) > 200 for line in told.stdout.splitlines())
    assert not [line for line in told.stdout.splitlines() if line.endswith(" ")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain Grüße ☕", "plain Grüße ☕"),
        ("two\r\nlines\tand a tab", "two  lines and a tab"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("\u202eesrever\u2066", "esrever"),
        ("broken \udce9 surrogate", "broken \ufffd surrogate"),
        ("  around  ", "around"),
    ],
)
def test_what_mail_says_is_shown_and_cannot_act(written, shown):
    assert safe(written) == shown
