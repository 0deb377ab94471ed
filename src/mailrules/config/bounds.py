"""How big and how old a message may be that a listener takes, as an admin writes it."""

from __future__ import annotations

from datetime import timedelta

from mailrules.api import Duration, Size
from mailrules.config.document import Node
from mailrules.config.findings import Findings

MAX_SIZE = 100_000_000
"""Octets where nothing is written: more than mail servers let through, and little enough to be read in a minute."""


def read_max_size(node: Node, findings: Findings) -> int | None:
    """`max_size:` of *node* in octets; None for -1, which is no limit."""
    if "max_size" not in node:
        return MAX_SIZE
    written = node["max_size"]
    try:
        octets = Size.parse(written.value).octets
    except (ValueError, OverflowError):
        octets = 0
    if octets == -1:
        return None
    if octets <= 0:
        help_ = "write a number of octets, or one with a unit: 25MB; -1 is no limit"
        findings.add(written.place, "bad-size", f"{written.place.text} is no size that a message may have", help_)
    return octets


def read_max_age(node: Node, findings: Findings) -> timedelta | None:
    """`max_age:` of *node*; None without one."""
    if "max_age" not in node:
        return None
    written = node["max_age"]
    try:
        age = Duration.parse(written.value).delta
    except (ValueError, OverflowError):
        age = timedelta(0)
    if age <= timedelta(0):
        help_ = "write a number with a unit: 12h, 30d, 52w"
        findings.add(written.place, "bad-duration", f"{written.place.text} is no age that a message may have", help_)
    return age
