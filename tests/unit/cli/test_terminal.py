"""Tables where they do not fit, and where nothing is a terminal."""

import io
import sys

import pytest

from mailrules.cli import terminal


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


class Screen(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (60.0, False)], ids=["long work", "short work"])
def test_a_bar_is_drawn_on_a_terminal_once_it_takes_long(monkeypatch, patience, shown):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(terminal, "PATIENCE", patience)
    monkeypatch.setenv("TERM", "xterm")

    with terminal.progress("handling") as told:
        for done in range(1, 2_000_000):
            told("inbox", done, 10)
            if "handling inbox" in screen.getvalue() or (not shown and done > 100):
                break

    assert ("handling inbox" in screen.getvalue()) is shown


def test_off_a_terminal_no_bar_is_drawn(monkeypatch):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)

    with terminal.progress("handling") as told:
        told("inbox", 1, 10)

    assert pipe.getvalue() == ""
