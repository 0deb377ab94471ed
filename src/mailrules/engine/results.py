"""What the steps of one transition gave, as those after them see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailrules.api.options import redact
from mailrules.model.entry import StepRecord, StepState
from mailrules.model.rule import Step


@dataclass(frozen=True, slots=True)
class Results:
    """Fields by their names, the later over the earlier; and whole results by the titles of their steps, over both."""

    fields: dict[str, Any] = field(default_factory=dict)
    titled: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def add(self, record: StepRecord, step: Step) -> None:
        """What came of *step*. One that did not act gives nothing; one that was only described may still give it."""
        gave = record.state in (StepState.SUCCEEDED, StepState.DESCRIBED)
        result = record.result if gave else {}
        self.fields.update(result)
        if step.title and (result or record.state is not StepState.DESCRIBED):
            self.titled[step.title] = result

    @property
    def data(self) -> dict[str, Any]:
        """What templates know as `data`."""
        return {**self.fields, **self.titled}


DEEPEST = 50
"""Levels of mappings and lists in a result; what is below is kept as its text."""


def struck(value: Any, depth: int = 0) -> Any:
    """*value* with every secret that this process has looked up replaced by `***`, in whatever text it stands.

    Programs tell what they were told: a webhook that shows its caller's headers shows the token among them.
    """
    if isinstance(value, str) or (depth > DEEPEST and isinstance(value, Mapping | list | tuple)):
        return redact(str(value))
    if isinstance(value, Mapping):
        return {redact(key) if isinstance(key, str) else key: struck(each, depth + 1) for key, each in value.items()}
    return [struck(each, depth + 1) for each in value] if isinstance(value, list | tuple) else value
