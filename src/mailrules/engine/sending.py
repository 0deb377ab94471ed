"""The edge by which mail leaves: guarded, handed over to those who do not have it yet, a copy kept where asked.

Whatever an action or a plugin sends comes by here, so what must hold for all mail stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any, NamedTuple

from mailrules.api import Appender, Log, NoCredential, Permanent, Place, Transient, Transport, Withheld
from mailrules.api.delivery import PartlySent, named
from mailrules.api.guard import withheld
from mailrules.config.settings import Account
from mailrules.engine.credential import with_credential
from mailrules.engine.lines import Lines
from mailrules.model.action import InDoubt, PersonNeeded
from mailrules.model.message import Message

SENT = "\\Sent"
"""Where copies go unless a folder is named: the folder of that role (RFC 6154)."""


class Envelope(NamedTuple):
    """Who hands a mail over, and who gets it."""

    sender: str
    recipients: list[str]


@dataclass(frozen=True, slots=True)
class Sending:
    """How far one mail has come, kept in the step's record between its tries."""

    accepted: tuple[str, ...] = ()
    """Who has it."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Who never will, with the server's words."""
    said: str = ""
    """The server's words for those who have it."""
    copied: bool = False
    """Whether the copy has been tried: mail that has left does not leave again for want of one."""

    @classmethod
    def of(cls, progress: Mapping[str, Any]) -> Sending:
        """What the try before said."""
        told = progress.get("sending", {})
        return cls(
            tuple(told.get("accepted", ())),
            dict(told.get("refused", {})),
            told.get("said", ""),
            bool(told.get("copied")),
        )

    @property
    def progress(self) -> dict[str, Any]:
        """For the next try, in JSON types."""
        own = {"accepted": list(self.accepted), "refused": dict(self.refused), "said": self.said}
        return {"sending": {**own, "copied": self.copied}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """For what a mail is sent: the message that gave rise to it, how far it came before, and where copies are put."""

    message: Message
    append: Appender
    log: Log
    capped: Callable[[Sequence[str], str], str] = lambda _recipients, _subject: ""
    """(recipients, subject): why they have had enough; empty, and counted, where they have not."""
    progress: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AccountSender:
    """Sends as one account."""

    account: Account
    workspace: Path
    errand: Errand | None = None
    """None for a mail that no message gave rise to."""
    lines: Lines = field(default_factory=lambda: Lines(most=1))
    """Connections that are kept for the next mail."""

    def __call__(
        self, mail: EmailMessage | bytes, *, recipients: Sequence[str] = (), sent: bool | str | None = None
    ) -> str:
        """See `mailrules.api.Sender`."""
        if self.account.send is None:
            raise Permanent(f"account '{self.account.name}' has no `send:`")
        envelope = self._envelope(mail, recipients)
        self._guard(mail, envelope.recipients)
        before = Sending.of(self.errand.progress) if self.errand else Sending()
        wanted = self.account.sent if sent is None else sent
        copy = _octets(mail) if wanted else b""  # with Bcc, which nobody else sees
        if isinstance(mail, EmailMessage):
            del mail["Bcc"]
        done, later = self._handed_over(mail, envelope, before)
        done, note = self._copied(copy, done, folder=SENT if wanted is True else wanted or "")
        if later:
            raise Transient(_partly(self.account, done, later), progress=done.progress)
        if done.refused:
            reason = f"{_partly(self.account, done, done.refused)}: not repeated, so that nobody gets it twice"
            raise InDoubt(reason, progress=replace(done, refused={}).progress)
        return f"{done.said}{note}"

    def _envelope(self, mail: EmailMessage | bytes, recipients: Sequence[str]) -> Envelope:
        fields = mail if isinstance(mail, EmailMessage) else EmailMessage()
        to = list(dict.fromkeys(recipients or _addresses(fields, "To", "Cc", "Bcc")))
        if not to:
            raise Permanent("nobody to send to")
        own = [self.account.sender.address] if self.account.sender else _addresses(fields, "From")
        if not own:
            raise Permanent(f"account '{self.account.name}' has no `from:` to send as")
        return Envelope(own[0], to)

    def _guard(self, mail: EmailMessage | bytes, recipients: Sequence[str]) -> None:
        """Whether it may go: what needs no memory first, then whether whoever gets it has had enough."""
        if self.errand is None:
            return
        subject = str(mail["Subject"]) if isinstance(mail, EmailMessage) else self.errand.message.subject
        reason = withheld(self.errand.message, recipients, self.account.data)
        begun = bool(Sending.of(self.errand.progress).accepted)  # the others were let through with those who have it
        if reason := reason or ("" if begun else self.errand.capped(recipients, subject)):
            raise Withheld(reason)

    def _handed_over(
        self, mail: EmailMessage | bytes, envelope: Envelope, before: Sending
    ) -> tuple[Sending, dict[str, str]]:
        """How far it has come, and who is to be asked again with the server's words."""
        left = [each for each in envelope.recipients if each not in before.accepted and each not in before.refused]
        if not left:
            return before, {}
        try:
            said = self._sent(mail, Envelope(envelope.sender, left))
        except PartlySent as partly:
            accepted = (*before.accepted, *partly.accepted)
            refused = {**before.refused, **partly.refused}
            return replace(before, accepted=accepted, refused=refused, said=partly.said), partly.later
        except Transient as error:
            if before.accepted:
                raise Transient(str(error), after=error.after, progress=before.progress) from error
            raise
        except (InDoubt, PersonNeeded):
            raise
        except Permanent as error:
            if not before.accepted:
                raise
            return replace(before, refused={**before.refused, **dict.fromkeys(left, str(error))}), {}
        return replace(before, accepted=(*before.accepted, *left), said=said), {}

    def _sent(self, mail: EmailMessage | bytes, envelope: Envelope) -> str:
        assert self.account.send is not None
        provided, options = self.account.send
        place = Place(self.workspace, account=self.account.name)

        def send(shown: Any) -> str:
            def on(transport: Transport) -> str:
                return transport.send(mail, envelope.sender, envelope.recipients)

            return self.lines.use(
                self.account.name, shown, opened=lambda: provided.item.open(options, shown, place), send=on
            )

        unasked = provided.item.accepts == {NoCredential}
        return send(NoCredential()) if unasked else with_credential(self.account, place, send)

    def _copied(self, mail: bytes, done: Sending, *, folder: str) -> tuple[Sending, str]:
        """Put the copy, once somebody has the mail; that it could not be put is told, and no more."""
        if not folder or not done.accepted or done.copied or self.errand is None:
            return done, ""
        try:
            self.errand.append("", folder, mail, flags=["\\Seen"])
        except Exception as error:  # whatever a protocol raises: the mail is out
            said = error if isinstance(error, Transient | Permanent) else f"{type(error).__name__}: {error}"
            note = f"no copy in {folder}: {said}"
            self.errand.log.warning(note)
            return replace(done, copied=True), f"; {note}"
        return replace(done, copied=True), ""


def _octets(mail: EmailMessage | bytes) -> bytes:
    return mail if isinstance(mail, bytes) else mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def _partly(account: Account, done: Sending, rest: Mapping[str, str]) -> str:
    refused = {**done.refused, **rest}
    has = f"sent to {', '.join(done.accepted)} ({done.said}) but " if done.accepted else ""
    return f"account '{account.name}': {has}refused for {named(refused)}"


def _addresses(mail: EmailMessage, *names: str) -> list[str]:
    values = [str(value) for name in names for value in mail.get_all(name, [])]
    return [address for _, address in getaddresses(values) if address]
