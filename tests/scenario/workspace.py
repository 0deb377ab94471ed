"""A workspace written from text, and the engine run on it as the command line would."""

from __future__ import annotations

import os
import textwrap
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from mailrules.config.load import load_workspace
from mailrules.core.decide import Decider
from mailrules.engine.passes import Report, run_pass
from mailrules.engine.worlds import dry_world, live_world
from mailrules.model.journal import Query
from mailrules.store.overlay import OverlayJournal
from mailrules.store.sql import open_journal

KILLED = 137


class Ending:
    """A mailbox that ends the process around its dispositions, without any clean-up."""

    def __init__(self, mailbox, when: str) -> None:
        self._mailbox, self._when = mailbox, when

    def __getattr__(self, name):
        return getattr(self._mailbox, name)

    def settle(self, settlements):
        if self._when == "after":
            self._mailbox.settle(settlements)
        os._exit(KILLED)


@dataclass(frozen=True)
class Place:
    root: Path

    def write(self, **files: str) -> Place:
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            path = path.with_name(path.name + ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        return self

    def load(self):
        loaded = load_workspace(self.root)
        assert loaded.workspace is not None, loaded.diagnostics
        return loaded.workspace

    def run(self) -> dict[str, Report]:
        workspace = self.load()
        with closing(open_journal(workspace.journal)) as journal:
            return self._passes(workspace, live_world(workspace, journal))

    def run_until_settling(self, when: str) -> None:
        """A live run whose process ends `before` or `after` the first dispositions are carried out."""
        workspace = self.load()
        journal = open_journal(workspace.journal)
        world = live_world(workspace, journal)

        def open_(listener):
            mailbox = world.open(listener)
            return Ending(mailbox, when)

        self._passes(workspace, replace(world, open=open_))

    def rehearse(self) -> dict[str, Report]:
        workspace = self.load()
        with closing(open_journal(workspace.journal, readonly=True)) as below:
            return self._passes(workspace, dry_world(workspace, OverlayJournal(below)))

    @staticmethod
    def _passes(workspace, world) -> dict[str, Report]:
        return {
            name: run_pass(listener, Decider(listener.rules), world) for name, listener in workspace.listeners.items()
        }

    def entries(self):
        with closing(open_journal(self.load().journal, readonly=True)) as journal:
            return journal.find(Query(limit=None))


def account(name: str, protocol: str, store, mailbox, *, security: str = "tls") -> str:
    """An account on a test server; the certificate is the test CA's."""
    port = getattr(store, protocol if security == "starttls" else f"{protocol}s")
    reach = f"{{host: localhost, port: {port}, security: {security}, certificate: {store.ca}}}"
    login = f"{{login: {mailbox.user}, password: {mailbox.password}}}"
    return f"  {name}: {{receive: {{{protocol}: {reach}}}, auth: {{password: {login}}}}}"
