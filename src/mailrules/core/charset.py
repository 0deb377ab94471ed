"""Octets to text: what is declared, if it is true; else what the octets say."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from mailrules.core.defects import Defects

SAMPLE = 8192
"""Octets that are looked at when a charset must be guessed."""
SHORTEST = 24
"""Octets below which a guess would be as good as any other."""

GUESSES = 16
"""Charsets that are guessed for one message: each costs some milliseconds, and a message may have 20,000 parts."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")

_MEANT = {
    # What is called by these names is, on the wire, the larger set (WHATWG Encoding, section 4.2).
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
}
_ALIASES = {
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "x-sjis": "cp932",
    "x-ms-cp932": "cp932",
    "windows-31j": "cp932",
    "cp-850": "cp850",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-big5": "cp950",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "utf-8-sig": "utf-8",
    "windows-874": "cp874",
    "ansi_x3.4-1986": "cp1252",
}
_ASCII = bytes(range(9, 128))
_NOT_TEXT = frozenset(("unicode-escape", "raw-unicode-escape", "punycode", "idna", "undefined", "mbcs", "oem"))
"""Codecs of Python that are not charsets of mail."""
_NEVER_BARE = [
    "utf_7",
    "utf_16",
    "utf_16_le",
    "utf_16_be",
    "utf_32",
    "utf_32_le",
    "utf_32_be",
    "cp037",
    "cp500",
    "cp1026",
]
"""What nobody sends without saying so."""
_ANYTHING = frozenset(("cp1252", "latin-1"))
"""What takes nearly any octets, so that its declaration proves little: UTF-8 is tried first."""


@lru_cache(maxsize=256)
def codec(charset: str) -> str | None:
    """The codec that reads what mail calls *charset*; None when nobody knows it. Any case, any of the usual aliases."""
    name = charset.strip().strip("'\"").lower()
    name = _ALIASES.get(name, name)
    if not _NAME.match(name):
        return None
    try:
        info = codecs.lookup(name)
        "".encode(name)  # refuses what is no text encoding, `base64`
    except (LookupError, ValueError):
        return None
    if info.name.replace("_", "-") in _NOT_TEXT:
        return None
    return _MEANT.get(info.name, info.name)


def to_text(octets: bytes, charset: str, defects: Defects, *, where: str = "") -> str:
    """*octets* as text that encodes to UTF-8, by the declared *charset* (empty: undeclared). Never raises.

    UTF-8 is tried before an undeclared, unknown or all-embracing charset, the declared charset before a guess, and
    Windows-1252 or Latin-1 is the end of it.
    """
    if octets.isascii() and (not charset or _plain(charset)):
        return octets.decode("ascii")
    name = codec(charset) if charset else None
    if name and name not in ("utf-8", *_ANYTHING):
        text = _strictly(octets, name)
        if text is not None:
            return text
    text = _strictly(octets, "utf-8")
    if text is None:
        text = _unexplained(octets, charset, name, defects, where)
    elif charset and name is None:
        defects.add("unknown-charset", _at(where, charset))
    elif name not in (None, "utf-8"):
        defects.add("wrong-charset", _at(where, charset))
    return text


def _at(where: str, charset: str) -> str:
    return f"{where}: {charset[:40]}" if where else charset[:40]


@lru_cache(maxsize=256)
def _plain(charset: str) -> bool:
    """Whether ASCII octets are themselves in it: not so in UTF-16, UTF-7, ISO-2022, HZ and EBCDIC."""
    name = codec(charset)
    if name is None or name.startswith(("iso2022", "hz", "utf-7")):
        return name is None
    return _ASCII.decode(name, "replace") == _ASCII.decode("ascii")


def _strictly(octets: bytes, name: str) -> str | None:
    """The text if *octets* are in this charset without an error."""
    try:
        text = octets.decode(name)
    except (UnicodeError, ValueError):
        return None
    return _SURROGATE.sub("\ufffd", text).removeprefix("\ufeff") if name == "utf-7" else text.removeprefix("\ufeff")


def _unexplained(octets: bytes, charset: str, name: str | None, defects: Defects, where: str) -> str:
    """Neither what is declared nor UTF-8: damaged text in one of them, or something else."""
    for candidate in ("utf-8", name):
        text = octets.decode(candidate, "replace") if candidate and candidate not in _ANYTHING else ""
        if _hardly_damaged(text):
            defects.add("undecodable-text", _at(where, candidate or ""))
            return _SURROGATE.sub("\ufffd", text)
    if name in _ANYTHING:
        return _last_resort(octets)
    if charset:
        defects.add("wrong-charset" if name else "unknown-charset", _at(where, charset))
        defects.add("undecodable-text", _at(where, charset))
    guessed = _affordable_guess(octets[:SAMPLE], defects, _at(where, charset))
    return (guessed and _strictly(octets, guessed)) or _last_resort(octets)


def _hardly_damaged(text: str) -> bool:
    """Whether for each replaced octet there are many characters outside ASCII that did decode."""
    replaced = text.count("\ufffd")
    if not replaced:
        return bool(text)
    return len(text.encode("utf-8", "replace")) - len(text) - 2 * replaced >= 8 * replaced


def _last_resort(octets: bytes) -> str:
    return _strictly(octets, "cp1252") or octets.decode("latin-1")


def _affordable_guess(sample: bytes, defects: Defects, place: str) -> str:
    """`_guess`, as long as not too many have been made for this message; empty when there is too little to tell."""
    if len(sample) < SHORTEST:
        return ""
    if defects.guesses >= GUESSES:
        defects.add("too-many-guesses", place)
        return ""
    defects.guesses += 1
    return _guess(sample)


def _guess(sample: bytes) -> str:
    """The charset that charset-normalizer finds in *sample*; empty when it finds none."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_exclusion=_NEVER_BARE, preemptive_behaviour=False).best()
    return best.encoding if best is not None else ""
