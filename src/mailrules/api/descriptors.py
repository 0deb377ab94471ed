"""What a plugin offers, as frozen descriptors: inert data with callables that the engine runs later."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import pluggy

from mailrules.api.check import Check
from mailrules.api.options import Options, Secret
from mailrules.model.action import Action
from mailrules.model.mailbox import Mailbox, NewMessage, Ref

hookimpl = pluggy.HookimplMarker("mailrules")
"""Marks a function or method as an implementation of a `mailrules_...` hook."""


@dataclass(frozen=True, slots=True)
class NoCredential:
    """Nothing to show: local files, or a server without authentication."""


@dataclass(frozen=True, slots=True)
class PasswordCredential:
    """A log-in name and its password."""

    login: str
    password: Secret


@dataclass(frozen=True, slots=True)
class TokenCredential:
    """The mailbox to open, which may be another than that of who logged in, and an access token (RFC 6750)."""

    login: str
    token: Secret


Credential: TypeAlias = NoCredential | PasswordCredential | TokenCredential


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is to be opened, and how."""

    workspace: Path
    """The folder of mailrules.yaml: relative paths start here."""
    folder: str = "INBOX"
    readonly: bool = False
    """Dry run: the server must be told, too (EXAMINE). `settle` is never called then."""
    account: str = ""
    """The account's name, for telling what to do about it."""
    must_exist: tuple[str, ...] = ()
    """Folders that rules move or copy to and that are not to be made: `PersonNeeded` when one is not there."""


class Auth(Protocol):
    """One way to log in, built from its options."""

    def credential(self) -> Credential:
        """What to show the server now; refreshed early where it expires.

        Raises:
            Transient: try again later.
            PersonNeeded: somebody has to log in again.
        """


@dataclass(frozen=True, slots=True)
class LogInState:
    """What a way to log in has in hand, without asking anybody."""

    login: str
    until: datetime | None = None
    """When what it has expires, aware; None when it does not say, or has nothing."""
    scopes: tuple[str, ...] = ()
    renewable: bool = False
    """Whether it goes on by itself after that."""
    reason: str = ""
    """Why a person must act; empty while nobody must."""
    remedy: str = ""


class Person(Protocol):
    """Who sits before the screen while somebody logs in."""

    def tell(self, text: str, /) -> None:
        """Show a line."""

    def browse(self, url: str, /) -> None:
        """Show an address, and open it where there is a browser."""


@runtime_checkable
class RenewableAuth(Auth, Protocol):
    """A way to log in by something that expires, and that a person may have to allow."""

    def renewed(self, refused: Credential, /) -> Credential | None:
        """Another credential in the place of one that the server refused; None when another would fare no better.

        Raises:
            Transient: try again later.
            PersonNeeded: somebody has to log in again.
        """

    def state(self) -> LogInState:
        """How it stands, from what is kept here: `mailrules auth status`."""

    def log_in(self, person: Person, /, *, device: bool = False) -> LogInState:
        """Have *person* allow it, on another device if so asked, and keep what that gives: `mailrules auth login`.

        Raises:
            Transient: the provider is away, or nobody came in time.
            PersonNeeded: the provider refused.
        """


class Transport(Protocol):
    """An open way to send. One thread at a time."""

    def send(self, mail: EmailMessage | bytes, sender: str, recipients: Sequence[str]) -> str:
        """Hand over *mail*, octets unchanged, with this envelope (Bcc already taken out); gives the server's words.

        It may be asked again for the next mail, some seconds later.

        Raises:
            Transient: the server is away, or says 4xx; nobody has it.
            Permanent: it says 5xx; nobody has it, or nobody knows (`InDoubt`).
            PartlySent: some have it; who is to be asked again is told by name.
        """

    def close(self) -> None:
        """Let go of the connection. Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveProtocol:
    """How to reach a mailbox: `receive: {NAME: options}`.

    Example:
        ReceiveProtocol(name="maildir", summary="A maildir on disk.", options=MaildirOptions,
                        open=open_maildir, verbs=frozenset({"delete", "move", "copy", "seen", "flags"}))
    """

    name: str
    summary: str
    options: type[Options]
    open: Callable[[Any, Credential, Place], Mailbox]
    accepts: frozenset[type[Any]] = frozenset({NoCredential})
    """Credential types it can log in with."""
    verbs: frozenset[str] = frozenset()
    """Dispositions it can carry out; `check` knows before any log-in.

    Of `delete move copy seen flags keywords labels`: `flags` are the standard ones, `keywords` words of one's own.
    What can set labels can set keywords: where a server has no labels, that is what they are.
    """
    folders: bool = True
    """Whether the account has folders to choose from (POP3 has none)."""
    pushes: bool = False
    """Whether its mailboxes are `Pushing`: listeners may ask for `idle: true`."""
    checks: Callable[[Any, Credential, Place, Sequence[str]], Iterator[Check]] | None = None
    """What `mailrules accounts test` looks at, step by step, with the folders that listeners watch.

    Without it, each folder is opened to be read and closed again.
    """
    append: Callable[[Any, Credential, Place, NewMessage], Ref] | None = None
    """Puts a message into the place's folder, and tells where it is now; its `uid` is empty where nobody knows.

    A message that is there already, octet for octet, is that message, so that a repeated try puts nothing twice.
    A missing folder is made, unless it is among `must_exist`.
    Raises what `open` does, and `Permanent` where this message will never be taken. None: it cannot.
    """
    folder_problem: Callable[[str], str] = field(default=lambda _folder: "")
    """Why no folder can be called so, as a sentence; empty when one can."""

    def __post_init__(self) -> None:
        """Labels are keywords somewhere, so what can set them can set those."""
        if "labels" in self.verbs:
            object.__setattr__(self, "verbs", self.verbs | {"keywords"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProtocol:
    """How to send: `send: {NAME: options}`."""

    name: str
    summary: str
    options: type[Options]
    open: Callable[[Any, Credential, Place], Transport]
    accepts: frozenset[type[Any]] = frozenset({NoCredential})
    checks: Callable[[Any, Credential, Place], Iterator[Check]] | None = None
    """What `mailrules accounts test` looks at, step by step, without sending anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthType:
    """How to obtain a credential: `auth: {NAME: options}`."""

    name: str
    summary: str
    options: type[Options]
    build: Callable[[Any, Place], Auth]
    yields: type[Any]
    """The credential type that `Auth.credential` gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionType:
    """What a transition can do: `{NAME: options}` in a list of actions.

    Example:
        ActionType(name="log", summary="Write a line to the log.", options=LogOptions, build=LogAction)
    """

    name: str
    summary: str
    options: type[Options]
    build: Callable[[Any], Action]
    needs_body: Callable[[Any], bool] = field(default=lambda _options: False)
    """Whether, with these options, it takes more than the header block.

    Templates that mention the body are found without it.
    """
    repeatable: bool = False
    """Whether it may run again with the same idempotency key when nobody knows if it ran."""
    sends: bool = False
    """Whether it sends mail as the listener's account: `check` refuses it where the account cannot."""
    account: Callable[[Any], str] = field(default=lambda _options: "")
    """The account whose folders it puts messages into (`append`), so that `check` tells of one that is not there.

    Empty for none, or the listener's own.
    """
    results: Callable[[Any], Collection[str] | None] = field(default=lambda _options: None)
    """The names of what it gives with these options, so that `check` knows of a name that no step gives.

    None when only a run tells: then whatever later steps ask for is taken as given.
    """
    pure: bool = False
    """Whether `run` touches nothing but its arguments (`map`): a dry run runs it too, and its context is None."""
