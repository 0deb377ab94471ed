"""An IMAP server that misbehaves as a script says: see `mailrules.testing.bad_server`."""

from __future__ import annotations

from typing import ClassVar

from mailrules.testing.bad_server import BadServer, Script, Step

CAPABILITIES = "IMAP4rev1 IDLE MOVE UIDPLUS ESEARCH"


class BadImap(BadServer):
    """Polite, it has one folder with three messages, UIDs 1 to 3, and takes any password."""

    manners: ClassVar[Script] = {
        "greeting": ["* OK ready\r\n"],
        "capability": [f"* CAPABILITY {CAPABILITIES}\r\n{{tag}} OK done\r\n"],
        "select": ["* 3 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n{tag} OK [READ-WRITE] done\r\n"],
        "examine": ["* 3 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n{tag} OK [READ-ONLY] done\r\n"],
        "uid search": ['* ESEARCH (TAG "{tag}") UID ALL 1:3\r\n{tag} OK done\r\n'],
        "list": ['* LIST () "/" "INBOX"\r\n{tag} OK done\r\n'],
        "idle": ["+ idling\r\n"],
        "done": ["{tag} OK done\r\n"],
        "logout": ["* BYE see you\r\n{tag} OK done\r\n"],
    }
    otherwise: ClassVar[list[Step]] = ["{tag} OK done\r\n"]
    _open = ""
    """The tag of a command that waits for another line."""

    def parse(self, line: str) -> tuple[str, str]:
        """Tag and verb; of UID commands `uid fetch`; DONE ends the IDLE, `response` the AUTHENTICATE with its tag."""
        words = line.lower().split()
        if len(words) == 1:
            return self._open, "done" if words == ["done"] else "response"
        tag = (line.split(maxsplit=1) or [""])[0]
        command = " ".join(words[1:3]) if words[1:2] == ["uid"] else "".join(words[1:2])
        self._open = tag if command in {"idle", "authenticate"} else ""
        return tag, command
