"""Actions to steps, and flows written out where they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from mailrules.api import ActionType
from mailrules.api.options import templates
from mailrules.config import plugged
from mailrules.config.document import Node, Place
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.needs import Needs
from mailrules.config.step import Manner, apart, manner
from mailrules.config.structure import wrong_type
from mailrules.model.action import Action
from mailrules.model.rule import SENDING_SECONDS, STEP_SECONDS, Step
from mailrules.registry import Registry


class Transitions:
    """Builds the steps of lists of actions; each flow once, however often it is called."""

    def __init__(self, registry: Registry, root: Path, findings: Findings, flows: Node | None = None) -> None:
        self.findings = findings
        self._registry = registry
        self.root = root
        self._nodes: Mapping[str, Node] = dict(flows.items()) if flows is not None else {}
        self._steps: dict[str, tuple[tuple[Step, ...], Needs]] = {}
        self._calling: list[str] = []
        self._needs = Needs()
        self.targets: list[tuple[str, Place]] = []
        """The accounts that actions put messages into, each with where it is written."""

    def fresh(self) -> Needs:
        """What the lists that are built from now on ask for and give, flows that they call included."""
        self._needs = Needs()
        return self._needs

    def all_flows(self) -> None:
        """Build every flow, so that what is wrong in an unused one is told too."""
        for name, node in self._nodes.items():
            self.flow(name, node)

    def steps(self, node: Node, *, owner: str) -> tuple[Step, ...]:
        """The steps of a list of actions; those that are wrong are left out, with diagnostics."""
        if not isinstance(node.value, list):
            wrong_type(node, ["array"], self.findings, f"{owner}")
            return ()
        titles = set[str]()
        return tuple(step for item in node for step in self._step(item, titles))

    def flow(self, name: str, caller: Node) -> tuple[Step, ...]:
        """The steps of a flow, their names prefixed by it."""
        if name not in self._nodes:
            help_ = suggestion(name, self._nodes, what="flows")
            self.findings.add(caller.place, "unknown-flow", f"there is no flow '{name}'", help_)
            return ()
        if name in self._calling:
            circle = " -> ".join([*self._calling[self._calling.index(name) :], name])
            self.findings.add(
                caller.place, "flow-cycle", f"the flow calls itself: {circle}", "leave one of the calls out"
            )
            return ()
        if name not in self._steps:
            self._steps[name] = self._flow(name)
        steps, needs = self._steps[name]
        self._needs.call(name, needs, caller.place)
        return steps

    def _flow(self, name: str) -> tuple[tuple[Step, ...], Needs]:
        around, needs = self._needs, self.fresh()
        self._calling.append(name)
        built = self.steps(self._nodes[name], owner=f"flow '{name}'")
        self._calling.pop()
        self._needs = around
        return tuple(_prefixed(step, name) for step in built), needs

    def _step(self, node: Node, titles: set[str]) -> tuple[Step, ...]:
        node, beside = apart(node, self._registry.actions, self.findings)
        found = plugged.named(node, self.findings, owner="an action")
        if found is None:
            return ()
        name, options = found
        said = manner(beside, self.findings, owner=f"action '{name}'")
        if beside is not None and said is not None:
            self._check_beside(beside, said, titles)
        if name == "flow":
            return self._called(options, beside)
        action = plugged.provided(name, options, self._registry.actions, self.findings, what="action")
        if action is None or said is None:
            return ()
        step = self._built(name, options, action.item, said)
        return (step,) if step else ()

    def _check_beside(self, beside: Node, said: Manner, titles: set[str]) -> None:
        if said.title in titles:
            message = f"two steps are called '{said.title}'"
            self.findings.add(beside["name"].place, "duplicate-step", message, "give one of them another name")
        if "/" in said.title:
            message = f"a step cannot be called '{said.title}': the slash stands after the name of a flow"
            self.findings.add(beside["name"].place, "not-allowed-value", message, "leave the slash out")
        titles |= {said.title} - {""}

    def _called(self, node: Node, beside: Node | None) -> tuple[Step, ...]:
        for key, child in beside.items() if beside is not None else ():
            message = f"a call of a flow has no '{key}': each of its steps has its own"
            self.findings.add(child.label, "unknown-key", message, f"write '{key}' beside the actions of the flow")
        called = node["name"] if isinstance(node.value, dict) and list(node.value) == ["name"] else node
        if not isinstance(called.value, str):
            wrong_type(called, ["string"], self.findings, "'flow'")
            return ()
        return self.flow(called.value, called)

    def _built(self, name: str, node: Node, kind: ActionType, said: Manner) -> Step | None:
        owner = f"action '{name}'"
        options = plugged.build(node, kind.options, self.root, self.findings, owner=owner)
        if options is None:
            return None
        self._needs.ask(*plugged.asked(options, node))
        try:
            action = _whole(kind.build(options))
            needs_body = bool(kind.needs_body(options)) or any(t.needs_body for t in templates(options))
            gives = kind.results(options)
            target = kind.account(options)
        except Exception as error:
            sentence = f"{owner} cannot be built: {type(error).__name__}: {error}"
            self.findings.add(node.label, "bad-options", sentence, "this is the plugin's own error")
            return None
        self._needs.give(gives, said.title)
        if target:
            written = isinstance(node.value, dict) and "account" in node.value
            self.targets.append((target, node["account"].place if written else node.place))
        return Step(
            name=name,
            action=action,
            needs_body=needs_body,
            repeatable=kind.repeatable,
            pure=kind.pure,
            sends=kind.sends,
            digest=digest(name, node.value),
            title=said.title,
            timeout=said.timeout or (SENDING_SECONDS if kind.sends else STEP_SECONDS),
            on_error=said.on_error,
            authenticated=said.authenticated,
            span=node.span,
        )


def digest(name: str, raw: Any) -> str:
    """A hash of a step as written, options in any order: a changed step is another step."""
    return blake2b(msgspec.json.encode([name, raw], order="sorted"), digest_size=8).hexdigest()


def _prefixed(step: Step, flow: str) -> Step:
    return replace(step, name=f"{flow}/{step.name}")


def _whole(action: Any) -> Action:
    """The same, when it is an action.

    Raises:
        TypeError: it lacks one of the two methods, and would fail at every message.
    """
    lacking = [name for name in ("describe", "run") if not callable(getattr(action, name, None))]
    if lacking:
        raise TypeError(f"what build gave, {type(action).__name__}, has no {' and no '.join(lacking)}")
    return action  # type: ignore[no-any-return] # it has what an Action has
