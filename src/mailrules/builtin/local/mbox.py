"""The mbox protocol: a mailbox that is one file (RFC 4155), with the files beside it as its folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, BinaryIO, ClassVar

import msgspec

from mailrules.api import (
    Credential,
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
from mailrules.builtin.folder.roles import usual_name
from mailrules.builtin.folder.targets import demand
from mailrules.builtin.local.durable import open_regular, sync_folders, write_synced
from mailrules.builtin.local.folder_watch import Look
from mailrules.builtin.local.mbox_file import FLAG_LETTERS, Entry, entries, header_of, message_of, stored, with_flags
from mailrules.builtin.local.mbox_lock import locked_again, reading, writing
from mailrules.builtin.local.mbox_new import arrival, there_already


class MboxOptions(Options, frozen=True):
    """Where the mbox is."""

    path: Annotated[str, msgspec.Meta(description="The mbox file, from the workspace's folder.", min_length=1)]

    shorthand: ClassVar[str] = "path"


@dataclass(slots=True)
class Mbox:
    """One mbox file. Nothing on disk changes but by `settle`."""

    root: Path
    """The account's own file: its INBOX."""
    folder: str
    _entries: dict[str, Entry] = field(default_factory=dict)
    _look: Look | None = None
    """The file as it stood when `_entries` were read."""

    @property
    def path(self) -> Path:
        """The folder's own file."""
        return file_of(self.root, self.folder)

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:
        """Every message in file order, which is the order of arrival; a folder that nobody made yet is empty."""
        if not self.path.exists():
            return []
        with self._indexed():
            wanted = [e for e in self._entries.values() if not (unseen_only and "\\Seen" in e.flags)]
        return [Ref(self.folder, "", entry.uid) for entry in wanted]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """The header blocks; the bodies stay unread."""
        for ref in refs:
            with self._indexed() as file:
                entry = self._entries.get(ref.uid)
                header = header_of(file, entry) if entry else b""
            if entry:
                yield Head(ref, header, size=entry.size, received=entry.received, flags=entry.flags)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """The whole messages, one in memory at a time."""
        for ref in refs:
            with self._indexed() as file:
                entry = self._entries.get(ref.uid)
                raw = message_of(file, entry) if entry else None
            if raw is not None:
                yield ref, raw

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Append to the other files first, then write this one anew without what left it."""
        failed: dict[Ref, str] = {}
        wanted = []
        with self._indexed():
            for settlement in settlements:
                try:
                    wanted += [self._checked(settlement)] if settlement.ref.uid in self._entries else []
                except Permanent as error:
                    failed[settlement.ref] = str(error)
        for folder in dict.fromkeys(folder for s in wanted for folder in _targets(s)):
            going = [s for s in wanted if folder in _targets(s) and s.ref not in failed]
            try:
                self._append(file_of(self.root, folder), going)
            except (OSError, Transient) as error:
                failed |= {s.ref: f"{folder}: {error}" for s in going}
        changes = {s.ref.uid: s for s in wanted if s.ref not in failed}
        try:
            self._rewrite(changes)
        except (OSError, Transient) as error:
            failed |= {s.ref: str(error) for s in changes.values()}
        return failed

    def _checked(self, settlement: Settlement) -> Settlement:
        """The settlement without what leads to this very file.

        Raises:
            Permanent: it asks for what an mbox cannot do.
        """
        disposition = settlement.disposition
        unknown = [flag for flag in disposition.flags if flag.lower() not in FLAG_LETTERS]
        if unknown:
            raise Permanent(f"an mbox cannot keep the flag {unknown[0]!r}")
        elsewhere = [folder for folder in _targets(settlement) if file_of(self.root, folder) != self.path]
        move = disposition.move if disposition.move in elsewhere else None
        copy = tuple(folder for folder in disposition.copy if folder in elsewhere)
        return replace(settlement, disposition=replace(disposition, move=move, copy=copy))

    def close(self) -> None:
        """Nothing is held open."""

    @contextmanager
    def _indexed(self) -> Iterator[BinaryIO]:
        """The file, open to read, with `_entries` true for it."""
        if not self.path.exists():
            raise Transient(f"mbox {self.path.name}: no such file")
        with reading(self.path) as file:
            look = Look.at((self.path,))
            if look != self._look:
                self._entries = {entry.uid: entry for entry in entries(file)}
                self._look = look
            yield file

    def put(self, new: NewMessage) -> str:
        """A message from elsewhere at the end, unless it is there; gives its hash, which `refs` tells too."""
        message = arrival(new)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.path) as file:
            there = there_already(file, message)
            if there:
                return there.uid
            before = file.seek(0, os.SEEK_END)
            try:
                file.write(_gap(file, before) + message)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.ftruncate(file.fileno(), before)
                raise
            uid = list(entries(file))[-1].uid
        sync_folders([self.path.parent])
        return uid

    def _append(self, target: Path, settlements: Sequence[Settlement]) -> None:
        """All of them at the end of another mbox, or none; what an earlier try has put there is not put twice."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with writing(target) as file:
            again = any(s.again for s in settlements)
            there = {_digest(entry.uid) for entry in entries(file)} if again else set()
            before = file.seek(0, os.SEEK_END)
            try:
                file.write(_gap(file, before))
                file.writelines(self._stored([s for s in settlements if not (s.again and _digest(s.ref.uid) in there)]))
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.ftruncate(file.fileno(), before)
                raise
        sync_folders([target.parent])

    def _stored(self, settlements: Sequence[Settlement]) -> Iterator[bytes]:
        for settlement in settlements:
            with self._indexed() as file:
                entry = self._entries.get(settlement.ref.uid)
                if entry is None:
                    raise Transient(f"another program has just taken message {settlement.ref.uid}")
                raw = stored(file, entry)
            flags = _flags(entry, settlement)
            yield raw if flags == entry.flags else with_flags(raw, flags)

    def _rewrite(self, changes: Mapping[str, Settlement]) -> None:
        """The file without what was deleted or moved, and with new flags; whole, or as it was."""
        if not changes or not self.path.exists():
            return
        temporary = self.path.with_name(f".{self.path.name}.rewriting")
        with writing(self.path) as file:
            present = list(entries(file))
            if not any(_changes(entry, changes.get(entry.uid)) for entry in present):
                return
            temporary.unlink(missing_ok=True)
            write_synced(temporary, _rewritten(file, present, changes))
            copied = file.seek(0, os.SEEK_END)
            status = os.fstat(file.fileno())
            temporary.chmod(status.st_mode & 0o7777)
            os.chown(temporary, status.st_uid, status.st_gid)
            temporary.replace(self.path)
            sync_folders([self.path.parent])
            self._adopt_late(file, copied)

    def _adopt_late(self, old: BinaryIO, copied: int) -> None:
        """Take over what a program that had the old file open, and waited for its fcntl lock, wrote to it just now."""
        with locked_again(old, self.path):
            late = old.seek(0, os.SEEK_END) - copied
            if late > 0:
                old.seek(copied)
                with self.path.open("ab") as file:
                    file.write(old.read(late))
                    file.flush()
                    os.fsync(file.fileno())


def _targets(settlement: Settlement) -> tuple[str, ...]:
    move = settlement.disposition.move
    return (*settlement.disposition.copy, *((move,) if move is not None else ()))


def _digest(uid: str) -> str:
    return uid.partition("-")[0]


def _flags(entry: Entry, settlement: Settlement) -> frozenset[str]:
    disposition = settlement.disposition
    canonical = {flag.lower(): flag for flag in ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted")}
    flags = entry.flags | {canonical[flag.lower()] for flag in disposition.flags}
    if disposition.seen is None:
        return flags
    return flags | {"\\Seen"} if disposition.seen else flags - {"\\Seen"}


def _changes(entry: Entry, settlement: Settlement | None) -> bool:
    return settlement is not None and (_leaves(settlement) or _flags(entry, settlement) != entry.flags)


def _leaves(settlement: Settlement) -> bool:
    return settlement.disposition.delete or settlement.disposition.move is not None


def _rewritten(file: BinaryIO, present: Sequence[Entry], changes: Mapping[str, Settlement]) -> Iterator[bytes]:
    yield from _range(file, 0, present[0].start)
    for entry in present:
        settlement = changes.get(entry.uid)
        if settlement is None or not _changes(entry, settlement):
            yield from _range(file, entry.start, entry.end)
        elif not _leaves(settlement):
            yield with_flags(stored(file, entry), _flags(entry, settlement))


def _range(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (chunk := file.read(min(1 << 20, end - start))):
        start += len(chunk)
        yield chunk


def _gap(file: BinaryIO, end: int) -> bytes:
    """What is missing after the last message for a From line to count."""
    file.seek(max(end - 2, 0))
    tail = file.read(2)
    return b"" if end == 0 or tail == b"\n\n" else b"\n" if tail.endswith(b"\n") else b"\n\n"


def file_of(root: Path, folder: str) -> Path:
    """The file of a folder: INBOX is the mbox itself, `Invoices` the file beside it, with the same suffix.

    Raises:
        PersonNeeded: no file can be called so.
    """
    if folder.upper() == "INBOX":
        return root
    levels = usual_name(folder).split("/")
    if not folder.isprintable() or any(not level.strip() or level.startswith(".") for level in levels):
        raise PersonNeeded(f"an mbox cannot have a folder {folder!r}", remedy="use plain names, parted by '/'")
    return root.parent.joinpath(*levels[:-1], levels[-1] + root.suffix)


def _folders(root: Path) -> Iterator[str]:
    yield "INBOX"
    yield from (path.stem for path in root.parent.glob(f"*{root.suffix}") if path != root and path.is_file())


def _demand_mbox(path: Path) -> None:
    """See that a file can be one.

    Raises:
        PersonNeeded: it is no file, or does not begin as an mbox.
    """
    if not path.is_file():
        raise PersonNeeded(f"{path.name} is no mbox: it is no file", remedy="correct `path:`")
    with open_regular(Path(os.path.realpath(path))) as file:
        start = file.read(5)
    if start not in {b"", b"From "}:
        raise PersonNeeded(f"{path.name} is no mbox: it does not start with 'From '", remedy="correct `path:`")


def open_mbox(options: MboxOptions, _credential: Credential, place: Place) -> Mbox:
    """The mbox file of the folder that *place* names.

    Raises:
        Transient: nothing is there (yet, or while a disk is not mounted).
        PersonNeeded: what is there is no mbox or may not be read, or the folder's name cannot be one.
    """
    root = Path(os.path.realpath(place.workspace / Path(options.path).expanduser()))
    path = file_of(root, place.folder)
    try:
        if not root.exists():
            raise Transient(f"mbox {options.path}: no such file")
        if path.exists():
            _demand_mbox(path)
    except PermissionError as error:
        raise PersonNeeded(
            f"{path.name} may not be read", remedy="let the user that mailrules runs as read it"
        ) from error
    demand(place, lambda folder: file_of(root, folder).is_file(), lambda: _folders(root), options.path)
    return Mbox(root, place.folder)


def append_mbox(options: MboxOptions, credential: Credential, place: Place, new: NewMessage) -> Ref:
    """See `mailrules.api.ReceiveProtocol.append`. Lines end as on this system; keywords are left out."""
    mbox = open_mbox(options, credential, place)
    try:
        return Ref(place.folder, "", mbox.put(new))
    except OSError as error:
        raise Transient(f"mbox {options.path}: {error.strerror or error}") from error


def _folder_problem(folder: str) -> str:
    try:
        file_of(Path("mbox"), folder)
    except PersonNeeded as error:
        return str(error)
    return ""


MBOX = ReceiveProtocol(
    name="mbox",
    summary="An mbox file; the files beside it are its folders.",
    options=MboxOptions,
    open=open_mbox,
    verbs=frozenset({"delete", "move", "copy", "seen", "flags"}),
    append=append_mbox,
    folder_problem=_folder_problem,
)
