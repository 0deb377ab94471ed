"""The action `log`: a line to the operator's log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from mailrules.api import ActionType, Context, Data, Message, Options, Template


class LogOptions(Options, frozen=True):
    """What to write: `log: text`, or with a level."""

    text: Annotated[Template, Meta(description="The line.")]
    level: Annotated[Literal["info", "warning"], Meta(description="How much it matters.")] = "info"

    shorthand: ClassVar[str] = "text"


@dataclass(frozen=True, slots=True)
class LogAction:
    """Writes one line; whatever the text holds, it stays one line."""

    options: LogOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The line itself."""
        return f"log: {_one_line(self.options.text.shown(data))}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any] | None:  # noqa: ARG002 - same
        """Write it."""
        write = context.log.warning if self.options.level == "warning" else context.log.info
        write(_one_line(self.options.text.render(data)))
        return None


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


LOG = ActionType(
    name="log",
    summary="Write a line to the log.",
    options=LogOptions,
    build=LogAction,
    repeatable=True,
    results=lambda _options: (),
)
