from __future__ import annotations

import pytest

from mailrules.api import Permanent, build_options
from mailrules.builtin.action.flow import FLOW
from mailrules.builtin.action.log import LOG
from mailrules.builtin.action.map import MAP
from mailrules.testing.context import action_data, message_of


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
        "number": 42,
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


VALUES = [
    # what is written, and what later steps get
    ({"n": 5, "yes": True, "none": None, "half": 0.5}, {"n": 5, "yes": True, "none": None, "half": 0.5}),
    ({"deep": {"who": "{{ message.author.address }}", "n": 1}}, {"deep": {"who": "ada@acme.example", "n": 1}}),
    ({"all": ["{{ match.n }}", {"also": ["{{ match.n }}"]}, 3]}, {"all": ["42", {"also": ["42"]}, 3]}),
    ({"n": "{{ message.date.year }}"}, {"n": "2026"}),
    ({"to": "{{ message.addresses('To') }}"}, {"to": ["Support <support@desk.example>"]}),
    ({"copy": " {{ data.rows }} "}, {"copy": [{"id": 1}, {"id": None}]}),
    ({"text": "{{ data.rows }}!"}, {"text": "[{'id': 1}, {'id': None}]!"}),
    ({"at": "{{ {'now': now} }}"}, {"at": {"now": "2026-03-02T09:30:00+00:00"}}),
    ({"who": "{{ account.name }} {{ listener.name }}"}, {"who": "support support-inbox"}),
]


@pytest.mark.parametrize(("written", "given"), VALUES, ids=str)
def test_values_keep_their_types_however_deep_they_stand(act, written, given):
    found = act(MAP, written, match={"n": "42"}, data={"rows": [{"id": 1}, {"id": None}]})

    assert found == given


def test_in_a_list_too_a_name_that_is_not_there_fails(act):
    with pytest.raises(Permanent, match="more"):
        act(MAP, {"a": "{{ [data.more] }}"})


def test_in_a_dry_run_later_results_stay_as_written(act):
    built = MAP.build(build_options(MAP.options, {"a": ["{{ data.later }}"], "b": "{{ message.subject }}"}, root=None))

    assert built.run(message_of(), action_data(message_of()), None) == {"a": ["{{ data.later }}"], "b": "Invoice #42"}
