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
    message, help_ = _worded(problem, place, source)
    findings.add(place, "yaml-syntax", message, help_)


def _opened(problem: str) -> bool:
    """Whether where it begins tells more than where the parser gave up."""
    return any(sign in problem for sign in ("end of stream", "',' or", "expected alphabetic"))


def _worded(problem: str, place: Place, source: Source) -> tuple[str, str]:
    span = place.span
    if source.line(span.line)[: span.column].strip(" ") == "\t":
        return "a tab indents this line, and YAML takes spaces only", "replace the tab by spaces"
    for sign, message, help_ in _HELP:
        if sign in problem:
            return message, help_
    return problem, ""
