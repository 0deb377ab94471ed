"""Choosing attachments of a message by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from mailrules.api import Attachment, Message
from mailrules.builtin.action.file_name import safe_name


def chosen_attachments(message: Message, patterns: Sequence[str]) -> Iterator[tuple[str, Attachment]]:
    """Each attachment whose name fits one of *patterns* (shell patterns, ignoring case), under a safe file name.

    One without a name is `attachment-N` with a suffix by its type, and is matched so.
    """
    for number, attachment in enumerate(message.attachments, start=1):
        name = safe_name(attachment.name, f"attachment-{number}{_suffix(attachment.type)}")
        if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
            yield name, attachment


def patterns_of(written: str | list[str] | None) -> tuple[str, ...]:
    """One pattern, several, or none, as YAML has them."""
    return (written,) if isinstance(written, str) else tuple(written or ())


def _suffix(media_type: str) -> str:
    import mimetypes

    return ".eml" if media_type == "message/rfc822" else mimetypes.guess_extension(media_type) or ".bin"
