"""`mailrules schema`: the JSON Schemas of the files an admin writes, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from mailrules.cli.invocation import common_options, workspace_root

KINDS = ("mailrules", "rules", "tests")


@click.command(name="schema", short_help="Print or write the JSON Schemas.")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--write", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write all of them there.")
@common_options
def command(kind: str | None, folder: Path | None) -> int:
    """Print the JSON Schema of one KIND of file, or write all of them, with the options of every plugin there is."""
    from mailrules.config.schema import as_text, schemas, write_schemas
    from mailrules.registry import load_registry

    if (kind is None) == (folder is None):
        raise click.UsageError(f"name one of {', '.join(KINDS)}, or write all by --write DIR")
    registry = load_registry(workspace_root())
    if folder is not None:
        for path in write_schemas(folder, registry):
            click.echo(path)
    elif kind is not None:
        click.echo(as_text(schemas(registry)[kind]), nl=False)
    return 0
