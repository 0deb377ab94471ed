"""How deep HTML nests for a tree builder, told without building the tree, whose cost grows with the square of it."""

from __future__ import annotations

import re

DEEPEST = 1_000
"""Elements open at once."""
MOST = 2_000_000
"""Formatting elements open at each tag, summed: a tree builder makes up to that many anew (HTML, section 13.2.4.3)."""
LONGEST_WALK = 20_000_000
"""Elements open at each tag, summed."""

_TAG = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))
    |(?P<data><!\[CDATA\[)[^>]*+
    |<(?:[!?]|/[^a-z])[^>]*+
    |<(?P<close>/?)(?P<name>[a-z][^ \t\n\f\r/>]*+)
        (?:[ \t\n\f\r/]++
        |[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+
            (?:[ \t\n\f\r]*+=[ \t\n\f\r]*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^ \t\n\f\r>]*+))?+)*+
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_VOID = frozenset(
    (
        "area",
        "base",
        "br",
        "col",
        "embed",
        "frame",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    )
)
_IMPLIED = frozenset(
    (
        "body",
        "colgroup",
        "dd",
        "dt",
        "head",
        "html",
        "li",
        "optgroup",
        "option",
        "p",
        "rp",
        "rt",
        "tbody",
        "tfoot",
        "thead",
        "tr",
    )
)
"""What need not be closed: another of its kind, or what is around it, ends it."""
_FORMATTING = frozenset(
    ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
)
_RAW = frozenset(("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"))
_CELLS = frozenset(("td", "th", "caption"))
_BARRIERS = frozenset(("applet", "button", "marquee", "math", "object", "select", "svg", "table", "template")) | _CELLS
"""What an end tag inside them does not reach out of."""
_FOREIGN = ("svg", "math", "select")


def too_nested(html: str) -> bool:
    """Whether more elements are open at once, or are opened anew, than a tree builder should be given.

    In doubt an element counts as open; what can be markup or not, by what is around it, counts as too much.
    """
    if html.count("<") < DEEPEST:
        return False
    stack = _Stack()
    at = 0
    while tag := _TAG.search(html, at):
        at = tag.end()
        name = tag["name"] or ""
        name = name.lower() if name.isascii() else name
        if (tag["data"] or name in _RAW) and stack.is_foreign():
            return True
        if tag["close"]:
            stack.close(name)
        elif name in _RAW:
            at = _raw_end(html, name, at)
        elif name:
            stack.open(name)
        if at < 0 or stack.too_high():
            return True
    return False


def _raw_end(html: str, name: str, start: int) -> int:
    """Where the end tag of a raw text element stands, or *html* ends; -1 for a script that is perhaps not ended by it.

    (HTML, section 13.2.5.27: `<script>` within a comment in a script.)
    """
    found = re.compile(f"</{name}[ \t\n\f\r/>]", re.IGNORECASE | re.ASCII).search(html, start)
    end = found.start() if found else len(html)
    comment = html.find("<!--", start, end)
    return -1 if comment >= 0 and "<script" in html[comment:end].lower() else end


class _Stack:
    """The elements that are open, as far as a glance tells."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._counts: dict[str, int] = {}
        self._formatting = 0
        self._made = self._walked = 0

    def open(self, name: str) -> None:
        if name in _CELLS:
            self._end_cell()
        if name not in _VOID and name not in _IMPLIED:
            self._names.append(name)
            self._count(name, 1)

    def close(self, name: str) -> None:
        """Takes away the innermost element of this *name*, and with a barrier what is inside it."""
        if not self._counts.get(name):
            return
        for at in range(len(self._names) - 1, -1, -1):
            found = self._names[at]
            if found == name:
                self._take(at, len(self._names) if name in _BARRIERS else at + 1)
                return
            if found in _BARRIERS and not (name == "table" and found in _CELLS):
                return

    def too_high(self) -> bool:
        """Whether it is, or all that was made of it is too much."""
        self._made += self._formatting
        self._walked += len(self._names)
        return len(self._names) > DEEPEST or self._made > MOST or self._walked > LONGEST_WALK

    def is_foreign(self) -> bool:
        """Whether it may be within something that has rules of its own for what is markup."""
        return any(self._counts.get(name) for name in _FOREIGN)

    def _end_cell(self) -> None:
        """A cell ends the one before it."""
        for at in range(len(self._names) - 1, -1, -1):
            if self._names[at] in _CELLS:
                self._take(at, len(self._names))
                return
            if self._names[at] in _BARRIERS:
                return

    def _take(self, start: int, stop: int) -> None:
        for name in self._names[start:stop]:
            self._count(name, -1)
        del self._names[start:stop]

    def _count(self, name: str, change: int) -> None:
        self._counts[name] = self._counts.get(name, 0) + change
        self._formatting += change if name in _FORMATTING else 0
