"""`mailrules check`: everything that is wrong in the files, at once, without a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailrules.cli.invocation import common_options, json_option, workspace_root
from mailrules.cli.terminal import plural

if TYPE_CHECKING:
    from mailrules.cli.findings import Format
    from mailrules.config.diagnostic import Diagnostic
    from mailrules.model.rule import RuleSet


@click.command(name="check", short_help="Find what is wrong in the files.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="For whom to print."
)
@click.argument("files", nargs=-1, metavar="[RULES FILE]...", type=click.Path(path_type=Path))
@json_option
@common_options
def command(files: tuple[Path, ...], *, form: Format, as_json: bool) -> int:
    """Check mailrules.yaml and all that it names, or single rules files.

    Exit code 1 when there are errors; warnings alone leave it 0.
    """
    from mailrules.cli.findings import print_findings
    from mailrules.config.report import summary

    form = "json" if as_json else form
    found, rules = _check_files(files) if files else _check_workspace()
    print_findings(found, form=form, stdout=True)
    if form == "text":
        counted = f" ({plural(rules, 'rule')})" if rules else ""
        click.echo(f"{summary(found)}{_where(found)}{counted}")
    return 1 if any(each.severity == "error" for each in found) else 0


def _check_workspace() -> tuple[list[Diagnostic], int]:
    from mailrules.cli.case_files import workspace_cases
    from mailrules.cli.workspace import existing_root
    from mailrules.config.load import load_workspace

    loaded = load_workspace(existing_root())
    listeners = loaded.workspace.listeners.values() if loaded.workspace else ()
    found = [*loaded.diagnostics, *_check_cases(workspace_cases())]
    return found, _count(listener.rules for listener in listeners)


def _check_cases(paths: Iterable[Path]) -> Iterator[Diagnostic]:
    from mailrules.config.cases import load_cases

    for path in paths:
        yield from load_cases(path, root=workspace_root())[1]


def _check_files(files: tuple[Path, ...]) -> tuple[list[Diagnostic], int]:
    from mailrules.config.cases import SUFFIX
    from mailrules.config.load import MAIN, load_rules

    if missing := [file for file in files if not file.is_file()]:
        folder = "; without a name all files of the workspace are checked" if missing[0].is_dir() else ""
        raise click.UsageError(f"there is no file '{missing[0]}'{folder}")
    if main := next((file for file in files if file.name == MAIN), None):
        raise click.UsageError(f"{main} is no rules file: {_whole(main)} checks it and all that it names")
    cases = [file for file in files if file.name.endswith(SUFFIX)]
    found = list(_check_cases(cases))
    rules: list[RuleSet] = []
    for file in files:
        if file not in cases:
            ruleset, diagnostics = load_rules(file)
            found += diagnostics
            rules += [ruleset] if ruleset else []
    return found, _count(rules)


def _whole(main: Path) -> str:
    """The command that checks the workspace of a mailrules.yaml."""
    here = main.parent.resolve() == workspace_root().resolve()
    return "`mailrules check`" if here else f"`mailrules -w {main.parent} check`"


def _count(rulesets: Iterable[RuleSet]) -> int:
    """Rules by where they are written: a file that two listeners read counts once."""
    return len({(rule.name, rule.span) for ruleset in rulesets for rule in ruleset.rules})


def _where(found: Sequence[Diagnostic]) -> str:
    files = {each.span.file for each in found}
    return f" in {plural(len(files), 'file')}" if files else ""
