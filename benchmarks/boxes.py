"""Mailboxes to measure on: the testbed's Dovecot, and the corpus in any number of them, each for one run only."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator

from benchmarks import drain
from benchmarks.rulesets import FOLDERS
from tests.servers.dovecot import OWNER
from tests.servers.mailbox import Mailbox
from tests.servers.testbed import Store, Testbed


class Boxes:
    """The corpus, written once, and mailboxes that hold links to it."""

    def __init__(self, store: Store, corpus: Iterable[bytes]) -> None:
        self.store = store
        self._folder = store.place.make("data/corpus")
        for number, octets in enumerate(corpus):
            path = self._folder / f"1780000000.M{number:08}.bench,S={len(octets)},W={len(octets)}"
            path.write_bytes(octets)
            os.chown(path, OWNER, OWNER)
        self._paths = sorted(self._folder.iterdir())

    @contextlib.contextmanager
    def fresh(self, size: int) -> Iterator[Mailbox]:
        """The first *size* messages, UIDs from 1, the rules' folders, and what the server keeps in its caches."""
        box = self.store.fresh()
        assert box.home is not None
        with drain.Imap(box) as imap:
            for folder in FOLDERS:
                imap.ask(b"CREATE %s" % folder.encode())
        for path in self._paths[:size]:
            os.link(path, box.home / "Maildir" / "new" / path.name)
        with drain.Imap(box) as imap:
            imap.ask(b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE %s)" % drain.NEEDED)
            imap.ask(b"UID FETCH 1:* (%s)" % drain.HEADER)
        try:
            yield box
        finally:
            shutil.rmtree(box.home)


@contextlib.contextmanager
def boxes(corpus: Iterable[bytes]) -> Iterator[Boxes]:
    """A Dovecot of our own with *corpus*, gone at the end of the block."""
    with Testbed.temporary() as bed:
        bed.start("dovecot")
        yield Boxes(bed.dovecot, corpus)


def filed(box: Mailbox) -> dict[str, int]:
    """How many messages each folder of the rules holds."""
    held = box.snapshot(content=False)
    return {name: len(held[name].messages) for name in FOLDERS}
