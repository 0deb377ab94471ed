"""A log-in on an IMAP server with one folder open: how it comes about, and the few commands about folders."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import re
from contextlib import AbstractContextManager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as encode_utf7

from mailrules.api import NoCredential, PasswordCredential, PersonNeeded, TokenCredential, Transient
from mailrules.builtin.folder.targets import demand
from mailrules.builtin.imap.line import Answer, Line, Sent, Stream
from mailrules.builtin.imap.names import Folder, Names
from mailrules.builtin.line.bearer import Outcome, log_in_by_token
from mailrules.builtin.line.hints import asked_pause
from mailrules.builtin.line.tls import Server, one_line, words
from mailrules.builtin.line.wire import ORDINARY, Limits, Nonsense

if TYPE_CHECKING:
    from mailrules.api import Place

Shown: TypeAlias = NoCredential | PasswordCredential | TokenCredential
BUSY = (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]")
"""Response codes (RFC 5530, section 3) of a refusal that says nothing about what was asked for, only about now."""
LONGEST_RESPONSE = 8192
"""Characters of an initial response (RFC 4959), with which a command is no longer than servers take (RFC 2683)."""
PASSING = (*BUSY, b"[SERVERBUG]")
"""Those of a refusal that says nothing about the password."""


class Client(IMAPClient):  # type: ignore[misc]  # imapclient is not typed
    """imapclient on a line of ours."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(server.host, server.port, ssl=server.security == "tls", timeout=server.timeout)
        self._imap.debug = 0  # imapclient sets 5: the repr of every octet, for a log that nobody reads

    def _create_IMAP4(self) -> Line:  # noqa: N802 - imapclient's name
        return Line(self._server)

    @property
    def line(self) -> Line:
        """The connection itself."""
        line: Line = self._imap
        return line

    def listed(self) -> list[Folder]:
        """See `mailrules.builtin.imap.names.Source`; asked so that special uses are told (RFC 6154, section 3)."""
        uses = self.has_capability("SPECIAL-USE") and self.has_capability("LIST-EXTENDED")
        return self._list(b'LIST "" "*"' + (b" RETURN (SPECIAL-USE)" if uses else b""))

    def exists(self, name: str) -> bool:
        """See `mailrules.builtin.imap.names.Source`."""
        return any(folder.opens for folder in self._list(b'LIST "" ' + folder_name(name)))

    def _list(self, command: bytes) -> list[Folder]:
        answer = self.line.exchange(command, keep=b"LIST")
        if answer.status != "OK":
            raise self.line.error(f"LIST answered {one_line(answer.text)}")
        data: list[Any] = []
        for text, *rest in answer.responses:  # as imaplib would have it
            item = re.sub(rb"^\* LIST |\r\n\Z", b"", text, flags=re.IGNORECASE)
            data += [(item, rest[0]), b""] if rest else [item]
        found = self._proc_folder_list(data)
        return [Folder(str(name), frozenset(mark.decode().lower() for mark in marks)) for marks, _, name in found]

    def delimiter(self) -> str:
        """See `mailrules.builtin.imap.names.Source`."""
        return (next((part for _, part, _ in self.list_folders("", "")), b"/") or b"").decode()

    def namespaces(self) -> tuple[str, str | None, tuple[str, ...]]:
        """See `mailrules.builtin.imap.names.Source`; without NAMESPACE there is no prefix."""
        if not self.has_capability("NAMESPACE"):
            return "", None, ()
        personal, *others = self.namespace()
        prefix, delimiter = personal[0] if personal else ("", "/")
        return prefix, delimiter or "", tuple(name for part in others for name, _ in part or () if name)


class Session:
    """Logged in, with one folder open.

    Raises `Transient` and `PersonNeeded` only, wherever it is asked something.
    """

    def __init__(self, server: Server, place: Place) -> None:
        """Connect and encrypt."""
        self.server = server
        self.folder = place.folder
        self.name = place.folder
        """As the server calls it."""
        self.readonly = place.readonly
        self.validity = ""
        self.kept: frozenset[bytes] | None = None
        r"""The flags that the server keeps, in capitals, `\*` if it takes new ones; None if it does not say."""
        with server.faults():
            self._client = Client(server)
        self.line = self._client.line
        self._names = Names(self._client)
        try:
            if server.security == "starttls":
                self._encrypt()
        except BaseException:
            self.line.shutdown()
            raise

    @classmethod
    def opened(cls, server: Server, credential: Shown, place: Place) -> Session:
        """Connected, encrypted, logged in, with the folder open."""
        session = cls(server, place)
        try:
            session.log_in(credential)
            session.select()
            session.demand_targets(place)
        except BaseException:
            session.line.shutdown()
            raise
        return session

    def talking(self) -> AbstractContextManager[None]:
        """A conversation: a failure within is one of this server, and the end of the connection."""
        return self._client.line.wire.talking()

    def has(self, *capabilities: str) -> bool:
        """Whether the server offers any of these."""
        return any(name.encode() in self._capabilities for name in capabilities)

    def log_in(self, credential: Shown) -> None:
        """Show the credential, unless the server takes us in unasked (PREAUTH)."""
        if self.line.state != "AUTH":
            if isinstance(credential, NoCredential):
                raise self.server.person("it wants a log-in", remedy="write `auth:`, {password: ...} or {oauth2: ...}")
            self._log_in(credential)
        with self.server.faults():
            self._capabilities: frozenset[bytes] = frozenset(self._client.capabilities())

    def _log_in(self, credential: PasswordCredential | TokenCredential) -> None:
        if isinstance(credential, TokenCredential):
            with self.talking():
                self._show(credential)
            return
        password = credential.password.reveal()
        try:
            self._authenticate(credential.login, password)
        except imaplib.IMAP4.abort as error:
            raise self.server.transient(words(error).replace(password, "***")) from None
        except imaplib.IMAP4.error as error:
            raise self._refused(credential.login, words(error).replace(password, "***")) from None
        except Exception as error:
            raise self.server.fault(error) from None  # the chain may hold the command

    def _show(self, credential: TokenCredential) -> None:
        offered = [name.decode("ascii", "replace") for name in self._client.capabilities()]
        exchange = self._client.line.dialogue()

        def step(line: str) -> tuple[Outcome, bytes]:
            status, text = exchange(line)
            passing = any(code in text.upper() for code in PASSING)
            known: dict[str, Outcome] = {"+": "more", "OK": "in"}
            return known.get(status, "later" if passing else "no"), text

        log_in_by_token(
            self.server,
            credential,
            offered=[name.removeprefix("AUTH=") for name in offered if name.startswith("AUTH=")],
            command="AUTHENTICATE",
            longest=LONGEST_RESPONSE if "SASL-IR" in offered else 0,
            exchange=step,
        )

    def _encrypt(self) -> None:
        if self.line.state == "AUTH":
            raise self.server.person(
                "it takes us in unasked (PREAUTH), which rules STARTTLS out", remedy="set `security: tls`"
            )
        with self.server.faults():
            offered = self._client.has_capability("STARTTLS")
            if offered:
                self._client.starttls()
        if not offered:
            raise self.server.person(
                "no STARTTLS offered", remedy="set `security: tls`, or `none` if the network is trusted"
            )

    def _authenticate(self, login: str, password: str) -> None:
        if self._client.has_capability("AUTH=PLAIN"):
            self._show_password(login, password)
        elif self._client.has_capability("LOGINDISABLED"):
            raise self.server.person("it takes no password on this line", remedy="set `security: tls` or `starttls`")
        elif not (login + password).isascii() or any(character in login + password for character in "\r\n\0"):
            raise self.server.person("it takes ASCII passwords only", remedy="choose another password")
        else:
            quoted = login.replace("\\", "\\\\").replace('"', '\\"')
            self._client.login(f'"{quoted}"', password)

    def _show_password(self, login: str, password: str) -> None:
        """SASL PLAIN (RFC 4616), in one go where the server takes an initial response (RFC 4959)."""
        exchange = self._client.line.dialogue()
        shown = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        at_once = self._client.has_capability("SASL-IR") and len(shown) <= LONGEST_RESPONSE
        status, text = exchange(f"AUTHENTICATE PLAIN {shown}" if at_once else "AUTHENTICATE PLAIN")
        if status == "+":
            status, text = exchange(shown)
        if status != "OK":
            raise imaplib.IMAP4.error(one_line(text))

    def _refused(self, login: str, text: str) -> Exception:
        if asked_pause(text) is not None or any(code.decode() in text.upper() for code in PASSING):
            return self.server.transient(f"no log-in now: {text}")
        return self.server.refused(login, text)

    def select(self) -> None:
        """Open the folder (again): EXAMINE when it is only to be read. The validity may be another one then."""
        self.name = self.called(self.folder)
        try:
            found: dict[bytes, Any] = self._client.select_folder(self.name, readonly=self.readonly)
        except imaplib.IMAP4.readonly as error:
            raise self.server.person(
                f"folder {self.folder!r} may only be read, so nothing in it can be deleted, moved or marked",
                remedy="have its owner let this log-in write there, or choose another `folder:`",
            ) from error
        except imaplib.IMAP4.abort as error:
            raise self.server.fault(error) from error
        except imaplib.IMAP4.error as error:
            raise self._unopened(words(error)) from error
        except Exception as error:
            raise self.server.fault(error) from error
        with self.talking():
            if b"UIDVALIDITY" not in found:
                raise Nonsense(f"folder {self.folder!r} has no UIDVALIDITY, so messages cannot be told apart")
        self.validity = str(found[b"UIDVALIDITY"])
        kept = found.get(b"PERMANENTFLAGS")
        self.kept = None if kept is None else frozenset(flag.upper() for flag in kept)
        self._client.line.exists = int(found.get(b"EXISTS", 0))

    def _unopened(self, text: str) -> Transient | PersonNeeded:
        names = self.folders()
        if self.name in names:
            return self.server.transient(f"folder {self.folder!r} cannot be opened: {text}")
        there = ", ".join(names[:20]) or "nothing"
        near = get_close_matches(self.folder, names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "check `folder:`"
        return PersonNeeded(f"{self.server}: no folder {self.folder!r}; there is {there}", remedy=remedy)

    def folders(self) -> list[str]:
        """The names of those that can be opened."""
        with self.talking():
            return sorted(folder.name for folder in self._client.listed() if folder.opens)

    def demand_targets(self, place: Place) -> None:
        """See `mailrules.api.Place.must_exist`."""
        names = (
            {name.upper() if name.upper() == "INBOX" else name for name in self.folders()} if place.must_exist else ()
        )

        def exists(folder: str) -> bool:
            called = self.called(folder)
            return called in names or called.upper() == "INBOX"

        demand(place, exists, lambda: names, self.server)

    def called(self, folder: str) -> str:
        r"""The server's name for a folder as it is written: by role (`\Archive`), with `/`, without prefix.

        Raises:
            PersonNeeded: there is no such role.
        """
        with self.talking():
            return self._names.resolve(folder)

    def ask(self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY) -> Answer:
        """One command whatever it answers."""
        with self.talking():
            return self.line.exchange(command, keep=keep, limits=limits)

    def demand(self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY) -> Answer:
        """One command that must succeed."""
        return self.outcome(self.ahead(command, keep=keep, limits=limits))

    def ahead(
        self, command: bytes, *, keep: bytes = b"", limits: Limits = ORDINARY, stream: Stream | None = None
    ) -> Sent:
        """One command that must succeed, sent; `outcome` waits for it. Other commands may come between."""
        with self.talking():
            return self.line.ahead(command, keep=keep, limits=limits, stream=stream)

    def outcome(self, sent: Sent) -> Answer:
        """The answer, where it is no refusal; messages that have gone meanwhile are none (RFC 5530: EXPUNGEISSUED)."""
        answer = self.answer(sent)
        if not answer.done:
            raise self.refusal(sent, answer)
        return answer

    def answer(self, sent: Sent) -> Answer:
        """The answer, whatever it is."""
        with self.talking():
            return self.line.answer(sent)

    def refusal(self, sent: Sent, answer: Answer) -> Transient:
        """What to raise for a command that must succeed and did not."""
        return self.server.transient(f"it answers {answer.status} {one_line(answer.text)} to {sent.keep.decode()}")

    def is_open(self, folder: str) -> bool:
        """Whether the open folder is meant by a name as it is written, or as the server has it."""
        if folder in {self.folder, self.name}:
            return True
        try:
            called = self.called(folder)
        except PersonNeeded:
            return False
        return called == self.name or called.upper() == self.name.upper() == "INBOX"

    def create(self, folder: str) -> Answer:
        """Make a folder and subscribe to it; gives the answer to CREATE."""
        made = self.ask(b"CREATE " + folder_name(folder))
        if made.status == "OK":
            self.ask(b"SUBSCRIBE " + folder_name(folder))
        return made

    @contextlib.contextmanager
    def examining(self, folder: str) -> Any:
        """Another folder open, to be read only, for the length of the block; gives whether it could be opened."""
        answer = self.ask(b"EXAMINE " + folder_name(folder))
        try:
            yield answer.status == "OK"
        finally:
            came = self.line.came
            self.select()
            self.line.came = came + 1  # what comes meanwhile is told to nobody

    def close(self) -> None:
        """Log out without waiting for much. Never raises."""
        with contextlib.suppress(Exception):
            self.line.send(b"ZZ LOGOUT\r\n")
        self.line.shutdown()


def folder_name(folder: str) -> bytes:
    """A folder's name as a command writes it: modified UTF-7 (RFC 3501, section 5.1.3), quoted."""
    encoded: bytes = encode_utf7(folder)
    return b'"' + encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
