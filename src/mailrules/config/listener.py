"""Listeners: folder, pace and rules put together, and what their account cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath

from mailrules.api import ReceiveProtocol
from mailrules.config import moments
from mailrules.config.bounds import read_max_age, read_max_size
from mailrules.config.captured import check_needs, check_transition
from mailrules.config.document import Node
from mailrules.config.expiry import read_expiries
from mailrules.config.findings import Findings
from mailrules.config.limits import read_limits
from mailrules.config.nearest import suggestion
from mailrules.config.proof import prove
from mailrules.config.ruleset import Compiled, RuleFiles, Written
from mailrules.config.schedule import read_schedule
from mailrules.config.settings import Account, Listener, Start
from mailrules.config.spec import ListenerSpec
from mailrules.config.structure import fit
from mailrules.config.transition import Transitions
from mailrules.model.code import Code
from mailrules.model.condition import Condition, Test
from mailrules.model.rule import UNMATCHED, Rule, RuleSet, Step
from mailrules.model.schedule import Expiry, Schedule
from mailrules.registry import Registry


class Listeners:
    """Builds the listeners of a workspace."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        known: frozenset[str],
        rules: RuleFiles,
        transitions: Transitions,
        registry: Registry,
    ) -> None:
        self._accounts = accounts
        self._known = known
        self._rules = rules
        self._transitions = transitions
        self._findings: Findings = transitions.findings
        self._registry = registry

    def build(self, name: str, node: Node) -> Listener | None:
        """One listener; None and diagnostics when it cannot be run."""
        owner = f"listener '{name}'"
        spec = fit(node, ListenerSpec, self._findings, owner=owner)
        if not isinstance(node.value, dict):
            return None
        self._check_numbers(node, owner)
        account = self._account(node, owner)
        timezone = account.timezone if account else "UTC"
        ruleset, written = self._ruleset(node, timezone)
        schedule = self._schedule(node, timezone)
        start = self._start(node, timezone)
        expires = self._expires(node, timezone)
        if spec is None or account is None:
            return None
        if not {"rules", "flow", "expires"} & node.value.keys() and spec.listen:
            message = f"{owner} has neither rules nor a flow: every message fires nothing"
            self._findings.add(
                node.label, "no-rules", message, "add 'rules:' or 'flow:'; rules: [] says that it is meant"
            )
        self._check_account(node, account, spec.folder, ruleset, written)
        if account.send is None:
            self._check_sending(account, [step for expiry in expires for step in expiry.steps])
        return Listener(
            name=name,
            account=account,
            rules=ruleset,
            folder=spec.folder,
            listen=spec.listen,
            unseen_only=spec.unseen_only,
            max_emails=spec.max_emails,
            max_size=read_max_size(node, self._findings),
            oversize=spec.oversize,
            max_age=read_max_age(node, self._findings),
            stop_after_first=spec.stop_after_first,
            start=start,
            schedule=schedule,
            idle=spec.idle,
            expires=expires,
            limits=read_limits(node, spec.limits, self._findings, owner=owner),
            span=node.span,
        )

    def _account(self, node: Node, owner: str) -> Account | None:
        if not isinstance(node.value.get("account"), str):
            return None
        name = node.value["account"]
        if name not in self._known:
            place = node["account"].place
            self._findings.add(
                place,
                "unknown-account",
                f"{owner} uses the account '{name}', which is not there",
                suggestion(name, self._known, what="accounts"),
            )
        return self._accounts.get(name)

    def _check_numbers(self, node: Node, owner: str) -> None:
        if node.value.get("max_emails") == 0 and node.value["max_emails"] is not False:
            self._findings.add(
                node["max_emails"].place,
                "not-allowed-value",
                f"{owner} with max_emails: 0 would never take a message",
                "-1 is all",
            )

    def _expires(self, node: Node, timezone: str) -> tuple[Expiry, ...]:
        if "expires" not in node:
            return ()
        return read_expiries(node["expires"], timezone, self._transitions, self._rules.now)

    def _schedule(self, node: Node, timezone: str) -> Schedule:
        if "schedule" not in node:
            return Schedule(timezone=timezone)
        return read_schedule(node["schedule"], timezone, self._findings, self._rules.now)

    def _start(self, node: Node, timezone: str) -> Start:
        start = node.value.get("start", "now")
        if isinstance(start, dict) and "since" in start:
            return moments.read_date(node["start"]["since"], start["since"], timezone, self._findings) or "now"
        return "all" if start == "all" else "now"

    def _ruleset(self, node: Node, timezone: str) -> tuple[RuleSet, list[Written]]:
        files = self._each_once(_texts(node, "rules"))
        compiled = [self._rules.compile(item.value, timezone, item.place) for item in files]
        rules = [written for one in compiled for written in one.rules]
        prove(rules, self._findings)
        for one in compiled or (Compiled(),):
            check_needs(rules, one.unmatched, self._findings)
        unmatched = self._unmatched(compiled)
        written = [*rules, *(one.unmatched for one in compiled if one.unmatched)]
        calls = _texts(node, "flow")
        needs = self._transitions.fresh()
        transition = self._transitions.flow(calls[0].value, calls[0]) if calls and calls[0].value else ()
        for one in compiled or (Compiled(),):
            check_transition(rules, one.unmatched, needs, self._findings)
        return RuleSet(tuple(one.rule for one in rules), unmatched, timezone, transition), written

    def _each_once(self, files: Iterable[Node]) -> list[Node]:
        """The rules files of one listener; one that is named again is told, since its rules would never be reached."""
        named: dict[str, Node] = {}
        for item in files:
            if named.setdefault(PurePath(item.value).as_posix(), item) is not item:
                message = f"the rules file '{item.value}' is named twice for one listener"
                self._findings.add(item.place, "duplicate-rule", message, "leave one of them out")
        return list(named.values())

    def _unmatched(self, compiled: list[Compiled]) -> Rule:
        """Without rules every message fires (code 2); without a word on the rest it is kept."""
        if not compiled:
            return Rule("unmatched", Code.KEEP_ACTIVATE)
        said = [one.unmatched for one in compiled if one.unmatched]
        for other in said[1:]:
            message = f"'unmatched' is said twice for one listener, first in {said[0].node.span}"
            self._findings.add(other.node.label, "duplicate-key", message, "keep one of them")
        return said[0].rule if said else UNMATCHED

    def _check_account(self, node: Node, account: Account, folder: str, rules: RuleSet, written: list[Written]) -> None:
        if account.receive is None:
            if node.value.get("listen") is not False:
                message = f"account '{account.name}' only sends: nothing can be received from it"
                help_ = f"add 'receive:' to account '{account.name}', or write 'listen: false'"
                self._findings.add(node["account"].place, "cannot-receive", message, help_)
            return
        protocol = account.receive[0].item
        if not protocol.folders and folder != "INBOX":
            message = f"'{protocol.name}' has no folders, so '{folder}' cannot be watched"
            self._findings.add(node["folder"].place, "no-folders", message, "leave 'folder' out")
        if node.value.get("idle") is True and not protocol.pushes:
            message = f"'{protocol.name}' cannot tell what comes, so 'idle' changes nothing"
            self._findings.add(node["idle"].place, "no-push", message, "leave it out; the schedule says when to look")
        for one in written:
            self._check_verbs(one, protocol.name, protocol.verbs)
            self._check_folders(one, protocol)
        steps = [step for rule in (*rules.rules, rules.unmatched) for step in rule.steps]
        if account.send is None:
            self._check_sending(account, [*steps, *rules.transition])
        if not account.trust.authserv_id:
            self._check_authenticated(account, [*steps, *rules.transition])
            self._check_trust(account, written)

    def _check_verbs(self, written: Written, protocol: str, verbs: frozenset[str]) -> None:
        rule, node = written.rule, written.node
        wanted = rule.keep.verbs() | ({"delete"} if rule.code.deletes else frozenset())
        for verb in sorted(wanted - verbs):
            key = "flags" if verb == "keywords" else verb
            place = node["code"].place if verb == "delete" else node["keep"][key].label
            can = ", ".join(sorted(verbs)) or "nothing"
            self._findings.add(
                place, "unsupported-disposition", f"'{protocol}' cannot {_DOES[verb]}", f"it can do: {can}"
            )

    def _check_folders(self, written: Written, protocol: ReceiveProtocol) -> None:
        for key in ("move", "copy") if "keep" in written.node else ():
            for node in _texts(written.node["keep"], key):
                if problem := protocol.folder_problem(node.value):
                    self._findings.add(node.place, "bad-folder", problem, "write a plain name: Invoices, Invoices/2026")

    def _check_sending(self, account: Account, steps: Iterable[Step]) -> None:
        for step in steps:
            name = step.name.rpartition("/")[2]
            if self._registry.actions[name].item.sends:
                message = f"'{name}' sends mail, and account '{account.name}' cannot"
                self._findings.add(step.span, "cannot-send", message, f"add 'send:' to account '{account.name}'")

    def _check_authenticated(self, account: Account, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.authenticated:
                message = f"the step is for authenticated mail, and account '{account.name}' trusts no server's word"
                help_ = f"add trust: {{authserv_id: mx.example.com}} to account '{account.name}'"
                self._findings.add(step.span, "never-authenticated", message, help_)

    def _check_trust(self, account: Account, written: Iterable[Written]) -> None:
        for test in (test for one in written for test in _tests(one.rule.condition) if test.field == "auth"):
            message = f"'auth' stays unknown: account '{account.name}' trusts no server's word"
            help_ = f"add trust: {{authserv_id: mx.example.com}} to account '{account.name}'"
            self._findings.add(test.span, "no-trust", message, help_)


def _tests(condition: Condition | None) -> Iterator[Test]:
    """What is asked of single fields, at any depth."""
    if isinstance(condition, Test):
        yield condition
    for part in () if condition is None or isinstance(condition, Test) else condition.conditions:
        yield from _tests(part)


def with_siblings(listeners: Mapping[str, Listener]) -> dict[str, Listener]:
    """The listeners, each knowing the others that watch the same folder."""
    watching: dict[tuple[str, str], list[str]] = {}
    for name, one in listeners.items():
        watching.setdefault((one.account.name, one.folder), []).append(name)
    return {
        name: replace(one, siblings=tuple(n for n in watching[one.account.name, one.folder] if n != name))
        for name, one in listeners.items()
    }


_DOES = {
    "delete": "delete",
    "move": "move a message",
    "copy": "copy a message",
    "seen": "mark a message as seen",
    "flags": "set flags",
    "keywords": "set keywords: flags that do not begin with a backslash",
    "labels": "set labels",
}


def _texts(node: Node, key: str) -> list[Node]:
    """The texts under a key: one, or a list of them; what is no text has its diagnostic already."""
    if key not in node:
        return []
    items = list(node[key]) if isinstance(node[key].value, list) else [node[key]]
    return [item for item in items if isinstance(item.value, str)]
