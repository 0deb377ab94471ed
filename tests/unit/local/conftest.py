from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mailrules.api import NoCredential, Place
from mailrules.builtin.local.eml import EmlOptions, open_eml
from mailrules.builtin.local.maildir import MaildirOptions, open_maildir
from mailrules.builtin.local.mbox import MboxOptions, open_mbox

OPEN = {
    "maildir": lambda place: open_maildir(MaildirOptions(path="mail"), NoCredential(), place),
    "mbox": lambda place: open_mbox(MboxOptions(path="mail.mbox"), NoCredential(), place),
    "eml": lambda place: open_eml(EmlOptions(path="mail"), NoCredential(), place),
}


@pytest.fixture
def opened(tmp_path):
    """Opens a folder of the mailbox under test."""

    def open_(kind, folder="INBOX", *, readonly=False):
        return OPEN[kind](Place(tmp_path, folder=folder, readonly=readonly))

    return open_


@pytest.fixture
def put(tmp_path):
    """Puts a file under the test's folder, with a time that says the order."""

    def put_(path, content=b"Subject: x\n\nbody\n", *, age=0):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1_700_000_000 - age,) * 2)
        return file

    return put_


@pytest.fixture
def tree(tmp_path):
    """Every file under the test's folder with its content and time of change."""

    def tree_():
        return {
            str(p.relative_to(tmp_path)): (p.read_bytes() if p.is_file() else None, p.stat().st_mtime_ns)
            for p in sorted(tmp_path.rglob("*"))
        }

    return tree_


@pytest.fixture
def names(tmp_path):
    """Every file under the test's folder."""
    return lambda: sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())


def _bind(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


ODDITIES = {
    "directory": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "socket": lambda path: _bind(os.path.relpath(path)),
    "symlink": lambda path: path.symlink_to(Path("mail/elsewhere").absolute()),
    "symlink to nothing": lambda path: path.symlink_to("nothing"),
    "symlink to itself": lambda path: path.symlink_to(path.name),
}
"""What is no regular file, put at a path."""


@pytest.fixture(params=ODDITIES)
def odd(request, tmp_path, monkeypatch):
    """Puts something at a path that is no message, in the place of what is there."""
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    (tmp_path / "mail").mkdir(exist_ok=True)
    (tmp_path / "mail/elsewhere").write_bytes(b"Subject: elsewhere\n\nbody")

    def odd_(path):
        place = tmp_path / path
        place.unlink(missing_ok=True)
        ODDITIES[request.param](place)

    return odd_


@pytest.fixture
def unprivileged(tmp_path, monkeypatch):
    """Without the superuser's right to read everything, under the test's folder."""
    monkeypatch.chdir(tmp_path)  # the folders above may be closed
    tmp_path.chmod(0o755)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    if before == 0:
        os.seteuid(before)
