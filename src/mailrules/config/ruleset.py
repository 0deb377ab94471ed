"""Rules files to the rule set of a listener."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mailrules.config import moments
from mailrules.config.document import Node, Place
from mailrules.config.files import Files
from mailrules.config.findings import Findings
from mailrules.config.needs import Needs
from mailrules.config.rule import Surroundings, compile_rule, compile_unmatched
from mailrules.config.spec import RulesFile
from mailrules.config.structure import fit
from mailrules.config.transition import Transitions
from mailrules.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Written:
    """A rule and where it was written."""

    rule: Rule
    node: Node
    needs: Needs = field(default_factory=Needs)
    """What its own actions ask for and give."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a rules file holds, as read in one time zone."""

    rules: tuple[Written, ...] = ()
    unmatched: Written | None = None


class RuleFiles:
    """Compiles rules files, each once for each time zone it is read in."""

    def __init__(self, files: Files, transitions: Transitions, findings: Findings, now: datetime) -> None:
        self._files = files
        self._transitions = transitions
        self._findings = findings
        self.now = now
        """What is over by then is told."""
        self._compiled: dict[tuple[str, str], Compiled] = {}

    def compile(self, name: str, timezone: str, named_at: Place | None = None) -> Compiled:
        """The rules in a file; those that are wrong are left out, with diagnostics."""
        if (name, timezone) not in self._compiled:
            node = self._files.read(name, named_at=named_at)
            self._compiled[name, timezone] = self.compile_node(node, timezone) if node is not None else Compiled()
        return self._compiled[name, timezone]

    def compile_node(self, node: Node, timezone: str) -> Compiled:
        """The rules in a document."""
        spec = fit(node, RulesFile, self._findings, owner="the rules file")
        if not isinstance(node.value, dict):
            return Compiled()
        zone = ""
        if spec and spec.timezone:
            zone = moments.read_zone(node["timezone"], spec.timezone, self._findings)
        around = Surroundings(self._files.root, self._findings, self._transitions, zone or timezone, self.now, zone)
        listed = node["rules"] if isinstance(node.value.get("rules"), list) else ()
        rules = tuple(found for item in listed if (found := self._written(item, around, compile_rule)))
        unmatched = self._written(node["unmatched"], around, compile_unmatched) if "unmatched" in node else None
        return Compiled(rules, unmatched)

    def _written(
        self, node: Node, around: Surroundings, compiled: Callable[[Node, Surroundings], Rule | None]
    ) -> Written | None:
        needs = self._transitions.fresh()
        rule = compiled(node, around)
        return Written(rule, node, needs) if rule else None
