"""Tokens are kept whole or not at all, before they are used, and a refresh token is used once."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import threading
import time

import pytest

from mailrules.api import Permanent, PersonNeeded, Transient
from mailrules.api.options import redact
from mailrules.builtin.oauth2 import keeping

SPENT = {"access": "old", "refresh": "refresh-1", "obtained": 1.0, "expires": 2.0}


def forked(work) -> int:
    """Run *work* in a process of its own; gives its exit code."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(9)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def token(auth):
    return auth.credential().token.reveal()


def test_a_token_is_asked_for_once_and_used_until_its_end_is_near(made, keep, kept, provider):
    provider.granting(("token-1", "refresh-2"), ("token-2", "refresh-3"))
    keep(**SPENT)

    assert [token(made()) for _ in range(5)] == ["token-1"] * 5
    assert len(provider.asked) == 1
    keep(**kept() | {"obtained": time.time() - 3400, "expires": time.time() + 200})
    assert token(made()) == "token-2"


@pytest.mark.parametrize(("life", "left", "asked"), [(3600, 310, 0), (3600, 290, 1), (60, 13, 0), (60, 11, 1)])
def test_it_is_renewed_five_minutes_or_a_fifth_of_its_life_early(made, keep, provider, life, left, asked):
    now = time.time()
    keep(access="old", refresh="refresh-1", obtained=now + left - life, expires=now + left)
    made().credential()

    assert len(provider.asked) == asked


def test_a_token_of_which_nobody_says_how_long_it_lasts_is_used_until_it_is_refused(made, keep, provider):
    keep(access="old", refresh="refresh-1", obtained=1.0)

    assert token(made()) == "old"
    assert made().renewed(made().credential()).token.reveal() == "token-1"


def test_a_refresh_token_stays_where_there_is_no_new_one(made, keep, kept):
    keep(**SPENT)
    made().credential()

    assert (kept()["access"], kept()["refresh"]) == ("token-1", "refresh-1")


def test_threads_and_processes_use_each_refresh_token_once(made, keep, provider):
    provider.granting(*((f"token-{n}", f"refresh-{n}") for n in range(2, 100)), life=0.2)
    keep(**SPENT)
    auth = made()

    def use():
        for _ in range(5):
            auth.credential()
            time.sleep(0.05)

    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=use) for _ in range(3)] + [threading.Thread(target=use) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    used = [body for _, body, _ in provider.asked]

    assert [worker.exitcode for worker in workers[:3]] == [0, 0, 0]
    assert len(used) == len(set(used)) >= 2


def test_a_new_refresh_token_is_on_the_disk_before_its_access_token_is_used(made, keep, kept, provider):
    provider.granting(("token-2", "refresh-2"))
    keep(**SPENT)

    def use_and_die():
        made().credential()
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(use_and_die) == -signal.SIGKILL
    assert kept()["refresh"] == "refresh-2"


@pytest.mark.parametrize("call", ["ftruncate", "replace"])
def test_killed_while_writing_what_was_kept_is_whole_and_the_next_goes_on(made, keep, kept, monkeypatch, call):
    keep(**SPENT)

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def write():
        monkeypatch.setattr(keeping.os, call, die)
        made().credential()

    assert forked(write) == -signal.SIGKILL
    assert kept() == SPENT
    assert token(made()) == "token-1"


def test_a_full_disk_is_noticed_before_the_refresh_token_is_used(made, keep, kept, provider):
    keep(**SPENT)

    def write():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(Transient, match=r"tokens .* cannot be kept: File too large"):
            made().credential()

    assert forked(write) == 0
    assert provider.asked == []
    assert kept() == SPENT


def test_nothing_but_the_file_and_its_lock_stays(made, keep, tmp_path):
    keep(**SPENT)
    made().credential()

    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "tokens.json": 0o600,
        ".tokens.json.lock": 0o600,
    }


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"expires": "soon"}', b"[]"])
def test_a_damaged_file_is_as_if_nobody_had_logged_in(made, tmp_path, content):
    (tmp_path / "tokens.json").write_bytes(content)

    with pytest.raises(PersonNeeded, match="nobody has logged in yet") as error:
        made().credential()
    assert error.value.remedy == "run: mailrules auth login box"


def test_a_place_that_cannot_be_read_is_told(made, tmp_path):
    (tmp_path / "tokens.json").mkdir()

    with pytest.raises(PersonNeeded, match=r"tokens .*tokens\.json: Is a directory"):
        made().credential()


def test_one_who_waits_too_long_for_the_others_tries_again_later(made, keep, tmp_path):
    keep(**SPENT)
    auth = made(timeout="50ms")

    with auth._keeping.locked(1), pytest.raises(Transient, match="another process is renewing"):
        auth.credential()


def test_what_the_provider_gave_is_struck_out_of_texts(made, keep, provider):
    provider.granting(("access-secret", "refresh-secret"))
    keep(**SPENT)
    made().credential()

    assert redact("access-secret refresh-secret refresh-1") == "*** *** ***"
    assert "secret" not in repr(made()._keeping.load())


class Keyring:
    """As the library `keyring` is used: a module with two functions."""

    def __init__(self, *, locked=False):
        self.entries, self.locked = {}, locked

    def get_password(self, service, user):
        return self.entries.get((service, user))

    def set_password(self, service, user, secret):
        if self.locked:
            raise RuntimeError("locked")
        self.entries[service, user] = secret


def test_tokens_can_be_kept_in_the_keyring(made, monkeypatch, tmp_path):
    ring = Keyring()
    ring.entries["mail", "jo"] = json.dumps(SPENT)
    monkeypatch.setitem(__import__("sys").modules, "keyring", ring)
    auth = made(tokens="keyring:mail/jo")

    assert token(auth) == token(auth) == "token-1"
    assert json.loads(ring.entries["mail", "jo"])["refresh"] == "refresh-1"
    assert not list(tmp_path.rglob("*.json"))


def test_a_keyring_that_is_locked_needs_a_person(made, monkeypatch):
    ring = Keyring(locked=True)
    ring.entries["mail", "jo"] = json.dumps(SPENT)
    monkeypatch.setitem(__import__("sys").modules, "keyring", ring)

    with pytest.raises(Permanent, match="keyring mail/jo takes nothing") as error:
        made(tokens="keyring:mail/jo").credential()
    assert "unlock it" in error.value.remedy
