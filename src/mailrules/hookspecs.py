"""The hooks of mailrules. A plugin implements any of them; each yields descriptors and does nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from mailrules.api import ActionType, AuthType, ReceiveProtocol, SendProtocol, Unpacker
from mailrules.model.entry import Entry

hookspec = pluggy.HookspecMarker("mailrules")


@hookspec
def mailrules_protocols() -> Iterable[ReceiveProtocol | SendProtocol]:  # type: ignore[empty-body]
    """How to reach a mailbox, and how to send.

    Example:
        @hookimpl
        def mailrules_protocols():
            yield ReceiveProtocol(name="spool", summary="A folder of files.", options=SpoolOptions, open=open_spool)
    """


@hookspec
def mailrules_auths() -> Iterable[AuthType]:  # type: ignore[empty-body]
    """How to obtain a credential.

    Example:
        @hookimpl
        def mailrules_auths():
            yield AuthType(name="vault", summary="A password from the vault.", options=VaultOptions,
                           build=VaultAuth, yields=PasswordCredential)
    """


@hookspec
def mailrules_actions() -> Iterable[ActionType]:  # type: ignore[empty-body]
    """What a transition can do.

    Example:
        @hookimpl
        def mailrules_actions():
            yield ActionType(name="ring", summary="Ring a bell.", options=RingOptions, build=RingAction)
    """


@hookspec
def mailrules_unpackers() -> Iterable[Unpacker]:  # type: ignore[empty-body]
    """What opens containers among attachments: what is in them is then an attachment like any other.

    Example:
        @hookimpl
        def mailrules_unpackers():
            yield Unpacker(name="zip", summary="Files in a ZIP archive.", names=("*.zip",), unpack=unpack_zip)
    """


@hookspec
def mailrules_recorded(entry: Entry) -> None:
    """Told of every journal entry that reached its end; failures are logged and never matter.

    Example:
        @hookimpl
        def mailrules_recorded(entry):
            counter.inc(entry.state)
    """
