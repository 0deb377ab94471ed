r"""Folders by the names that an admin writes: by role (`\Archive`), with `/` between levels, without any prefix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from mailrules.builtin.folder.roles import role


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the server."""

    name: str
    marks: frozenset[str]
    """Its attributes, in small letters."""

    @property
    def opens(self) -> bool:
        """Whether there can be messages in it."""
        return not self.marks & {"\\noselect", "\\nonexistent"}


class Source(Protocol):
    """What is asked of the server, as seldom as can be."""

    def listed(self) -> list[Folder]:
        """Every folder."""

    def exists(self, name: str) -> bool:
        """Whether there is one of exactly this name."""

    def namespaces(self) -> tuple[str, str | None, tuple[str, ...]]:
        """The prefix of our own folders, what parts levels, and the prefixes of others' (RFC 2342).

        None where only `delimiter` tells what parts levels.
        """

    def delimiter(self) -> str:
        """What parts levels; empty where there are none."""


class Names:
    """The server's names for what is written; each is found out once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, str] = {}

    def resolve(self, written: str) -> str:
        """The server's name, whether that folder is there or not: one that is there under the very name written wins.

        Raises:
            PersonNeeded: it names a role that there is not.
        """
        if written.upper() == "INBOX":
            return written
        if written not in self._known:
            find: Callable[[str], str] = self._of_role if written.startswith("\\") else self._here
            self._known[written] = find(written)
        return self._known[written]

    @cached_property
    def _namespaces(self) -> tuple[str, str | None, tuple[str, ...]]:
        return self._source.namespaces()

    def _here(self, written: str) -> str:
        prefix, delimiter, others = self._namespaces
        if delimiter is None and "/" in written:
            delimiter = self._source.delimiter()
        name = written.replace("/", delimiter) if delimiter else written
        if prefix and not name.upper().startswith((prefix.upper(), *(other.upper() for other in others))):
            name = prefix + name
        return written if name != written and self._source.exists(written) else name

    def _of_role(self, written: str) -> str:
        marks, usual = role(written)
        folders = [folder for folder in self._source.listed() if folder.opens]
        for mark in marks:
            if found := next((folder.name for folder in folders if mark in folder.marks), ""):
                return found
        names = {folder.name for folder in folders}
        here = [self._here(name) for name in usual]
        return next((name for name in here if name in names), here[0])
