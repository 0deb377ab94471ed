"""Dispositions carried out on an IMAP folder: few commands on sets of UIDs, marks first, removal last."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from imapclient.imap_utf7 import encode as encode_utf7

from mailrules.api import PersonNeeded, Ref, Settlement
from mailrules.builtin.imap.fetch import read_fetches, read_search, read_set, uid_batches, uid_set
from mailrules.builtin.imap.line import Answer
from mailrules.builtin.imap.session import Session, folder_name
from mailrules.builtin.line.tls import one_line
from mailrules.builtin.line.wire import MIB, Limits

if TYPE_CHECKING:
    from mailrules.api import Disposition

K = TypeVar("K", bound=Hashable)

log = logging.getLogger(__name__)

MOST = 20_000
"""UIDs in one command; the length of its line bounds them too."""
LOOKED_AT = 500
"""Header blocks in one answer."""
HEADERS = Limits(total=192 * MIB)

_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_COPYUID = re.compile(rb"\[COPYUID \d+ ([\d,:]+) [\d,:]+\]", re.IGNORECASE)


class Settling:
    """One call of `settle`: the messages still to be done, and why others failed.

    A UID that is gone is passed over by every command (RFC 9051, section 6.4.9), so doing it again does no harm.
    """

    def __init__(self, session: Session, settlements: Sequence[Settlement]) -> None:
        self._session = session
        self._validity = session.validity
        elsewhere = {folder for folder in {s.ref.folder for s in settlements} if not session.is_open(folder)}
        here = [s for s in settlements if s.ref.folder not in elsewhere]
        self._open = {int(s.ref.uid): s for s in here if s.ref.validity == session.validity}
        self.failed: dict[Ref, str] = {
            s.ref: f"it is in {s.ref.folder}, not in {session.folder}" for s in settlements if s.ref.folder in elsewhere
        }
        self._copied: dict[str, set[int]] = defaultdict(set)

    def run(self) -> Mapping[Ref, str]:
        """Carry out everything; gives the reason for each that failed."""
        for uid, settlement in list(self._open.items()):
            self._name_folders(uid, settlement)
        self._each(self._added, self._store(b"+FLAGS.SILENT"))
        self._each(self._removed, self._store(b"-FLAGS.SILENT"))
        if self._session.has("X-GM-EXT-1"):
            self._each(lambda d: tuple(map(folder_name, d.labels)), self._store(b"+X-GM-LABELS.SILENT"))
        self._look_before_copying()
        for folder in dict.fromkeys(folder for s in self._open.values() for folder in s.disposition.copy):
            self._copy_to(folder)
        moving = self._group(lambda d: None if d.delete else d.move)
        for target, uids in moving.items():
            if target and not self._same(target):
                self._move(target, uids)
        self._expunge([uid for uid, s in self._open.items() if s.disposition.delete])
        return self.failed

    def _name_folders(self, uid: int, settlement: Settlement) -> None:
        """Folders as the server calls them; at Gmail, deleting is moving to the trash."""
        wanted, called = settlement.disposition, self._session.called
        if not (wanted.copy or wanted.move or wanted.delete):
            return
        try:
            move = called(wanted.move) if wanted.move else None
            copy = tuple(map(called, wanted.copy))
            trash = called("\\Trash") if wanted.delete and self._session.has("X-GM-EXT-1") else ""
        except PersonNeeded as error:
            self._fail([uid], f"{error}; {error.remedy}")
            return
        if trash and not self._same(trash):
            wanted, move = replace(wanted, delete=False), trash
        self._open[uid] = replace(settlement, disposition=replace(wanted, move=move, copy=copy))

    # Marks.

    def _added(self, disposition: Disposition) -> tuple[bytes, ...]:
        flags = [flag.encode("utf-8", "replace") for flag in disposition.flags]
        flags += [rb"\Seen"] if disposition.seen else []
        if disposition.labels and not self._session.has("X-GM-EXT-1"):
            flags += map(keyword, disposition.labels)
        return tuple(dict.fromkeys(flags))

    @staticmethod
    def _removed(disposition: Disposition) -> tuple[bytes, ...]:
        return (rb"\Seen",) if disposition.seen is False else ()

    def _store(self, verb: bytes) -> Callable[[tuple[bytes, ...], list[int]], None]:
        def store(marks: tuple[bytes, ...], uids: list[int]) -> None:
            reason = "" if b"LABELS" in verb else self._unstorable(marks)
            if reason:
                self._fail(uids, reason)
            for batch in uid_batches(uids, MOST) if not reason else ():
                self._run(b"UID STORE", batch, verb + b" (" + b" ".join(marks) + b")")

        return store

    def _unstorable(self, marks: Iterable[bytes]) -> str:
        kept = self._session.kept
        for mark in marks:
            if not _FLAG.fullmatch(mark):
                return f"{one_line(mark)!r} is no IMAP flag"
            if kept is not None and mark.upper() not in kept and (rb"\*" not in kept or mark.startswith(b"\\")):
                return f"the server does not keep the flag {one_line(mark)}"
        return ""

    # Copies.

    def _copy_to(self, folder: str) -> None:
        uids = [uid for uid, s in self._open.items() if folder in s.disposition.copy]
        if not self._same(folder):
            self._copy(folder, uids)

    def _copy(self, folder: str, uids: Iterable[int]) -> None:
        wanted = [uid for uid in uids if uid not in self._copied[folder]]
        for batch in uid_batches(wanted, MOST):
            answer = self._run_into(folder, b"UID COPY", batch)
            self._copied[folder] |= copied(answer) if answer else set()

    def _copy_counted(self, folder: str, uids: Iterable[int]) -> None:
        """Where no COPYUID tells what was copied: the target must have grown by as many."""
        wanted = self._existing([uid for uid in uids if uid not in self._copied[folder]])
        before = self._count(folder)
        self._copy(folder, wanted)
        if self._count(folder) >= before + len(wanted):
            self._copied[folder].update(wanted)

    def _count(self, folder: str) -> int:
        answer = self._session.ask(b"STATUS " + folder_name(folder) + b" (MESSAGES)", keep=b"STATUS")
        found = re.search(rb"\(MESSAGES (\d+)", answer.responses[0][-1]) if answer.responses else None
        return int(found[1]) if found else 0

    def _look_before_copying(self) -> None:
        moves = not self._session.has("MOVE")
        again: dict[str, list[int]] = defaultdict(list)
        for uid, s in self._open.items():
            folders = (*s.disposition.copy, *([s.disposition.move] if moves and s.disposition.move else []))
            for folder in folders if s.again else ():
                again[folder].append(uid)
        for folder, uids in again.items():
            if not self._same(folder):
                self._copied[folder] |= self._there(folder, uids)
        if self._validity != self._session.validity:
            self._fail(list(self._open), "the folder was made anew meanwhile")

    def _there(self, folder: str, uids: Sequence[int]) -> set[int]:
        """Which of these are in *folder* already: a message of the same size with the same header block."""
        ours = self._looks(uids)
        with self._session.examining(folder) as opened:
            theirs = set(self._looks(self._sized({size for size, _ in ours.values()})).values()) if opened else set()
        return {uid for uid, look in ours.items() if look in theirs}

    def _sized(self, sizes: Iterable[int]) -> list[int]:
        found: list[int] = []
        for size in sizes:
            search = b"UID SEARCH LARGER %d SMALLER %d" % (size - 1, size + 1)
            found += read_search(self._session.demand(search, keep=b"SEARCH").responses)
        return found

    def _looks(self, uids: Iterable[int]) -> dict[int, tuple[int, bytes]]:
        """Size and header block of each."""
        looks: dict[int, tuple[int, bytes]] = {}
        for batch in uid_batches(uids, LOOKED_AT):
            fetch = b"UID FETCH " + uid_set(batch) + b" (UID RFC822.SIZE BODY.PEEK[HEADER])"
            found = read_fetches(self._session.demand(fetch, keep=b"FETCH", limits=HEADERS).responses)
            looks |= {uid: (int(items[b"RFC822.SIZE"]), items[b"BODY[HEADER]"]) for uid, items in found.items()}
        return looks

    # What removes a message.

    def _move(self, folder: str, uids: list[int]) -> None:
        if self._session.has("MOVE"):
            for batch in uid_batches(uids, MOST):
                self._run_into(folder, b"UID MOVE", batch)
            return
        self._copy(folder, uids) if self._tells_uids() else self._copy_counted(folder, uids)
        still = self._existing([uid for uid in uids if uid in self._open])
        safe = [uid for uid in still if uid in self._copied[folder]]
        self._fail(set(still) - set(safe), f"the copy in {folder} could not be verified, so it stays here too")
        self._expunge(safe)

    def _existing(self, uids: Sequence[int]) -> list[int]:
        found: list[int] = []
        for batch in uid_batches(uids, MOST):
            found += read_search(self._session.demand(b"UID SEARCH UID " + uid_set(batch), keep=b"SEARCH").responses)
        return found

    def _expunge(self, uids: Sequence[int]) -> None:
        for batch in uid_batches(uids, MOST):
            self._run(b"UID STORE", batch, rb"+FLAGS.SILENT (\Deleted)")
        left = [uid for uid in uids if uid in self._open]
        if left and not self._tells_uids():
            log.warning("%s: no UIDPLUS, so deleted messages are only flagged \\Deleted", self._session.server)
            return
        for batch in uid_batches(left, MOST):
            self._run(b"UID EXPUNGE", batch)

    def _tells_uids(self) -> bool:
        return self._session.has("UIDPLUS", "IMAP4REV2")

    # Commands.

    def _each(
        self,
        marks: Callable[[Disposition], tuple[bytes, ...]],
        store: Callable[[tuple[bytes, ...], list[int]], None],
    ) -> None:
        for wanted, uids in self._group(marks).items():
            if wanted:
                store(wanted, uids)

    def _group(self, key: Callable[[Disposition], K]) -> dict[K, list[int]]:
        groups: dict[K, list[int]] = defaultdict(list)
        for uid, settlement in self._open.items():
            groups[key(settlement.disposition)].append(uid)
        return groups

    def _run(self, verb: bytes, batch: Sequence[int], rest: bytes = b"") -> None:
        """One command on a set; if the server refuses it, these messages have failed, and only these."""
        answer = self._session.ask(b" ".join((verb, uid_set(batch), rest)).rstrip())
        if not answer.done:
            self._fail(batch, f"{verb.split()[1].decode()} answered {answer.status} {one_line(answer.text)}")

    def _run_into(self, folder: str, verb: bytes, batch: Sequence[int]) -> Answer | None:
        """`_run` with a target folder, which is made if it is not there."""
        command = verb + b" " + uid_set(batch) + b" " + folder_name(folder)
        answer = self._session.ask(command)
        if answer.status == "NO" and self._missing(answer, folder):
            made = self._session.create(folder)
            answer = self._session.ask(command) if made.status == "OK" else made
        if answer.done:
            return answer
        self._fail(batch, f"{verb.split()[1].decode()} to {folder} answered {answer.status} {one_line(answer.text)}")
        return None

    def _missing(self, answer: Answer, folder: str) -> bool:
        if b"[TRYCREATE]" in answer.text.upper() or b"[NONEXISTENT]" in answer.text.upper():
            return True
        if answer.text.startswith(b"["):
            return False
        return not self._session.ask(b'LIST "" ' + folder_name(folder), keep=b"LIST").responses

    def _same(self, folder: str) -> bool:
        here = self._session.name
        return folder == here or folder.upper() == here.upper() == "INBOX"

    def _fail(self, uids: Iterable[int], reason: str) -> None:
        for uid in uids:
            if settlement := self._open.pop(uid, None):
                self.failed[settlement.ref] = reason


def copied(answer: Answer) -> set[int]:
    """The UIDs that a COPY says it copied (RFC 4315, section 3), wherever the server put COPYUID."""
    found = [match for text in (answer.text, *answer.codes) if (match := _COPYUID.search(text))]
    return {uid for match in found for uid in read_set(match[1])}


def keyword(label: str) -> bytes:
    """A label as a keyword: modified UTF-7, and `_` for what a keyword cannot hold."""
    encoded: bytes = encode_utf7(label)
    return re.sub(rb"[\x00-\x20\x7f-\xff(){%*\"\\\]]", b"_", encoded)
