"""Tables where they do not fit, and where nothing is a terminal."""

import pytest


@pytest.fixture
def mail(run, deliver):
    """Two handled messages, one of a long subject."""
    deliver("2.b", "Invoice for the second quarter of the year, with " + "particulars " * 20)
    run("run", "--once")


def test_off_a_terminal_the_line_below_a_head_is_no_longer_than_a_line(run, mail):
    rules = [line for line in run("log").out.splitlines() if set(line) == {"\N{BOX DRAWINGS LIGHT HORIZONTAL}"}]

    assert [len(line) for line in rules] == [100]


def test_on_a_narrow_terminal_rows_are_stacked_and_words_stay_whole(run, mail, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")

    told = run("log").out

    assert all(len(line) <= 50 for line in told.splitlines())
    assert {"state", "subject", "rule"} <= {line.split()[0] for line in told.splitlines() if line}
    assert told.replace("\n", " ").split().count("particulars") == 20


def test_a_table_that_fits_stays_one(run, mail, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")

    assert "messages  rule" in run("dry-run", "--again").out
