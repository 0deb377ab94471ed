"""HTML as the text that a person reads."""

from __future__ import annotations

import re

from mailrules.core.nesting import too_nested

LONGEST = 4_000_000
"""Characters of HTML that are read."""

_LINES = (
    "address,article,aside,blockquote,br,center,dd,div,dl,dt,fieldset,figure,footer,form,h1,h2,h3,h4,h5,h6,header,hr"
)
_LINES += ",li,main,nav,ol,p,pre,section,table,tr,ul"
_CELLS = "td,th,option"
_UNSEEN = ["script", "style", "head", "title", "template", "noscript", "object", "svg", "math", "textarea"]
_HIDDEN = '[hidden],[style*="display:none"],[style*="display: none"],[style*="mso-hide:all"]'
_TAG = re.compile(r"<[^<>]*+>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_BREAKS = re.compile(r" ?\x1e[ \x1e]*")


def as_text(html: str) -> str:
    """What a browser would show of *html*: blocks on lines of their own, cells and words parted by one space."""
    html = html[:LONGEST]
    if too_nested(html):
        return _stripped(html)
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html.replace("\x1e", " "))
    tree.strip_tags(_UNSEEN)
    for node in tree.css(_HIDDEN):
        node.decompose()
    for node in tree.css(_LINES):
        node.insert_before("\x1e")
        node.insert_after("\x1e")
    for node in tree.css(_CELLS):
        node.insert_after(" ")
    text = tree.root.text(deep=True) if tree.root is not None else ""
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def _stripped(html: str) -> str:
    """The text between the tags, for what no browser would lay out either."""
    from html import unescape

    return _SPACES.sub(" ", unescape(_TAG.sub(" ", html))).encode("utf-8", "replace").decode().strip()
