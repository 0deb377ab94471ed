"""The action `flow`: the steps of a named flow, put in its place when the files are loaded."""

from __future__ import annotations

from typing import Annotated, ClassVar, NoReturn

from msgspec import Meta

from mailrules.api import ActionType, Options


class FlowOptions(Options, frozen=True):
    """Which flow."""

    name: Annotated[str, Meta(description="A name under `flows:`.", min_length=1)]

    shorthand: ClassVar[str] = "name"


def _build(options: FlowOptions) -> NoReturn:
    raise RuntimeError(f"flow '{options.name}' was not replaced by its steps")


FLOW = ActionType(
    name="flow",
    summary="Do the steps of a named flow.",
    options=FlowOptions,
    build=_build,
)
