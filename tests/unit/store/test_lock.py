"""One process a workspace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mailrules.store.lock import Locked, WorkspaceLock
from mailrules.store.lock import holder as holder_of

HOLDER = """
import sys
from mailrules.store.lock import WorkspaceLock
with WorkspaceLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "lock"


@pytest.fixture
def holder(path):
    """Another process that holds the lock until it is told to end or killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_told_who_is_there(path, holder):
    with pytest.raises(Locked, match=f"process {holder.pid} works on this workspace") as caught:
        WorkspaceLock(path).acquire()
    assert caught.value.pid == holder.pid


def test_it_is_free_after_a_clean_end(path, holder):
    holder.communicate()
    with WorkspaceLock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_it_is_free_after_a_kill(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert path.read_text() == f"{holder.pid}\n"  # what a crash leaves says nothing
    with WorkspaceLock(path):
        assert path.read_text() == f"{os.getpid()}\n"


def test_a_second_lock_in_the_same_process_is_refused_too(path):
    with WorkspaceLock(path) as held:
        for second in (WorkspaceLock(path), held):
            with pytest.raises(Locked) as caught:
                second.acquire()
            assert caught.value.pid == os.getpid()


def test_it_can_be_taken_again_after_release(path):
    lock = WorkspaceLock(path)
    for _ in range(2):
        lock.acquire()
        lock.release()
        lock.release()
    assert path.read_text() == ""


def test_a_program_that_the_holder_starts_does_not_hold_it(path):
    with WorkspaceLock(path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with WorkspaceLock(path):
            assert child.poll() is None
    finally:
        child.communicate(b"\n")


def test_its_file_and_folder_are_this_users_alone(path):
    with WorkspaceLock(path):
        assert [each.stat().st_mode & 0o777 for each in (path.parent, path)] == [0o700, 0o600]


def test_who_holds_it_can_be_asked_without_getting_in_the_way(path, holder):
    assert holder_of(path) == holder.pid
    holder.communicate()
    assert holder_of(path) is None


def test_nobody_holds_what_is_not_there(path):
    assert holder_of(path) is None
    assert not path.exists()


def test_a_killed_holder_holds_nothing_whoever_has_its_number_now(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert holder_of(path) is None
    path.write_text(f"{os.getpid()}\n")
    assert holder_of(path) is None
