"""What somebody wrote, apart from what they quoted and from their signature."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailrules.core.fact.labels import LONGEST, labelled

_RULE = re.compile(r"-{2,}[^\n]{0,90}-{2,}\Z|_{20,}\Z|[^\n]{5,60}:\Z")
"""What may stand above the header fields of a quoted message."""
_COPY = re.compile(
    r"-{2,}\s*(?:original message|original-nachricht|ursprüngliche nachricht|message d'origine|mensaje original"
    r"|messaggio originale|mensagem original|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht"
    r"|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht|mensagem encaminhada)\s*-{2,}\Z"
    r"|begin forwarded message\s?:\Z",
    re.IGNORECASE,
)
"""What says by itself that a message follows."""
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb\b.{0,200}|a écrit|escribió|escreveu|ha scritto|schreef\b.{0,200}"
    r"|geschreven|skrev\b.{0,200}|kirjoitti\b.{0,100}|napisał(?:\(a\)|a)?|napsal(?:\(a\)|a)?"
    r"|napísal(?:\(a\)|a)?|ezt írta\b.{0,100}|a scris|napisao"
    r"|yazdı|написала?(?:\(а\))?|писала?|пише|έγραψε)\s?:?\Z"  # noqa: RUF001 - Turkish and Russian letters
    r"|(?:さん|様|氏|のメッセージ|は書きました|写道|님이 작성)\s?[:\uff1a]?\Z",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"(?:on|am|le|el|il|op|den|em|dnia|dne|dňa|ti|la|pe|în|w|ke)\b|\S{0,60}\d|\S{1,12}\s\S{0,20}\d"
    r"|[^<]{0,100}<[^<>\s]{3,200}>",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(r"\d.{0,300}<[^<>\s]{3,200}>\s?[:\uff1a]\Z")
"""A date and an address: what some languages put above a quote without a verb."""
_FROM_A_PHONE = re.compile(
    r"sent from (?:my|outlook|yahoo|mail)\b.{0,60}|get outlook for .{0,60}|von meinem .{2,30} gesendet"
    r"|gesendet (?:von|mit) .{0,60}|envoyé (?:de|depuis) .{0,60}|enviado (?:desde|do|de) .{0,60}"
    r"|inviato da.{0,60}|verzonden vanaf .{0,60}|skickat från min .{0,60}|sendt fra min .{0,60}",
    re.IGNORECASE,
)
_DATED = re.compile(r"[\d@]")
MOST = 1_000_000
"""Characters of a text that are taken apart; what is beyond counts as quoted."""
_LONGEST = 400
"""Characters of an attribution, unfolded."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """A text taken apart; each of its lines is in one of the three, or is an attribution."""

    reply: str
    """The lines that are its writer's own; empty where everything is quoted, in a bare forward."""
    quoted: str
    signature: str
    evidence: str
    """What shows where the writer's own words end, and in which line."""


@dataclass(slots=True)
class _Sheet:
    """The lines by what they are, as far as they have been read."""

    reply: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def tell(self, what: str, number: int, line: str) -> None:
        """Evidence, once for the quote and once for the signature."""
        if not any(each.startswith(what) for each in self.told):
            self.told.append(f"{what} from line {number + 1}: {line.strip()[:80]}")


def split(text: str) -> Quotation:
    """*text* taken apart, in time in proportion to its length."""
    sheet = _Sheet()
    lines = text[:MOST].split("\n")
    for number, line in enumerate(lines):
        if _ends(lines, number):
            sheet.tell("quoted", number, line)
            sheet.quoted += lines[number:]
            break
        _take(sheet, lines, number)
    sheet.quoted += [text[MOST:]] if len(text) > MOST else []
    reply, quoted, signature = ("\n".join(part).strip() for part in (sheet.reply, sheet.quoted, sheet.signature))
    return Quotation(reply, quoted, signature, "; ".join(sheet.told) or "nothing is quoted")


def reply_text(text: str) -> str:
    """The lines of *text* that are its writer's own: quotes, attribution, forwarded copies and signature are left out.

    A text that quotes everything (a bare forward) comes back empty.
    """
    return split(text).reply


def _ends(lines: list[str], number: int) -> bool:
    """Whether all from here on is somebody else's."""
    bare = lines[number].strip()
    if not bare:
        return False
    if len(bare) <= LONGEST and (_COPY.match(bare) or _rule_above_fields(lines, number)):
        return True
    return _header_block(lines, number) or _attributes_the_rest(lines, number)


def _rule_above_fields(lines: list[str], number: int) -> bool:
    """A line that parts, with two header-like lines below it, the sender near."""
    if not _RULE.match(lines[number].strip()):
        return False
    below = [labelled(line)[0] for line in lines[number + 1 : number + 7] if line.strip()]
    return len(below) >= 2 and all(below[:2]) and "from" in below


def _take(sheet: _Sheet, lines: list[str], number: int) -> None:
    line = lines[number]
    bare = line.strip()
    if bare.startswith(">"):
        _take_back_attribution(sheet)
        sheet.tell("quoted", number, line)
        sheet.quoted.append(line.rstrip())
    elif sheet.signature or line.rstrip("\r") in ("-- ", "--") or (bare and _last_words(lines, number)):
        sheet.tell("signature", number, line)
        sheet.signature.append(line.rstrip())
    elif not bare:
        sheet.reply.append("")
    else:
        sheet.reply.append(line.rstrip())


def _last_words(lines: list[str], number: int) -> bool:
    """What a telephone puts under a message, as long as nothing but a quote follows."""
    if len(lines[number]) > 100 or not _FROM_A_PHONE.fullmatch(lines[number].strip()):
        return False
    return next((_quotes(lines, at) for at in range(number + 1, len(lines)) if lines[at].strip()), True)


def _quotes(lines: list[str], number: int) -> bool:
    return lines[number].lstrip().startswith(">") or _ends(lines, number) or _attribution(lines, number) > 0


def _header_block(lines: list[str], number: int) -> bool:
    """Three header-like lines on end, the sender near: what stands above a message that is answered or forwarded."""
    if not labelled(lines[number])[0]:
        return False
    roles = [labelled(line)[0] for line in lines[number : number + 5]]
    return len(roles) >= 3 and all(roles[:3]) and "from" in roles


def _attribution(lines: list[str], number: int, *, marked: bool = False) -> int:
    """The lines, up to three, that a `On ... wrote:` takes here; 0 when there is none.

    Above a *marked* quote a date and an address will do.
    """
    if not _BEGINS.match(lines[number].lstrip()[:_LONGEST]):
        return 0
    for height in (1, 2, 3):
        joined = " ".join([line.strip() for line in lines[number : number + height]])
        if len(joined) > _LONGEST:
            return 0
        if _WROTE.search(joined) or (marked and _ADDRESSED.search(joined)):
            return height
    return 0


def _attributes_the_rest(lines: list[str], number: int) -> bool:
    """`On ... wrote:` with nothing after it that is marked as quoted; it has a date or an address in it then."""
    height = _attribution(lines, number)
    if not height or not any(_DATED.search(line[:_LONGEST]) for line in lines[number : number + height]):
        return False
    rest = next((lines[at] for at in range(number + height, len(lines)) if lines[at].strip()), "")
    return not rest.lstrip().startswith(">")


def _take_back_attribution(sheet: _Sheet) -> None:
    """The `On ... wrote:` in front of a quote is not the writer's own."""
    kept = sheet.signature or sheet.reply
    while kept and not kept[-1].strip():
        kept.pop()
    for height in (1, 2, 3):
        if len(kept) >= height and _attribution(kept[-height:], 0, marked=True) == height:
            del kept[-height:]
            return
