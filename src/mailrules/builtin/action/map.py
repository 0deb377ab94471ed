"""The action `map`: names and values for the steps that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from mailrules.api import ActionType, Context, Data, Message, Options, Template


class MapOptions(Options, frozen=True):
    """Any names, each with its value: texts are filled in, however deep they stand; everything else stays as it is."""

    values: Annotated[dict[str, Any], Meta(description="What later steps find as `data.NAME`.")]

    inline: ClassVar[str] = "values"

    def __post_init__(self) -> None:
        """Texts are templates."""
        msgspec.structs.force_setattr(self, "values", _each(self.values, Template))


@dataclass(frozen=True, slots=True)
class MapAction:
    """Fills the texts in; the values become data of later steps."""

    options: MapOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The names and what they stand for."""
        return "map " + ", ".join(f"{name}={value!r}" for name, value in self._shown(data).items())

    def run(self, message: Message, data: Data, context: Context | None) -> Mapping[str, Any]:  # noqa: ARG002 - same
        """Touches nothing: a dry run does it, too, as far as the results of earlier steps are known there."""
        return self._shown(data) if context is None else self._filled(data)

    def _filled(self, data: Data) -> dict[str, Any]:
        return {name: _each(value, lambda text: text.value(data)) for name, value in self.options.values.items()}

    def _shown(self, data: Data) -> dict[str, Any]:
        return {name: _each(value, lambda text: text.shown_value(data)) for name, value in self.options.values.items()}


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same value with its texts, or templates, changed."""
    if isinstance(value, Mapping):
        return {key: _each(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, change) for inner in value]
    return change(value) if isinstance(value, str | Template) else value


MAP = ActionType(
    name="map",
    summary="Give later steps data: names with texts, numbers, lists or mappings.",
    options=MapOptions,
    build=MapAction,
    repeatable=True,
    pure=True,
    results=lambda options: options.values,
)
