"""What a template needs is known before it runs: plain ones without Jinja2, the others by their syntax tree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mailrules.api import Permanent, Template
from mailrules.core.parse import parse

NEEDS = [
    ("no template", False),
    ("{{ message.subject }} of {{match.number}}", False),
    ("{{ message.text }}", True),
    ("{{ message.author.address }}", False),
    ("{{ match.text }}", False),
    ("{{ message['List-Id'] }}", False),
    ("{{ message.header('X-A')[0] | upper }}", False),
    ("{{ message.reply_text | upper }}", True),
    ("{{ message | string }}", True),
    ("{% set m = message %}{{ m.text }}", True),
    ("{% for one in message.attachments %}{{ one.name }}{% endfor %}", True),
    ("{% for one in message.references %}{{ one }}{% endfor %}", False),
]


@pytest.mark.parametrize(("source", "needs"), NEEDS)
def test_a_template_needs_the_body(source, needs):
    template = Template(source)

    assert template.problem() is None
    assert template.needs_body is needs


PLAIN = [
    "{{ message.date | date('%Y') }}/{{ match.number | int }}",
    "{{ message.reply_text | shorten(200) | json }}",
    "{{ message.subject|lower|trim }}\n{{- data.invoice.total | string -}}",
    '{{ match.who | date("%d | upper") }}',
    "{{ message.author.adress | lower }}",
    "{{ now | date }}",
    "{{ match.who | default('nobody') }} {{ data.x | d('') }}",
    "{{ message.subject | regex_search('(') }}",
    "{{ message.subject | date(match.form) }}",
]


@pytest.mark.parametrize("source", PLAIN)
def test_what_is_plain_without_jinja_is_what_its_syntax_tree_tells(source):
    told = [_told(Template(text)) for text in (source, source + "{% if false %}{% endif %}")]

    assert told[0] == told[1]


def _told(template):
    return template.problem(), template.needs_body, sorted(template.captures()), sorted(template.results())


def test_a_plain_filter_is_read_without_jinja():
    script = (
        "import sys; from mailrules.api import Template\n"
        "found = Template(\"{{ message.date | date('%Y') }}\").problem()\n"
        "sys.exit(found is not None or 'jinja2' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_plain_filter_of_what_is_not_there_yet_is_shown_as_written():
    assert Template("{{ match.a | upper }} {{ data.b | upper }}").shown({"match": {"a": "x"}, "data": {}}) == (
        "X {{ data.b | upper }}"
    )


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


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("{{ message.subject }}\n{{ message.subjct }}", 2, "subjct"),
        ("{{ message.author.adress }}", 1, "adress"),
        ("{% if message.subject %}\n{{ mesage.subject | slug }}{% endif %}", 2, "mesage"),
        ("{{ listener.folder }}{{ listener['fold'] }}", 1, "fold"),
        ("{{ account.x }}", 1, "x"),
        ("{{ message.subject | slugify }}", 1, "slugify"),
    ],
)
def test_a_name_that_never_comes_is_known_beforehand(source, line, name):
    found = Template(source).problem()

    assert (found.line, found.name) == (line, name)


@pytest.mark.parametrize(
    "source",
    [
        "{{ message['Subjct'] }}",
        "{{ message.x | default('') }}",
        "{% if message.x is defined %}{% endif %}",
        "{% for message in message.attachments %}{{ message.name }}{% endfor %}",
        "{{ match.any }}{{ data.any.more }}{{ account.get('x') }}",
    ],
)
def test_a_name_that_may_come_is_no_problem(source):
    assert Template(source).problem() is None


def _seen(**data):
    message = parse(b"Subject: Hello\r\nX-Any: there\r\n\r\n")
    return {"message": message, "match": {}, "data": data, "listener": {"name": "l"}}


@pytest.mark.parametrize(
    "source", ["{{ message.subjct }}", "{{ message.x | upper }}", "{{ message.any }}", "{{ match.n }}"]
)
def test_what_is_not_there_fails_and_a_header_is_no_attribute(source):
    with pytest.raises(Permanent):
        Template(source).render(_seen())


def test_a_header_is_asked_for_in_brackets():
    assert Template("{{ message['x-any'] }}{{ message['X-None'] }}").render(_seen()) == "there"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ message.subject }} of {{ data.number }}", "Hello of {{ data.number }}"),
        ("{{ data.webhook.json.id }}", "{{ data.webhook.json.id }}"),
        ("{{ data.known }} {{ data.unknown }}", "yes {{ data.unknown }}"),
        ("{{ data.unknown | upper }}", "{{ data.unknown | upper }}"),
        ("{{ data.unknown | default('none') }}", "none"),
    ],
)
def test_a_description_leaves_what_later_steps_give(source, shown):
    assert Template(source).shown(_seen(known="yes")) == shown


@pytest.mark.parametrize(
    "source",
    ["{{ message.subjct }}", "{{ data.unknown }} {{ match.n }}", "{{ data.known.more }}", "{{ listener.nam | upper }}"],
)
def test_a_description_fails_where_the_step_will(source):
    with pytest.raises(Permanent):
        Template(source).shown(_seen(known="yes"))
