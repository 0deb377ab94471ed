"""The door to the files of an admin: everything in them checked and built, or told what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mailrules.config.account import build_accounts
from mailrules.config.captured import check_needs
from mailrules.config.diagnostic import Diagnostic
from mailrules.config.document import Node
from mailrules.config.files import Files, parse
from mailrules.config.findings import Findings
from mailrules.config.journal import check_journal
from mailrules.config.listener import Listeners, with_siblings
from mailrules.config.proof import prove
from mailrules.config.ruleset import Compiled, RuleFiles
from mailrules.config.settings import Account, Listener, Workspace
from mailrules.config.spec import MailrulesFile
from mailrules.config.structure import fit
from mailrules.config.targets import check_targets
from mailrules.config.transition import Transitions
from mailrules.model.rule import UNMATCHED, RuleSet
from mailrules.model.span import Span
from mailrules.registry import Registry, load_registry

MAIN = "mailrules.yaml"
JOURNAL = ".mailrules/journal.sqlite3"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A workspace, or None when there is an error; and all that was found, warnings too."""

    workspace: Workspace | None
    diagnostics: tuple[Diagnostic, ...]
    files: frozenset[str] = frozenset()
    """Names of the files that it depends on, plugins apart, from the workspace's folder on; there or not."""


def load_workspace(path: Path, *, registry: Registry | None = None, now: datetime | None = None) -> Loaded:
    """Read, check and build everything that a mailrules.yaml names. Never raises for a mistake in the files.

    Args:
        path: the folder, or the file itself.
        registry: the plugins; by default all that are installed, and those of the workspace.
        now: aware; what is over by then is told. The system's clock by default.
    """
    file = path / MAIN if path.is_dir() else path
    root = file.parent.absolute()
    findings = Findings()
    files = Files(root, findings)
    node = files.read(file.name)
    registry = registry or load_registry(root)
    workspace = None
    if node is not None:
        _tell_broken(registry, file.name, findings)
        workspace = _workspace(node, files, registry, findings, now or datetime.now(UTC))
    return Loaded(None if findings.errors else workspace, findings.sorted(), frozenset(findings.files))


def load_accounts(path: Path) -> tuple[Mapping[str, Account], list[str], tuple[Diagnostic, ...]]:
    """The accounts of a workspace, whatever else in it is wrong.

    Args:
        path: the folder.

    Returns:
        Those that are right by name, the names of all that are written, and what is wrong with accounts.
    """
    findings = Findings()
    root = path.absolute()
    node = Files(root, findings).read(MAIN)
    if node is None:
        return {}, [], findings.sorted()
    registry = load_registry(root)
    _tell_broken(registry, MAIN, findings)
    section = _section(node, "accounts")
    return build_accounts(section, registry, root, findings), [*section.value], findings.sorted()


def watched_folders(path: Path, account: str) -> list[str]:
    """The folders of an account that listeners watch, whatever else is wrong in the files; INBOX if none does."""
    node = Files(path.absolute(), Findings()).read(MAIN)
    written = [child.value for _, child in _section(node, "listeners").items()] if node is not None else []
    listeners = [value for value in written if isinstance(value, dict) and value.get("account") == account]
    return list(dict.fromkeys(str(value.get("folder", "INBOX")) for value in listeners)) or ["INBOX"]


def load_journal_address(path: Path) -> str:
    """The journal's URL of the workspace in the folder *path*, whatever else in its files is wrong."""
    root = path.absolute()
    node = Files(root, Findings()).read(MAIN)
    written = node["journal"].value if node is not None and "journal" in node else ""
    return _journal(written if isinstance(written, str) else "", root)


def _tell_broken(registry: Registry, file: str, findings: Findings) -> None:
    for broken in registry.broken:
        message = f"plugin {broken.plugin} could not be loaded: {broken.reason}"
        if broken.word == "plugin-clash":
            message = f"plugin {broken.plugin}: {broken.reason}"
        own = broken.plugin.name.startswith("plugins/")
        help_ = "repair or remove the file" if own else "repair or uninstall it, or leave it out by MAILRULES_PLUGINS"
        findings.add(Span(file), broken.word, message, help_)


def _workspace(node: Node, files: Files, registry: Registry, findings: Findings, now: datetime) -> Workspace:
    spec = fit(node, MailrulesFile, findings, owner=MAIN)
    sections = {key: _section(node, key) for key in ("accounts", "listeners", "flows")}
    transitions = Transitions(registry, files.root, findings, sections["flows"])
    transitions.all_flows()
    accounts = build_accounts(sections["accounts"], registry, files.root, findings)
    rules = RuleFiles(files, transitions, findings, now)
    known = frozenset(sections["accounts"].value)
    builder = Listeners(accounts, known, rules, transitions, registry)
    listeners: dict[str, Listener] = {}
    for name, child in sections["listeners"].items():
        if built := builder.build(name, child):
            listeners[name] = built
    check_targets(transitions.targets, accounts, known, findings)
    if "journal" in node:
        check_journal(node["journal"], findings)
    return Workspace(
        root=files.root,
        registry=registry,
        accounts=accounts,
        listeners=with_siblings(listeners),
        journal=_journal(spec.journal if spec else "", files.root),
        files=files.root / (spec.files if spec else "files"),
    )


def _section(node: Node, key: str) -> Node:
    """The mapping under a key; an empty one where there is none, or something else."""
    if key in node and isinstance(node[key].value, dict):
        return node[key]
    return Node(node.source, {}, (*node.mark[:2], {}), node.key)


def _journal(url: str, root: Path) -> str:
    """The URL with a relative SQLite file made absolute."""
    if not url:
        return f"sqlite:///{root / JOURNAL}"
    prefix = "sqlite:///"
    return f"{prefix}{root / url.removeprefix(prefix)}" if url.startswith(prefix) else url


def load_rules(
    source: Path | str, *, registry: Registry | None = None, now: datetime | None = None, timezone: str = "UTC"
) -> tuple[RuleSet | None, tuple[Diagnostic, ...]]:
    """The rules in one file, or in YAML text, without a listener; None when there is an error.

    Args:
        source: the path of a rules file, which knows the flows of its workspace, or the text of one.
        registry: the plugins; by default all that are installed, and those of the workspace.
        now: aware; what is over by then is told. The system's clock by default.
        timezone: where dates and hours are read unless the file says otherwise.
    """
    findings = Findings()
    root = root_of(source) if isinstance(source, Path) else Path.cwd()
    files = Files(root, findings)
    if isinstance(source, Path):
        node = files.read(str(source.absolute().relative_to(root)))
    else:
        node = parse(source, "<text>", findings)
    registry = registry or load_registry(root if isinstance(source, Path) else None)
    flows = _flows(root) if isinstance(source, Path) else None
    compiler = RuleFiles(files, Transitions(registry, root, findings, flows), findings, now or datetime.now(UTC))
    compiled = compiler.compile_node(node, timezone) if node is not None else Compiled()
    prove(list(compiled.rules), findings)
    check_needs(compiled.rules, compiled.unmatched, findings)
    unmatched = compiled.unmatched.rule if compiled.unmatched else UNMATCHED
    ruleset = RuleSet(tuple(one.rule for one in compiled.rules), unmatched, timezone)
    return None if findings.errors else ruleset, findings.sorted()


def root_of(file: Path) -> Path:
    """The workspace that a rules file belongs to; its own folder when it belongs to none."""
    file = file.absolute()
    return next((folder for folder in file.parents if (folder / MAIN).is_file()), file.parent)


def _flows(root: Path) -> Node | None:
    """The flows of a workspace; what is wrong in its main file is told when the workspace is loaded."""
    main = Files(root, Findings()).read(MAIN) if (root / MAIN).is_file() else None
    return _section(main, "flows") if main is not None else None
