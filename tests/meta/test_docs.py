"""The documentation is true: every example on a page is executed, every link leads somewhere."""

import os
import time

import pytest
from tests.meta.execute import Execution
from tests.meta.pages import PAGES, REPOSITORY, blocks, broken_links, crowded_lines

ADR = REPOSITORY / "docs" / "adr"
EXECUTED = [page for page in PAGES if any(blocks(page)) and page.parent != ADR]


def named(page):
    return str(page.relative_to(REPOSITORY))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty folder, in a world where nothing depends on who runs the tests."""
    for name in [name for name in os.environ if name.startswith("MAILRULES_")]:
        if name != "MAILRULES_UPDATE_DOCS":
            monkeypatch.delenv(name)
    usual = {"MAILRULES_PLUGINS": "", "TZ": "UTC", "NO_COLOR": "1", "COLUMNS": "120", "HOME": str(tmp_path)}
    for name, value in usual.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    folder = tmp_path / "mail"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("page", EXECUTED, ids=named)
def test_every_example_of_a_page_does_what_the_page_says(page):
    Execution(page).run()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files_and_headings_that_are_there(page):
    assert not list(broken_links(page))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_line_holds_one_sentence(page):
    assert not list(crowded_lines(page))
