"""Facts as templates have them, and as `mailrules explain` tells them."""

from __future__ import annotations

import pytest

from mailrules.api import Template
from mailrules.cli.fact_lines import fact_lines, facts_json
from mailrules.core.parse import parse
from mailrules.model.message import Trust

BOUNCE = b"""From: mailer-daemon@mx.example.com
X-Failed-Recipients: jo@acme.example

jo@acme.example
550 5.1.1 unknown

Message-ID: <7@example.com>
Subject: Order
"""
FORGED = b"""From: jo@stranger.example
Authentication-Results: mx.example.com; dmarc=fail header.from=stranger.example

Pay.

-----Original Message-----
From: The Director <director@example.com>
Subject: Pay

Now.
"""
TRUST = Trust(authserv_id="mx.example.com")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ message.bounce.recipients[0].status }}", "5.1.1"),
        ("{% for one in message.bounce.recipients %}{{ one.address }}{% endfor %}", "jo@acme.example"),
        ("{{ message.bounce.message_id }} {{ message.bounce.subject }}", "<7@example.com> Order"),
        ("{{ message.kind.value }} by {{ message.kind.evidence }}", "bounce by X-Failed-Recipients"),
        ("{{ message.calendar.value }}", ""),
    ],
)
def test_templates_have_the_facts_of_a_bounce(source, text):
    template = Template(source)

    assert template.problem() is None
    assert template.render({"message": parse(BOUNCE)}) == text


@pytest.mark.parametrize(
    "name",
    ["bounce", "calendar", "claimed_sender", "original_sender", "quoted_text", "signature", "reply_text_fact"],
)
def test_what_only_the_body_tells_makes_a_template_need_it(name):
    assert Template(f"{{{{ message.{name} }}}}").needs_body


def test_a_name_that_no_fact_has_is_told():
    problem = Template("{{ message.bounce.recipent }}").problem()

    assert problem is not None
    assert problem.sentence == "a delivery report has no 'recipent'"


def test_explain_tells_what_bounced_and_how_that_is_known():
    assert list(fact_lines(parse(BOUNCE)))[:4] == [
        ("kind", "bounce (X-Failed-Recipients)"),
        ("recipient", "jo@acme.example failed 5.1.1 550 5.1.1 unknown"),
        ("what was sent", "<7@example.com> Order"),
        ("known by", "X-Failed-Recipients; Message-ID in line 4 of the text"),
    ]


def test_explain_tells_a_claim_apart_from_what_is_believed():
    told = dict(fact_lines(parse(FORGED, trust=TRUST)))

    assert told == {
        "kind": "person (nothing says otherwise)",
        "claimed sender": "The Director <director@example.com> (From in line 4 of the text, which forwards it; "
        "not believed: jo@stranger.example is none of trust.forwarders)",
        "own words": "4 characters (quoted from line 3: -----Original Message-----)",
        "authentication": "dmarc=fail, dmarc_domain=stranger.example "
        "(Authentication-Results: mx.example.com; dmarc=fail header.from=stranger.example)",
    }


def test_programs_get_every_fact_with_its_evidence():
    told = facts_json(parse(BOUNCE))

    assert told["bounce"]["value"]["recipients"][0]["address"] == "jo@acme.example"
    assert {name for name, fact in told.items() if not fact["evidence"]} == set()
