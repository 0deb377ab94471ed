r"""What an RE2 pattern needs of a text, read off the pattern itself (https://github.com/google/re2/wiki/Syntax).

Patterns with `.*` in them cannot share an automaton: it has to remember which of them have begun, and grows with every
combination. So the index looks for the literals that a pattern cannot do without, and gives only those that have none
to an automaton.
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"""(?P<quantifier>[*+?]|\{\d+(?:,\d*)?\})
    |(?P<class>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])
    |(?P<escaped>\\[^\w\s])
    |(?P<special>\\x\{[0-9a-fA-F]*\}|\\x..|\\[pP](?:\{[^}]*\}|.)|\\\d+|\\.)
    |(?P<open>\()|(?P<close>\))|(?P<bar>\|)|(?P<other>[.^${])|(?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
_TAME = re.compile(r"\\d|\\s|\[0-9\]|[^.\])\\]|\\[^\w]")
_UNBOUNDED = re.compile(r"[*+]|,\}")
_ORDINARY = {"posix_syntax": False, "longest_match": False, "literal": False, "never_nl": False, "one_line": False}
_ANCHORS = {"\\A": "^", "\\z": "$"}
_QUOTATION = re.compile(r"(?<!\\)(?:\\\\)*\\Q")
_UNSETS_LINES = re.compile(r"\(\?[a-zA-Z]*-[a-zA-Z]*m")


def readable(pattern: Any) -> bool:
    r"""Whether *pattern* is text of the ordinary syntax, without a quotation (`\Q...`)."""
    options = pattern.options
    ordinary = all(getattr(options, name) is value for name, value in _ORDINARY.items())
    return ordinary and isinstance(pattern.pattern, str) and not _QUOTATION.search(pattern.pattern)


def literals(pattern: str) -> list[list[str]]:
    """For each alternative of a readable *pattern* the texts of two letters or more that it cannot match without.

    Case is as written: compare with case folded.
    """
    branches: list[list[str]] = [[]]
    run: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(pattern):
        kind, text = str(token.lastgroup), token[0]
        if depth == 0 and kind in {"plain", "escaped"}:
            run.append(text[-1])
            continue
        if kind == "quantifier" and text != "+" and run:
            run.pop()
        branches[-1].append("".join(run))
        run.clear()
        depth += (kind == "open") - (kind == "close")
        if kind == "bar" and depth == 0:
            branches.append([])
    branches[-1].append("".join(run))
    return [[text for text in dict.fromkeys(branch) if len(text) > 1] for branch in branches]


def tame(pattern: str) -> bool:
    """Whether nothing but a single character, digits or white space is repeated without bound in *pattern*."""
    if not _UNBOUNDED.search(pattern):
        return True
    last = ""
    for token in _TOKEN.finditer(pattern):
        unbounded = token.lastgroup == "quantifier" and token[0] != "?" and not token[0][-2:-1].isdigit()
        if unbounded and not _TAME.fullmatch(last):
            return False
        last = token[0]
    return True


def by_line(pattern: Any) -> str | None:
    """A readable *pattern* so that it finds, in texts joined by newlines, at least what it finds in each.

    Options and the line mode become flags, anchors of the text those of a line. None where a flag group unsets `m`.
    """
    if _UNSETS_LINES.search(pattern.pattern):
        return None
    flags = "m" + ("" if pattern.options.case_sensitive else "i") + ("s" if pattern.options.dot_nl else "")
    if not any(anchor in pattern.pattern for anchor in _ANCHORS):
        return f"(?{flags}){pattern.pattern}"
    tokens = [token[0] for token in _TOKEN.finditer(pattern.pattern)]
    return f"(?{flags})" + "".join([_ANCHORS.get(token, token) for token in tokens])
