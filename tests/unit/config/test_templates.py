"""What a template needs is known before it runs: plain ones without Jinja2, the others by their syntax tree."""

from __future__ import annotations

import pytest

from mailrules.api import Template

NEEDS = [
    ("no template", False),
    ("{{ message.subject }} of {{match.number}}", False),
    ("{{ message.text }}", True),
    ("{{ message.author.address }}", False),
    ("{{ match.text }}", False),
    ("{{ message['List-Id'] }}", False),
    ("{{ message.header('X-A')[0] | upper }}", False),
    ("{{ message.reply_text | upper }}", True),
    ("{{ message | attr('text') }}", True),
    ("{% set m = message %}{{ m.text }}", True),
    ("{% for one in message.attachments %}{{ one.name }}{% endfor %}", True),
    ("{% for one in message.references %}{{ one }}{% endfor %}", False),
]


@pytest.mark.parametrize(("source", "needs"), NEEDS)
def test_a_template_needs_the_body(source, needs):
    template = Template(source)

    assert template.problem() is None
    assert template.needs_body is needs


@pytest.mark.parametrize(
    ("source", "line", "sentence"),
    [
        ("{{ mesage.subject }}", 1, "no 'mesage' here"),
        ("fine\n{{ broken( }}", 2, "unexpected"),
        ("{{ message.subject | nothing }}", 1, "no filter 'nothing'"),
    ],
)
def test_a_template_that_cannot_work_says_where(source, line, sentence):
    found = Template(source).problem()

    assert found[0] == line
    assert sentence in found[1]
