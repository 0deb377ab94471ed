"""What a step says beside its action reaches the step, and leaves it the same step."""

import jsonschema
import pytest

from mailrules.config.load import load_rules
from mailrules.config.schema import schemas
from mailrules.model.rule import OnError
from mailrules.registry import load_registry


def step(written):
    ruleset, found = load_rules(f"version: 1\nrules:\n  - name: a\n    actions: [{written}]\n")
    assert not found
    assert ruleset is not None
    return ruleset.rules[0].steps[0]


def test_what_a_step_says_is_what_it_is_called_and_how_it_is_done():
    built = step("{log: hello, name: say hello, timeout: 5m, on_error: park}")

    assert (built.name, built.label, built.timeout, built.on_error) == ("log", "say hello", 300.0, OnError.PARK)


def test_a_step_that_says_nothing_has_a_minute_and_is_tried_again():
    built = step("{log: hello}")

    assert (built.label, built.timeout, built.on_error) == ("log", 60.0, OnError.RETRY)


def test_a_step_that_sends_has_the_time_that_servers_take_to_look_at_a_mail():
    mail = "from: a@b.example, to: c@d.example, subject: s, text: t"

    assert step(f"{{send: {{{mail}}}}}").timeout == 360.0
    assert step(f"{{send: {{{mail}}}, timeout: 5s}}").timeout == 5.0


@pytest.mark.parametrize("more", ["name: say", "timeout: 5s", "on_error: ignore", "name: say, on_error: park"])
def test_a_step_stays_the_same_step_whatever_it_says_of_itself(more):
    assert step(f"{{log: hello, {more}}}").digest == step("{log: hello}").digest


def test_another_action_or_other_options_are_another_step():
    assert len({step("{log: a}").digest, step("{log: b}").digest, step("{map: {text: a}}").digest}) == 3


FITS = [
    # what is written, and whether editors take it
    ({"log": "a"}, True),
    ({"log": "a", "name": "say", "timeout": "5s", "on_error": "ignore"}, True),
    ({"log": "a", "on_error": "skip"}, False),
    ({"log": "a", "map": {"b": "c"}}, False),
    ({"name": "say"}, False),
    ({"flow": "f"}, True),
    ({"flow": "f", "name": "call"}, False),
]


@pytest.mark.parametrize(("written", "fits"), FITS, ids=str)
def test_editors_know_what_a_step_may_say(written, fits):
    checker = jsonschema.Draft202012Validator(schemas(load_registry())["rules"])

    assert checker.is_valid({"version": 1, "rules": [{"name": "a", "actions": [written]}]}) == fits
