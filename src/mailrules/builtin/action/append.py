"""The action `append`: the message as it is, into another mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Message, Options, Template


class AppendOptions(Options, frozen=True):
    """Where to: `append: folder`, or a folder of another account."""

    folder: Annotated[Template, Meta(description="The folder, by name or by role ('\\Archive').")]
    account: Annotated[str, Meta(description="One of the workspace's accounts; the listener's own if left out.")] = ""
    seen: Annotated[bool, Meta(description="Mark it as seen there.")] = False
    flags: Annotated[
        list[str],
        Meta(description="Flags that it gets there: '\\Flagged', or a word of one's own where the mailbox keeps such."),
    ] = field(default_factory=list)

    shorthand: ClassVar[str] = "folder"

    def __post_init__(self) -> None:
        """It must name a folder."""
        if not self.folder.source.strip():
            raise ValueError("`folder` is empty: write a name, or a role such as '\\Archive'")


@dataclass(frozen=True, slots=True)
class AppendAction:
    """Puts the message into a folder, octet for octet, with the time it was received; once, however often tried."""

    options: AppendOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The folder and whose it is."""
        return f"append to {_shown(self.options.folder.shown(data))}{self._whose()}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Put it there; where it is now becomes `data.appended`."""
        folder = self.options.folder.render(data).strip()
        flags = [*self.options.flags, *(["\\Seen"] if self.options.seen else [])]
        at = context.append(self.options.account, folder, message.raw, flags=flags, received=message.received)
        return {
            "appended": {"account": self.options.account or data["account"]["name"], "folder": folder, "uid": at.uid}
        }

    def _whose(self) -> str:
        return f" of {self.options.account}" if self.options.account else ""


def _shown(folder: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in folder).split())


APPEND = ActionType(
    name="append",
    summary="Put the message into a folder of another account.",
    options=AppendOptions,
    build=AppendAction,
    needs_body=lambda _options: True,
    account=lambda options: options.account,
    results=lambda _options: ("appended",),
    repeatable=True,
)
