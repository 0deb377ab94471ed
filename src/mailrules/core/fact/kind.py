"""What sort of message it is: by its headers first, then by its parts, and last by the look of its subject."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate
from functools import lru_cache

from mailrules.core.fact import bounce
from mailrules.model.message import Extent, Fact, Message, Trust

LOOP_FIELD = "X-Loop-Token"
"""Where mail of ours carries the tokens of the mailboxes that it has come through."""
LONGEST = 1_000
"""Characters of a subject that patterns look at."""

_AWAY = re.compile(
    r"automatic reply|automatische antwort|réponse automatique|respuesta automática|risposta automatica"
    r"|automatisch antwoord|resposta automática|odpowiedź automatyczna|automatická odpověď|automatické? svar|autosvar"
    r"|automaattinen vastaus|автоматический ответ|自動応答|自动答复|自动回复|"
    r"out of (?:the )?office|on (?:vacation|holiday|leave)|away from|abwesen|nicht im (?:büro|haus)|urlaub"
    r"|absence|absent|en congé|fuera de (?:la )?oficina|ausen|ausên|fora do escrit|fuori (?:sede|ufficio)"
    r"|assen[tz]a|afwezig|buiten kantoor|frånvar|fravær|poissa|nieobecn|mimo kancelář|nepřítom"
    r"|нет на месте|в отпуске|отсутств|不在|外出",
    re.IGNORECASE,
)
"""What those who are away have their programs write: Exchange says no more than `Automatic reply:`."""
_FAILED = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|notification|incomplete|delayed)|mail delivery|returned mail"
    r"|failure notice|could not (?:be delivered|send)|unzustellbar|non (?:remis|distribu)|não entregue"
    r"|no se pudo entregar|mancato recapito|niet bezorgd|nie dostarczono",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delay|still being retried|warning: (?:could not send|message)|verzöger|retard|retras|ritard", re.IGNORECASE
)
_DAEMONS = frozenset(("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon"))
_BULK = frozenset(("bulk", "junk", "list"))
_METHOD = re.compile(rb"^METHOD[ \t]*(?:;[^:\r\n]{0,100})?:[ \t]*([A-Za-z-]{1,20})", re.IGNORECASE | re.MULTILINE)
_METHOD_PARAMETER = re.compile(r";\s*method\s*=\s*\"?([a-z-]{1,20})", re.IGNORECASE)
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_OUR_IDENTIFIER = re.compile(r"<[0-9a-f]{32}\.mailrules@([^<>\s]{1,250})>")


def kind(message: Message, trust: Trust) -> Fact[str]:
    """One of `Message.kind`, by the headers (RFC 3834, 3464, 8098, 5965, 2369, 2919), the parts, the subject."""
    for judge in (_marked, _report, _daemon, _own, _automatic, _many, _invitation, _by_subject):
        fact = judge(message, trust)
        if fact is not None:
            return fact
    if message.extent in (Extent.HEADER, Extent.CUT) and _main_type(message).startswith("multipart/"):
        return Fact("person", "an invitation may be among its parts", known=False)
    return Fact("person", "nothing says otherwise")


def calendar(message: Message) -> Fact[str]:
    """What an invitation asks for: its METHOD (RFC 5546, section 1.4), lower-cased; empty where there is none."""
    named = _METHOD_PARAMETER.search(message["Content-Type"]) if _main_type(message) in _CALENDARS else None
    if named:
        return Fact(named[1].lower(), "method of the Content-Type")
    if message.extent is Extent.HEADER:
        return Fact("", "an invitation may be among its parts", known=not _may_invite(message))
    if _main_type(message) in _CALENDARS:
        return _method(message.text.encode(errors="replace") or _first_calendar(message), "the body")
    content = _first_calendar(message)
    return _method(content, "the part text/calendar") if content is not None else Fact("", "no part is a calendar")


def _may_invite(message: Message) -> bool:
    return _main_type(message).startswith("multipart/") or _main_type(message) in _CALENDARS


def _method(content: bytes | None, where: str) -> Fact[str]:
    found = _METHOD.search((content or b"")[:64_000])
    return Fact(found[1].decode("ascii").lower(), f"METHOD in {where}") if found else Fact("", f"no METHOD in {where}")


def _first_calendar(message: Message) -> bytes | None:
    return next((part.content() for part in message.attachments if part.kind == "calendar"), None)


def _main_type(message: Message) -> str:
    return message["Content-Type"].partition(";")[0].strip().lower()


def _marked(message: Message, trust: Trust) -> Fact[str] | None:
    """Our own mail coming back, by what only our mail carries.

    A Message-ID tells the domain alone, which many share: it counts where a server has dropped the tokens.
    """
    if not trust.own_addresses:
        return None
    tokens = {token for value in message.header(LOOP_FIELD) for token in value.split()}
    if trust.own_tokens & tokens:
        return Fact("own", f"{LOOP_FIELD} is ours")
    made = None if tokens else _OUR_IDENTIFIER.match(message.message_id)
    if made and any(own.endswith(f"@{made[1].lower()}") for own in trust.own_addresses):
        return Fact("own", f"Message-ID: {message.message_id}")
    return None


def _own(message: Message, trust: Trust) -> Fact[str] | None:
    """From one of our addresses, and no report: those our own postmaster may write."""
    address = message.author.address.lower()
    return Fact("own", f"From is {address}") if address and address in trust.own_addresses else None


def _report(message: Message, _trust: Trust) -> Fact[str] | None:
    """Reports of machines to machines (RFC 6522): bounces, delays, complaints, receipts."""
    content_type = message["Content-Type"].lower()
    if content_type.startswith("multipart/report"):
        said = "Content-Type: multipart/report; report-type="
        if "feedback-report" in content_type:
            return Fact("complaint", f"{said}feedback-report")
        if "delivery-status" in content_type:
            return _delivery(message, f"{said}delivery-status")
        if "disposition-notification" in content_type:
            return Fact("receipt", f"{said}disposition-notification")
    if content_type.startswith("message/delivery-status"):
        return _delivery(message, "Content-Type: message/delivery-status")
    return None


def _delivery(message: Message, evidence: str) -> Fact[str]:
    """A bounce, unless the report speaks of a delay, or of success, alone."""
    if message.extent is Extent.HEADER:
        return Fact("bounce", f"{evidence}; whether it is only a delay stands in the body", known=False)
    said = bounce.actions(message)
    word = "bounce" if "failed" in said or not said else "delay" if "delayed" in said else "receipt"
    return Fact(word, f"{evidence}, Action: {', '.join(sorted(said))}" if said else evidence)


def _daemon(message: Message, _trust: Trust) -> Fact[str] | None:
    """What mail servers write in words of their own."""
    evidence = ""
    author = message.author
    if message["X-Failed-Recipients"]:
        evidence = "X-Failed-Recipients"
    elif (author.localpart or author.name).lower() in _DAEMONS and _tells_of_delivery(message.subject):
        evidence = f"From {author.localpart or author.name}, Subject: {message.subject}"
    elif "<>" in message.header("Return-Path") and _FAILED.search(message.subject[:LONGEST]):
        evidence = f"Return-Path: <>, Subject: {message.subject}"
    if not evidence:
        return None
    return Fact("delay" if _DELAYED.search(message.subject[:LONGEST]) else "bounce", evidence)


def _tells_of_delivery(subject: str) -> bool:
    return bool(_FAILED.search(subject[:LONGEST]) or _DELAYED.search(subject[:LONGEST]))


def _automatic(message: Message, _trust: Trust) -> Fact[str] | None:
    """Automatic replies (RFC 3834) and those who are away."""
    evidence = _automatic_evidence(message)
    if not evidence:
        return None
    away = _AWAY.search(message.subject[:LONGEST])
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
    if suppressed and _AWAY.search(message.subject[:LONGEST]):
        return f"X-Auto-Response-Suppress: {suppressed}"
    away = "<>" in message.header("Return-Path") and _AWAY.search(message.subject[:LONGEST])
    return "Return-Path: <>" if away else ""


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


def _by_subject(message: Message, trust: Trust) -> Fact[str] | None:
    """Programs that say it nowhere but in their subject."""
    subject = message.subject[:LONGEST].strip().casefold()
    if not _any_of(trust.auto_reply_subjects).match(subject):
        return None
    pattern = next((each for each in trust.auto_reply_subjects if fnmatchcase(subject, each.casefold())), "")
    word = "out-of-office" if _AWAY.search(subject) else "auto-reply"
    return Fact(word, f"Subject: {message.subject}, as '{pattern}' of auto_reply_subjects")


@lru_cache(maxsize=64)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """All patterns at once, since every message that a person wrote comes this far; no patterns match nothing."""
    return re.compile("|".join([translate(pattern.casefold()) for pattern in patterns]) or r"(?!)")
