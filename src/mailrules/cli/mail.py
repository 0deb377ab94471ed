"""Messages named on the command line: .eml files, mboxes, maildirs and folders of .eml files, none of them changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from mailrules.api import NoCredential, Place, build_options
from mailrules.engine.memory import MemoryMailbox
from mailrules.model.mailbox import Mailbox
from mailrules.registry import Registry

MBOX_START = b"From "
STDIN = "-"


def mailboxes(paths: Sequence[str], registry: Registry) -> Iterator[tuple[str, Mailbox]]:
    """(what it is called, mailbox) for each folder and mbox among *paths*, and one for all the single messages.

    Raises:
        click.UsageError: a path is not there.
    """
    places = [place for path in paths for place in _places(path)]
    single = [path for path in places if _protocol(path) is None]
    if single:
        yield _named(single), MemoryMailbox(read_messages(single))
    for path in places:
        if (protocol := _protocol(path)) is not None:
            provided = registry.receive[protocol].item
            options = build_options(provided.options, {"path": str(Path(path).absolute())}, root=Path())
            opened = provided.open(options, NoCredential(), Place(Path().absolute(), readonly=True))
            yield path, opened


def _places(path: str) -> list[str]:
    """The path itself; of a folder that is no maildir, every folder with mail at any depth."""
    if not Path(path).is_dir() or _protocol(path) == "maildir":
        return [path]
    inner = [str(each) for each in sorted(Path(path).iterdir()) if each.is_dir() and not each.name.startswith(".")]
    here = [path] if any(Path(path).glob("*.eml")) else []
    return here + [place for each in inner for place in _places(each)]


def _named(paths: Sequence[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{len(paths)} messages"


def read_messages(paths: Iterable[str]) -> dict[str, bytes]:
    """The messages by their path; `-` reads standard input.

    Raises:
        click.UsageError: one is not there.
    """
    return {path: read_message(path) for path in paths}


def read_message(path: str) -> bytes:
    """One message as it is in its file, or on standard input for `-`.

    Raises:
        click.UsageError: it is not there.
    """
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error


def _protocol(path: str) -> str | None:
    """By which protocol the mail at *path* is read; None for a single message."""
    place = Path(path)
    if place.is_dir():
        return "maildir" if (place / "cur").is_dir() or (place / "new").is_dir() else "eml"
    return "mbox" if path != STDIN and _begins_like_mbox(place) else None


def _begins_like_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MBOX_START)) == MBOX_START
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error
