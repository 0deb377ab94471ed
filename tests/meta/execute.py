"""A page executed: one page is one workspace, its blocks are what a reader writes, types and sees.

| block                        | what is done with it                                                         |
|------------------------------|------------------------------------------------------------------------------|
| any with title="PATH"        | written to PATH of the workspace; a later one of the same title replaces it  |
| title="plugins/example/..."  | must stand in that file of this repository                                   |
| eml with title               | written with CRLF                                                            |
| yaml with title="rules/..."  | must load; with the word `wrong` the commands that follow show what is wrong |
| yaml: match, yes, no, unknown | each mail is put to the condition and must get that verdict                 |
| other yaml                   | must load: a list of rules, a rules file, or keys of mailrules.yaml          |
| console                      | `$ ` commands are run, outputs compared; after a failing one stands `$ echo $?` |
| python, pycon                | run, one namespace a page                                                    |
| sh, toml, ini                | must be syntax; not run: what is done outside of mailrules                   |
| text                         | for reading                                                                  |
"""

from __future__ import annotations

import configparser
import doctest
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from tests.meta.pages import REPOSITORY, Block, blocks
from tests.meta.shell import Shell, agrees, commands, run_mailrules

from mailrules.config.files import parse as read_yaml
from mailrules.config.findings import Findings
from mailrules.config.load import load_rules, load_workspace
from mailrules.config.spec import MailSpec
from mailrules.core.match import evaluate, explain
from mailrules.core.parse import parse
from mailrules.model.condition import Condition, Verdict
from mailrules.model.message import Trust
from mailrules.testing.compose import compose

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
"""When the mails of conditions are looked at."""
TRUST = Trust("mx.example.com", forwarders=frozenset({"desk@example.com"}))
"""Whom the account of those mails believes."""
VERDICTS = frozenset(verdict.value for verdict in Verdict)
UPDATE = "MAILRULES_UPDATE_DOCS"
"""Set to 1, what commands really print is written into the pages."""
_VOLATILE = re.compile(r"\b\d{10}\.M\w+\.[\w.-]+")
"""Names that hold the machine's."""
_MAIN_KEYS = frozenset(("accounts", "listeners", "flows", "journal", "files"))


class Execution:
    """One page, run in the current folder."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.shell = Shell()
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.printed: dict[int, str] = {}
        """What console blocks really print, by the line of their fence; for updating."""

    def run(self) -> None:
        """Every block in order; what the page has written must then be right as a whole."""
        held = list(blocks(self.page))
        titles = {block.title for block in held}
        if any(title.startswith("rules/") for title in titles) and not any("mailrules init" in b.text for b in held):
            Path("mailrules.yaml").write_text("version: 1\n")
        if any("$ make " in block.text for block in held):
            _copy_sample()
        for block in held:
            self._one(block)
        if os.environ.get(UPDATE) == "1" and self.printed:
            _rewrite(self.page, self.printed)
        last = {block.title: block for block in held if block.title}
        if Path("mailrules.yaml").exists() and not any(block.wrong for block in last.values()):
            _end_well()

    def _one(self, block: Block) -> None:
        if block.title:
            _write(block)
            if block.title.startswith("rules/") and not (block.title.endswith(".test.yaml") or block.wrong):
                _rules_load(block, load_rules(Path(block.title)))
            return
        kinds: Mapping[str, Callable[[Block], None]] = {
            "yaml": _yaml,
            "console": self._console,
            "python": self._python,
            "pycon": self._pycon,
            "sh": _shell_syntax,
            "toml": _toml_syntax,
            "ini": lambda block: configparser.ConfigParser().read_string(block.text),
            "text": lambda _: None,
        }
        assert block.kind in kinds, f"{block}: a block of kind '{block.kind}' is not executed: say what it is"
        kinds[block.kind](block)

    def _console(self, block: Block) -> None:
        told, right = [], True
        asked = list(commands(block.text))
        for position, command in enumerate(asked):
            printed = self.shell.run(command.line)
            fits = agrees(command.expected, printed)
            shown = "\n".join(command.expected) if fits else _VOLATILE.sub("...", printed).rstrip()
            told.append(f"$ {command.line}\n" + (f"{shown}\n" if shown else ""))
            right = right and fits
            checked = position + 1 < len(asked) and asked[position + 1].line == "echo $?"
            assert self.shell.code == 0 or checked or os.environ.get(UPDATE), (
                f"{block}: `{command.line}` ends with {self.shell.code}:\n{printed}"
            )
        if not right and os.environ.get(UPDATE) == "1":
            self.printed[block.line] = "".join(told)
            return
        assert right, f"{block}: the page says\n{block.text}\nand this is what happens:\n{''.join(told)}"

    def _python(self, block: Block) -> None:
        exec(compile("\n" * block.line + block.text, str(self.page), "exec"), self.namespace)

    def _pycon(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, self.namespace, str(block), None, 0)
        test.globs = self.namespace
        told: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(test, out=told.append, clear_globs=False)
        assert not runner.failures, f"{block}:\n{''.join(told)}"


def _copy_sample() -> None:
    """The workspace that this repository is itself."""
    for name in ("mailrules.yaml", "Makefile"):
        shutil.copy(REPOSITORY / name, name)
    for name in ("rules", "scripts", "sample"):
        shutil.copytree(REPOSITORY / name, name)


def _end_well() -> None:
    for command in ("check", "test") if any(Path().glob("rules/*.test.yaml")) else ("check",):
        code, printed = run_mailrules(command)
        assert code == 0, f"`mailrules {command}` in the workspace of this page:\n{printed}"


def _write(block: Block) -> None:
    path = Path(block.title)
    assert Path.cwd() in (Path.cwd() / path).resolve().parents, f"{block}: {path} leaves the workspace"
    if path.parts[:2] == ("plugins", "example"):
        assert block.text in (REPOSITORY / path).read_text(encoding="utf-8"), f"{block}: {path} says something else"
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = b"\r\n" if block.kind == "eml" else b"\n"
    path.write_bytes(block.text.encode().replace(b"\n", ending))


def _rules_load(block: Block, loaded: tuple[Any, Any]) -> Any:
    ruleset, diagnostics = loaded
    told = "\n".join(f"{each} ({each.help})" for each in diagnostics)
    if block.wrong:
        assert ruleset is None, f"{block}: shown as wrong, and it loads"
    else:
        needs_flows = {each.word for each in diagnostics if each.severity == "error"} == {"unknown-flow"}
        assert ruleset is not None or needs_flows, f"{block}:\n{told}"
    return ruleset


def _yaml(block: Block) -> None:
    node = read_yaml(block.text, str(block), Findings())
    assert node, f"{block}: no YAML"
    value = node.value
    if isinstance(value, dict) and value.keys() & VERDICTS:
        _condition(block, value)
    elif isinstance(value, dict) and value.keys() & _MAIN_KEYS:
        _main(block)
    elif isinstance(value, list):
        indented = "".join(f"  {line}" for line in block.text.splitlines(keepends=True))
        _rules_load(block, load_rules(f"version: 1\nrules:\n{indented}"))
    else:
        _rules_load(block, load_rules(block.text))


def _condition(block: Block, value: dict[str, Any]) -> None:
    """`match:` and mails of which it is true, false or unknown."""
    condition = _compiled(block)
    for verdict in VERDICTS:
        mails = value.get(verdict, [])
        for mail in mails if isinstance(mails, list) else [mails]:
            message = parse(compose(msgspec.convert(mail, MailSpec)), received=NOW, trust=TRUST)
            found = evaluate(condition, message, NOW)
            assert found.value == verdict, f"{block}: {mail}\nis no '{verdict}':\n{explain(condition, message, NOW)}"


def _compiled(block: Block) -> Condition:
    written = re.sub(r"(?ms)^(?:yes|no|unknown):.*?(?=^\w|\Z)", "", block.text)
    indented = "".join(f"    {line}" for line in written.splitlines(keepends=True))
    ruleset = _rules_load(block, load_rules(f"version: 1\nrules:\n  - name: shown\n{indented}"))
    condition: Condition = ruleset.rules[0].condition
    return condition


def conditions(page: Path) -> Iterator[Condition]:
    """The conditions that *page* puts to mails."""
    return (_compiled(block) for block in blocks(page) if re.search(r"(?m)^(?:yes|no|unknown):", block.text))


def _main(block: Block) -> None:
    """Keys of mailrules.yaml, in a workspace of their own: what they name elsewhere may be missing."""
    folder = Path(".fragment")
    folder.mkdir(exist_ok=True)
    (folder / "mailrules.yaml").write_text(block.text if "version:" in block.text else f"version: 1\n{block.text}")
    elsewhere = {"unknown-account", "unknown-flow", "no-file"}
    told = [
        f"{each} ({each.help})"
        for each in load_workspace(folder).diagnostics
        if each.severity == "error" and each.word not in elsewhere
    ]
    assert bool(told) is block.wrong, f"{block}:\n" + "\n".join(told)


def _shell_syntax(block: Block) -> None:
    done = subprocess.run(["/bin/bash", "-n"], input=block.text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{block}: {done.stderr}"


def _toml_syntax(block: Block) -> None:
    tomllib.loads(block.text)


def _rewrite(page: Path, printed: Mapping[int, str]) -> None:
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for line, text in sorted(printed.items(), reverse=True):
        fence = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip("`"))]
        end = next(at for at in range(line, len(lines)) if lines[at].rstrip() == fence)
        lines[line:end] = [text]
    page.write_text("".join(lines), encoding="utf-8")
