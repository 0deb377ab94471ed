from __future__ import annotations

import pytest

from mailrules.api import Permanent, build_options
from mailrules.builtin.action.flow import FLOW
from mailrules.builtin.action.log import LOG
from mailrules.builtin.action.map import MAP


def test_log_writes_one_line_at_its_level(act, context):
    act(LOG, "from {{ message.author }}")
    act(LOG, {"text": "look: {{ match.number }}", "level": "warning"}, match={"number": "42"})

    assert context.log.lines == [("info", "from Ada Field <ada@acme.example>"), ("warning", "look: 42")]


def test_log_stays_one_line_whatever_the_mail_holds(act, context):
    act(LOG, "{{ match.name }}", match={"name": "x\n2026-01-01 ERROR all is lost\x1b[31m\u2028end"})

    ((_, line),) = context.log.lines
    assert line == "x 2026-01-01 ERROR all is lost [31m end"


def test_map_fills_in_any_names(act):
    assert act(
        MAP, {"to": "{{ message.author.address }}", "number": 42, "owner": "{{ data.owner }}"}, data={"owner": "kim"}
    ) == {
        "to": "ada@acme.example",
        "number": "42",
        "owner": "kim",
    }


def test_what_comes_from_a_mail_is_never_a_template(act):
    assert act(MAP, {"a": "{{ match.x }}"}, match={"x": "{{ message.raw }}"}) == {"a": "{{ message.raw }}"}


def test_a_name_that_is_not_there_fails_for_good(act):
    with pytest.raises(Permanent, match="owner"):
        act(MAP, {"a": "{{ data.owner }}"})


def test_a_description_shows_as_written_what_cannot_be_filled_in_yet(describe):
    assert describe(MAP, {"a": "{{ data.owner }}"}) == "map a='{{ data.owner }}'"


def test_a_flow_that_was_not_replaced_by_its_steps_cannot_be_built(tmp_path):
    with pytest.raises(RuntimeError, match="'new-mail'"):
        FLOW.build(build_options(FLOW.options, "new-mail", root=tmp_path))
