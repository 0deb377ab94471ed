"""What can be asked of a message: each field, and the operators it takes. Compiler and JSON Schema both read this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT = ("contains", "is", "starts", "ends", "glob", "regex")
ADDRESS = ("domain", "localpart", "detail")
MEASURE = ("over", "under")
MOMENT = ("before", "after", "older_than", "newer_than", "weekday", "time")


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What a field takes."""

    summary: str
    operators: tuple[str, ...]
    """Those that look at a value."""
    modifiers: tuple[str, ...] = ()
    """Those that say which values, how many, and how they are compared."""
    bare: str = ""
    """The operator that a value without one stands for; empty: an operator must be written."""
    values: tuple[str, ...] = ()
    """The words that there are, where they are few."""
    address: bool = False
    """Whether it holds addresses: then every comparison ignores case unless told otherwise."""
    hint: str = ""
    """What to write instead of what it does not take."""


NO_FIELD = FieldKind("", ())

_OCCURRING = ("exists", "count", "occurrence", "case_sensitive")


def _address(summary: str) -> FieldKind:
    return FieldKind(summary, TEXT + ADDRESS, _OCCURRING, bare="contains", address=True)


KINDS_OF_MAIL = (
    *("person", "auto-reply", "out-of-office", "bounce", "delay", "receipt", "complaint", "list", "bulk", "calendar"),
    "own",
)
KINDS_OF_ATTACHMENT = ("file", "inline", "message", "calendar", "signature", "tnef")
METHODS = ("publish", "request", "reply", "add", "cancel", "refresh", "counter", "declinecounter")
"""Of invitations (RFC 5546, section 1.4)."""
DELIVERY_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
"""What became of a recipient (RFC 3464, section 2.3.3)."""
DOMAINS = ("spf_domain", "dkim_domain", "dmarc_domain")
"""Whom the results of SPF, DKIM and DMARC are about."""
RESULTS = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", "policy")
"""Of SPF, DKIM and DMARC (RFC 8601, section 2.7)."""

FIELDS: Mapping[str, FieldKind] = {
    "from": _address("The authors."),
    "to": _address("The To header."),
    "cc": _address("The Cc header."),
    "bcc": _address("The Bcc header."),
    "recipient": _address("To, Cc and Bcc together."),
    "sender": _address("The Sender header."),
    "reply_to": _address("The Reply-To header."),
    "any_address": _address("Every address header together."),
    "original_sender": _address("Who wrote it first, of forwarded mail."),
    "claimed_sender": _address("Whom it names as its first author without being believed."),
    "subject": FieldKind("The decoded subject.", TEXT, _OCCURRING, bare="contains"),
    "body": FieldKind("The text a person reads.", TEXT, ("exists", "case_sensitive"), bare="contains"),
    "reply_text": FieldKind(
        "The text without quotes and signature.", TEXT, ("exists", "case_sensitive"), bare="contains"
    ),
    "quoted_text": FieldKind("What the text quotes or forwards.", TEXT, ("exists", "case_sensitive"), bare="contains"),
    "header": FieldKind("One or more headers by name.", TEXT + ADDRESS + MEASURE, _OCCURRING, bare="contains"),
    "attachment": FieldKind(
        "The attachments.",
        ("name", "type", "kind", "size"),
        ("exists", "count", "case_sensitive"),
        bare="name",
        hint="put it under 'name' or 'type': attachment: {name: {contains: invoice}}",
    ),
    "size": FieldKind("The whole message, in octets.", MEASURE, hint="write size: {over: 10MB}"),
    "date": FieldKind("The Date header.", MOMENT, ("exists", "timezone"), hint="write date: {after: 2026-01-01}"),
    "received": FieldKind(
        "When the server took it in.", MOMENT, ("exists", "timezone"), hint="write received: {newer_than: 7d}"
    ),
    "kind": FieldKind("What kind of mail it is.", ("is", "glob"), bare="is", values=KINDS_OF_MAIL),
    "bounce": FieldKind(
        "The recipients of a delivery report, and what was sent.",
        ("recipient", "status", "action", "diagnostic", "message_id", "subject"),
        ("exists", "count", "case_sensitive"),
        bare="recipient",
        hint="put it under 'recipient' or 'status': bounce: {status: 5.1.*}",
    ),
    "calendar": FieldKind("What an invitation asks for.", ("is", "glob"), ("exists",), bare="is", values=METHODS),
    "auth": FieldKind(
        "What SPF, DKIM and DMARC say, and of whom.",
        ("spf", "dkim", "dmarc", *DOMAINS),
        hint="write auth: {dkim: pass}",
    ),
}

PROPERTIES: Mapping[str, FieldKind] = {
    "name": FieldKind("The file name.", TEXT, ("case_sensitive",), bare="contains"),
    "type": FieldKind("The media type, application/pdf.", TEXT, ("case_sensitive",), bare="is"),
    "kind": FieldKind("What it is.", ("is", "glob"), bare="is", values=KINDS_OF_ATTACHMENT),
    "size": FieldKind("Octets after decoding.", MEASURE, hint="write size: {over: 1MB}"),
    "recipient": FieldKind("Where it was to go.", TEXT, ("case_sensitive",), bare="contains"),
    "status": FieldKind("The enhanced status code, 5.1.1.", TEXT, ("case_sensitive",), bare="is"),
    "action": FieldKind("What became of it.", ("is", "glob"), bare="is", values=DELIVERY_ACTIONS),
    "diagnostic": FieldKind("The other server's words.", TEXT, ("case_sensitive",), bare="contains"),
    "message_id": FieldKind("The Message-ID of what was sent.", TEXT, ("case_sensitive",), bare="contains"),
    "subject": FieldKind("The subject of what was sent.", TEXT, ("case_sensitive",), bare="contains"),
}
"""Of an attachment, and of a recipient of a delivery report."""
PARTED = ("attachment", "bounce")
"""Fields of several values, each with properties."""

JUNCTIONS = ("all", "any", "none")
