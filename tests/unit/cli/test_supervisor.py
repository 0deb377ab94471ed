"""What `mailrules run` tells its supervisor: systemd's protocol on a real socket."""

import os
import signal
import socket

import pytest
from tests.unit.cli.daemon import Daemon, edit

from mailrules.cli.supervisor import Supervisor


class Listening:
    """The supervisor's end."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def hears(self, word):
        """The next datagram that holds *word*, as its lines; others are passed over."""
        while word not in (lines := self.socket.recv(4096).decode().split("\n")):
            pass
        return lines


@pytest.fixture(params=["file", "abstract"])
def address(request, tmp_path):
    """As it stands in NOTIFY_SOCKET."""
    return str(tmp_path / "notify") if request.param == "file" else f"@mailrules-test-{os.getpid()}"


@pytest.fixture
def supervisor(address):
    listening = Listening(address.replace("@", "\0"))
    yield listening
    listening.socket.close()


def test_it_says_when_it_is_ready_that_it_is_alive_that_it_reads_files_and_that_it_ends(workspace, address, supervisor):
    with Daemon(NOTIFY_SOCKET=address, WATCHDOG_USEC="400000") as daemon:
        assert supervisor.hears("READY=1") == ["READY=1", "STATUS=listening: 1 listener"]
        for _ in range(3):
            supervisor.hears("WATCHDOG=1")

        daemon.signal(signal.SIGHUP)
        assert supervisor.hears("RELOADING=1")[1].startswith("MONOTONIC_USEC=")
        assert supervisor.hears("READY=1") == ["READY=1", "STATUS=listening: 1 listener"]

        edit("mailrules.yaml", "version: 1", "version: 2")
        daemon.signal(signal.SIGHUP)
        assert supervisor.hears("READY=1")[1].startswith("STATUS=the files have 1 error and are not taken up; ")

        daemon.signal(signal.SIGTERM)
        supervisor.hears("STOPPING=1")
        assert daemon.process.wait(20) == 0


def test_without_a_supervisor_it_says_nothing_and_runs(workspace):
    with Daemon() as daemon:
        assert daemon.end() == 0


def test_a_supervisor_that_is_gone_hinders_nobody(workspace, tmp_path):
    with Daemon(NOTIFY_SOCKET=str(tmp_path / "gone"), WATCHDOG_USEC="400000") as daemon:
        assert daemon.end() == 0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_it_is_watched_when_it_is_meant(address, told, seconds):
    supervisor = Supervisor({"NOTIFY_SOCKET": address} | told)

    assert supervisor.watch == seconds
    supervisor.close()
