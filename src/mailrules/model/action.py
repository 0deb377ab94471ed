"""What an action is to the engine, and what the engine is to an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mailrules.model.message import Message

if TYPE_CHECKING:
    from mailrules.model.mailbox import Ref


class Transient(Exception):  # noqa: N818 - a verdict on a failure, named as the field does
    """It failed, and the same may succeed later: tried again after a back-off, with the same idempotency key.

    `after`: seconds the other side asked us to wait, if it did.
    `progress`: what has been done already, in JSON types: the next try finds it in `Context.progress`.
    """

    def __init__(self, reason: str, *, after: float | None = None, progress: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.after = after
        self.progress = progress


class Withheld(Exception):  # noqa: N818 - as above
    """The action decided not to act, as a guard told it: on record with its reason, and the transition goes on."""


class Permanent(Exception):  # noqa: N818 - as above
    """It failed, and trying again would fail alike: parked for a person to look, unless the step says `ignore`."""


class InDoubt(Permanent):
    """It may have happened, or has in part: parked, not repeated by itself, and `retry --done` takes it as done.

    `progress`: as of `Transient`, for when a person has it repeated.
    """

    def __init__(self, reason: str, *, progress: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.progress = progress


class PersonNeeded(Permanent):
    """Nothing goes on until somebody acts: log in again, renew a certificate. `remedy` says what to do."""

    def __init__(self, reason: str, *, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


class Refused(PersonNeeded):
    """The server does not take the credential: one that can be renewed is, once, before a person is asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server said."""

    status: int
    headers: Mapping[str, str]
    """Names lower-cased."""
    content: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where Retry-After says so, as a number or as a moment (RFC 9110, section 10.2.3)."""
        after = self.headers.get("retry-after", "").strip()
        if after.isascii() and after.isdigit():
            return float(after[:12])
        until = _moment(after)
        if until is None:
            return None
        # By the clock that wrote it, which need not be ours.
        return max((until - (_moment(self.headers.get("date", "")) or datetime.now(UTC))).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a request may go, and how."""

    private: bool | tuple[str, ...] = False
    """Whether addresses of our own network may be asked: all of them, or these hosts, addresses and networks."""
    certificate: str = ""
    """What to trust instead of the system's authorities: a PEM file of the workspace, or its text."""
    proxy: str = ""
    """The URL of the proxy that is asked instead, which then decides what may be reached."""


INTERNET = Reach()
"""Addresses of the internet only."""


class Http(Protocol):
    """An HTTP client that honours the step's deadline."""

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        reach: Reach = INTERNET,
    ) -> Answer:
        """Ask once; redirects are not followed.

        Raises:
            Transient: no whole answer came in time.
            Permanent: the URL is none or leads where *reach* does not.
            InDoubt: it has been asked, and the answer is larger than any that is meant.
        """


class Files(Protocol):
    """The workspace's files, written whole or not at all and never over another."""

    def save(self, path: str, content: bytes | Iterable[bytes]) -> Path:
        """Write *content*, whole or in pieces, under the workspace's file root; gives its path there.

        A taken name gets a number: a-2.pdf.

        Raises:
            Permanent: the path leaves the root.
            Transient: the disk is full or refuses.
        """


class Log(Protocol):
    """One line to the operator's log; secrets are struck out."""

    def info(self, text: str, /) -> None:
        """Something worth knowing."""

    def warning(self, text: str, /) -> None:
        """Something to look at."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that an action may touch when it runs."""

    idempotency_key: str
    """The same at every try of this step for this message; unique otherwise."""
    deadline: datetime
    """When the step must have ended, aware."""
    http: Http
    files: Files
    log: Log
    send: Sender
    append: Appender
    progress: Mapping[str, Any] = field(default_factory=dict)
    """What the last try of this step had done before it failed, as its `Transient` said; empty at the first."""


class Sender(Protocol):
    """Sends mail as the listener's account."""

    def __call__(
        self, mail: EmailMessage | bytes, *, recipients: Sequence[str] = (), sent: bool | str | None = None
    ) -> str:
        """Hand *mail* over for delivery, octets as they are; gives the server's words.

        *recipients* is the envelope; empty takes To, Cc and Bcc (Bcc is never written out). *sent* puts a copy into
        the folder of that name, or with true into the one for sent mail; by default as the account says. That it could
        not be put is told in what is given, and is no failure.

        Raises:
            Transient: the server is away or says 4xx; those who have it are in `progress`, and the next try of the
                step hands it over to the others only.
            Permanent: it says 5xx, some recipients have it and others were refused for good, or it cannot send.
            Withheld: nothing may go there because of this message (RFC 3834).
        """


class Appender(Protocol):
    """Puts messages into folders of the workspace's accounts."""

    def __call__(
        self, account: str, folder: str, raw: bytes, *, flags: Sequence[str] = (), received: datetime | None = None
    ) -> Ref:
        r"""Put *raw* into a folder of an account, and tell where it is now; the same message again is put there once.

        An empty *account* is the listener's own. *folder* may be a role (`\Sent`); a missing one is made, or refused,
        as the account's `missing_folder` says.

        Raises:
            Transient: the server is away or busy, or the disk is full.
            Permanent: there is no such account, nothing can be put there, or the server refuses this message.
        """


Data = Mapping[str, Any]
"""What templates see: `message`, `match`, `data` (results of earlier steps), `account`, `listener`, `now`."""


class Action(Protocol):
    """One step of a transition, built from its options. It holds no state between messages.

    One that sends may have `preview(message, data, key) -> bytes`: the very mail that `run` would send with that
    idempotency key, for people to look at before; it raises what `run` does.
    """

    def describe(self, message: Message, data: Data) -> str:
        """What `run` would do, in one line and without doing it: dry run, tests and explain print it."""

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any] | None:
        """Do it. The mapping becomes `data` for later steps, and is kept in the journal: JSON types only.

        Its key `done` is no data: a line for the journal that says what was done, where `describe` could not know.

        Raises:
            Transient: try again later.
            Permanent: do not.
            Withheld: it was not to be done, and that is fine.
        """
