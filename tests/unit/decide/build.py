"""Conditions and mail in few words, for the tables of these tests."""

from datetime import UTC, datetime
from textwrap import dedent

import re2

from mailrules.core.parse import parse
from mailrules.model.condition import Operator, Test
from mailrules.model.message import Extent

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
"""A Monday."""

_OWN = {"names", "occurrence", "exists", "case_sensitive", "timezone"}
_PROPERTIES = {"name", "type", "kind", "size"}


def operator(name, operands, *, case_sensitive=False):
    """`operands`: one or a list, as an admin writes them."""
    listed = operands if isinstance(operands, list) else [operands]
    if isinstance(operands, dict):
        return Operator(name, tuple(operator(*each) for each in operands.items()))
    if name in {"regex", "glob"}:
        return Operator(name, tuple(re2.compile(each) for each in listed))
    if case_sensitive:
        return Operator(name, tuple(listed))
    return Operator(name, tuple(each.casefold() if isinstance(each, str) else each for each in listed))


def test(field, **asked):
    """`test("from", domain="acme.com")`; properties of attachments take a mapping of operators."""
    own = {name: asked.pop(name) for name in _OWN & set(asked)}
    bounds = tuple(operator(*bound) for bound in asked.pop("count", {}).items())
    case = own.get("case_sensitive", False)
    return Test(field, tuple(operator(*each, case_sensitive=case) for each in asked.items()), count=bounds, **own)


test.__test__ = False  # a builder of `Test`s, not one of pytest's


def mail(text, *, extent=Extent.WHOLE, **told):
    """The message that *text* is, indented as the code around it."""
    return parse(dedent(text).lstrip("\n").encode(), extent=extent, **told)
