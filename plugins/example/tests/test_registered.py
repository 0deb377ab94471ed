"""Installing the package is all that it takes."""

from __future__ import annotations

from importlib.metadata import entry_points

import mailrules_example

from mailrules.api import options_schema


def test_the_entry_point_leads_to_the_module():
    (point,) = entry_points(group="mailrules", name="example")

    assert point.load() is mailrules_example
    assert point.dist.name == "mailrules-example"


def test_the_hooks_give_one_of_each():
    given = [
        *mailrules_example.mailrules_protocols(),
        *mailrules_example.mailrules_auths(),
        *mailrules_example.mailrules_actions(),
    ]

    assert [item.name for item in given] == ["jsonl", "netrc", "receipt"]
    assert all(options_schema(item.options) for item in given)
