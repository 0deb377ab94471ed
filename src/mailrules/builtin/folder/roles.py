r"""Folders by their role: `\Archive`, `\Trash`, ... (RFC 6154)."""

from __future__ import annotations

from collections.abc import Mapping

from mailrules.api import PersonNeeded

ROLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "\\archive": (("\\archive", "\\all"), ("Archive", "Archives")),
    "\\drafts": (("\\drafts",), ("Drafts",)),
    "\\junk": (("\\junk", "\\spam"), ("Junk", "Spam", "Junk Email", "Bulk Mail")),
    "\\sent": (("\\sent",), ("Sent", "Sent Items", "Sent Messages")),
    "\\trash": (("\\trash",), ("Trash", "Deleted Items", "Deleted Messages")),
}
r"""A role by the attributes that say it (RFC 6154; Gmail archives into what is `\All`), then by usual names."""


def role(written: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Attributes and usual names of a role.

    Raises:
        PersonNeeded: there is no such role.
    """
    if written.lower() not in ROLES:
        there = ", ".join(known.title() for known in ROLES)
        raise PersonNeeded(f"no folder has the role {written}", remedy=f"the roles are {there}")
    return ROLES[written.lower()]


def usual_name(folder: str) -> str:
    """Where nothing tells the roles of folders: the usual name of a role, any other name as it is.

    Raises:
        PersonNeeded: there is no such role.
    """
    return role(folder)[1][0] if folder.startswith("\\") else folder
