"""UID sets, and answers to UID SEARCH and UID FETCH."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrules.builtin.imap.fetch import (
    LONGEST_SET,
    read_fetch,
    read_fetches,
    read_flags,
    read_moment,
    read_search,
    read_set,
    uid_batches,
    uid_set,
)
from mailrules.builtin.line.wire import Nonsense

UIDS = st.sets(st.integers(1, 2**32 - 1), max_size=50) | st.sets(st.integers(1, 60), max_size=60)


@pytest.mark.parametrize(
    ("uids", "written"),
    [([7], b"7"), ([3, 1, 2], b"1:3"), ([1, 3, 5, 6], b"1,3,5:6"), ([4, 4, 5], b"4:5"), ([], b"")],
)
def test_a_set_is_written_as_ranges(uids, written):
    assert uid_set(uids) == written


@given(UIDS)
def test_a_set_is_read_as_it_was_written(uids):
    assert read_set(uid_set(uids)) == sorted(uids) if uids else uid_set(uids) == b""


@given(UIDS, st.integers(1, 40))
def test_batches_hold_everything_once_and_no_more_than_allowed(uids, most):
    batches = list(uid_batches(uids, most))

    assert [uid for batch in batches for uid in batch] == sorted(uids)
    assert all(len(batch) <= most for batch in batches)


def test_the_set_of_a_batch_fits_on_a_line():
    batches = list(uid_batches(range(1_000_000, 1_060_000, 2), 20_000))

    assert all(len(uid_set(batch)) <= LONGEST_SET for batch in batches)
    assert len(batches) < 35


@pytest.mark.parametrize(
    ("line", "uids"),
    [
        (b"* SEARCH 3 1 2\r\n", [1, 2, 3]),
        (b"* SEARCH\r\n", []),
        (b"* search 5\r\n", [5]),
        (b"* SEARCH 2 5 (MODSEQ 917162500)\r\n", [2, 5]),
        (b'* ESEARCH (TAG "A1") UID ALL 1:3,7\r\n', [1, 2, 3, 7]),
        (b'* ESEARCH (TAG "A1") UID\r\n', []),
        (b'* ESEARCH (TAG "A1") UID COUNT 2 ALL 4,9\r\n', [4, 9]),
    ],
)
def test_what_a_search_found(line, uids):
    assert read_search([(line,)]) == uids


FETCHES = {
    "as nearly every server writes it": (
        (b'* 1 FETCH (UID 7 FLAGS (\\Seen a) INTERNALDATE "x" RFC822.SIZE 9 BODY[HEADER] {3}\r\n', b"abc", b")\r\n"),
        {b"UID": b"7", b"FLAGS": b"\\Seen a", b"INTERNALDATE": b"x", b"RFC822.SIZE": b"9", b"BODY[HEADER]": b"abc"},
    ),
    "in another order, more after the literal": (
        (b"* 1 FETCH (BODY[HEADER] {3}\r\n", b"abc", b" FLAGS () UID 7)\r\n"),
        {b"UID": b"7", b"FLAGS": b"", b"BODY[HEADER]": b"abc"},
    ),
    "in small letters": ((b"* 1 fetch (uid 7 body[] {1}\r\n", b"x", b")\r\n"), {b"UID": b"7", b"BODY[]": b"x"}),
    "quoted, with escapes": ((b'* 1 FETCH (UID 7 BODY[] "a\\"b\\\\c")\r\n',), {b"UID": b"7", b"BODY[]": b'a"b\\c'}),
    "an empty string": ((b'* 1 FETCH (UID 7 BODY[] "")\r\n',), {b"UID": b"7", b"BODY[]": b""}),
    "an empty literal": ((b"* 1 FETCH (UID 7 BODY[] {0}\r\n", b"", b")\r\n"), {b"UID": b"7", b"BODY[]": b""}),
    "nothing": ((b"* 1 FETCH (UID 7 BODY[HEADER] NIL)\r\n",), {b"UID": b"7", b"BODY[HEADER]": b""}),
    "a literal with parentheses": (
        (b"* 1 FETCH (UID 7 BODY[] {9}\r\n", b") UID 8 (", b")\r\n"),
        {b"UID": b"7", b"BODY[]": b") UID 8 ("},
    ),
    "a binary literal": (
        (b"* 1 FETCH (UID 7 BINARY[1] ~{1}\r\n", b"\0", b")\r\n"),
        {b"UID": b"7", b"BINARY[1]": b"\0"},
    ),
    "two literals": (
        (b"* 1 FETCH (BODY[1] {1}\r\n", b"a", b" BODY[2]<0> {1}\r\n", b"b", b" UID 7)\r\n"),
        {b"UID": b"7", b"BODY[1]": b"a", b"BODY[2]<0>": b"b"},
    ),
    "with a number in parentheses": ((b"* 1 FETCH (UID 7 MODSEQ (12))\r\n",), {b"UID": b"7", b"MODSEQ": b"12"}),
}


@pytest.mark.parametrize(("response", "items"), FETCHES.values(), ids=FETCHES)
def test_what_a_message_has(response, items):
    assert read_fetch(response) == items


@pytest.mark.parametrize(
    "response",
    [
        (b"* 1 FETCH (UID 7\r\n",),
        (b"* 1 FETCH UID 7\r\n",),
        (b"* 1 FETCH (UID 7 BODYSTRUCTURE ((a)(b)))\r\n",),
        (b'* 1 FETCH (UID 7 BODY[] "open)\r\n',),
        (b"* 1 FETCH (UID 7 junk junk junk)\r\n",),
        (b"* 1 FETCH (UID 7 BODY[] {1}\r\n", b"x", b" and more\r\n"),
    ],
)
def test_what_cannot_be_read_is_not_taken_for_a_message_that_is_gone(response):
    with pytest.raises(Nonsense):
        read_fetch(response)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_any_octets_are_read_or_refused(parts):
    if len(parts) % 2 == 0:
        parts.append(b")\r\n")
    try:
        read_fetch((b"* 1 FETCH (" + parts[0], *parts[1:]))
    except Nonsense:
        return


def test_several_responses_on_one_message_add_up_and_news_without_uid_is_passed_over():
    found = read_fetches(
        [(b"* 1 FETCH (UID 7 FLAGS (a))\r\n",), (b"* 2 FETCH (FLAGS (b))\r\n",), (b"* 1 FETCH (UID 7 X 1)\r\n",)]
    )

    assert found == {7: {b"UID": b"7", b"FLAGS": b"a", b"X": b"1"}}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"21-Nov-2026 20:41:44 +0000", datetime(2026, 11, 21, 20, 41, 44, tzinfo=UTC)),
        (b" 7-Mar-2026 08:09:10 +0130", datetime(2026, 3, 7, 6, 39, 10, tzinfo=UTC)),
        (b"7-mar-2026 08:09:10 -0800", datetime(2026, 3, 7, 16, 9, 10, tzinfo=UTC)),
        (b"31-Feb-2026 08:09:10 +0000", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_the_moment_of_arrival(text, moment):
    assert read_moment(text) == moment


def test_recent_is_no_flag_of_the_message():
    assert read_flags(b"\\Seen \\Recent Todo") == {"\\Seen", "Todo"}
