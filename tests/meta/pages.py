"""A page of the documentation taken apart: its fenced blocks, headings, links and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
"""Everything written for readers; `docs/adr` too, whose links and sentences are looked at."""

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<kind>\w*)(?P<rest>.*)$")
_TITLE = re.compile(r' title="([^"]+)"')
_HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NO_SLUG = re.compile(r"[^\w\- ]")
_SENTENCE_END = re.compile(r"[a-z0-9)`*][.!?] (?=[A-Z`*\[])")
_ABBREVIATIONS = ("e.g.", "i.e.", "etc.")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ```KIND title="PATH" WORD."""

    page: Path
    line: int
    """Of the opening fence, from 1."""
    kind: str
    title: str
    wrong: bool
    """Whether the page shows it as a mistake."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of *page*, in order."""
    opened: tuple[int, re.Match[str]] | None = None
    held: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        found = _FENCE.match(line)
        if opened is None:
            assert not line.lstrip().startswith("```") or found, f"{page.name}:{number}: a fence stands at the margin"
            opened, held = ((number, found), []) if found else (None, held)
        elif found and found["fence"] == opened[1]["fence"] and not found["kind"]:
            yield _block(page, *opened, "".join(f"{each}\n" for each in held))
            opened = None
        else:
            held.append(line)
    assert opened is None, f"{page.name}:{opened[0]}: this block never ends"


def _block(page: Path, line: int, opening: re.Match[str], text: str) -> Block:
    title = _TITLE.search(opening["rest"])
    words = _TITLE.sub("", opening["rest"]).split()
    assert set(words) <= {"wrong"}, f"{page.name}:{line}: {words} means nothing here"
    return Block(page, line, opening["kind"], title[1] if title else "", bool(words), text)


def prose(page: Path) -> str:
    """The page without its blocks, line by line."""
    kept, fence = [], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        found = _FENCE.match(line)
        if found and not fence:
            fence = found["fence"]
        elif found and found["fence"] == fence:
            fence = ""
        elif not fence:
            kept.append(line)
            continue
        kept.append("")
    return "\n".join(kept)


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: each heading as hosts of Markdown spell it."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        slug = _NO_SLUG.sub("", heading.lower().replace("`", "")).replace(" ", "-")
        number = 0
        while (one := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(one)
    return found


def broken_links(page: Path) -> Iterator[str]:
    """Each link to a file or heading of this repository that is not there."""
    for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(file):
            yield f"{target}: no such heading"


def crowded_lines(page: Path) -> Iterator[str]:
    """Lines that hold more than one sentence: a changed sentence should be one changed line."""
    for number, line in enumerate(prose(page).splitlines(), start=1):
        text = re.sub(r"`[^`]*`", "x", line.lstrip("0123456789. "))
        for short in _ABBREVIATIONS:
            text = text.replace(short, "")
        if _SENTENCE_END.search(text) and not line.startswith(("|", "#")):
            yield f"{page}:{number}: {line}"
