"""The shape of the files an admin writes, as structs: what `msgspec` checks fast and what the JSON Schemas show.

A field whose inside belongs to somebody else (a plugin, a condition) is plain data here with a reference in its
schema; `schema.py` supplies what is referred to.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType


def _refers(name: str, description: str = "") -> Meta:
    return Meta(description=description or None, extra_json_schema={"$ref": f"#/$defs/{name}"})


Text = Annotated[str, Meta(min_length=1)]
Texts = str | list[str]
Receive = Annotated[Any, _refers("receive", "How to reach the mailbox: {PROTOCOL: options}.")]
Send = Annotated[Any, _refers("send", "How to send: {PROTOCOL: options}.")]
LogIn = Annotated[Any, _refers("auth", "How to log in: {WAY: options}; none by default.")]
Actions = Annotated[
    list[Annotated[Any, _refers("action")]], Meta(description="Steps, in order: {ACTION: options} each.")
]
Match = Annotated[Any, _refers("match", "What a message must be; without it every message matches.")]
Tz = Annotated[str, Meta(description="An IANA name, Europe/Paris.")]
Moment = Annotated[
    str,
    Meta(
        description="A date, with a time and an offset if you like.",
        examples=["2026-12-31", "2026-12-31T18:00", "2026-12-31T18:00+01:00"],
    ),
]


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every shape: unknown keys are refused."""


class FromSpec(Spec, frozen=True):
    """The address and name that an account sends as."""

    address: Text
    name: Annotated[str, Meta(description="The company or team: what stands in From beside the address.")] = ""
    policy: Annotated[
        Literal["company", "agent and company"],
        Meta(description="The name alone, or 'Jo from Example' where a step says by `agent` who writes."),
    ] = "company"


class TrustSpec(Spec, frozen=True):
    """Whose word on a message is believed."""

    authserv_id: Annotated[str, Meta(description="The server whose Authentication-Results count.")] = ""
    forwarders: Annotated[list[str], Meta(description="Addresses and domains that forward to us.")] = []


class CapSpec(Spec, frozen=True):
    """How many automatic mails one correspondent, or one thread, gets within a time."""

    mails: Annotated[int, Meta(ge=0, description="In all; 0 is none.")] = 10
    same_subject: Annotated[int, Meta(ge=0, description="Of one subject.")] = 2
    within: Annotated[str, Meta(description="The time.", examples=["180m", "1d"])] = "180m"


class LimitsSpec(Spec, frozen=True):
    """How much may be done within a time; over it the rule pauses, and says so."""

    sends: Annotated[int, Meta(ge=0, description="Mails sent.")] | UnsetType = UNSET
    deletes: Annotated[int, Meta(ge=0, description="Messages deleted.")] | UnsetType = UNSET
    moves: Annotated[int, Meta(ge=0, description="Messages moved.")] | UnsetType = UNSET
    share: Annotated[
        str, Meta(description="Of the folder's messages, deleted or moved; ten may always go.", examples=["20%"])
    ] = ""
    within: Annotated[str, Meta(description="The time.", examples=["1h", "7d"])] = "1d"


class AccountSpec(Spec, frozen=True):
    """How to reach one mailbox, and how to send as it."""

    description: str = ""
    preset: Annotated[
        Literal["gmail", "outlook", "yahoo", "icloud", "fastmail"] | UnsetType,
        Meta(description="A service that is known: host, port, security and discovery URL need not be written."),
    ] = UNSET
    receive: Receive = None
    auth: LogIn = None
    send: Send = None
    sender: FromSpec | Text | UnsetType = msgspec.field(name="from", default=UNSET)
    sent: Annotated[
        bool | str, Meta(description="Put copies of what it sends into the folder of that name; true: into `\\Sent`.")
    ] = False
    timezone: Tz = "UTC"
    missing_folder: Annotated[
        Literal["create", "fail"],
        Meta(
            description="A folder that rules move or copy to and that is not there: made when first used, or refused."
        ),
    ] = "create"
    trust: TrustSpec = TrustSpec()
    auto_reply_subjects: Annotated[
        list[Text] | UnsetType,
        Meta(description="Shell patterns, ignoring case, of subjects that only programs write; [] is none."),
    ] = UNSET
    max_connections: Annotated[
        int,
        Meta(
            ge=1,
            description="How many connections the listeners may have at a time. Common servers allow 10 or 15 in all.",
        ),
    ] = 5
    cap: CapSpec = CapSpec()


class SinceSpec(Spec, frozen=True):
    """Mail that came since then."""

    since: Moment


class ScheduleSpec(Spec, frozen=True):
    """When a listener looks: by a pause, every 60 s unless said otherwise, or by a cron expression."""

    every: Annotated[
        str, Meta(description="The pause from one pass to the next.", examples=["5s", "10m"], min_length=1)
    ] = "60s"
    cron: Annotated[
        str,
        Meta(description="Five fields, in the schedule's time zone.", examples=["*/5 8-18 * * mon-fri"], min_length=1),
    ] = ""
    timezone: Annotated[str, Meta(description="An IANA name; the account's by default.", min_length=1)] = ""
    since: Moment = msgspec.field(name="from", default="")
    until: Moment = ""
    max_runs: Annotated[int, Meta(ge=1, description="How many passes in all.")] | UnsetType = UNSET
    overlap: Annotated[
        Literal["skip", "queue"],
        Meta(description="A pass that comes due during another: left out, or one right after it."),
    ] = "skip"
    misfire: Annotated[
        Literal["once", "skip"],
        Meta(description="Passes missed while mailrules did not run: one as soon as possible, or left out."),
    ] = "once"


class ExpirySpec(Spec, frozen=True):
    """A moment at which a listener ends, or does something and goes on."""

    after: Annotated[str, Meta(description="How long after the first pass, or after `date`.", examples=["14d"])] = ""
    before: Annotated[str, Meta(description="How long before `date`.", examples=["2d"])] = ""
    date: Moment = ""
    at: Moment = ""
    cron: Annotated[str, Meta(description="The first of these moments after the first pass.")] = ""
    script: Annotated[str, Meta(description="A Python file with expires(start) -> datetime | None.")] = ""
    timezone: Annotated[str, Meta(description="An IANA name; the account's by default.", min_length=1)] = ""
    actions: Actions = []
    flow: Annotated[str, Meta(description="A flow that runs after the actions.")] = ""
    terminate: Annotated[bool, Meta(description="Whether the listener ends with it.")] = True


class ListenerSpec(Spec, frozen=True):
    """Watches one folder of an account."""

    account: Text
    listen: Annotated[bool, Meta(description="False: it is not run.")] = True
    folder: Text = "INBOX"
    unseen_only: bool = False
    max_emails: Annotated[int, Meta(ge=-1, description="How many a pass, oldest first; -1 is all.")] = 5
    max_size: Annotated[
        str | int, Meta(description="Larger messages are not taken; -1 is no limit.", examples=["25MB", "10MiB"])
    ] = "100MB"
    oversize: Annotated[
        Literal["park", "skip", "header"],
        Meta(
            description="What becomes of a larger message: a person looks (park), it is left alone with a row in the "
            "journal (skip), or it is decided by its header alone (header)."
        ),
    ] = "park"
    max_age: Annotated[
        str, Meta(description="Messages that came longer ago are left alone, each with a row.", examples=["30d"])
    ] = ""
    stop_after_first: Annotated[
        bool, Meta(description="The first message that fires the transition is the last that is taken.")
    ] = False
    start: Annotated[
        Literal["now", "all"] | SinceSpec,
        Meta(description="What the very first pass may touch: now, all, or {since: 2026-01-01}."),
    ] = "now"
    schedule: ScheduleSpec = ScheduleSpec()
    idle: Annotated[
        bool, Meta(description="Keep a connection on which the server tells of new mail; the schedule runs as well.")
    ] = False
    rules: Annotated[Texts, Meta(description="Rules files, in order; without any every message fires.")] = []
    flow: Annotated[str, Meta(description="The listener's own transition.")] = ""
    limits: LimitsSpec | UnsetType = UNSET
    expires: Annotated[list[ExpirySpec], Meta(description="Moments at which it ends, or does something.")] = []


class MailrulesFile(Spec, frozen=True):
    """mailrules.yaml: accounts, listeners and flows."""

    version: Literal[1]
    accounts: dict[str, Annotated[Any, _refers("AccountSpec")]] = {}
    listeners: dict[str, Annotated[Any, _refers("ListenerSpec")]] = {}
    flows: dict[str, Annotated[Any, _refers("actions")]] = {}
    journal: Annotated[str, Meta(description="An SQLAlchemy URL; SQLite under .mailrules/ by default.")] = ""
    files: Annotated[str, Meta(description="The folder where actions save, from that of this file.")] = "files"


class KeepSpec(Spec, frozen=True):
    """How the message is kept in the mailbox."""

    move: Text | UnsetType = UNSET
    copy: Texts = []
    seen: bool | UnsetType = UNSET
    flags: Texts = []
    labels: Texts = []


class ActiveSpec(Spec, frozen=True):
    """When a rule is in force."""

    since: Moment = msgspec.field(name="from", default="")
    until: Moment = ""
    cron: Annotated[str, Meta(description="Five fields; the rule is in force in the minutes they name.")] = ""
    timezone: Tz = ""


CodeSpec = Annotated[
    Literal[1, 2, 3, 4, "delete+activate", "keep+activate", "delete", "keep"],
    Meta(description="1 delete+activate, 2 keep+activate, 3 delete, 4 keep. By default 2 with actions, else 4."),
]


class OutcomeSpec(Spec, frozen=True):
    """What happens to a message that no rule claims."""

    code: CodeSpec | UnsetType = UNSET
    keep: KeepSpec | UnsetType = UNSET
    actions: Actions = []
    limits: LimitsSpec | UnsetType = UNSET


class RuleSpec(Spec, frozen=True):
    """match -> action code, and what happens then."""

    name: Text
    match: Match = None
    script: Annotated[str, Meta(description="A Python file with decide(mail_message) -> 1 | 2 | 3 | 4 | None.")] = ""
    code: CodeSpec | UnsetType = UNSET
    keep: KeepSpec | UnsetType = UNSET
    actions: Actions = []
    continues: Annotated[bool, Meta(description="Let later rules speak, too.")] = msgspec.field(
        name="continue", default=False
    )
    active: ActiveSpec | UnsetType = UNSET
    limits: LimitsSpec | UnsetType = UNSET


class RulesFile(Spec, frozen=True):
    """rules/*.yaml: rules in order."""

    version: Literal[1]
    rules: list[Annotated[Any, _refers("RuleSpec")]] = []
    timezone: Annotated[str, Meta(description="Where dates and hours are read; the account's by default.")] = ""
    unmatched: Annotated[Any, _refers("OutcomeSpec")] = None


class AttachmentSpec(Spec, frozen=True):
    """An attachment of a message that a test case writes."""

    name: str = ""
    type: str = "application/octet-stream"
    content: Annotated[str, Meta(description="Its text.")] = ""
    size: Annotated[int, Meta(ge=0, description="Octets to make up, instead of content.")] = 0
    disposition: Literal["attachment", "inline"] = "attachment"


class MailSpec(Spec, frozen=True, rename={"author": "from"}):
    """A message that a test case writes."""

    author: Texts = ""
    to: Texts = ""
    cc: Texts = ""
    bcc: Texts = ""
    sender: str = ""
    reply_to: Texts = ""
    subject: str = ""
    date: Moment = ""
    message_id: str = ""
    headers: Annotated[dict[str, str | int | float | list[str]], Meta(description="Any others.")] = {}
    text: str = ""
    html: str = ""
    attachments: list[AttachmentSpec] = []


class ExpectSpec(Spec, frozen=True):
    """What a case expects; what it does not say is not looked at."""

    rule: Annotated[str | UnsetType | None, Meta(description="The deciding rule; null when none matches.")] = UNSET
    code: CodeSpec | UnsetType = UNSET
    keep: KeepSpec | UnsetType = UNSET
    actions: Annotated[list[str] | UnsetType, Meta(description="The names of the steps, in order.")] = UNSET
    continued: Annotated[list[str] | UnsetType, Meta(description="Continuing rules that spoke before.")] = UNSET
    captures: Annotated[dict[str, str] | UnsetType, Meta(description="Named groups of the patterns.")] = UNSET


class CaseSpec(Spec, frozen=True):
    """A message, and what the rules are to make of it."""

    name: Text
    expect: ExpectSpec
    mail: MailSpec | UnsetType = UNSET
    eml: Annotated[str, Meta(description="A message on disk, from the folder of this file.")] = ""
    now: Annotated[Moment, Meta(description="When it is decided.")] = ""
    received: Annotated[Moment, Meta(description="When the server took it in.")] = ""
    flags: Annotated[list[str], Meta(description="Flags on the server.")] = []


class CaseTrustSpec(TrustSpec, frozen=True):
    """Whose word on the messages of these cases is believed, as the account says it."""

    own_addresses: Annotated[list[str], Meta(description="The addresses of our accounts.")] = []


class TestsFile(Spec, frozen=True):
    """rules/*.test.yaml: cases for the rules file of the same name."""

    version: Literal[1] = 1
    rules: Annotated[
        str, Meta(description="The rules file, from the folder of this file; by default its own name.")
    ] = ""
    timezone: Annotated[str, Meta(description="Where dates and hours are read; UTC by default.")] = ""
    trust: CaseTrustSpec = CaseTrustSpec()
    cases: list[Annotated[Any, _refers("CaseSpec")]] = []
