"""Test cases as an admin writes them, checked; running them is somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from msgspec import UNSET, UnsetType

from mailrules.api.guard import loop_token
from mailrules.config import moments
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.document import Node
from mailrules.config.files import Files
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion
from mailrules.config.rule import code_of, keep_of
from mailrules.config.spec import CaseSpec, CaseTrustSpec, ExpectSpec, MailSpec, TestsFile
from mailrules.config.structure import fit
from mailrules.model.code import Code
from mailrules.model.message import Trust
from mailrules.model.rule import Disposition
from mailrules.model.span import NOWHERE, Span

SUFFIX = ".test.yaml"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects; None, and UNSET for the rule, is what it does not say."""

    rule: str | UnsetType | None = UNSET
    """The deciding rule; None when none is to match."""
    code: Code | None = None
    keep: Disposition | None = None
    actions: tuple[str, ...] | None = None
    """Names of the steps; those of a flow with or without its prefix."""
    continued: tuple[str, ...] | None = None
    captures: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A message, and what the rules are to make of it."""

    name: str
    rules: Path
    """The rules file, absolute."""
    expect: Expectation = Expectation()
    mail: MailSpec | None = None
    """The message as written in the case, or None and it lies in `eml`."""
    eml: Path | None = None
    now: datetime | None = None
    """When it is decided, aware."""
    received: datetime | None = None
    flags: frozenset[str] = field(default=frozenset())
    timezone: str = "UTC"
    span: Span = NOWHERE
    trust: Trust = field(default_factory=Trust)
    """Whose word on the message is believed."""


def load_cases(path: Path, *, root: Path | None = None) -> tuple[tuple[Case, ...], tuple[Diagnostic, ...]]:
    """The cases of one file, and all that is wrong in it; those that are wrong are left out.

    Args:
        path: a `*.test.yaml`.
        root: the folder that names of files in diagnostics start at; by default that of the file.
    """
    path = path.absolute()
    root = root.absolute() if root else path.parent
    findings = Findings()
    files = Files(root, findings)
    shown = path.relative_to(root) if path.is_relative_to(root) else path
    node = files.read(str(shown))
    cases = _Cases(path, files, findings).build(node) if node is not None else ()
    return cases, findings.sorted()


def _trust(spec: CaseTrustSpec) -> Trust:
    own, forwarders = (frozenset(text.lower() for text in said) for said in (spec.own_addresses, spec.forwarders))
    tokens = frozenset(loop_token(address) for address in own)
    return Trust(authserv_id=spec.authserv_id, own_addresses=own, own_tokens=tokens, forwarders=forwarders)


class _Cases:
    """Builds the cases of one file."""

    def __init__(self, path: Path, files: Files, findings: Findings) -> None:
        self._folder = path.parent
        self._rules = path.with_name(path.name.removesuffix(SUFFIX) + ".yaml")
        self._files = files
        self._findings = findings
        self._timezone = "UTC"
        self._trust = Trust()
        self._known: frozenset[str] | None = None

    def build(self, node: Node) -> tuple[Case, ...]:
        spec = fit(node, TestsFile, self._findings, owner="the test file")
        if not isinstance(node.value, dict):
            return ()
        if spec and spec.timezone:
            self._timezone = moments.read_zone(node["timezone"], spec.timezone, self._findings)
        if spec:
            self._trust = _trust(spec.trust)
        if spec and spec.rules:
            self._rules = self._folder / spec.rules
        self._known = self._rule_names(node)
        listed = list(node["cases"]) if isinstance(node.value.get("cases"), list) else []
        self._check_names(listed)
        return tuple(case for item in listed if (case := self._case(item)))

    def _rule_names(self, node: Node) -> frozenset[str] | None:
        """The names of the rules; None when they cannot be told, which `check` of the rules file explains."""
        if not self._rules.is_file():
            message = f"the rules file '{self._rules.name}' is not there"
            place = node["rules"].place if "rules" in node else node.place
            self._findings.add(place, "no-file", message, "rules: names it, from the folder of this file")
            return None
        document = Files(self._rules.parent, Findings()).read(self._rules.name)
        rules = document.value.get("rules") if document and isinstance(document.value, dict) else None
        if not isinstance(rules, list):
            return None
        return frozenset(str(rule.get("name")) for rule in rules if isinstance(rule, dict))

    def _check_names(self, listed: list[Node]) -> None:
        first: dict[str, Node] = {}
        for node in listed:
            name = node.value.get("name") if isinstance(node.value, dict) else None
            if isinstance(name, str) and first.setdefault(name, node) is not node:
                message = f"a case named '{name}' is there already, in {first[name].span}"
                self._findings.add(node["name"].place, "duplicate-key", message, "choose another name")

    def _case(self, node: Node) -> Case | None:
        name = node.value.get("name") if isinstance(node.value, dict) else None
        owner, before = f"case '{name}'" if isinstance(name, str) else "a case", self._findings.errors
        spec = fit(node, CaseSpec, self._findings, owner=owner)
        if spec is None:
            return None
        eml = self._eml(node, owner)
        expect = self._expectation(node["expect"], spec.expect)
        now, received = (self._moment(node, key) for key in ("now", "received"))
        if "mail" in node and "date" in node["mail"]:
            self._moment(node["mail"], "date")
        if self._findings.errors > before:
            return None
        mail = None if isinstance(spec.mail, UnsetType) else spec.mail
        flags = frozenset(spec.flags)
        return Case(
            spec.name, self._rules, expect, mail, eml, now, received, flags, self._timezone, node.span, self._trust
        )

    def _moment(self, node: Node, key: str) -> datetime | None:
        if key not in node:
            return None
        return moments.read_date(node[key], node[key].value, self._timezone, self._findings)

    def _eml(self, node: Node, owner: str) -> Path | None:
        if ("mail" in node) == ("eml" in node):
            message = f"{owner} takes 'mail' or 'eml'" + (", and here are both" if "eml" in node else "")
            self._findings.add(node.label, "not-one-key", message, "mail: {from: ..., subject: ...}, or eml: PATH")
            return None
        if "eml" not in node:
            return None
        path = self._folder / str(node["eml"].value)
        if not path.is_file():
            message = f"the message '{node['eml'].value}' is not there"
            self._findings.add(node["eml"].place, "no-file", message, "paths start at the folder of this file")
        return path

    def _expectation(self, node: Node, spec: ExpectSpec) -> Expectation:
        if isinstance(spec.rule, str) and self._known is not None and spec.rule not in {*self._known, "unmatched"}:
            help_ = suggestion(spec.rule, self._known, what="rules")
            message = f"there is no rule '{spec.rule}' in '{self._rules.name}'"
            self._findings.add(node["rule"].place, "unknown-rule", message, help_)
        return Expectation(
            rule=spec.rule,
            code=None if spec.code is UNSET else code_of(spec.code, Code.KEEP),
            keep=keep_of(node, spec.keep, self._findings) if "keep" in node else None,
            actions=None if isinstance(spec.actions, UnsetType) else tuple(spec.actions),
            continued=None if isinstance(spec.continued, UnsetType) else tuple(spec.continued),
            captures=None if isinstance(spec.captures, UnsetType) else spec.captures,
        )
