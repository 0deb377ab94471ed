r"""Folders by role in mailboxes on disk: `\Archive` is the folder of the usual name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrules.api import PersonNeeded
from mailrules.builtin.local.maildir_name import folder_name
from mailrules.builtin.local.mbox import file_of


@pytest.mark.parametrize("role", ["Archive", "Drafts", "Junk", "Sent", "Trash"])
def test_a_role_is_its_usual_name(role):
    assert folder_name(f"\\{role}") == f".{role}"
    assert file_of(Path("in.mbox"), f"\\{role.lower()}") == Path(f"{role}.mbox")


def test_a_role_that_there_is_not():
    with pytest.raises(PersonNeeded, match="no folder has the role"):
        folder_name("\\Arhive")
