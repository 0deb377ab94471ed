from __future__ import annotations

from contextlib import closing

import pytest
from tests.unit.engine.house import Box, House, Notes

from mailrules.store.sql import open_journal


@pytest.fixture
def house(tmp_path):
    with closing(open_journal(f"sqlite:///{tmp_path}/journal.sqlite3")) as journal:
        yield House(Box(), Notes(), journal)
