"""The run in which everything fails in turns, in a minute and a half: `make reliability` is the long one."""

from __future__ import annotations

import os

import pytest
from benchmarks.reliability.run import run
from tests.servers.testbed import DAEMONS

SECONDS = 60.0
FAULTS = 10


@pytest.fixture
def every_server():
    """Skips, or fails where all must be there, for want of a server."""
    lacking = [reason for name in ("oidc", "dovecot", "postfix", "cyrus") if (reason := DAEMONS[name].missing())]
    if lacking:
        (pytest.fail if os.environ.get("MAILRULES_REQUIRE_SERVERS") == "1" else pytest.skip)(lacking[0])


@pytest.mark.usefixtures("every_server")
def test_whatever_fails_every_message_is_handled_exactly_once_and_every_listener_comes_back(tmp_path):
    result = run(SECONDS, rate=2.0, idle=True, keep=tmp_path / "workspace")

    assert result.complaints == []
    assert len(result.recoveries) == FAULTS
    assert result.verdict.handled > result.verdict.delivered > SECONDS
    assert max(sample.descriptors for sample in result.samples) < 200
