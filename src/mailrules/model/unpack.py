"""Containers among attachments, winmail.dat say: what opens one, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One file out of a container."""

    name: str
    """The file name as the container has it; empty without one."""
    content: bytes
    type: str = "application/octet-stream"
    """The media type; the general one where the container does not say."""
    content_id: str = ""
    """The Content-ID by which the text of the container shows it, without angle brackets; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacker:
    """What opens attachments of some sort, so that rules and actions see what is in them.

    Example:
        Unpacker(name="tnef", summary="The winmail.dat of Outlook.", types=("application/ms-tnef",),
                 names=("winmail.dat",), unpack=unpack_tnef)
    """

    name: str
    """What evidence and defects call it."""
    summary: str
    """One sentence for `mailrules plugins`."""
    types: tuple[str, ...] = ()
    """Media types that it opens, lower-cased."""
    names: tuple[str, ...] = ()
    """File names that it opens whatever their type, lower-cased shell patterns: `winmail.dat`, `*.tnef`."""
    unpack: Callable[[bytes], Sequence[Unpacked]]
    """The files in the decoded octets of an attachment.

    Pure: no files, no network, no clock; its time and memory in proportion to what it is given. Whatever it raises is
    a defect of the message, never the end of it.
    """
