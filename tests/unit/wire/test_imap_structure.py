"""What a server tells of the parts of a message, and what is asked for then."""

import tracemalloc

import pytest

from mailrules.api import Leaf, Ref
from mailrules.builtin.imap.parts import ALL, LARGEST, planned, put_together
from mailrules.builtin.imap.structure import LONGEST, MOST, Part, read_structure

REF = Ref("INBOX", "1", "5")
PLAIN = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" 900 20 NIL NIL NIL NIL)'
PAGE = b'("text" "html" ("charset" "utf-8") NIL NIL "base64" 30000 20 NIL NIL NIL)'
FILE = b'("application" "pdf" ("name" "a") "<i@d>" NIL "base64" 90000 NIL ("attachment" ("filename" "a.pdf")) NIL NIL)'
INNER = (
    b'("message" "rfc822" NIL NIL NIL "7bit" 5000 ("Mon" "s" (("a" NIL "b" "c")) NIL NIL NIL NIL NIL NIL "<m>") '
    + PLAIN
    + b' 99 NIL ("inline" NIL) NIL NIL)'
)
TEXT = Part("text/plain", 900)


def multipart(subtype, *parts):
    return b'(%s "%s" ("boundary" "b") NIL NIL NIL)' % (b"".join(parts), subtype)


def told(structure):
    return read_structure((b"* 3 FETCH (UID 5 BODYSTRUCTURE %s)\r\n" % structure,))


CLEAR = {
    "a text": (PLAIN, [TEXT]),
    "a file": (FILE, [Part("application/pdf", 90000, "", "attachment", named=True)]),
    "an old server's, without extensions": (b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 900 20)', [TEXT]),
    "two versions of a text": (
        multipart(b"ALTERNATIVE", PLAIN, PAGE),
        [Part("text/plain", 900, "multipart/alternative"), Part("text/html", 30000, "multipart/alternative")],
    ),
    "a message, of which nothing inside is told": (
        multipart(b"mixed", INNER),
        [Part("message/rfc822", 5000, "multipart/mixed", "inline")],
    ),
    "a multipart in a multipart": (
        multipart(b"mixed", multipart(b"related", PLAIN), PLAIN),
        [Part("text/plain", 900, "multipart/related"), Part("text/plain", 900, "multipart/mixed")],
    ),
    "a quoted string with a parenthesis": (PLAIN.replace(b"utf-8", rb"\")("), [TEXT]),
}


@pytest.mark.parametrize(("structure", "parts"), CLEAR.values(), ids=CLEAR)
def test_a_structure_tells_the_parts_that_hold_no_parts(structure, parts):
    assert told(structure) == (5, parts)


def test_a_structure_may_hold_literals_and_stand_before_the_uid():
    start, end = FILE.split(b'"a.pdf"')

    found = read_structure((b"* 3 FETCH (BODYSTRUCTURE %s{5}\r\n" % start, b'"(a)"', b"%s UID 5)\r\n" % end))

    assert found == (5, [Part("application/pdf", 90000, "", "attachment", named=True)])


UNCLEAR = {
    "no size": PLAIN.replace(b"900", b"NIL"),
    "no type": PLAIN.replace(b'"TEXT"', b"NIL"),
    "a type of other letters": PLAIN.replace(b"TEXT", b"T\xc9XT"),
    "a name without a value": PLAIN.replace(b'"utf-8"', b""),
    "nothing": b"NIL",
    "an empty list": b"()",
    "lists alone": b"((()))",
    "nesting 2,000 deep": b"(" * 2000 + PLAIN + b' "mixed")' * 2000,
    "nesting that never ends": b"(" * 5000,
    "more parts than are worth it": multipart(b"mixed", *[PLAIN] * (MOST + 1)),
}


@pytest.mark.parametrize("structure", UNCLEAR.values(), ids=UNCLEAR)
def test_of_a_structure_that_is_not_clear_nothing_is_believed(structure):
    assert told(structure) is None


def test_other_news_of_a_message_is_no_structure():
    assert read_structure((b"* 3 FETCH (UID 5 FLAGS (\\Seen))\r\n",)) is None
    assert read_structure((b"* 3 FETCH (BODYSTRUCTURE %s)\r\n" % PLAIN,)) is None


MIXED = "multipart/mixed"
BOTH = "multipart/alternative"
BIG = Part("application/pdf", 90_000, MIXED)
PLANS = {
    "a file behind a text": (
        [Part("text/plain", 9_000, MIXED), BIG],
        ((0, 10_000), (99_000, 1_000)),
        [Leaf("text/plain", 9_000), Leaf("application/pdf", 90_000, 89_000)],
    ),
    "a file before a text": (
        [BIG, Part("text/plain", 9_000, MIXED)],
        ((0, 1_000), (90_000, 10_000)),
        [Leaf("application/pdf", 90_000, 89_000), Leaf("text/plain", 9_000)],
    ),
    "HTML beside a text": (
        [Part("text/plain", 9_000, BOTH), Part("text/html", 90_000, BOTH)],
        ((0, 10_000), (99_000, 1_000)),
        [Leaf("text/plain", 9_000), Leaf("text/html", 90_000, 89_000)],
    ),
    "HTML beside a text that may be blank": (
        [Part("text/plain", 5, BOTH), Part("text/html", 90_000, BOTH)],
        (ALL,),
        [],
    ),
    "HTML alone": ([Part("text/html", 90_000)], (ALL,), []),
    "a text that is attached": (
        [Part("text/plain", 900, MIXED), Part("text/plain", 90_000, MIXED, "attachment")],
        ((0, 1_900), (90_900, 1_000)),
        [Leaf("text/plain", 900), Leaf("text/plain", 90_000, 89_000)],
    ),
    "a file so small that it is as well fetched": (
        [Part("text/plain", 900, MIXED), Part("a/b", 5_000, MIXED)],
        (ALL,),
        [],
    ),
}


@pytest.mark.parametrize(("parts", "ranges", "leaves"), PLANS.values(), ids=PLANS)
def test_all_is_asked_for_but_what_is_surely_inside_a_part_that_is_no_text(parts, ranges, leaves):
    plan = planned(REF, sum(part.octets for part in parts) + 1_000, parts, text=True)

    assert plan.ranges == ranges
    assert list(plan.leaves) == leaves


def test_for_the_structure_alone_texts_are_left_out_too():
    parts = [Part("text/plain", 50_000, MIXED), BIG]

    assert planned(REF, 141_000, parts, text=False).ranges == ((0, 1_000), (50_000, 1_000), (140_000, 1_000))


@pytest.mark.parametrize(("octets", "read"), [(LONGEST // 2, True), (LONGEST, False), (8_000_000, False)])
def test_what_is_told_of_a_message_is_read_up_to_a_length(octets, read):
    """Forty times what it costs who writes the mail: all authors of an attached message are told, thrice."""
    authors = b'(NIL NIL "a" "x.example")' * (octets // 25)
    envelope = b'(NIL "x" (' + authors + b") NIL NIL NIL NIL NIL NIL NIL)"
    inner = b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 10 1)'
    told = b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 100 ' + envelope + b" " + inner + b" 5)"
    response = b"* 1 FETCH (UID 7 BODYSTRUCTURE (" + inner + told + b' "MIXED"))\r\n'

    tracemalloc.start()
    found = read_structure((response,))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (found is not None) is read
    assert peak < 16_000_000


WHOLE = {
    "a text of megabytes": ([Part("text/plain", LARGEST, MIXED), BIG], 3_000_000),
    "sizes that do not add up": ([Part("text/plain", 9_000, MIXED), BIG], 50_000),
}


@pytest.mark.parametrize(("parts", "length"), WHOLE.values(), ids=WHOLE)
def test_the_whole_is_fetched_for(parts, length):
    assert planned(REF, length, parts, text=True) is None


PLAN = planned(REF, 100_000, [Part("text/plain", 9_000, MIXED), BIG], text=True)
CAME = {
    "all": ({b"BODY[TEXT]<0>": b"a" * 10_000, b"BODY[TEXT]<99000>": b"z" * 1_000}, b"a" * 10_000 + b"z" * 1_000),
    "too little": ({b"BODY[TEXT]<0>": b"a" * 10_000, b"BODY[TEXT]<99000>": b"z" * 999}, None),
    "a piece missing": ({b"BODY[TEXT]<0>": b"a" * 10_000}, None),
    "nothing, as the message is gone": ({}, None),
}


@pytest.mark.parametrize(("items", "body"), CAME.values(), ids=CAME)
def test_a_body_is_made_of_pieces_that_are_as_long_as_was_asked_for(items, body):
    made = put_together(PLAN, items)

    assert (made and made.body) == body


def test_a_body_that_is_gone_is_none():
    assert put_together(planned(REF, 1_000, [TEXT], text=True), {}) is None
