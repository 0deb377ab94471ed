"""Content-Transfer-Encoding (RFC 2045, section 6): decoded as far as the octets go, and measured without decoding."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from mailrules.core.defects import Defects

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OUTSIDE = bytes(set(range(256)) - set(_ALPHABET))
_SPACE = b" \t\r\n"
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_LONE_CR = re.compile(rb"=\r(?!\n)")
_IDENTITY = frozenset(("", "7bit", "8bit", "binary", "7-bit", "8-bit", "7bits", "8bits", "none", "plain", "ascii"))


def encoding_of(value: bytes) -> str:
    """The mechanism that a Content-Transfer-Encoding header names, lower-cased, bare of comments and punctuation."""
    return _encoding_of(value[:80])


@lru_cache(maxsize=64)
def _encoding_of(value: bytes) -> str:
    word = "".join(value.decode("latin-1").lower().split("(")[0].split())
    word = word.strip("\"';").split(";")[0]
    return "quoted-printable" if word in ("quotedprintable", "quoted_printable", "q-p", "qp") else word


def decode(octets: bytes, encoding: str, defects: Defects) -> bytes:
    """*octets* decoded; damage is recorded and what can be read is given. Never raises."""
    if encoding in _IDENTITY:
        return octets
    if encoding == "base64":
        return from_base64(octets, defects)
    if encoding == "quoted-printable":
        return from_quoted_printable(octets)
    if encoding in ("x-uuencode", "uuencode", "x-uue"):
        return from_uuencode(octets, defects)
    defects.add("unknown-encoding", encoding[:40])
    return octets


def size(octets: bytes, encoding: str) -> int | None:
    """How long *octets* are decoded, where that shows without decoding them; else None."""
    if encoding in _IDENTITY:
        return len(octets)
    if encoding != "base64":
        return None
    rest = octets.translate(None, _ALPHABET)
    padding = rest.translate(None, b" \t\r\n")
    digits = len(octets) - len(rest)
    if padding not in (b"", b"=", b"==") or (digits + len(padding)) % 4:
        return None
    if padding and not octets.rstrip().endswith(padding):
        return None
    return (digits + len(padding)) // 4 * 3 - len(padding)


def size_of_pieces(pieces: Iterable[bytes], encoding: str) -> int | None:
    """`size` of octets that come in pieces."""
    if encoding in _IDENTITY:
        return sum(map(len, pieces))
    if encoding != "base64":
        return None
    digits, padding = 0, b""
    for piece in pieces:
        rest = piece.translate(None, _ALPHABET)
        if padding and len(rest) < len(piece):
            return None
        digits += len(piece) - len(rest)
        padding += rest.translate(None, _SPACE)[:3]
        if padding not in (b"", b"=", b"==") or piece.partition(b"=")[2].translate(None, _SPACE + b"="):
            return None
    return None if (digits + len(padding)) % 4 else (digits + len(padding)) // 4 * 3 - len(padding)


def decode_pieces(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Octets that come in pieces decoded; only for what `size_of_pieces` knows the size of, which is without damage."""
    if encoding in _IDENTITY:
        yield from pieces
        return
    held = b""
    for piece in pieces:
        digits = held + piece.translate(None, _SPACE)
        whole = len(digits) // 4 * 4
        yield binascii.a2b_base64(digits[:whole])
        held = digits[whole:]


def from_base64(octets: bytes, defects: Defects) -> bytes:
    """Base64, in one piece or several glued together, whatever stands between its characters and however it ends."""
    rest = octets.translate(None, _ALPHABET)
    padding = rest.translate(None, b" \t\r\n")
    digits = len(octets) - len(rest)
    if padding in (b"", b"=", b"==") and not (digits + len(padding)) % 4 and _ends_with(octets, padding):
        return binascii.a2b_base64(octets)
    defects.add("bad-base64", _complaint(padding))
    pieces = (piece.translate(None, _OUTSIDE) for piece in octets.split(b"="))
    return b"".join(_piece(piece) for piece in pieces if piece)


def _ends_with(octets: bytes, padding: bytes) -> bool:
    return not padding or octets.rstrip().endswith(padding)


def _complaint(padding: bytes) -> str:
    foreign = len(padding) - padding.count(b"=")
    return f"{foreign} characters outside the alphabet" if foreign else "padding missing or in the middle"


def _piece(digits: bytes) -> bytes:
    """Digits alone, completed by padding; a single last digit says nothing and is dropped."""
    over = len(digits) % 4
    if over == 1:
        digits = digits[:-1]
        over = 0
    return binascii.a2b_base64(digits + b"=" * (-over % 4))


def from_quoted_printable(octets: bytes) -> bytes:
    """Quoted-printable; what is no valid escape stands as it is."""
    if b"=" not in octets:
        return octets
    if b"= " in octets or b"=\t" in octets:
        octets = _SOFT_BREAK.sub(b"=", octets)
    if octets.count(b"=\r") != octets.count(b"=\r\n"):
        octets = _LONE_CR.sub(b"=\r\n", octets)
    return binascii.a2b_qp(octets)


def from_uuencode(octets: bytes, defects: Defects) -> bytes:
    """The first uuencoded file in *octets*; as it stands when there is none."""
    begin = re.search(rb"^begin [0-7]{3,4}[^\n]*\n", octets, re.MULTILINE)
    if not begin:
        defects.add("bad-uuencode", "no begin line")
        return octets
    out = []
    for line in octets[begin.end() :].split(b"\n"):
        line = line.rstrip(b"\r")  # noqa: PLW2901 - the line without its end
        if line == b"end":
            break
        out.append(_uu_line(line, defects))
    return b"".join(out)


def _uu_line(line: bytes, defects: Defects) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        length = ((line[0] - 32 & 63) * 4 + 5) // 3 if line else 0
    try:
        return binascii.a2b_uu(line[:length])
    except binascii.Error:
        defects.add("bad-uuencode", "damaged line")
        return b""
