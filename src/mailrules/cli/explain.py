"""`mailrules explain`: why a message gets the decision it gets, condition by condition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mailrules.cli.complete import listener_names, rule_names
from mailrules.cli.invocation import common_options, json_option, preview_option, verbose
from mailrules.cli.terminal import print_json


@click.command(name="explain", short_help="Show why a message gets its decision.")
@click.argument("message", metavar="MESSAGE")
@click.option("--rule", shell_complete=rule_names, help="Tell only of this rule: why, or why not.")
@click.option("--listener", shell_complete=listener_names, help="Decide by this listener's rules.")
@click.option("--rules", type=click.Path(path_type=Path, dir_okay=False), help="Decide by this rules file.")
@preview_option
@json_option
@common_options
def command(message: str, *, rule: str | None, as_json: bool, preview: bool, **by: Any) -> int:
    """Show each rule tried, each condition with the value it saw, and what would be done. Nothing is changed.

    MESSAGE is an .eml file, `-` for standard input, or `12` or `#12`, a message of the journal, which is fetched again
    from its mailbox.
    """
    from mailrules.cli.explanation import explanation
    from mailrules.cli.explanation_report import explanation_json, print_explanation
    from mailrules.engine.preview import Previews

    if by["listener"] and by["rules"]:
        raise click.UsageError("--listener and --rules both say by which rules to decide: give one of them")
    made = explanation(message, previews=Previews() if preview else None, **by)
    if rule is not None:
        made = made.of(rule)
    if as_json:
        print_json(explanation_json(made))
    else:
        print_explanation(made, rule, everything=verbose())
    return 0
