"""Header values as text: RFC 2047 encoded words, and raw octets where they should not be (RFC 6532)."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

from mailrules.core.charset import to_text
from mailrules.core.defects import Defects
from mailrules.core.transfer import from_base64

_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_BREAKS = re.compile(r"[\r\n\x0b\x0c\x85\u2028\u2029]+")


class _Word(NamedTuple):
    charset: str
    octets: list[bytes]


def header_text(value: bytes, charset: str, defects: Defects) -> str:
    """An unfolded header value decoded to one line; *charset* is where raw octets are looked for after UTF-8."""
    return decoded(raw_text(value, charset, defects), defects)


def decoded(text: str, defects: Defects) -> str:
    """One line of header text with what is encoded in it decoded."""
    if "=?" in text:
        text = decode_words(text, defects)
    elif text.isprintable():
        return text
    elif "\x1b" in text and text.isascii():
        text = to_text(text.encode("ascii"), "iso-2022-jp", defects, where="header")
    return one_line(text, defects)


def one_line(text: str, defects: Defects) -> str:
    """Without line breaks, which a value may bring in encoded and no header can carry out again, and without NUL."""
    if text.isprintable():
        return text
    if "\0" in text:
        defects.add("nul", "in a header")
        text = text.replace("\0", "")
    return _BREAKS.sub(" ", text)


def raw_text(value: bytes, charset: str, defects: Defects) -> str:
    """A header value as text with its encoded words still encoded."""
    if value.isascii():
        return value.decode("ascii")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        defects.add("raw-8bit", "in a header")
        return to_text(value, charset, defects, where="header")


def decode_words(text: str, defects: Defects) -> str:
    """*text* with its encoded words decoded wherever they stand (RFC 2047, and laxer: inside words, with spaces).

    White space between two of them is dropped; neighbours of one charset are joined as octets first, since senders cut
    multibyte characters in two.
    """
    end = text.rfind("?=") + 2
    pieces: list[str | _Word] = []
    at = 0
    for found in _WORD.finditer(text, 0, end):
        between = text[at : found.start()]
        word = _Word(found[1].lower(), [_octets(found[2], found[3], defects)])
        at = found.end()
        previous = pieces[-1] if pieces else None
        if not isinstance(previous, _Word) or between.strip():
            pieces += (between, word)
        elif previous.charset == word.charset:
            previous.octets.extend(word.octets)
        else:
            pieces.append(word)
    pieces.append(text[at:])
    return "".join(piece if isinstance(piece, str) else _text(piece, defects) for piece in pieces)


def _text(word: _Word, defects: Defects) -> str:
    return to_text(b"".join(word.octets), word.charset, defects, where="encoded word")


def _octets(encoding: str, encoded: str, defects: Defects) -> bytes:
    raw = encoded.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    own = Defects()
    octets = from_base64(raw, own)
    if own.all():
        defects.add("bad-encoded-word", encoded[:40])
    return octets
