"""What every command takes: the workspace, how much to say, and whether a program reads the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_WORKSPACE = "mailrules.workspace"
_VERBOSE = "mailrules.verbose"


def common_options(function: F) -> F:
    """`--workspace` and `--verbose`, before the command's name or after it."""
    function = click.option(
        "--workspace",
        "-w",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="MAILRULES_WORKSPACE",
        expose_value=False,
        is_eager=True,
        callback=_keep(_WORKSPACE),
        help="The folder of mailrules.yaml; the current one by default.",
    )(function)
    return click.option(
        "--verbose",
        "-v",
        is_flag=True,
        default=None,
        expose_value=False,
        is_eager=True,
        callback=_keep(_VERBOSE),
        help="Say more; show where a failure comes from.",
    )(function)


def json_option(function: F) -> F:
    """`--json`, for commands that print something."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


def preview_option(function: F) -> F:
    """`--preview`, for commands that tell what would be done."""
    return click.option("--preview", is_flag=True, help="Show the very mails that would leave, header and all.")(
        function
    )


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            ctx.meta[key] = value

    return callback


def workspace_root(ctx: click.Context | None = None) -> Path:
    """The folder that the command line, or MAILRULES_WORKSPACE, names; else the current one."""
    root: Path = (ctx or click.get_current_context()).meta.get(_WORKSPACE, Path())
    return root


def verbose(ctx: click.Context | None = None) -> bool:
    """Whether `-v` was given."""
    return bool((ctx or click.get_current_context()).meta.get(_VERBOSE))


def print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    """Print the version and end."""
    if value:
        from mailrules import __version__

        click.echo(f"mailrules {__version__}")
        ctx.exit()
