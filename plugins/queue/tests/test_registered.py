"""Installing the package is all that it takes."""

from __future__ import annotations

from importlib.metadata import entry_points

import mailrules_queue

from mailrules.api import options_schema


def test_the_entry_point_leads_to_the_action():
    (point,) = entry_points(group="mailrules", name="queue")
    (action,) = mailrules_queue.mailrules_actions()

    assert point.load() is mailrules_queue
    assert action.name == "queue"
    assert "url" in str(options_schema(action.options))
