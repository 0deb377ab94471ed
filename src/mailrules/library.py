"""What `import mailrules` offers: rules, messages and decisions, without mailboxes, journal or actions run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mailrules.core.parse import parse as parse_message
from mailrules.model.decision import Decision
from mailrules.model.message import Message
from mailrules.model.rule import RuleSet

if TYPE_CHECKING:
    from mailrules.config.diagnostic import Diagnostic
    from mailrules.core.decide import Decider


class RulesError(ValueError):
    """The rules have errors; `str()` shows every one of them with its place and what to do."""

    diagnostics: tuple[Diagnostic, ...]
    """All that was found, sorted by place; warnings too."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        from mailrules.config.report import render

        super().__init__(render(diagnostics))
        self.diagnostics = diagnostics


def load_rules(source: Path | str) -> RuleSet:
    """The rules in a file, or in YAML text.

    Args:
        source: a `Path`, or a string: the YAML itself if it is empty, has more than one line, or a colon followed by
            a space; else the path of a file.

    Raises:
        RulesError: they have errors.
        TypeError: *source* is neither a path nor a text.
    """
    from mailrules.config.load import load_rules as load

    if not isinstance(source, Path | str):
        raise TypeError(f"rules are read from a Path or a text, and this is of type {type(source).__name__}")
    ruleset, diagnostics = load(source if isinstance(source, Path) or _is_yaml(source) else Path(source))
    if ruleset is None:
        raise RulesError(diagnostics)
    return ruleset


def _is_yaml(source: str) -> bool:
    return not source or "\n" in source or ": " in source


def parse(raw: bytes) -> Message:
    """The message in *raw*, RFC 5322 or nearly so: any bytes at all; what is wrong is in `defects`.

    Nothing is read before it is asked for.

    Raises:
        TypeError: *raw* is a text: a message is octets, and its own header says how to read them.
    """
    given: object = raw
    if isinstance(given, str):
        raise TypeError("a message is bytes, not str: read it from a file opened with 'rb'")
    return parse_message(raw, size=len(raw))


def decide(ruleset: RuleSet, message: Message, *, now: datetime | None = None, trace: bool = False) -> Decision:
    """What the rules say of *message*: rule, code, disposition, steps and captures. Nothing is done.

    Args:
        ruleset: from `load_rules`. It is made ready at its first use; keep it to decide many messages.
        message: from `parse`.
        now: aware; what `older_than` and `active` are measured against. The system's clock by default.
        trace: fill `Decision.trace`: every rule tried, every condition with the value it saw.

    Raises:
        ValueError: *now* has no time zone.
    """
    if now is not None and now.tzinfo is None:
        raise ValueError("now must be aware: give it a time zone, datetime.now(timezone.utc)")
    return _ready(_Same(ruleset)).decide(message, now or datetime.now(UTC), trace=trace)


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A rule set as a key: equal to itself alone, without comparing ten thousand rules."""

    ruleset: RuleSet

    def __hash__(self) -> int:
        return id(self.ruleset)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.ruleset is self.ruleset


@lru_cache(maxsize=8)
def _ready(key: _Same) -> Decider:
    from mailrules.core.decide import Decider

    return Decider(key.ruleset)
