"""A database that takes a connection and says nothing, as one behind a broken router does."""

from __future__ import annotations

import socket
import time

import pytest

from mailrules.model.journal import JournalError
from mailrules.store import sql


def test_a_database_that_says_nothing_is_given_up(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setitem(sql.PATIENCE, "connect_timeout", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(JournalError, match="timeout"):
            sql.open_journal(f"postgresql+psycopg://jo:x@127.0.0.1:{silent.getsockname()[1]}/journal")
        assert time.monotonic() - began < 8


@pytest.mark.parametrize(("written", "meant"), [("", "10"), ("?connect_timeout=3", "3")])
def test_what_the_address_says_of_it_counts(written, meant):
    pytest.importorskip("psycopg")
    engine = sql._engine(sql.make_url(f"postgresql+psycopg://db.example/journal{written}"), readonly=False)

    assert engine.url.query["connect_timeout"] == meant
