"""What makes a file no YAML, in words that say what to do."""

from __future__ import annotations

import re
from typing import Any

from mailrules.config.document import Place, Source
from mailrules.config.findings import Findings

_HELP = (
    (
        "found unexpected end of stream",
        "the quote that opens here is never closed",
        "close it; inside '...' a quote is written ''",
    ),
    (
        "found unknown escape character",
        "this escape does not exist in double quotes",
        "use single quotes: they take a backslash as it is",
    ),
    (
        "mapping values are not allowed",
        "a second ': ' on one line",
        "quote a text that holds ': ', or start a new line for the next key",
    ),
    (
        "did not find expected ',' or '}'",
        "the '{' is never closed, or a comma is missing",
        "close it with '}'; quote text that holds braces",
    ),
    (
        "did not find expected ',' or ']'",
        "the '[' is never closed, or a comma is missing",
        "close it with ']'; quote text that holds brackets",
    ),
    (
        "did not find expected node content",
        "the list or mapping is never closed",
        "close it, or quote a text that begins with '%', '@' or a brace",
    ),
    (
        "did not find expected '-' indicator",
        "this line does not belong to the list above it",
        "indent it as the items are, or start it with '- '",
    ),
    (
        "did not find expected key",
        "this line does not belong to the mapping above it",
        "indent it exactly as the other keys are",
    ),
    ("could not find expected ':'", "a key without ': ' after it", "write 'key: value', with a space after the colon"),
    ("found incompatible YAML document", "a YAML version that cannot be read", "leave the %YAML line out"),
    (
        "did not find expected <document start>",
        "the document ends before this",
        "look for one bracket or brace too many",
    ),
    ("block sequence entries are not allowed", "a list item cannot stand here", "start the list on a line of its own"),
    (
        "did not find expected alphabetic",
        "'&' and '*' begin anchors and aliases",
        "quote a text that begins with '&' or '*'",
    ),
    ("found unexpected ':'", "a ':' stands where a word ends", "quote the text, or put a space after the colon"),
    ("found character that cannot start any token", "a value cannot begin with this character", "quote the text"),
)


def tell_forbidden(found: re.Match[str], source: Source, findings: Findings) -> None:
    """Tell of a character that no YAML file may hold."""
    message = f"the character U+{ord(found[0]):04X} is not allowed in YAML"
    findings.add(Place(source, found.start(), found.end()), "yaml-syntax", message, "remove it")


def explain_syntax(error: Any, source: Source, findings: Findings) -> None:
    """Tell of an error of the YAML parser."""
    problem = error.problem or "this is no YAML"
    at = (error.context_mark or error.problem_mark) if _opened(problem) else (error.problem_mark or error.context_mark)
    place = Place(source, at.index, at.index + 1) if at else Place(source, 0, 0)
    gave_up = error.problem_mark.index if error.problem_mark else place.start
    cause = _cause(problem, gave_up, source)
    if cause is not None:
        findings.add(cause[0], "yaml-syntax", *cause[1:])
        return
    message, help_ = _worded(problem, place, source)
    findings.add(place, "yaml-syntax", message, help_)


_ODD_SPACE = re.compile("^[ ]*(?:- )?([\u00a0\u2000-\u200b\u202f\u3000])", re.MULTILINE)
_COMMENT = re.compile(r"^[^\n]*[:,\[{][^\n]*[:,]\s+(#\w[^\s,}\]]*)[^\n]*\s*\Z", re.MULTILINE)
_NO_SPACE = re.compile(r"^\s*(?:- +)?([A-Za-z_][\w-]*:)(?=[^\s:/])([^\n]*)$")


def _cause(problem: str, at: int, source: Source) -> tuple[Place, str, str] | None:
    """What the parser could not know: the slip that made it give up at *at*."""
    text = source.text
    odd = _ODD_SPACE.search(text)
    if odd and odd.start(1) <= at:
        code = f"U+{ord(odd[1]):04X}"
        return (
            Place(source, *odd.span(1)),
            f"{code} indents this line, and YAML takes spaces only",
            "replace it by spaces",
        )
    here = text[text.rfind("\n", 0, at) + 1 : at]
    if "',' or" in problem and text[at : at + 1] == ":" and re.search(r":\s", here):
        return Place(source, at, at + 1), "a second ': ' in one value", "quote a text that holds ': '"
    found = _COMMENT.search(text, 0, at) if "',' or" in problem or "node content" in problem else None
    if found:
        message = f"'{found[1]}' after a space is a comment, and so is what follows on its line"
        return Place(source, *found.span(1)), message, "quote a text that begins with '#'"
    if "cannot start any token" in problem and text[at : at + 1] == "\t" and here.strip():
        return Place(source, at, at + 1), "a tab stands here, and YAML takes spaces only", "replace it by a space"
    if "mapping values" in problem and ": " not in here:
        return _no_space(source, at)
    return None


def _no_space(source: Source, at: int) -> tuple[Place, str, str] | None:
    """`name:two` on the line before."""
    number = Place(source, at, at).span.line - 1
    found = _NO_SPACE.match(source.line(number))
    if found is None or ": " in found[2]:
        return None
    start = source.start_of(number)
    place = Place(source, start + found.start(1), start + found.end(1))
    return place, f"a space is missing after '{found[1]}'", f"write '{found[1]} {found[2]}'"


_KEY = re.compile(r"([ ]*)(- +)?([\w-]+):")


def _neighbour(place: Place, source: Source) -> str:
    """How the line should be indented: as the nearest key above that is indented more; an item as the nearest item."""
    line = place.span.line
    item = source.line(line).lstrip().startswith("- ")
    for number in range(line - 1, 0, -1):
        found = _KEY.match(source.line(number))
        if found and item and found[2]:
            return f"indent it as the '- ' in line {number}"
        if found and not item and len(found[1] + (found[2] or "")) >= place.span.column:
            return f"indent it as '{found[3]}' in line {number}"
    return ""


def _opened(problem: str) -> bool:
    """Whether where it begins tells more than where the parser gave up."""
    return any(sign in problem for sign in ("end of stream", "',' or", "expected alphabetic"))


def _worded(problem: str, place: Place, source: Source) -> tuple[str, str]:
    span = place.span
    if source.line(span.line)[: span.column].strip(" ") == "\t":
        return "a tab indents this line, and YAML takes spaces only", "replace the tab by spaces"
    for sign, message, help_ in _HELP:
        if sign in problem:
            lost = "does not belong" in message
            return message, (_neighbour(place, source) if lost else "") or help_
    return problem, ""
