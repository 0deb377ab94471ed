"""A header's value and its parameters: Content-Type and Content-Disposition (RFC 2045, 2183, 2231)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from mailrules.core.charset import to_text
from mailrules.core.defects import Defects
from mailrules.core.encoded_word import header_text, one_line

LONGEST = 16_384
"""Octets of a structured header that are read."""

_PARAMETER = re.compile(rb"""[;\s]++(?:([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+)))?+""", re.DOTALL)
_ESCAPED = re.compile(rb'\\(["\\])')
_MEDIA_TYPE = re.compile(rb"\s*([a-zA-Z0-9!#$&^_.+-]++)\s*/\s*([a-zA-Z0-9!#$&^_.+*-]++)")
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")


class Structured(NamedTuple):
    """A value before the first semicolon, lower-cased, and the parameters by lower-cased name, still as octets."""

    value: str
    parameters: dict[str, bytes]

    def word(self, name: str) -> str:
        """A parameter that is one word, `charset` or `format`: bare of quotes and of comments after it."""
        raw = self.parameters.get(name) or self.parameters.get(name + "*", b"").rpartition(b"'")[2]
        return raw.decode("latin-1").split("(")[0].strip(" \t\r\n\"'")

    def text(self, name: str, charset: str, defects: Defects) -> str:
        """A parameter for people, `filename`: RFC 2231 continuations and charsets, RFC 2047 words and raw octets."""
        if not self.parameters:
            return ""
        raw = self.parameters.get(name)
        extended = _sections(self.parameters, name)
        if extended:
            return one_line(_join(extended, defects), defects)
        return header_text(raw, charset, defects) if raw else ""


EMPTY = Structured("", {})


def structured(value: bytes) -> Structured:
    """*value* taken apart; anything that cannot be read is left out. The first of equal parameters counts."""
    return _structured(value[:LONGEST])


@lru_cache(maxsize=256)
def _structured(value: bytes) -> Structured:
    head, semicolon, _ = value.partition(b";")
    if not semicolon and b"=" not in value:
        return Structured(_main(head), {})
    parameters: dict[str, bytes] = {}
    for found in _PARAMETER.finditer(value, len(_main_span(head))):
        name, quoted, bare = found.groups()
        if name is None:
            continue
        content = _ESCAPED.sub(rb"\1", quoted) if quoted is not None else bare.strip().strip(b'"')
        parameters.setdefault(name.decode("latin-1").lower(), content)
    return Structured(_main(head), parameters)


def _main_span(head: bytes) -> bytes:
    """The value proper, so that `text/plain charset=x`, which lacks the semicolon, gives its parameter too."""
    words = head.split(None, 1)
    return head[: head.find(words[0]) + len(words[0])] if words else b""


def _main(head: bytes) -> str:
    found = _MEDIA_TYPE.match(head)
    if found:
        return f"{found[1].decode('ascii')}/{found[2].decode('ascii')}".lower()
    words = head.split(None, 1)
    return words[0].decode("latin-1").lower() if words else ""


def _sections(parameters: dict[str, bytes], name: str) -> list[tuple[bytes, bool]]:
    """The pieces of `name*0*=`, `name*1=`, or `name*=`, in order, each with whether it is percent-encoded."""
    found: dict[int, tuple[bytes, bool]] = {}
    for key, content in parameters.items():
        if key.startswith(name) and "*" in key:
            section = _SECTION.match(key)
            if section and section[1] == name:
                found.setdefault(int(section[2] or 0), (content, bool(section[3])))
    pieces = []
    for number in range(len(found)):
        if number not in found:
            break
        pieces.append(found[number])
    return pieces


def _join(pieces: list[tuple[bytes, bool]], defects: Defects) -> str:
    from urllib.parse import unquote_to_bytes

    charset = ""
    first, encoded = pieces[0]
    if encoded and first.count(b"'") >= 2:
        raw, _, first = first.split(b"'", 2)
        charset = raw.decode("latin-1")
        pieces = [(first, encoded), *pieces[1:]]
    octets = b"".join(unquote_to_bytes(content) if encoded else content for content, encoded in pieces)
    if not charset and not any(encoded for _, encoded in pieces):
        return header_text(octets, charset, defects)
    return to_text(octets, charset, defects, where="parameter")
