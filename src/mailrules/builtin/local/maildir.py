"""The maildir protocol: a mailbox that is a directory, a message that is a file (maildir(5), Maildir++ folders)."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar

import msgspec

from mailrules.api import (
    Credential,
    Disposition,
    Head,
    NewMessage,
    Octets,
    Options,
    Permanent,
    PersonNeeded,
    Place,
    ReceiveProtocol,
    Ref,
    Settlement,
    Transient,
)
from mailrules.builtin.folder.arrival import holding
from mailrules.builtin.folder.spool import read_whole
from mailrules.builtin.folder.targets import demand
from mailrules.builtin.local.durable import copy_synced, open_regular, same_content, sync_folders, write_synced
from mailrules.builtin.local.header_block import read_header
from mailrules.builtin.local.listing import listing
from mailrules.builtin.local.maildir_name import (
    FLAG_LETTERS,
    flags,
    folder_name,
    fresh_name,
    letter_of,
    letters,
    shown_name,
    unique_part,
    with_letters,
)

T = TypeVar("T")

log = logging.getLogger(__name__)


class MaildirOptions(Options, frozen=True):
    """Where the maildir is."""

    path: Annotated[str, msgspec.Meta(description="The maildir, from the workspace's folder.", min_length=1)]

    shorthand: ClassVar[str] = "path"


@dataclass(slots=True)
class Maildir:
    """One folder of a maildir. Nothing on disk changes but by `settle`."""

    root: Path
    folder: str
    _paths: dict[str, Path] = field(default_factory=dict)
    """Where each message was when last looked, by the unique part of its name."""

    @property
    def directory(self) -> Path:
        """The folder's own directory with `new` and `cur`."""
        return self.root / folder_name(self.folder)

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        """Every regular file, by its time, then by name; a folder that nobody made yet is empty."""
        self._scan()
        wanted = [path for path in self._paths.values() if not (unseen_only and "S" in letters(path.name))]
        timed = sorted((time, path.name) for path in wanted if (time := _time(path)) is not None)
        return [Ref(self.folder, "", unique_part(name)) for _, name in timed]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """The header blocks; the rest of each file stays unread."""
        for ref in refs:
            head = self._read(ref, partial(_head, ref))
            if head is not None:
                yield head

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """The whole messages."""
        for ref in refs:
            raw = self._read(ref, _whole)
            if raw is not None:
                yield ref, raw

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Rename, link and unlink, then see the directories to the disk."""
        failed: dict[Ref, str] = {}
        targets = _Targets(self.root)
        for settlement in settlements:
            try:
                self._at(settlement.ref, partial(self._settle, settlement.disposition, targets))
            except (OSError, Transient, Permanent) as error:
                failed[settlement.ref] = str(error)
        sync_folders(sorted(targets.touched))
        return failed

    def close(self) -> None:
        """Nothing is held open."""

    def _scan(self) -> None:
        """Look at every name; `new` first, so that a message on its way to `cur` is met at least once."""
        self._paths = _names(self.directory, regular=True)

    def _read(self, ref: Ref, use: Callable[[Path], T]) -> T | None:
        """`_at`; None too for a message that cannot be read, which keeps nobody from the others."""
        try:
            return self._at(ref, use)
        except OSError as error:
            log.warning("%s: message %s cannot be read: %s", self.root, ref.uid, error)
            return None

    def _at(self, ref: Ref, use: Callable[[Path], T]) -> T | None:
        """*use* on the message's file, looked up again where another program renamed it; None when it has gone."""
        if not self._paths:
            self._scan()
        for _ in range(3):
            path = self._paths.get(ref.uid)
            if path is None:
                return None
            try:
                return use(path)
            except FileNotFoundError:
                self._scan()
        raise Transient(f"{ref.uid} is renamed again and again by another program")

    def _settle(self, disposition: Disposition, targets: _Targets, path: Path) -> None:
        path = self._marked(disposition, targets, path)
        for folder in disposition.copy:
            if folder_name(folder) != folder_name(self.folder):
                targets.copy(path, folder)
        if disposition.move is not None and folder_name(disposition.move) != folder_name(self.folder):
            targets.move(path, disposition.move)
        elif disposition.delete:
            path.unlink()
            targets.touched.add(path.parent)

    def _marked(self, disposition: Disposition, targets: _Targets, path: Path) -> Path:
        """The file after its flags were set; a message without new flags stays where it is, in `new` too."""
        wanted = letters(path.name) | {letter_of(flag) for flag in disposition.flags}
        if disposition.seen is not None:
            wanted = wanted | {"S"} if disposition.seen else wanted - {"S"}
        if wanted == letters(path.name):
            return path
        place = self.directory / "cur"
        place.mkdir(exist_ok=True)
        target = place / with_letters(unique_part(path.name), wanted)
        path.rename(target)
        self._paths[unique_part(path.name)] = target
        targets.touched |= {path.parent, place}
        return target


@dataclass(slots=True)
class _Targets:
    """The folders that one batch of settlements writes to, each listed once."""

    root: Path
    touched: set[Path] = field(default_factory=set)
    """Directories to see to the disk."""
    _listed: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def copy(self, path: Path, folder: str) -> None:
        """The message there too, under its own name, by which a second try finds it."""
        target = self._free(path, folder)
        if target is not None:
            copy_synced(path, target)
            self._note(target)

    def move(self, path: Path, folder: str) -> None:
        """The message there and no longer here; where an earlier copy is there already, only the latter."""
        target = self._free(path, folder)
        if target is None:
            path.unlink()
        else:
            _rename(path, target)
            self._note(target)
        self.touched.add(path.parent)

    def put(self, directory: Path, new: NewMessage) -> str:
        """A message from elsewhere, unless it is there; gives the unique part of its name."""
        self._make(directory)
        there = holding(new.raw, list(_names(directory, regular=True).values()))
        if there:
            return unique_part(there.name)
        known = {flag.lower(): letter for flag, letter in FLAG_LETTERS.items()}
        given = {known[flag.lower()] for flag in new.flags if flag.lower() in known}
        unique = fresh_name()
        temporary = directory / "tmp" / unique
        write_synced(temporary, [new.raw])
        if new.received:
            os.utime(temporary, (new.received.timestamp(),) * 2)
        target = directory / "cur" / with_letters(unique, given) if given else directory / "new" / unique
        temporary.rename(target)
        self.touched.add(target.parent)
        return unique

    def _note(self, target: Path) -> None:
        self._listed[target.parent.parent][unique_part(target.name)] = target
        self.touched.add(target.parent)

    def _free(self, path: Path, folder: str) -> Path | None:
        """A name for the file in *folder*; None when the same message is there."""
        directory = self.root / folder_name(folder)
        if directory not in self._listed:
            self._make(directory)
            self._listed[directory] = _names(directory, regular=False)
        unique = unique_part(path.name)
        taken = self._listed[directory].get(unique)
        if taken is not None and os.path.lexists(taken):
            if same_content(taken, path):
                return None
            return directory / path.parent.name / (fresh_name() + path.name[len(unique) :])
        return directory / path.parent.name / path.name

    def _make(self, directory: Path) -> None:
        """See that a folder is whole, with the marker file that tells deliverers that it is one."""
        if not directory.is_dir():
            directory.mkdir(parents=True)
            (directory / "maildirfolder").touch()
            self.touched |= {self.root, directory}
        for place in ("tmp", "new", "cur"):
            (directory / place).mkdir(exist_ok=True)


def _names(directory: Path, *, regular: bool) -> dict[str, Path]:
    """What is in a folder, or its *regular* files, by the unique part of each name; nothing where there is no folder.

    `new` first, so that a message on its way to `cur` is met at least once.
    """
    found = {}
    for place in ("new", "cur"):
        with listing(directory / place), os.scandir(directory / place) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and (not regular or entry.is_file(follow_symlinks=False)):
                    found[unique_part(entry.name)] = Path(entry.path)
    return found


def _rename(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_synced(path, target)
        path.unlink()


def _head(ref: Ref, path: Path) -> Head:
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        header = read_header(file)
    received = datetime.fromtimestamp(status.st_mtime, UTC)
    return Head(ref, header, size=status.st_size, received=received, flags=flags(path.name))


def _whole(path: Path) -> Octets:
    with open_regular(path) as file:
        return read_whole(file, os.fstat(file.fileno()).st_size)


def _time(path: Path) -> int | None:
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return None


def _folders(root: Path) -> Iterator[str]:
    yield "INBOX"
    yield from (shown_name(path.name).replace(".", "/") for path in root.glob(".*") if (path / "cur").is_dir())


def open_maildir(options: MaildirOptions, _credential: Credential, place: Place) -> Maildir:
    """The folder of the maildir that *place* names.

    Raises:
        Transient: nothing is there (yet, or while a disk is not mounted).
        PersonNeeded: what is there is no maildir or may not be read, or the folder's name cannot be one.
    """
    root = place.workspace / Path(options.path).expanduser()
    with listing(root):
        if not root.is_dir():
            raise Transient(f"maildir {options.path}: no such folder; if it will not come by itself, correct `path:`")
        if not (root / "new").is_dir() and not (root / "cur").is_dir():
            raise PersonNeeded(f"{options.path} is no maildir: it has neither new/ nor cur/", remedy="correct `path:`")
    try:
        folder_name(place.folder)
    except Permanent as error:
        raise PersonNeeded(str(error), remedy="correct `folder:`") from error
    demand(place, lambda folder: (root / folder_name(folder)).is_dir(), lambda: _folders(root), options.path)
    return Maildir(root, place.folder)


def append_maildir(options: MaildirOptions, credential: Credential, place: Place, new: NewMessage) -> Ref:
    """See `mailrules.api.ReceiveProtocol.append`. A message without flags is new; keywords are left out."""
    folder = open_maildir(options, credential, place)
    targets = _Targets(folder.root)
    try:
        return Ref(place.folder, "", targets.put(folder.directory, new))
    except OSError as error:
        raise Transient(f"maildir {options.path}: {error.strerror or error}") from error
    finally:
        sync_folders(sorted(targets.touched))


def _folder_problem(folder: str) -> str:
    try:
        folder_name(folder)
    except Permanent as error:
        return str(error)
    return ""


MAILDIR = ReceiveProtocol(
    name="maildir",
    summary="A maildir on disk, with its Maildir++ folders.",
    options=MaildirOptions,
    open=open_maildir,
    verbs=frozenset({"delete", "move", "copy", "seen", "flags"}),
    append=append_maildir,
    folder_problem=_folder_problem,
)
