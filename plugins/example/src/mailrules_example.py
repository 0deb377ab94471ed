# ruff: noqa: INP001 - one module, no package around it
"""An example of a plugin: one of each thing that a plugin can give, each as small as it can honestly be.

| given   | name      | what it is                                                   |
|---------|-----------|--------------------------------------------------------------|
| receive | `jsonl`   | messages in a file, one JSON object a line                   |
| auth    | `netrc`   | a log-in from the `.netrc` file that other programs use, too |
| action  | `receipt` | a small file that says that a message was handled            |
"""

from __future__ import annotations

import base64
import json
import netrc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from mailrules.api import (
    ActionType,
    AuthType,
    Context,
    Credential,
    Data,
    Head,
    Message,
    Options,
    PasswordCredential,
    PersonNeeded,
    Place,
    ReceiveProtocol,
    Ref,
    Secret,
    Settlement,
    Template,
    Transient,
    hookimpl,
)

# -- a receiving protocol -------------------------------------------------------------------------------------------


class JsonlOptions(Options, frozen=True):
    """Where the file is: `receive: {jsonl: archive.jsonl}`."""

    path: Annotated[str, Meta(description="A file with one JSON object a line, from the workspace's folder.")]

    shorthand: ClassVar[str] = "path"


@dataclass(frozen=True, slots=True)
class JsonlMailbox:
    r"""Messages in a file that only ever grows, so that whoever appends to it needs no lock.

    A message is `{"id": "7", "received": "2026-03-02T10:00:00+00:00", "raw": "<base64>"}`; a deleted one has a later
    line `{"id": "7", "deleted": true}`. A last line without its line break is still being written, and waits.
    """

    path: Path

    def refs(self, *, unseen_only: bool) -> Sequence[Ref]:  # noqa: ARG002 - there are no flags: each is unseen
        """Every message there, in the order of the file."""
        return [Ref("INBOX", "", uid) for uid in self._messages()]

    def heads(self, refs: Sequence[Ref]) -> Iterator[Head]:
        """The header blocks, in the order asked for."""
        messages = self._messages()
        for ref, raw in self.bodies(refs):
            ends = [raw.find(end) + len(end) for end in (b"\r\n\r\n", b"\n\n") if end in raw]
            received = datetime.fromisoformat(messages[ref.uid]["received"]).astimezone(UTC)
            yield Head(ref, raw[: min(ends, default=len(raw))], size=len(raw), received=received)

    def bodies(self, refs: Sequence[Ref]) -> Iterator[tuple[Ref, bytes]]:
        """The whole messages, in the order asked for; one that has gone is left out."""
        messages = self._messages()
        for ref in refs:
            if ref.uid in messages:
                yield ref, base64.b64decode(messages[ref.uid]["raw"])

    def settle(self, settlements: Sequence[Settlement]) -> Mapping[Ref, str]:
        """Note what is deleted; all of it is on the disk when this returns."""
        there = self._messages()
        gone = [s.ref.uid for s in settlements if s.disposition.delete and s.ref.uid in there]
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps({"id": uid, "deleted": True}) + "\n" for uid in gone))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            return {s.ref: f"{self.path.name}: {error.strerror}" for s in settlements}
        return {}

    def close(self) -> None:
        """Nothing is held open."""

    def _messages(self) -> dict[str, dict[str, Any]]:
        """What the file holds, by id."""
        messages: dict[str, dict[str, Any]] = {}
        for number, line in enumerate(self._lines(), start=1):
            try:
                entry = json.loads(line)
                uid = str(entry["id"])
                if entry.get("deleted"):
                    messages.pop(uid, None)
                else:
                    messages[uid] = {"received": entry["received"], "raw": entry["raw"]}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problem = f"{self.path.name}:{number}: not a message: {error}"
                raise PersonNeeded(problem, remedy="repair or remove that line") from error
        return messages

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().split(b"\n")[:-1]
        except OSError as error:
            raise Transient(f"{self.path.name}: {error.strerror}") from error


def open_jsonl(options: JsonlOptions, _credential: Credential, place: Place) -> JsonlMailbox:
    """The mailbox in the file; whether the file is there shows when it is read."""
    return JsonlMailbox(place.workspace / options.path)


JSONL = ReceiveProtocol(
    name="jsonl",
    summary="Messages in a file, one JSON object a line.",
    options=JsonlOptions,
    open=open_jsonl,
    verbs=frozenset({"delete"}),
    folders=False,
)


# -- a log-in -------------------------------------------------------------------------------------------------------


class NetrcOptions(Options, frozen=True):
    """Which entry of which file: `auth: {netrc: imap.example.com}`."""

    machine: Annotated[str, Meta(description="The server's name in the file.")]
    path: Annotated[str, Meta(description="The file, from the workspace's folder.")] = "~/.netrc"

    shorthand: ClassVar[str] = "machine"


@dataclass(frozen=True, slots=True)
class NetrcAuth:
    """Looks the log-in up each time it is asked for, so that a changed password counts at once."""

    machine: str
    path: Path

    def credential(self) -> PasswordCredential:
        """The log-in and password of the entry."""
        remedy = f"add 'machine {self.machine} login ... password ...' to {self.path}"
        try:
            found = netrc.netrc(str(self.path)).authenticators(self.machine)
        except (OSError, netrc.NetrcParseError) as error:
            raise PersonNeeded(f"cannot read {self.path}: {error}", remedy=remedy) from error
        if found is None:
            raise PersonNeeded(f"{self.path} has no entry for {self.machine}", remedy=remedy)
        login, _, password = found
        return PasswordCredential(login, Secret.holding(password))


def build_netrc(options: NetrcOptions, place: Place) -> NetrcAuth:
    """The log-in; nothing is read before it is needed."""
    return NetrcAuth(options.machine, place.workspace / Path(options.path).expanduser())


NETRC = AuthType(
    name="netrc",
    summary="A log-in from a .netrc file.",
    options=NetrcOptions,
    build=build_netrc,
    yields=PasswordCredential,
)


# -- an action ------------------------------------------------------------------------------------------------------


class ReceiptOptions(Options, frozen=True):
    """What the receipt says: `- receipt: handled by the night shift`."""

    note: Annotated[Template, Meta(description="A line of your own.")]
    to: Annotated[str, Meta(description="The folder, under the folder for files.")] = "receipts"

    shorthand: ClassVar[str] = "note"


@dataclass(frozen=True, slots=True)
class ReceiptAction:
    """Writes a small file about the message, named so that a second try writes the very same one."""

    options: ReceiptOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """One line, without doing anything: what cannot be filled in yet stays as written."""
        note = " ".join(self.options.note.shown(data).split())
        return f"receipt in {self.options.to}: {note}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Write it; its path becomes `data.receipt`."""
        lines = (f"From: {message.author}", f"Subject: {message.subject}", f"Note: {self.options.note.render(data)}")
        content = "\n".join(" ".join(line.split()) for line in lines) + "\n"
        path = f"{self.options.to}/{context.idempotency_key}.txt"
        return {"receipt": str(context.files.save(path, content.encode(errors="replace")))}


RECEIPT = ActionType(
    name="receipt",
    summary="A small file that says that the message was handled.",
    options=ReceiptOptions,
    build=ReceiptAction,
    repeatable=True,
)


# -- the hooks: what the plugin gives -------------------------------------------------------------------------------


@hookimpl
def mailrules_protocols() -> Iterable[ReceiveProtocol]:
    """How to reach a mailbox."""
    yield JSONL


@hookimpl
def mailrules_auths() -> Iterable[AuthType]:
    """How to obtain a credential."""
    yield NETRC


@hookimpl
def mailrules_actions() -> Iterable[ActionType]:
    """What a transition can do."""
    yield RECEIPT
