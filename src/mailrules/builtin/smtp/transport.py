"""Mail handed over by SMTP, and what every answer means for trying again.

The rule: `Transient` only if the message cannot have been taken. Once its last octet has gone out and no answer comes,
nobody knows, and it is not repeated. Where some have it and others were refused, `PartlySent` tells them apart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from email.message import EmailMessage

from mailrules.api import InDoubt, Permanent, Transient
from mailrules.api.delivery import PartlySent
from mailrules.builtin.line.tls import Server, one_line
from mailrules.builtin.smtp.octets import ascii_domain, dotted, international, octets
from mailrules.builtin.smtp.session import Reply, Shown, Smtp, connect, refusal, smtp_faults

PIECE = 1 << 16
"""Octets that are handed to the line at a time."""


class SmtpTransport:
    """One connection, made when needed and kept for the next message."""

    def __init__(self, server: Server, credential: Shown) -> None:
        self._server = server
        self._credential = credential
        self._smtp: Smtp | None = None

    def send(self, mail: EmailMessage | bytes, sender: str, recipients: Sequence[str]) -> str:
        """Hand *mail* over to all *recipients*; gives the server's words.

        Raises:
            Transient: not taken; the server is away, or says 4yz of the message or of some recipient and takes none.
            Permanent: refused with 5yz; or it cannot go there: too large, or in need of what the server lacks.
            InDoubt: the connection broke when nobody knows if it was taken.
            PartlySent: some recipients have it, and the server refused others.
        """
        if not recipients:
            raise Permanent("no recipients")
        smtp = self._connected()
        try:
            return self._hand_over(smtp, mail, ascii_domain(sender), {ascii_domain(one): one for one in recipients})
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

    def _hand_over(self, smtp: Smtp, mail: EmailMessage | bytes, sender: str, recipients: dict[str, str]) -> str:
        """*recipients*: as the line has them, each with how it was written."""
        utf8 = international(mail) or not "".join((sender, *recipients)).isascii()
        content = octets(mail, utf8=utf8, eight_bit=smtp.has_extn("8bitmime"))
        options = self._options(smtp, content, utf8=utf8)
        with smtp_faults(self._server):
            smtp.command_encoding = "utf-8" if utf8 else "ascii"
            self._expect(smtp.docmd("MAIL", f"FROM:<{sender}>{options}"), 250, "sender refused: ")
            refused = self._address(smtp, recipients)
            self._expect(smtp.docmd("DATA"), 354, "message refused: ")
            _send(smtp, dotted(content))
        words = self._taken(smtp)
        if refused:
            accepted = [written for address, written in recipients.items() if address not in refused]
            told = {recipients[each]: (code, f"{code} {one_line(text)}") for each, (code, text) in refused.items()}
            later = {each: said for each, (code, said) in told.items() if 400 <= code < 500}
            never = {each: said for each, (_, said) in told.items() if each not in later}
            raise PartlySent(self._server, accepted=accepted, later=later, refused=never, said=words)
        return words

    def _options(self, smtp: Smtp, content: bytes, *, utf8: bool) -> str:
        """What MAIL is told of the message; known before anything is sent is what the server cannot take."""
        most = smtp.esmtp_features.get("size", "").strip()
        if most.isdigit() and 0 < int(most) < len(content):
            raise Permanent(
                f"{self._server}: it takes messages of up to {int(most):,} octets, this has {len(content):,}"
            )
        if utf8 and not smtp.has_extn("smtputf8"):
            raise Permanent(f"{self._server}: it takes no address outside ASCII (no SMTPUTF8)")
        if not content.isascii() and not smtp.has_extn("8bitmime"):
            raise Permanent(f"{self._server}: it takes no 8-bit mail (no 8BITMIME), and this one is sent on unchanged")
        options = " SMTPUTF8" if utf8 else ""
        options += "" if content.isascii() else " BODY=8BITMIME"
        return options + (f" SIZE={len(content)}" if smtp.has_extn("size") else "")

    def _address(self, smtp: Smtp, recipients: dict[str, str]) -> dict[str, Reply]:
        """Name the recipients; gives what the server said of each that it refused, if it took any."""
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
            if not 200 <= code < 300:  # by the first digit, 252 and all (RFC 5321, section 4.3.2)
                refused[recipient] = (code, text)
        if len(refused) == len(recipients):
            later = any(400 <= code < 500 for code, _ in refused.values())
            said = [f"{recipients[each]} ({code} {one_line(text)})" for each, (code, text) in refused.items()]
            raise (Transient if later else Permanent)(f"{self._server}: every recipient refused: {', '.join(said)}")
        return refused

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


def _send(smtp: Smtp, content: bytes) -> None:
    """In pieces, each within the time-out: a large mail on a narrow line takes as long as it takes."""
    for at in range(0, len(content), PIECE):
        smtp.send(content[at : at + PIECE])
