"""YAML text to a `Node`: YAML 1.2's core schema without tags and merge keys, with every value's place."""

from __future__ import annotations

import re
from typing import Any

from mailrules.config.document import Mark, Node, Place, Source
from mailrules.config.findings import Findings
from mailrules.config.syntax import explain_syntax, tell_forbidden

DEEPEST = 64
"""Lists and mappings within one another: no file of ours needs ten."""
MOST_ALIASED = 100_000
"""Values that aliases may add to a file, counted as if each were written out."""

_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.title(), word.upper())
}


def resolve(text: str) -> Any:
    """A plain scalar's value by YAML 1.2's core schema (section 10.3.2): dates, `yes` and `on` are text.

    A number too long for 64 bits, and `.inf` and `.nan`, stay text too.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text) and len(text) <= 24:
            return float(text)
    return text


_UNLOVED = re.compile(
    r"""(?P<tag>(?:(?<=[\s\[{,])|^)![^\s,\[\]{}]*)|:(?<!["'\]}]:)(?=[^\s,\[\]{}])|\?(?=\S)|(?<=\S)\?|[\x85\u2028\u2029]"""
)
"""What YAML 1.2 takes for text and the C parser does not: colons and question marks inside of words within braces,
and line breaks that only Unicode knows."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What YAML text may not hold (YAML 1.2.2, section 5.1); what it may hold takes ten times as long to compile."""


def _stand_ins(text: str) -> dict[str, str]:
    """For each of them a character for private use that *text* does not hold."""
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return dict(zip(":?\x85\u2028\u2029", free, strict=False))


class _Open:
    """A list or mapping that is still being read."""

    __slots__ = ("anchor", "key", "marks", "start", "value", "weight")

    def __init__(self, value: Any, start: int, anchor: str | None) -> None:
        self.value = value
        self.marks: Any = type(value)()
        self.start = start
        self.anchor = anchor
        self.key: tuple[str | None, int, int] | None = None
        self.weight = 1


class Reader:
    """Reads one document, event by event, so that neither depth nor size can overwhelm it."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, Mark, int]] = {}
        self._aliased = 0
        self._documents = 0
        self._root: Node | None = None
        self._stopped = False
        self._disguise: dict[int, str] = {}

    def read(self) -> Node | None:
        """The document's value; None when there is none worth looking at."""
        from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # it is C, and named there on purpose
        from ruamel.yaml.error import YAMLError

        if forbidden := _FORBIDDEN.search(self._source.text):
            tell_forbidden(forbidden, self._source, self._findings)
            return None
        try:
            parser = CParser(self._disguised())
            while not self._stopped and (event := parser.get_event()) is not None:
                self._take(event)
        except YAMLError as error:
            explain_syntax(error, self._source, self._findings)
            return None
        return None if self._stopped else self._root

    def _disguised(self) -> str:
        """The text with stand-ins for what the C parser stumbles over; every character keeps its place."""
        text = self._source.text
        if not _UNLOVED.search(text):
            return text
        stand_ins = _stand_ins(text)
        self._disguise = {ord(other): character for character, other in stand_ins.items()}
        return _UNLOVED.sub(lambda found: stand_ins.get(found[0], found[0]), text)

    def _take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._open(event, {} if kind == "MappingStartEvent" else [])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close(event.end_mark.index)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self._stop(
                    event, "many-documents", "a second document starts here", "write one document, without '---'"
                )

    def _place(self, event: Any) -> Place:
        return Place(self._source, event.start_mark.index, event.end_mark.index)

    def _stop(self, event: Any, word: str, message: str, help_: str) -> None:
        self._findings.add(self._place(event), word, message, help_)
        self._stopped = True

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        plain = event.implicit[0] or (event.tag is not None and not event.style)
        text = event.value.translate(self._disguise) if self._disguise else event.value
        value = resolve(text) if plain else text
        if event.tag is not None:
            self._tag(event)
        if event.style in ("|", ">"):
            end = start + 1
        if event.anchor:
            self._anchors[event.anchor] = (value, (start, end), 1)
        frame = self._stack[-1] if self._stack else None
        if frame is None or frame.key is not None or type(frame.value) is list:
            self._put(value, (start, end), 1)
        else:
            frame.key = (self._key(event, text, value, plain=plain), start, end)

    def _tag(self, event: Any) -> None:
        self._findings.add(
            self._place(event),
            "yaml-tag",
            f"the tag '{self._place(event).text.split()[0]}' is not allowed",
            "leave the tag out: values are plain text, numbers, true, false, lists and mappings",
        )

    def _key(self, event: Any, key: str, value: Any, *, plain: bool) -> str | None:
        """The key as text; None for one whose value is not wanted."""
        if not isinstance(value, str):
            shown = key or "nothing"
            self._findings.add(
                self._place(event), "key-not-text", f"the key {shown} is not text", f"quote it: '{key}':"
            )
        elif plain and key == "<<":
            self._findings.add(
                self._place(event),
                "merge-key",
                "the merge key '<<' is not part of YAML 1.2",
                "write the keys out, or name the whole value by an alias; shared actions go into a flow",
            )
            return None
        elif key in self._stack[-1].value:
            first = self._source.span(*self._stack[-1].marks[key][:2])
            self._findings.add(
                self._place(event),
                "duplicate-key",
                f"'{key}' stands twice in one mapping",
                f"the first is on line {first.line}; keep one of them",
            )
        return key

    def _put(self, value: Any, mark: Mark, weight: int) -> None:
        if not self._stack:
            self._root = Node(self._source, value, mark)
            return
        frame = self._stack[-1]
        frame.weight += weight
        if type(frame.value) is list:
            frame.value.append(value)
            frame.marks.append(mark)
        elif frame.key is not None:
            key, start, end = frame.key
            frame.key = None
            if key is not None and key not in frame.value:
                frame.value[key] = value
                frame.marks[key] = (start, end, mark)

    def _open(self, event: Any, value: Any) -> None:
        if event.tag is not None:
            self._tag(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and type(frame.value) is dict and frame.key is None:
            self._stop(
                event,
                "key-not-text",
                "a list or mapping cannot be a key",
                'braces of a template need quotes: "{{ ... }}"',
            )
        elif len(self._stack) >= DEEPEST:
            self._stop(event, "too-deep", f"more than {DEEPEST} lists and mappings within one another", "nest less")
        self._stack.append(_Open(value, event.start_mark.index, event.anchor))

    def _close(self, end: int) -> None:
        frame = self._stack.pop()
        mark = (frame.start, end, frame.marks)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.value, mark, frame.weight)
        self._put(frame.value, mark, frame.weight)

    def _alias(self, event: Any) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            inside = any(frame.anchor == event.anchor for frame in self._stack)
            message = f"the alias '*{event.anchor}' " + (
                "stands inside what it names" if inside else "has no anchor before it"
            )
            self._stop(
                event, "unknown-alias", message, f"text that begins with an asterisk needs quotes: '*{event.anchor}'"
            )
            return
        value, mark, weight = known
        self._aliased += weight
        if self._aliased > MOST_ALIASED:
            self._stop(
                event, "alias-bomb", f"aliases add more than {MOST_ALIASED:,} values to the file", "write less by alias"
            )
        frame = self._stack[-1] if self._stack else None
        if frame is not None and type(frame.value) is dict and frame.key is None:
            self._stop(event, "key-not-text", "an alias cannot be a key", "write the key out")
            return
        self._put(value, mark, weight)
