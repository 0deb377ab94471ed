"""Limits and caps as an admin writes them."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec import UnsetType

from mailrules.api import Duration
from mailrules.config.document import Node
from mailrules.config.findings import Findings
from mailrules.config.spec import CapSpec, LimitsSpec
from mailrules.model.limits import Cap, Limits
from mailrules.model.tally import LONGEST

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%")


def read_limits(node: Node, spec: LimitsSpec | UnsetType, findings: Findings, *, owner: str) -> Limits | None:
    """`limits:` of *node*; None where there are none."""
    if isinstance(spec, UnsetType):
        return None
    inside = node["limits"]
    within = _within(inside, spec.within, findings)
    share = _share(inside["share"], spec.share, findings) if "share" in inside else None
    counts = (spec.sends, spec.deletes, spec.moves)
    sends, deletes, moves = (None if isinstance(count, UnsetType) else count for count in counts)
    if not {"sends", "deletes", "moves", "share"} & inside.value.keys():
        help_ = "write one of sends, deletes, moves, share"
        findings.add(node["limits"].label, "missing-key", f"the limits of {owner} limit nothing", help_)
    return Limits(sends, deletes, moves, share, within)


def read_cap(node: Node, spec: CapSpec, findings: Findings) -> Cap:
    """`cap:` of *node*; the usual one where there is none."""
    within = _within(node["cap"], spec.within, findings) if "cap" in node else Cap().within
    return Cap(spec.mails, spec.same_subject, within)


def _within(node: Node, text: str, findings: Findings) -> timedelta:
    try:
        within = timedelta(seconds=Duration.parse(text).seconds)
    except (ValueError, OverflowError):
        within = timedelta(0)
    if not timedelta(0) < within <= LONGEST:
        place = node["within"].place if "within" in node else node.place
        help_ = f"write a number with a unit, up to {LONGEST.days} days: 1h, 7d"
        findings.add(place, "bad-duration", f"'{text}' is no time within which things are counted", help_)
        return timedelta(days=1)
    return within


def _share(node: Node, text: str, findings: Findings) -> float | None:
    found = _SHARE.fullmatch(text.strip())
    if found is None or not 0 < float(found[1]) <= 100:
        findings.add(node.place, "not-allowed-value", f"'{text}' is no share of a mailbox", "write a percentage: 20%")
        return None
    return float(found[1]) / 100
