"""Mail handed over by SMTP, and what every answer means for trying again.

The rule: `Transient` only if the message cannot have been taken. Once its last octet has gone out and no answer comes,
nobody knows, and it is not repeated. Nor is it when some have it and others were refused: a person decides then.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from mailrules.api import InDoubt, Permanent, Transient
from mailrules.builtin.line.tls import Server, one_line
from mailrules.builtin.smtp.session import Reply, Shown, Smtp, connect, refusal, smtp_faults


class SmtpTransport:
    """One connection, made when needed and kept for the next message."""

    def __init__(self, server: Server, credential: Shown) -> None:
        self._server = server
        self._credential = credential
        self._smtp: Smtp | None = None

    def send(self, mail: EmailMessage, sender: str, recipients: Sequence[str]) -> str:
        """Hand *mail* over to all *recipients*; gives the server's words.

        Raises:
            Transient: not taken; the server is away, or says 4yz of the message or of some recipient and takes none.
            Permanent: refused with 5yz; or the connection broke when nobody knows if it was taken; or some recipients
                have it and the server refused others, for now or for good. Told with their names, never repeated.
        """
        if not recipients:
            raise Permanent("no recipients")
        smtp = self._connected()
        try:
            return self._hand_over(smtp, mail, ascii_domain(sender), [ascii_domain(one) for one in recipients])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Say goodbye. Never raises."""
        smtp, self._smtp = self._smtp, None
        if smtp:
            with contextlib.suppress(Exception):
                smtp.wire.sendall(b"QUIT\r\n")
            smtp.wire.close()

    def _connected(self) -> Smtp:
        """The connection, if it still answers, or a new one."""
        if self._smtp:
            with contextlib.suppress(Exception):
                if self._smtp.rset()[0] == 250:
                    return self._smtp
            self.close()
        self._smtp = connect(self._server, self._credential)
        return self._smtp

    def _hand_over(self, smtp: Smtp, mail: EmailMessage, sender: str, recipients: Sequence[str]) -> str:
        international = not "".join((sender, *recipients)).isascii()
        if international and not smtp.has_extn("smtputf8"):
            raise Permanent(f"{self._server}: it takes no address outside ASCII (no SMTPUTF8)")
        content = octets(mail, international=international, eight_bit=smtp.has_extn("8bitmime"))
        with smtp_faults(self._server):
            smtp.command_encoding = "utf-8" if international else "ascii"
            options = (" SMTPUTF8" if international else "") + ("" if content.isascii() else " BODY=8BITMIME")
            options += f" SIZE={len(content)}" if smtp.has_extn("size") else ""
            self._expect(smtp.docmd("MAIL", f"FROM:<{sender}>{options}"), 250, "sender refused: ")
            refused = self._address(smtp, recipients)
            self._expect(smtp.docmd("DATA"), 354, "message refused: ")
            smtp.send(content + b".\r\n")
        words = self._taken(smtp)
        if refused:
            accepted = ", ".join(recipient for recipient in recipients if recipient not in refused)
            raise InDoubt(
                f"{self._server}: sent to {accepted} ({words}) but refused for {', '.join(refused.values())}: "
                "not repeated, so that nobody gets it twice"
            )
        return words

    def _address(self, smtp: Smtp, recipients: Sequence[str]) -> dict[str, str]:
        """Name the recipients; gives what the server said of each that it refused, if it took any."""
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
            if code not in {250, 251}:
                refused[recipient] = (code, text)
        said = {recipient: f"{recipient} ({code} {one_line(text)})" for recipient, (code, text) in refused.items()}
        if len(refused) == len(recipients):
            later = any(400 <= code < 500 for code, _ in refused.values())
            kind = Transient if later else Permanent
            raise kind(f"{self._server}: every recipient refused: {', '.join(said.values())}")
        return said

    def _taken(self, smtp: Smtp) -> str:
        reason = "it did not say whether it took the message, which may have been delivered: not repeated"
        try:
            code, text = smtp.final_reply()
        except Exception as error:
            raise InDoubt(f"{self._server}: {reason}") from error
        if not 200 <= code < 300:
            raise (
                refusal(self._server, (code, text), "message refused: ")
                if code >= 400
                else InDoubt(f"{self._server}: {reason}")
            )
        return f"{code} {one_line(text)}"

    def _expect(self, reply: Reply, code: int, about: str) -> None:
        if reply[0] != code:
            raise refusal(self._server, reply, about)


def octets(mail: EmailMessage, *, international: bool, eight_bit: bool) -> bytes:
    """*mail* as it goes over the line: CRLF, leading dots doubled, 7-bit parts unless the server takes 8-bit ones."""
    policy: Any = mail.policy
    content = mail.as_bytes(
        policy=policy.clone(linesep="\r\n", utf8=international, cte_type="8bit" if eight_bit else "7bit")
    )
    content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return re.sub(rb"(?m)^\.", b"..", content if content.endswith(b"\r\n") else content + b"\r\n")


def ascii_domain(address: str) -> str:
    """An envelope address with its domain in ASCII (RFC 5890), so that SMTPUTF8 is needed for local parts only.

    Raises:
        Permanent: no address.
    """
    local, at, domain = address.rpartition("@")
    try:
        made = f"{local}{at}{domain.encode('idna').decode()}" if not domain.isascii() else address
    except UnicodeError as error:
        raise Permanent(f"{address!r} is no mail address") from error
    if re.search(r"[\x00-\x20\x7f<>]", made):
        raise Permanent(f"{address!r} is no mail address")
    return made
