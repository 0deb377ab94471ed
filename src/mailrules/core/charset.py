"""Octets to text: what is declared, if it is true; else what the octets say."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from mailrules.core.defects import Defects

SAMPLE = 8192
"""Octets that are looked at when a charset must be guessed."""

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
    Latin-1 is the end of it.
    """
    if octets.isascii() and (not charset or _plain(charset)):
        return octets.decode("ascii")
    name = codec(charset) if charset else "cp1252"
    if name is None:
        defects.add("unknown-charset", f"{where}: {charset[:40]}" if where else charset[:40])
        name = "cp1252"
    if name in _ANYTHING or name == "utf-8":
        try:
            return octets.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            pass
    if name != "utf-8" and (charset or name not in _ANYTHING):
        try:
            return _scrub(octets.decode(name))
        except (UnicodeError, ValueError):
            pass
    return _unexplained(octets, name if charset else "", defects, where)


@lru_cache(maxsize=256)
def _plain(charset: str) -> bool:
    """Whether ASCII octets are themselves in it: not so in UTF-16, UTF-7, ISO-2022, HZ and EBCDIC."""
    name = codec(charset)
    return name is not None and _ASCII.decode(name, "replace") == _ASCII.decode("ascii")


def _unexplained(octets: bytes, declared: str, defects: Defects, where: str) -> str:
    """The declaration is missing or untrue."""
    if declared:
        defects.add("wrong-charset", f"{where}: not {declared}" if where else f"not {declared}")
        text = octets.decode(declared, "replace") if declared not in _ANYTHING else ""
        if text and text.count("\ufffd") * 50 <= len(text):
            defects.add("undecodable-text", where)
            return _scrub(text)
        try:
            return octets.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            pass
    guessed = _guess(octets[:SAMPLE])
    if guessed:
        try:
            return _scrub(octets.decode(guessed))
        except (UnicodeError, ValueError):
            pass
    return _last_resort(octets)


def _last_resort(octets: bytes) -> str:
    try:
        return octets.decode("cp1252")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _guess(sample: bytes) -> str:
    """The charset that charset-normalizer finds in *sample*; empty when there is too little to tell."""
    if len(sample) < 12:
        return ""
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_exclusion=["utf_7"], preemptive_behaviour=False).best()
    return best.encoding if best is not None else ""


def _scrub(text: str) -> str:
    """Without lone surrogates, which UTF-7 can bring in and nothing can store."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text.removeprefix("\ufeff")
