"""A protocol of a plugin that fails in its own way takes nothing down but its listener."""

from pathlib import Path

import pytest

ODD = """
from mailrules.api import NoCredential, Options, ReceiveProtocol, hookimpl

class Odd(Options, frozen=True):
    pass

def open_odd(options, credential, place):
    {deed}

@hookimpl
def mailrules_protocols():
    yield ReceiveProtocol(name="odd", summary="Fails.", options=Odd, open=open_odd)
"""
MAIN = """\
version: 1
accounts:
  bad: {receive: {odd: {}}}
  good: {receive: {maildir: mailbox}}
listeners:
  bad: {account: bad, start: all, rules: []}
  good: {account: good, start: all, rules: []}
"""


@pytest.fixture(params=["raise SystemExit(5)", "raise KeyError('host')"], ids=["exits", "raises"])
def odd(request, workspace):
    """What it is told as, in a workspace where one of two listeners reads by it."""
    (workspace / "plugins").mkdir(exist_ok=True)
    (workspace / "plugins" / "odd.py").write_text(ODD.format(deed=request.param))
    Path("mailrules.yaml").write_text(MAIN)
    return {"raise SystemExit(5)": "SystemExit: 5"}.get(request.param, "KeyError: 'host'") + " (in odd.py:8)"


@pytest.mark.parametrize("command", [("run", "--once"), ("dry-run",)], ids=" ".join)
def test_a_pass_that_a_protocol_ends_is_told_with_its_line_and_the_next_listener_runs(odd, run, command):
    told = run(*command)

    assert told.code == 3
    assert odd in told.out + told.err
    assert "good" in told.out
    assert "Welcome to mailrules" in told.out


def test_accounts_test_tells_the_line_of_the_plugin(odd, run):
    told = run("accounts", "test", "bad")

    assert told.code == 1
    assert odd in told.out.replace("\n", "")
