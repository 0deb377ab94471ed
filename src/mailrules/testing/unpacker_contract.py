"""What every unpacker must do: subclass `UnpackerContract`, give it a container, and pytest runs the lot.

```python
class TestCrate(UnpackerContract):
    unpacker = CRATE                                    # the Unpacker that the hook yields
    container = (HERE / "two files.crate").read_bytes()
    held = [Unpacked("a.txt", b"one"), Unpacked("b.txt", b"two")]
```
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from mailrules.api import Unpacked, Unpacker

GRACE = 2.0
"""Seconds that damaged octets may take: whatever somebody sends is looked at while other mail waits."""
CUTS = 40
"""How many of a container's lengths are tried, and how many times it is damaged."""


class UnpackerContract:
    """The promises an unpacker makes to those who read attachments, each a test."""

    unpacker: ClassVar[Unpacker]
    container: ClassVar[bytes]
    """The decoded octets of an attachment that it opens."""
    held: ClassVar[Sequence[Unpacked]]
    """The files in it, in order."""

    def test_it_has_a_name_and_a_summary_of_one_line(self) -> None:
        """They are shown in tables."""
        assert self.unpacker.name.replace("-", "").replace("_", "").isalnum()
        assert self.unpacker.summary
        assert "\n" not in self.unpacker.summary

    def test_it_says_what_it_opens(self) -> None:
        """By media type or file name, in small letters: so they are compared."""
        said = (*self.unpacker.types, *self.unpacker.names)
        assert said
        assert [each.lower() for each in said] == [*said]
        assert all("/" in kind for kind in self.unpacker.types)

    def test_it_gives_the_files_of_a_container(self) -> None:
        """Names, octets, types and Content-IDs."""
        assert [*self.unpacker.unpack(self.container)] == [*self.held]

    def test_it_gives_the_same_every_time_and_touches_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Decisions are made of it, and explained later."""
        monkeypatch.chdir(tmp_path)
        assert [*self.unpacker.unpack(self.container)] == [*self.unpacker.unpack(self.container)]
        assert [*tmp_path.rglob("*")] == []

    def test_damaged_octets_are_refused_or_read_and_take_no_time(self) -> None:
        """Cut off anywhere, with octets changed, or nothing at all: what it cannot read it raises."""
        for octets in _damaged(self.container):
            started, given = time.monotonic(), list[Unpacked]()
            with suppress(Exception):
                given = [*self.unpacker.unpack(octets)]
            assert time.monotonic() - started < GRACE
            assert all(type(each) is Unpacked for each in given)


def _damaged(container: bytes) -> Iterator[bytes]:
    """The same on every run, so that what fails fails again."""
    chance = random.Random(container)  # noqa: S311 - it damages samples, and guards nothing
    yield b""
    for cut in range(CUTS):
        yield container[: len(container) * cut // CUTS]
        changed = bytearray(container)
        for _ in range(1 + cut // 10):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield bytes(changed)
