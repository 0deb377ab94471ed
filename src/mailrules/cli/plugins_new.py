"""`mailrules plugins new`: a plugin package to begin with."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import click

from mailrules.cli.invocation import common_options, workspace_root

FILES = {
    "pyproject.toml": "pyproject.toml.in",
    "README.md": "README.md.in",
    "src/@MODULE@.py": "module.py.in",
    "tests/test_@DATA@.py": "test_module.py.in",
}
"""What is written, by the name of its pattern in `starter/plugin`."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

NEXT = """
Next:
  cd {folder}
  python -m pip install -e '.[dev]'
  python -m pytest
  mailrules plugins {name}"""


@click.command(name="new", short_help="Write a plugin package to begin with.")
@click.argument("name")
@common_options
def command(name: str) -> int:
    """Write the package mailrules-NAME into a new folder: an action NAME, its tests, a README.

    It can be installed, and its tests pass; put your own in its place. The plugin guide makes the other sorts:
    protocols, log-ins, unpackers.
    """
    from mailrules.registry import load_registry

    if not _NAME.fullmatch(name):
        raise click.UsageError(f"'{name}' is no name for an action: small letters, digits and hyphens, a letter first")
    taken = load_registry(workspace_root()).actions.get(name)
    if taken:
        raise click.UsageError(f"there is an action '{name}' already, from {taken.plugin}: choose another name")
    folder = Path(f"mailrules-{name}")
    if folder.exists():
        raise click.UsageError(f"{folder} is there already")
    for path in _write(folder, name):
        click.echo(f"wrote {path}")
    click.echo(NEXT.format(folder=folder, name=name))
    return 0


def _write(folder: Path, name: str) -> list[Path]:
    data = name.replace("-", "_")
    words = {
        "@NAME@": name,
        "@MODULE@": f"mailrules_{data}",
        "@DATA@": data,
        "@CLASS@": "".join(part.capitalize() for part in name.split("-")),
        "@FULL@": data.upper(),
    }

    def filled(text: str) -> str:
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    patterns = files("mailrules.cli") / "starter" / "plugin"
    written = []
    for target, pattern in FILES.items():
        path = folder / filled(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(patterns.joinpath(pattern).read_text(encoding="utf-8")), encoding="utf-8")
        written.append(path)
    return written
