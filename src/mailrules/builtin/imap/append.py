"""Putting a message into a folder of an IMAP server (RFC 9051, section 6.3.12)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from mailrules.api import NewMessage, Permanent, PersonNeeded, Place, Ref
from mailrules.builtin.folder.arrival import message_id
from mailrules.builtin.imap.fetch import read_fetches, read_search, uid_batches, uid_set
from mailrules.builtin.imap.line import Answer
from mailrules.builtin.imap.session import PASSING, Session, Shown, folder_name
from mailrules.builtin.line.tls import Server, one_line
from mailrules.builtin.line.wire import MIB, Limits

_APPENDUID = re.compile(rb"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_FLAG = re.compile(r"\\?[!#$&'+,./0-9:;<=>?@A-Z\[^_`a-z|}~-]+")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_LATER = (*PASSING, b"[OVERQUOTA]", b"[EXPUNGEISSUED]")
"""Response codes (RFC 5530) of a refusal that another try may not meet."""
_AT_ONCE = 4096
"""Octets of a literal that LITERAL- lets one send unasked (RFC 7888)."""
_LOOKED_AT = 500


def append_imap(server: Server, credential: Shown, place: Place, new: NewMessage) -> Ref:
    """Log in, and put the message into the place's folder; see `mailrules.api.ReceiveProtocol.append`."""
    session = Session(server, replace(place, readonly=True))
    try:
        session.log_in(credential)
        with session.talking():
            return _Appending(session, place).run(new)
    finally:
        with suppress(Exception):
            session.close()


class _Appending:
    """One message on its way into one folder."""

    def __init__(self, session: Session, place: Place) -> None:
        self._session = session
        self._place = place
        self._name = session.called(place.folder)

    def run(self, new: NewMessage) -> Ref:
        """Look whether it is there, else put it there."""
        raw = _BARE.sub(b"\r\n", new.raw)
        validity = self._opened()
        there = self._there(raw)
        if there:
            return Ref(self._place.folder, validity, str(there))
        answer = self._put(raw, new)
        if answer.status != "OK":
            raise self._refusal(answer)
        found = _APPENDUID.search(answer.text)
        return Ref(self._place.folder, *((found[1].decode(), found[2].decode()) if found else (validity, "")))

    def _opened(self) -> str:
        """The folder open to be read, made where that may be; gives its validity."""
        examine = b"EXAMINE " + folder_name(self._name)
        answer = self._session.ask(examine)
        if answer.status == "NO" and self._name not in self._session.folders():
            self._make()
            answer = self._session.ask(examine)
        if answer.status != "OK":
            raise self._refusal(answer)
        found = next((match for text in (answer.text, *answer.codes) if (match := _VALIDITY.search(text))), None)
        return found[1].decode() if found else ""

    def _make(self) -> None:
        if self._place.folder in self._place.must_exist:
            raise PersonNeeded(
                f"{self._session.server}: no folder {self._place.folder!r}",
                remedy="make it there, or set `missing_folder: create`",
            )
        made = self._session.create(self._name)
        if made.status != "OK":
            raise self._refusal(made)

    def _there(self, raw: bytes) -> int:
        """The UID of the same message in the folder; 0 where there is none."""
        identifier = message_id(raw)
        size = b"LARGER %d SMALLER %d" % (len(raw) - 1, len(raw) + 1)
        quoted = identifier.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        named = b' HEADER Message-ID "' + quoted + b'"' if identifier and quoted.isascii() else b""
        answer = self._session.demand(b"UID SEARCH UNDELETED " + size + named, keep=b"SEARCH")
        alike = self._alike(read_search(answer.responses), raw.partition(b"\r\n\r\n")[0].rstrip(b"\r\n"))
        return next((uid for uid in alike if self._whole(uid, len(raw)) == raw), 0)

    def _alike(self, uids: Iterable[int], header: bytes) -> Iterable[int]:
        """Those with the same header block."""
        for batch in uid_batches(uids, _LOOKED_AT):
            fetch = b"UID FETCH " + uid_set(batch) + b" (UID BODY.PEEK[HEADER])"
            for uid, items in read_fetches(self._session.demand(fetch, keep=b"FETCH").responses).items():
                if items.get(b"BODY[HEADER]", b"").rstrip(b"\r\n") == header:
                    yield uid

    def _whole(self, uid: int, size: int) -> bytes:
        limits = Limits(literal=size + MIB, total=size + 2 * MIB)
        answer = self._session.demand(b"UID FETCH %d (UID BODY.PEEK[])" % uid, keep=b"FETCH", limits=limits)
        return read_fetches(answer.responses).get(uid, {}).get(b"BODY[]", b"")

    def _put(self, raw: bytes, new: NewMessage) -> Answer:
        flags = [flag for flag in new.flags if _FLAG.fullmatch(flag) and flag.lower() != "\\recent"]
        words = [b"APPEND", folder_name(self._name), b"(" + " ".join(flags).encode() + b")"]
        if new.received:
            words.append(_moment(new.received))
        small = len(raw) <= _AT_ONCE and self._session.has("LITERAL-", "IMAP4REV2")
        at_once = self._session.has("LITERAL+") or small
        return self._session.line.upload(b" ".join(words), raw, at_once=at_once)

    def _refusal(self, answer: Answer) -> Exception:
        """The server's words: later, a person, or never."""
        server, text = self._session.server, answer.text.upper()
        said = f"{self._place.folder}: it answers {answer.status} {one_line(answer.text)}"
        if any(code in text for code in _LATER):
            return server.transient(said)
        if b"[NOPERM]" in text:
            return server.person(said, remedy="let this log-in write there, or choose another folder")
        return Permanent(f"{server}: {said}")


def _moment(received: datetime) -> bytes:
    """A date-time (RFC 9051, section 9), in UTC, with the names of months that no locale changes."""
    at = received.astimezone(UTC)
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * at.month - 3 : 3 * at.month]
    return f'"{at.day:2}-{month}-{at:%Y %H:%M:%S} +0000"'.encode()
