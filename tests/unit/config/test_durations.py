"""Lengths of time, as they are written and told."""

import pytest

from mailrules.api import Duration

TOLD = {"90s": "90s", "300s": "5m", "120m": "2h", "1h 30m": "90m", "720h": "30d", "2w": "14d", "0s": "0s"} | {
    "500ms": "0.5s"
}


@pytest.mark.parametrize("written", TOLD)
def test_a_length_is_told_in_the_largest_unit_that_is_whole_and_reads_as_the_same(written):
    length = Duration.parse(written)

    assert str(length) == TOLD[written]
    assert Duration.parse(str(length)) == length
