"""Regular expressions and globs to RE2, and where inside of them a mistake stands."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from mailrules.config.document import Node, Place
from mailrules.config.findings import Findings

_NOT_RE2 = re.compile(r"(?<!\\)\(\?(?!:|P<\w+>|<\w+>|[imsU]*(?:-[imsU]+)?[:)])[<>=!#P|(]{0,2}=?")
_INSTEAD = (
    ("(?=", "RE2 has no look-ahead: match the whole text, or write a second condition on the same field"),
    ("(?!", "RE2 has no look-ahead: say what must not be there by none: [{FIELD: {regex: ...}}]"),
    ("(?<=", "RE2 has no look-behind: match what stands before as well, and name the part you want (?P<name>...)"),
    ("(?<!", "RE2 has no look-behind: say what must not be there by none: [{FIELD: {regex: ...}}]"),
    ("(?P=", "RE2 has no back-references: match both parts and compare them in a script"),
    ("(?>", "RE2 has no atomic groups and needs none: it is linear without; write (?:...)"),
    ("(?#", "RE2 has no comments: write a YAML comment instead"),
    ("(?(", "RE2 has no conditions: write two alternatives"),
    ("\\Z", "RE2 writes the end of the text \\z"),
)
_BACK_REFERENCE = re.compile(r"\\[1-9]")
_SAYS = {
    "missing )": "a '(' is never closed",
    "missing ]": "a '[' is never closed",
    "unexpected )": "a ')' closes nothing",
    "no argument for repetition operator": "there is nothing before it to repeat",
    "bad repetition operator": "one repetition stands right after another",
    "invalid repetition size": "repetitions go up to 1000, the smaller number first",
    "invalid character class range": "there is no such range of characters",
    "invalid escape sequence": "there is no such escape",
    "invalid perl operator": "RE2 does not know this group",
    "trailing \\": "nothing follows the backslash",
    "pattern too large": "the pattern needs too much memory",
}


@cache
def _options() -> Any:
    import re2

    made = re2.Options()
    made.log_errors = False
    return made


def regex(node: Node, text: str, findings: Findings, *, ignore_case: bool) -> Any | None:
    """*text* compiled; None and a diagnostic when RE2 refuses. Case goes into the pattern's own flags."""
    import re2

    try:
        return re2.compile(f"(?i){text}" if ignore_case else text, _options())
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        _tell(node, text, said, findings)
        return None


def glob(text: str, *, ignore_case: bool) -> Any:
    """A pattern for the whole text: `*` is any text, `?` one character, all else itself."""
    import re2

    wild = {"*": ".*", "?": "."}
    body = "".join(wild.get(part) or re2.escape(part) for part in re.split(r"([*?])", text))
    return re2.compile(f"(?{'i' if ignore_case else ''}s)\\A(?:{body})\\z", _options())


def _tell(node: Node, text: str, said: str, findings: Findings) -> None:
    reason, _, piece = said.partition(": ")
    begin, length = _where(reason, piece, text)
    shown = text[begin : begin + length]
    help_ = next((help_ for sign, help_ in _INSTEAD if text.startswith(sign, begin)), "")
    if reason == "invalid escape sequence" and _BACK_REFERENCE.match(text, begin):
        help_ = "RE2 has no back-references: match both parts and compare them in a script"
    message = f"the pattern is wrong at '{shown}': {_SAYS.get(reason, reason)}"
    if help_.startswith("RE2 has no"):
        message = f"RE2 cannot say '{shown}'"
    findings.add(
        place_within(node, begin, length),
        "bad-regex",
        message,
        help_ or "patterns are RE2: the rule reference lists its syntax",
    )


def _where(reason: str, piece: str, text: str) -> tuple[int, int]:
    """Offset and length of the offending piece in the pattern."""
    if reason == "invalid perl operator" and (found := _NOT_RE2.search(text)):
        return found.start(), len(found[0])
    if reason in ("missing )", "missing ]", "unexpected )"):
        return _unbalanced(text, reason), 1
    if reason.startswith("trailing"):
        return len(text) - 1, 1
    at = text.find(piece)
    return (at, len(piece)) if piece and at >= 0 else (0, len(text))


def _unbalanced(text: str, reason: str) -> int:
    """Offset of the bracket without a partner."""
    opened: list[int] = []
    in_class, at = -1, 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif in_class >= 0:
            in_class = -1 if letter == "]" and at > in_class + 1 else in_class
        elif letter == "[":
            in_class = at
        elif letter == "(":
            opened.append(at)
        elif letter == ")":
            if not opened and reason == "unexpected )":
                return at
            del opened[-1:]
        at += 1
    return in_class if in_class >= 0 and reason == "missing ]" else (opened or [0])[-1]


_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)


def place_within(node: Node, offset: int, length: int) -> Place:
    """The place of value[offset:offset+length] of a scalar in its file; its whole when that cannot be told."""
    raw = node.place.text
    if raw[:1] in ("|", ">") or "\n" in raw:
        return node.label
    begin, end = _raw_offset(raw, offset), _raw_offset(raw, offset + length)
    return node.place.within(begin, end - begin)


def _raw_offset(raw: str, offset: int) -> int:
    """Where the character *offset* of the value stands in what is written."""
    if raw[:1] not in ("'", '"'):
        return offset
    at = 1
    for _ in range(offset):
        if raw[0] == "'" and raw.startswith("''", at):
            at += 2
        elif raw[0] == '"' and (found := _ESCAPE.match(raw, at)):
            at = found.end()
        else:
            at += 1
    return at
