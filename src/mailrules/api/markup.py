"""HTML for plugins: a tree that no message can make expensive."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

LONGEST_HTML = 4_000_000
"""Characters of HTML that are read."""


def html_tree(html: str) -> LexborHTMLParser | None:
    """The tree of *html*; None where it is longer than `LONGEST_HTML` or nests deeper than any browser would lay out.

    What builds a tree takes time with the square of its depth, so the depth is looked at first.
    """
    from mailrules.core.nesting import too_nested

    if len(html) > LONGEST_HTML or too_nested(html):
        return None
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(html)
