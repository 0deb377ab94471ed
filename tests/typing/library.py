"""Checked by mypy --strict, never run: what a Python developer writes, and the types that come back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import assert_type

import mailrules
from mailrules.api import ActionType, Context, Data, Message, Options, hookimpl
from mailrules.model.code import Code
from mailrules.model.rule import Disposition, Step
from mailrules.testing import Results, run_cases


def decide(raw: bytes, rules: Path) -> str:
    try:
        ruleset = mailrules.load_rules(rules)
    except mailrules.RulesError as error:
        return "\n".join(found.message for found in error.diagnostics)
    assert_type(ruleset, mailrules.RuleSet)
    message = mailrules.parse(raw)
    assert_type(message, mailrules.Message)
    decision = mailrules.decide(ruleset, message, now=datetime.now(UTC), trace=True)
    assert_type(decision, mailrules.Decision)
    assert_type(decision.rule, str | None)
    assert_type(decision.code, Code)
    assert_type(decision.disposition, Disposition)
    assert_type(decision.steps, tuple[Step, ...])
    assert_type(mailrules.__version__, str)
    return decision.rule or "none"


def cases(path: Path) -> bool:
    results = run_cases(path)
    assert_type(results, Results)
    return results.passed


class RingOptions(Options, frozen=True):
    bell: str


class Ring:
    def __init__(self, options: RingOptions) -> None:
        self.options = options

    def describe(self, message: Message, data: Data) -> str:
        return f"ring {self.options.bell} for {message.subject} ({len(data)})"

    def run(self, message: Message, data: Data, context: Context) -> None:
        context.log.info(self.describe(message, data))


@hookimpl
def mailrules_actions() -> list[ActionType]:
    return [ActionType(name="ring", summary="Ring a bell.", options=RingOptions, build=Ring)]
