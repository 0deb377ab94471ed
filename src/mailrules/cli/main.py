"""The entry point: `mailrules COMMAND`. A command returns its exit code; whatever else happens becomes one here."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import click

from mailrules.cli.group import CommandGroup
from mailrules.cli.invocation import common_options, print_version

BETWEEN_COLLECTIONS = 20_000
"""Objects that are made before cyclic garbage is looked for: thousands of rules and messages hold no cycles, and
Python's own 700 would have them all walked over again and again, for a quarter of the time that loading takes."""
INTERRUPTED = 130
"""What a program ended by SIGINT leaves: 128 + 2."""


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 findings or failing cases, 2 wrong usage, 3 failure at run time.",
)
@common_options
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=print_version, help="Print the version."
)
def cli() -> None:
    """Read incoming mail, decide by YAML rules what each message means, and act on it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own by default); gives the exit code and never raises."""
    gc.set_threshold(BETWEEN_COLLECTIONS)
    _encode_whatever_comes()
    try:
        return int(cli.main(args=arguments, prog_name="mailrules", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("mailrules: interrupted", err=True)
        return INTERRUPTED


def _encode_whatever_comes() -> None:
    """Mail holds characters that a terminal's encoding may lack: show a `?` there instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
