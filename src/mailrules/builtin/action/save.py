"""The action `save`: the message, or attachments of it, into files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Message, Options, Template, misfit
from mailrules.builtin.action.file_name import safe_name, safe_path
from mailrules.builtin.action.parts import chosen_attachments, patterns_of


class SaveOptions(Options, frozen=True):
    """What to save, and where. Neither `message` nor `attachments`: the message."""

    to: Annotated[
        Template,
        Meta(description="A folder under the folder for files; of a message also its file name, ending in .eml."),
    ] = field(default_factory=Template)
    message: Annotated[bool, Meta(description="Save the whole message as .eml.")] = False
    attachments: Annotated[
        str | list[str] | None,
        Meta(description="Save the attachments whose names fit: '*.pdf', or a list of such patterns."),
    ] = None

    def __post_init__(self) -> None:
        """A path from elsewhere would only be confined at run time: refused at once."""
        if self.to.source.startswith("/") or ".." in self.to.source.split("/"):
            raise misfit("to", "it is a path under the folder for files: no '/' in front, no '..' in it")


@dataclass(frozen=True, slots=True)
class SaveAction:
    """Saves under names that are safe on any system, whole or not at all, and never over another file."""

    options: SaveOptions

    def describe(self, message: Message, data: Data) -> str:
        """The paths."""
        paths = [path for path, _ in self._files(message, data, safe_path(self.options.to.shown(data)))]
        return f"save {', '.join(paths)}" if paths else "save nothing: no attachment fits"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Write them; the paths under the folder for files become `data.saved`."""
        target = safe_path(self.options.to.render(data))
        saved = [str(context.files.save(path, read())) for path, read in self._files(message, data, target)]
        return {"saved": saved, "done": f"save {', '.join(saved)}" if saved else "save nothing: no such attachment"}

    def _files(self, message: Message, data: Data, target: str) -> Iterator[tuple[str, Callable[[], Iterable[bytes]]]]:
        patterns = patterns_of(self.options.attachments)
        folder, name = target, ""
        if self.options.message or not patterns:
            if target.lower().endswith(".eml"):
                folder, _, name = target.rpartition("/")
            yield _joined(folder, name or _message_name(message, data)), message.pieces
        for safe, attachment in chosen_attachments(message, patterns):
            yield _joined(folder, safe), attachment.pieces


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _message_name(message: Message, data: Data) -> str:
    """`2026-11-21-invoice-42.eml`: its date, else when it is saved, and its subject."""
    moment = message.date or message.received or data["now"]
    words = "-".join("".join(char if char.isalnum() else " " for char in message.subject.lower()).split())
    return safe_name(f"{moment:%Y-%m-%d}-{words or 'message'}.eml", "message.eml")


SAVE = ActionType(
    name="save",
    summary="Save the message, or attachments of it, into files.",
    options=SaveOptions,
    build=SaveAction,
    needs_body=lambda _options: True,
    repeatable=True,
    results=lambda _options: ("saved",),
)
