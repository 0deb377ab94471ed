"""What a step says of itself beside its action: `name`, `timeout`, `on_error`, `authenticated`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mailrules.api import Duration
from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.config.nearest import nearest
from mailrules.config.structure import fit
from mailrules.model.rule import OnError


class StepSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What any step may say beside its action."""

    name: Annotated[
        str,
        Meta(
            description="What the journal calls the step, and where later steps find its result: data.NAME.FIELD.",
            max_length=80,
        ),
    ] = ""
    timeout: Annotated[
        str, Meta(description="How long it may take. By default 60s; 6m where mail is sent.", examples=["10s", "5m"])
    ] = ""
    on_error: Annotated[
        OnError,
        Meta(
            description="When it fails: retry (the default) tries again what may succeed later and parks the rest, "
            "ignore goes on with the next step, park waits for a person at once."
        ),
    ] = OnError.RETRY
    authenticated: Annotated[
        bool,
        Meta(description="Do it only for mail that its author's domain vouches for; park other mail."),
    ] = False


KEYS = frozenset(StepSpec.__struct_fields__)
LONGEST = 3600.0
"""Seconds: a pass waits for its steps."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a step is called and done."""

    title: str = ""
    timeout: float | None = None
    """Seconds; None leaves it to the action."""
    on_error: OnError = OnError.RETRY
    authenticated: bool = False


def apart(node: Node, actions: Any, findings: Findings) -> tuple[Node, Node | None]:
    """The action of a step, `{name: options}`, and what else the step says; None when it says nothing else."""
    if not isinstance(node.value, dict) or (len(node.value) == 1 and not KEYS & node.value.keys()):
        return node, None
    said = {key for key in node.value if key in KEYS}
    misspelt = {key: near for key in node.value if key not in KEYS | set(actions) and (near := nearest(key, KEYS))}
    for key, near in misspelt.items() if len(node.value) - len(said) > 1 else ():
        findings.add(node[key].label, "unknown-key", f"a step has no '{key}'", f"did you mean '{near}'?")
        said |= {key}
    return _of(node, node.value.keys() - said), _of(node, said & KEYS) if said & KEYS else None


def _of(node: Node, keys: Any) -> Node:
    """The mapping with some of its keys."""
    start, end, marks = node.mark
    kept = [key for key in node.value if key in keys]
    value = {key: node.value[key] for key in kept}
    return Node(node.source, value, (start, end, {key: marks[key] for key in kept}), node.key)


def manner(node: Node | None, findings: Findings, *, owner: str) -> Manner | None:
    """What is said; None and diagnostics when it makes no sense."""
    spec = fit(node, StepSpec, findings, owner=owner) if node is not None else StepSpec()
    if spec is None:
        return None
    timeout = _seconds(node["timeout"], findings, owner) if spec.timeout and node is not None else None
    return None if timeout == 0 else Manner(spec.name, timeout, spec.on_error, spec.authenticated)


def _seconds(node: Node, findings: Findings, owner: str) -> float:
    """The duration; 0.0 and a diagnostic when it is none."""
    try:
        seconds = Duration.parse(node.value).seconds
    except (ValueError, OverflowError):
        message = f"{node.place.text} is no length of time"
        findings.add(node.place, "bad-duration", message, "write a number with a unit: 10s, 5m")
        return 0.0
    if not 0 < seconds <= LONGEST:
        message = f"{owner} may take longer than nothing and no longer than an hour"
        findings.add(node.place, "not-allowed-value", message, "write a number with a unit: 10s, 5m")
        return 0.0
    return seconds
