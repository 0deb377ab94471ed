"""The action `map`: names and values for the steps that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from mailrules.api import ActionType, Context, Data, Message, Options, Template


class MapOptions(Options, frozen=True):
    """Any names, each with its text."""

    values: Annotated[dict[str, Template], Meta(description="What later steps find as `data.NAME`.")]

    inline: ClassVar[str] = "values"


@dataclass(frozen=True, slots=True)
class MapAction:
    """Fills the texts in; they become data of later steps."""

    options: MapOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The names and what they stand for."""
        return "map " + ", ".join(f"{name}={text.shown(data)!r}" for name, text in self.options.values.items())

    def run(self, message: Message, data: Data, context: Context | None) -> Mapping[str, Any]:  # noqa: ARG002 - same
        """Touches nothing: a dry run does it, too."""
        return {name: text.render(data) for name, text in self.options.values.items()}


MAP = ActionType(
    name="map",
    summary="Give later steps data: names with texts.",
    options=MapOptions,
    build=MapAction,
    repeatable=True,
    pure=True,
    results=lambda options: options.values,
)
