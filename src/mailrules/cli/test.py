"""`mailrules test`: the cases beside the rules, and the rules that no case reaches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailrules.cli.invocation import common_options, json_option
from mailrules.cli.terminal import print_json, progress

if TYPE_CHECKING:
    from mailrules.testing.cases import Results


@click.command(name="test", short_help="Run the cases beside the rules.")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path, exists=True))
@json_option
@common_options
def command(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Run the cases of *.test.yaml: all of the workspace, or those named (folders are searched).

    rules/x.test.yaml tests rules/x.yaml. Nothing but files is read. Exit code 1 when a case fails or cannot be run.
    """
    from mailrules.cli.case_files import case_files, untested
    from mailrules.cli.case_report import print_results, results_json
    from mailrules.testing.cases import run_cases

    paths = case_files(files)
    done: list[Results] = []
    with progress("testing") as told:
        for number, path in enumerate(paths, start=1):
            done.append(run_cases(path))
            told("files", number, len(paths))
    without = [] if files else untested(paths)
    if as_json:
        print_json(results_json(done, without))
    else:
        print_results(done, without)
    return 0 if all(results.passed for results in done) else 1
