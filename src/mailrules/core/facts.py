"""What a message is, beyond one header: pure functions from a message to a fact with its evidence."""

from __future__ import annotations

import re
from itertools import islice

from mailrules.model.message import Address, Extent, Fact, Message, Trust

MOST = 20
"""Lines of a text that are looked at for the sender of what it forwards."""

_AWAY = re.compile(
    r"out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|on vacation|away from|abwesen|"
    r"automatische antwort|absence du bureau|réponse automatique|absent|fuera de (?:la )?oficina|respuesta automática|"
    r"fuori sede|risposta automatica|afwezig",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|notification)|mail delivery|returned mail|failure notice|"
    r"could not be delivered|unzustellbar|non remis",
    re.IGNORECASE,
)
_DAEMONS = frozenset(("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon"))
_BULK = frozenset(("bulk", "junk", "list"))
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^"();\\]++|\\.|.', re.DOTALL)
_COMMENTED = re.compile(r"[^()\\]++|\\.|.", re.DOTALL)
_RESULT = re.compile(r"\s*+(spf|dkim|dmarc)\s*+(?:/\s*+\d++\s*+)?=\s*+([a-z]++)(?=\s|\Z)", re.IGNORECASE)
_FORWARDED = re.compile(
    r"^[ >*]*(?:from|von|de|da|van|från|fra)\s?\*?\s?:\*?\s*(\S[^\n]{0,300})$", re.IGNORECASE | re.MULTILINE
)


def kind(message: Message, trust: Trust) -> Fact[str]:
    """What sort of message it is: by its headers (RFC 3834, 3464, 5965, 2369, 2919), an invitation by its parts."""
    for judge in (_own, _report, _automatic, _many, _invitation):
        fact = judge(message, trust)
        if fact is not None:
            return fact
    if message.extent is not Extent.WHOLE and _main_type(message).startswith("multipart/"):
        return Fact("person", "an invitation may be among its parts", known=False)
    return Fact("person", "nothing says otherwise")


def _main_type(message: Message) -> str:
    return message["Content-Type"].partition(";")[0].strip().lower()


def _own(message: Message, trust: Trust) -> Fact[str] | None:
    address = message.author.address.lower()
    return Fact("own", f"From is {address}") if address and address in trust.own_addresses else None


def _report(message: Message, _trust: Trust) -> Fact[str] | None:
    """Bounces and complaints."""
    content_type = message["Content-Type"].lower()
    if content_type.startswith("multipart/report"):
        if "feedback-report" in content_type:
            return Fact("complaint", "Content-Type: multipart/report; report-type=feedback-report")
        if "delivery-status" in content_type:
            return Fact("bounce", "Content-Type: multipart/report; report-type=delivery-status")
        if "disposition-notification" in content_type:
            return Fact("auto-reply", "Content-Type: multipart/report; report-type=disposition-notification")
    if content_type.startswith("message/delivery-status"):
        return Fact("bounce", "Content-Type: message/delivery-status")
    if message["X-Failed-Recipients"]:
        return Fact("bounce", "X-Failed-Recipients")
    author = message.author
    if (author.localpart or author.name).lower() in _DAEMONS and _FAILED.search(message.subject):
        return Fact("bounce", f"From {author.localpart or author.name}, Subject: {message.subject}")
    if "<>" in message.header("Return-Path") and _FAILED.search(message.subject):
        return Fact("bounce", f"Return-Path: <>, Subject: {message.subject}")
    return None


def _automatic(message: Message, _trust: Trust) -> Fact[str] | None:
    """Automatic replies (RFC 3834) and those who are away."""
    evidence = _automatic_evidence(message)
    if not evidence:
        return None
    away = _AWAY.search(message.subject)
    if message["X-Autoreply"] or away or "vacation" in evidence.lower():
        return Fact("out-of-office", f"{evidence}, Subject: {message.subject}" if away else evidence)
    return Fact("auto-reply", evidence)


def _automatic_evidence(message: Message) -> str:
    submitted = message["Auto-Submitted"]
    if submitted and submitted.partition(";")[0].strip().lower() != "no":
        return f"Auto-Submitted: {submitted}"
    for name in ("X-Autoreply", "X-Autorespond", "X-Vacation"):
        if message[name] and message[name].lower() != "no":
            return f"{name}: {message[name]}"
    if message["Precedence"].lower() == "auto_reply":
        return "Precedence: auto_reply"
    suppressed = message["X-Auto-Response-Suppress"]
    if suppressed and _AWAY.search(message.subject):
        return f"X-Auto-Response-Suppress: {suppressed}"
    return "Return-Path: <>" if "<>" in message.header("Return-Path") and _AWAY.search(message.subject) else ""


def _many(message: Message, _trust: Trust) -> Fact[str] | None:
    """Lists (RFC 2369, 2919) and bulk mail."""
    for name in ("List-Id", "List-Post"):
        if message[name]:
            return Fact("list", f"{name}: {message[name]}")
    precedence = message["Precedence"].lower()
    if message["List-Unsubscribe"]:
        return Fact("bulk", f"List-Unsubscribe: {message['List-Unsubscribe']}")
    if precedence in _BULK:
        return Fact("list" if precedence == "list" else "bulk", f"Precedence: {precedence}")
    return None


def _invitation(message: Message, _trust: Trust) -> Fact[str] | None:
    if _main_type(message) == "text/calendar":
        return Fact("calendar", "Content-Type: text/calendar")
    if "calendarmessage" in message["Content-Class"].lower():
        return Fact("calendar", f"Content-Class: {message['Content-Class']}")
    if message.extent is Extent.HEADER:
        return None
    if any(attachment.kind == "calendar" for attachment in message.attachments):
        return Fact("calendar", "a part is text/calendar")
    return None


def original_sender(message: Message, trust: Trust) -> Fact[Address]:
    """Who wrote it first: the author, unless the author is a forwarder whose word counts.

    Anybody can write `X-Original-From` or attach a message, so without `trust.forwarders` nobody is believed.
    """
    author = message.author
    if not (author.address.lower() in trust.forwarders or author.domain in trust.forwarders):
        return Fact(author, "From")
    for name in ("X-Original-From", "X-Original-Sender", "X-Forwarded-From", "Resent-From"):
        found = [address for address in message.addresses(name) if "@" in address.address]
        if found:
            return Fact(found[0], f"{name}, from the forwarder {author.address}")
    if message.extent is Extent.HEADER:
        return Fact(author, "a forwarded message may be in the body", known=False)
    inside = _inside(message)
    if inside is None and message.extent is Extent.CUT:
        return Fact(author, "a forwarded message may be in what was cut off", known=False)
    return inside or Fact(author, "From: a forwarder, but nothing forwarded is in it")


def _inside(message: Message) -> Fact[Address] | None:
    """The sender of the message that is attached, or quoted under `From:`."""
    from mailrules.core.parse import parse

    for attachment in message.attachments:
        if attachment.kind == "message":
            author = parse(attachment.content(), extent=Extent.HEADER).author
            if "@" in author.address:
                return Fact(author, "From of the attached message")
    for line in islice(_FORWARDED.finditer(message.text), MOST):
        quoted = parse(f"From: {line[1]}".encode(), extent=Extent.HEADER).author
        if "@" in quoted.address:
            return Fact(quoted, "From in the forwarded text")
    return None


def authentication(message: Message, trust: Trust) -> Fact[dict[str, str]]:
    """`spf`, `dkim` and `dmarc` by the topmost Authentication-Results of the trusted server (RFC 8601, section 5)."""
    if not trust.authserv_id:
        return Fact({}, "no authserv_id is trusted", known=False)
    for value in message.header("Authentication-Results"):
        head, *results = _resinfos(value)
        words = head.replace('"', "").split()
        if words and words[0].lower() == trust.authserv_id.lower():
            found: dict[str, str] = {}
            for result in results:
                said = _RESULT.match(result)
                if said:
                    _best(found, said[1].lower(), said[2].lower())
            return Fact(found, f"Authentication-Results: {value}")
    return Fact({}, f"no Authentication-Results of {trust.authserv_id}", known=False)


def _resinfos(value: str) -> list[str]:
    """What stands between the semicolons of *value*, those in quotes and comments aside; comments are blanks.

    What is quoted or in a comment is the sender's to choose (RFC 8601, section 2.2), and so is what follows a quote or
    a comment that nothing closes: it is nobody's word.
    """
    pieces: list[list[str]] = [[]]
    at = depth = 0
    while found := (_COMMENTED if depth else _TOKEN).match(value, at):
        at = found.end()
        text = found[0]
        if text == "(":
            depth += 1
            pieces[-1].append(" ")
        elif depth:
            depth -= text == ")"
        elif text == ";":
            pieces.append([])
        else:
            pieces[-1].append(text)
    return ["".join(piece) for piece in pieces]


def _best(found: dict[str, str], method: str, result: str) -> None:
    """Of several signatures one that passes suffices (RFC 6376, section 4.2); of all else the first result stands."""
    if method not in found or (method == "dkim" and result == "pass"):
        found[method] = result
