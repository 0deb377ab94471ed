"""The eml protocol: a folder of `.eml` files, or one such file, as a mailbox."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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
from mailrules.builtin.folder.arrival import holding
from mailrules.builtin.folder.roles import usual_name
from mailrules.builtin.folder.spool import read_whole
from mailrules.builtin.folder.targets import demand
from mailrules.builtin.local.durable import (
    copy_synced,
    is_regular,
    open_regular,
    same_content,
    sync_folders,
    write_synced,
)
from mailrules.builtin.local.header_block import read_header
from mailrules.builtin.local.listing import listing

log = logging.getLogger(__name__)


class EmlOptions(Options, frozen=True):
    """Where the messages are."""

    path: Annotated[
        str,
        msgspec.Meta(
            description="A folder of .eml files, or one such file, from the workspace's folder.", min_length=1
        ),
    ]

    shorthand: ClassVar[str] = "path"


@dataclass(slots=True)
class EmlFolder:
    """The `.eml` files of one directory. Nothing on disk changes but by `settle`."""

    root: Path
    """The directory of the account's INBOX."""
    folder: str
    only: str = ""
    """The one file name that counts, where the account is a single file."""

    @property
    def directory(self) -> Path:
        """The folder's own directory."""
        return directory_of(self.root, self.folder)

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:  # noqa: ARG002 - files have no flags: each is unseen
        """Every regular file, by its time, then by name; a folder that nobody made yet is empty."""
        found = sorted((status.st_mtime_ns, name, status) for name, status in self._files())
        return [Ref(self.folder, "", _uid(name, status)) for _, name, status in found]

    def paths(self) -> list[Path]:
        """Every message's file."""
        return [self.directory / name for name, _ in self._files()]

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        with listing(self.directory), os.scandir(self.directory) as entries:
            for entry in entries:
                if self._counts(entry.name) and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        yield entry.name, entry.stat(follow_symlinks=False)

    def _counts(self, name: str) -> bool:
        if self.only:
            return name == self.only
        return name.lower().endswith(".eml") and not name.startswith(".")

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """The header blocks; the rest of each file stays unread."""
        for ref in refs:
            with self._readable(ref), self._open(ref) as file:
                status = os.fstat(file.fileno())
                received = datetime.fromtimestamp(status.st_mtime, UTC)
                yield Head(ref, read_header(file), size=status.st_size, received=received)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, Octets]]:
        """The whole messages."""
        for ref in refs:
            with self._readable(ref), self._open(ref) as file:
                yield ref, read_whole(file, os.fstat(file.fileno()).st_size)

    def _open(self, ref: Ref) -> BinaryIO:
        """The message's file.

        Raises:
            FileNotFoundError: it has gone, or another message has its name now.
        """
        path = self.directory / name_of(ref)
        file = open_regular(path)
        if _uid(path.name, os.fstat(file.fileno())) == ref.uid:
            return file
        file.close()
        raise FileNotFoundError(path)

    @contextmanager
    def _readable(self, ref: Ref) -> Iterator[None]:
        """A message that cannot be read keeps nobody from the others; one that has gone is no news."""
        try:
            yield
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s: message %s cannot be read: %s", self.directory, name_of(ref), error)

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Link and unlink, then see the directories to the disk."""
        failed: dict[Ref, str] = {}
        touched: set[Path] = set()
        for settlement in settlements:
            try:
                self._settle(settlement, touched)
            except FileNotFoundError:
                continue
            except (OSError, Permanent) as error:
                failed[settlement.ref] = str(error)
        sync_folders(sorted(touched))
        return failed

    def close(self) -> None:
        """Nothing is held open."""

    def _settle(self, settlement: Settlement, touched: set[Path]) -> None:
        path, disposition = self.directory / name_of(settlement.ref), settlement.disposition
        if not is_regular(path) or _uid(path.name, path.lstat()) != settlement.ref.uid:
            return
        moves = () if disposition.move is None else (disposition.move,)
        targets = [directory_of(self.root, folder) for folder in (*disposition.copy, *moves)]
        for target in targets:
            if target != self.directory:
                _put(path, target)
                touched.add(target)
        if disposition.delete or (moves and targets[-1] != self.directory):
            path.unlink()
            touched.add(self.directory)


def _uid(name: str, status: os.stat_result) -> str:
    """A file's name with its time and size, by which a name that is used again is known for another message."""
    return f"{name}/{status.st_mtime_ns:x}-{status.st_size:x}"


def name_of(ref: Ref) -> str:
    """The name of the message's file."""
    return ref.uid.partition("/")[0]


def _put(path: Path, directory: Path) -> None:
    """The file there too, never over another: a taken name gets a number, the same content is the same message."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(1, 10_000):
        name = path.name if number == 1 else f"{path.stem}-{number}{path.suffix}"
        try:
            copy_synced(path, directory / name)
        except FileExistsError:
            if same_content(path, directory / name):
                return
        else:
            return
    raise Permanent(f"10,000 files in {directory.name} are named like {path.name}")


def directory_of(root: Path, folder: str) -> Path:
    """The directory of a folder: INBOX is the root, `Invoices/2026` a subdirectory.

    Raises:
        Permanent: no directory can be called so.
    """
    if folder.upper() == "INBOX":
        return root
    levels = usual_name(folder).split("/")
    if not folder.isprintable() or any(not level.strip() or level.startswith(".") for level in levels):
        raise Permanent(f"no directory can be called {folder!r}: use plain names, parted by '/'")
    return root.joinpath(*levels)


def _folders(root: Path) -> Iterator[str]:
    yield "INBOX"
    yield from (path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def open_eml(options: EmlOptions, _credential: Credential, place: Place) -> EmlFolder:
    """The directory of the folder that *place* names.

    Raises:
        Transient: nothing is there (yet, or while a disk is not mounted).
        PersonNeeded: it is neither a folder nor a file, or the folder's name cannot be one.
    """
    path = place.workspace / Path(options.path).expanduser()
    if not path.exists():
        raise Transient(f"{options.path}: no such file or folder")
    if not path.is_dir():
        path = path.resolve()
        if not path.is_file():
            raise PersonNeeded(f"{options.path} is neither a folder nor a file", remedy="correct `path:`")
    root, only = (path, "") if path.is_dir() else (path.parent, path.name)
    try:
        directory_of(root, place.folder)
    except Permanent as error:
        raise PersonNeeded(str(error), remedy="correct `folder:`") from error
    demand(place, lambda folder: directory_of(root, folder).is_dir(), lambda: _folders(root), options.path)
    return EmlFolder(root, place.folder, only)


def append_eml(options: EmlOptions, credential: Credential, place: Place, new: NewMessage) -> Ref:
    """See `mailrules.api.ReceiveProtocol.append`. Named by its content; files keep no flags."""
    folder = open_eml(options, credential, place)
    directory = folder.directory
    if folder.only and directory == folder.root:
        raise Permanent(f"{options.path} is one message: nothing can be put there")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        there = holding(new.raw, folder.paths())
        path = there or _write_new(directory, new)
        sync_folders({directory, directory.parent})
    except OSError as error:
        raise Transient(f"{options.path}: {error.strerror or error}") from error
    return Ref(place.folder, "", _uid(path.name, path.lstat()))


def _write_new(directory: Path, new: NewMessage) -> Path:
    path = directory / f"{hashlib.blake2b(new.raw, digest_size=12).hexdigest()}.eml"
    temporary = directory / f".appending-{os.getpid()}-{path.name}"
    temporary.unlink(missing_ok=True)
    write_synced(temporary, [new.raw])
    if new.received:
        os.utime(temporary, (new.received.timestamp(),) * 2)
    temporary.rename(path)  # over itself at most: the name is the content
    return path


def _folder_problem(folder: str) -> str:
    try:
        directory_of(Path(), folder)
    except Permanent as error:
        return str(error)
    return ""


EML = ReceiveProtocol(
    name="eml",
    summary="A folder of .eml files, or one such file.",
    options=EmlOptions,
    open=open_eml,
    verbs=frozenset({"delete", "move", "copy"}),
    append=append_eml,
    folder_problem=_folder_problem,
)
