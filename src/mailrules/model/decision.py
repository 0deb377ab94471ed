"""What was decided about a message, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrules.model.code import Code
from mailrules.model.condition import Verdict
from mailrules.model.message import Extent
from mailrules.model.rule import UNTOUCHED, Disposition, Step
from mailrules.model.span import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Trace:
    """One condition or rule as it was tried: a tree, down to the YAML line."""

    label: str
    """What was asked: `from domain acme.com`, `any`, `rule 'acme invoices'`."""
    verdict: Verdict
    seen: str = ""
    """The value that was looked at."""
    reason: str = ""
    """Why, where the verdict alone does not say it: `body not loaded`, `not active until 2026-12-01`."""
    children: tuple[Trace, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Decision:
    """A value: which rule speaks, with which code, what becomes of the message, what is to be done."""

    rule: str | None
    """The name of the deciding rule; None when none matched."""
    code: Code
    disposition: Disposition = UNTOUCHED
    steps: tuple[Step, ...] = ()
    captures: Mapping[str, str] = field(default_factory=dict)
    """Named groups of the matching rule's patterns."""
    needs: Extent | None = None
    """What is loaded does not tell: fetch so much and decide again. Nothing else in the value counts then."""
    passed_over: tuple[str, ...] = ()
    """Rules that stayed unknown with everything loaded that could tell: `name: reason`."""
    failure: str = ""
    """A script raised or answered nonsense: the message is left alone and this is journalled."""
    continued: tuple[str, ...] = ()
    """Continuing rules that spoke before the deciding one."""
    span: Span = NOWHERE
    trace: tuple[Trace, ...] = ()
    """Each rule tried, when the trace was asked for."""

    @property
    def needs_body(self) -> bool:
        """Whether what is loaded does not tell."""
        return self.needs is not None
