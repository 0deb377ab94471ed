"""Which files of cases there are, and which rules files have none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from mailrules.cli.invocation import workspace_root
from mailrules.config.cases import SUFFIX

RULES = "rules"
"""Where rules lie in a workspace."""


def case_files(named: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named; those of the workspace when none is named.

    Raises:
        click.UsageError: there are none.
    """
    found = list(dict.fromkeys(path for place in named for path in _within(place))) if named else workspace_cases()
    if not found:
        raise click.UsageError(f"no *{SUFFIX} here: rules/x{SUFFIX} tests rules/x.yaml")
    return found


def workspace_cases() -> list[Path]:
    """What lies in the workspace's folder and, at any depth, under `rules`."""
    root = workspace_root()
    return sorted([*root.glob(f"*{SUFFIX}"), *(root / RULES).rglob(f"*{SUFFIX}")])


def _within(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield _cases_of(place)
    else:
        yield from sorted(place.rglob(f"*{SUFFIX}"))


def _cases_of(file: Path) -> Path:
    """The file of cases; for a rules file that of its name."""
    return file if file.name.endswith(SUFFIX) else file.with_name(file.name.removesuffix(".yaml") + SUFFIX)


def untested(cases: Iterable[Path]) -> list[Path]:
    """Rules files under `rules` that no file of cases is named after."""
    tested = {path.with_name(path.name.removesuffix(SUFFIX) + ".yaml").absolute() for path in cases}
    files = sorted((workspace_root() / RULES).rglob("*.yaml"))
    return [file for file in files if not file.name.endswith(SUFFIX) and file.absolute() not in tested]
