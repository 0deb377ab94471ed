"""What somebody wrote, without what they quoted and without their signature."""

from __future__ import annotations

import re

_SEPARATOR = re.compile(
    r"""^(?:
      -{2,}\s*(?:original\ message|original-nachricht|ursprüngliche\ nachricht|message\ d'origine|mensaje\ original
        |messaggio\ originale|forwarded\ message|weitergeleitete\ nachricht|message\ transféré)\s*-{2,}
      |_{20,}\s*
      |begin\ forwarded\ message:\s*
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"^(?:on|am|le|el|il|op|den)\b[^\n]{0,300}"
    r"\b(?:wrote|schrieb\b[^\n]{0,200}|a écrit|escribió|ha scritto|schreef|skrev)\s?:?\s*$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"^\*?(?:from|von|de|da|sent|gesendet|envoyé|to|an|subject|betreff|date|datum)\*?\s?:\*?\s", re.IGNORECASE
)


def reply_text(text: str) -> str:
    """The lines of *text* that are its writer's own: quotes, attribution, forwarded copies and signature are left out.

    A text that quotes everything (a bare forward) comes back empty.
    """
    kept: list[str] = []
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare:
            kept.append("")
            continue
        if line.rstrip("\r") in ("-- ", "--") or _SEPARATOR.match(bare) or _header_block(lines, number):
            break
        if bare.startswith(">"):
            _drop_attribution(kept)
        elif not _attributes_the_rest(lines, number):
            kept.append(line.rstrip())
        else:
            break
    return "\n".join(kept).strip()


def _header_block(lines: list[str], number: int) -> bool:
    """Three header-like lines on end: what a mail program puts above the message it answers or forwards."""
    three = lines[number : number + 3]
    return len(three) == 3 and all(_HEADER.match(line.strip()) for line in three)


def _attributes_the_rest(lines: list[str], number: int) -> bool:
    """`On ... wrote:`, folded over up to three lines, with nothing after it that is not quoted."""
    for height in (1, 2, 3):
        if _ATTRIBUTION.match(" ".join(line.strip() for line in lines[number : number + height])):
            rest = next((lines[at] for at in range(number + height, len(lines)) if lines[at].strip()), "")
            return not rest.lstrip().startswith(">")
    return False


def _drop_attribution(kept: list[str]) -> None:
    """Take back the `On ... wrote:` in front of a quote."""
    while kept and not kept[-1].strip():
        kept.pop()
    for height in (1, 2, 3):
        if len(kept) >= height and _ATTRIBUTION.match(" ".join(line.strip() for line in kept[-height:])):
            del kept[-height:]
            return
