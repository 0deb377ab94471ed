"""Installing the package is all that it takes."""

from __future__ import annotations

from importlib.metadata import entry_points

import mailrules_tnef


def test_the_entry_point_leads_to_the_unpacker():
    (point,) = entry_points(group="mailrules", name="tnef")
    (unpacker,) = mailrules_tnef.mailrules_unpackers()

    assert point.load() is mailrules_tnef
    assert unpacker.name == "tnef"
    assert "application/ms-tnef" in unpacker.types
