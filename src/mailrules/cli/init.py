"""`mailrules init`: a workspace to begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mailrules.cli.invocation import common_options, workspace_root

FILES = {
    "mailrules.yaml": "mailrules.yaml",
    "rules/inbox.yaml": "rules/inbox.yaml",
    "rules/inbox.test.yaml": "rules/inbox.test.yaml",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    "mailbox/new/1767268800.welcome": "welcome.eml",
}
"""What is written, by the name of its pattern in `starter`."""
FOLDERS = ("mailbox/cur", "mailbox/new", "mailbox/tmp")

NEXT = """
Next:
  mailrules check            finds mistakes in the files
  mailrules test             runs the cases beside the rules
  mailrules dry-run          shows what would happen to the mail, and changes nothing
  mailrules run --once       does it"""


@click.command(name="init", short_help="Write a small workspace to begin with.")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@common_options
def command(folder: Path | None) -> int:
    """Write a small commented workspace into DIR (the current folder by default), ready to check, test and run.

    Nothing that is there is overwritten.
    """
    root = folder or workspace_root()
    if (root / "mailrules.yaml").exists():
        raise click.UsageError(f"{root / 'mailrules.yaml'} is there already: this is a workspace")
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for path, written in _write_files(root):
        click.echo(f"{'wrote' if written else 'kept '} {path}")
    steps = NEXT if root == Path() else NEXT.replace("Next:", f"Next:\n  cd {root}")
    click.echo(steps)
    return 0


def _write_files(root: Path) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was written: one that is there is kept."""
    from importlib.resources import files

    from mailrules.config.schema import as_text, schemas
    from mailrules.registry import load_registry

    starter = files("mailrules.cli") / "starter"
    for name, pattern in FILES.items():
        yield root / name, _write_new(root / name, starter.joinpath(pattern).read_text(encoding="utf-8"))
    for kind, schema in schemas(load_registry(root)).items():
        path = root / "schemas" / f"{kind}.schema.json"
        yield path, _write_new(path, as_text(schema))


def _write_new(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
