"""Reading costs time in proportion to the size, whatever a hostile sender repeats."""

from __future__ import annotations

import time

import pytest

from mailrules.core import html
from mailrules.core.address import addresses
from mailrules.core.defects import Defects
from mailrules.core.encoded_word import decode_words
from mailrules.core.header import Fields
from mailrules.core.parameter import _structured
from mailrules.core.parse import parse
from mailrules.core.quotation import reply_text

LIKELY = b"Content-Type: multipart/mixed\r\n\r\n--x"


def take(function, argument):
    start = time.process_time()
    function(argument)
    return time.process_time() - start


def formatted(count):
    return "".join(f"<p><b a={number}>x" for number in range(count))


GROWING = {
    "formatting that nothing closes": (html.as_text, lambda n: "<a><b><i>" * n, 30_000),
    "formatting made anew in each paragraph": (html.as_text, formatted, 20_000),
    "formatting made anew after it was left open": (
        html.as_text,
        lambda n: "".join(f"<b a={number}>" for number in range(900)) + "<p>x" * n,
        60_000,
    ),
    "formatting closed in comments": (html.as_text, lambda n: "<b><!--</b>-->" * n, 20_000),
    "formatting closed in attributes": (html.as_text, lambda n: "<b><br a='</b>'>" * n, 20_000),
    "formatting closed where that does not close": (html.as_text, lambda n: "<b><object></b></object>" * n, 10_000),
    "elements closed by a letter that only looks alike": (html.as_text, lambda n: "<k></\u212a>" * n, 20_000),
    "attributions": (reply_text, lambda n: "On x wrote:\n> yours\n" * n, 30_000),
    "attributions with blank lines": (reply_text, lambda n: ("On x wrote:" + "\n" * 20 + "> yours\n") * n, 3_000),
    "a guessed boundary of blanks": (lambda raw: parse(raw).text, lambda n: LIKELY + b" " * n, 1_000_000),
    "lines like boundaries": (lambda raw: parse(raw).text, lambda n: LIKELY + b"\r\n--x" * n, 100_000),
    "carriage returns in a header": (lambda raw: Fields(raw).values("a"), lambda n: b"A: \n " + b"\r" * n, 200_000),
    "blanks among parameters": (
        _structured.__wrapped__,
        lambda n: b"a/b; c" + b" " * n + b"d" + b" " * n,
        100_000,
    ),
    "encoded words of one charset": (
        lambda text: decode_words(text, Defects()),
        lambda n: "=?utf-8?q?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?= " * n,
        20_000,
    ),
    "encoded commas": (lambda text: addresses(text, str), lambda n: "=?a?q?=2c?=" * n, 3_000),
}


@pytest.mark.parametrize("name", GROWING)
def test_twice_as_much_takes_about_twice_as_long(name):
    function, build, size = GROWING[name]
    small, large = build(size), build(2 * size)

    single = min(take(function, small) for _ in range(3))
    double = min(take(function, large) for _ in range(3))

    assert double < 3.5 * single + 0.05
    assert double < 4


@pytest.mark.parametrize(
    "piece",
    [
        "<p>x",
        "<li>x",
        "<p><table><tr><td>x</table>",
        "<b>x</b><br>",
        "<p><b><i>x</b></i></p>",
        "<br>x",
        "<table><tr><td>x</td></tr></table>",
        "<!-- <div> -->x<br>",
        "<style>a > b { }</style><p>x",
        "<div title='<div>'>x</div>",
        "<table><td><font>x</table>",
    ],
)
def test_long_but_shallow_html_keeps_its_lines(piece):
    assert "x\n" in html.as_text(piece * 3_000)
