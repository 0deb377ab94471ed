"""What templates know, each by its example; and what they may make, however they are written."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailrules.api import Address, HtmlTemplate, Permanent, Template
from mailrules.api.filters import FILTERS, TESTS
from mailrules.testing.context import NOW, action_data, message_of

EXAMPLES = [(name, known) for table in (FILTERS, TESTS) for name, known in table.items()]


def filled(source, kind=Template, **data):
    return kind(source).render(action_data(message_of()) | data)


@pytest.mark.parametrize(("name", "known"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_gives_what_the_docs_say(name, known):
    template = Template(f"{{{{ {known.example} }}}}")

    assert name in known.example
    assert template.problem() is None
    assert filled(template.source) == known.gives


CASES = [
    # dates
    ("{{ message.date | date('%d.%m.%Y %H:%M') }}", "02.03.2026 10:15"),
    ("{{ message.date | date('%H:%M', 'America/New_York') }}", "04:15"),
    ("{{ now | date('%H:%M %Z', 'Europe/Paris') }}", "10:30 CET"),
    ("{{ none | date }}|{{ '' | date }}|{{ none | age }}", "||"),
    ("{{ message.date | age }}", "15 minutes"),
    # addresses
    ("{{ message.author | name }} {{ message.author | domain }}", "Ada Field acme.example"),
    ("{{ message.addresses('To') | addresses }}", "support@desk.example"),
    ("{{ '\"Jo A.\" <jo@x.example>' | name }}", "Jo A."),
    ("{{ message.author is in_domain('example') }} {{ message.author is in_domain('e.example') }}", "True False"),
    ("{{ 'no address' is address }} {{ 'a@b' is address }} {{ 'a@b, c@d' is address }}", "False True False"),
    # texts
    ("{{ 'a\n\nb\n' | quote }}", "> a\n>\n> b"),
    (
        "{{ 'one two' | shorten(7) }}|{{ 'one two three' | shorten(5, '') }}|{{ 'abcdef' | shorten(4) }}",
        "one two|one|abc…",
    ),
    ("{{ 'x' | regex_search('(?P<n>[0-9])', 'n') }}|{{ 'x1' | regex_search('(?P<n>[0-9])', 'n') }}", "|1"),
    ("{{ message.subject is matching('#[0-9]+') }}", "True"),
    (
        "{{ {'at': now, 'who': message.author} | json }}",
        '{"at": "2026-03-02 09:30:00+00:00", "who": "Ada Field <ada@acme.example>"}',
    ),
]


@pytest.mark.parametrize(("source", "text"), CASES)
def test_what_filters_make_of_a_mail(source, text):
    assert filled(source) == text


AGES = [
    (timedelta(seconds=0), "0 seconds"),
    (timedelta(seconds=61), "1 minute"),
    (timedelta(hours=47), "1 day"),
    (timedelta(days=-2), "2 days"),
]


@pytest.mark.parametrize(("ago", "text"), AGES)
def test_an_age_is_told_in_its_greatest_unit(ago, text):
    assert filled("{{ data.at | age }}", data={"at": (NOW - ago).astimezone(timezone(timedelta(hours=5)))}) == text


def test_a_moment_that_an_earlier_step_gave_as_text_is_one():
    assert filled("{{ data.at | date }}", data={"at": datetime(2026, 1, 2, tzinfo=UTC).isoformat()}) == "2026-01-02"


def test_a_key_of_data_comes_before_the_methods_of_a_mapping():
    assert filled("{{ data.items }} {{ data.keys() | list }}", data={"items": "three"}) == "three ['items']"


def test_values_in_html_are_escaped_and_what_is_written_is_not():
    data = {"data": {"bad": "<script>&"}}

    assert filled("<b>{{ data.bad }}</b>", HtmlTemplate, **data) == "<b>&lt;script&gt;&amp;</b>"
    assert filled("<b>{{ data.bad | e }}</b>", HtmlTemplate, **data) == "<b>&lt;script&gt;&amp;</b>"
    assert filled("{{ [data.bad] | join('<') }}", HtmlTemplate, **data) == "&lt;script&gt;&amp;"
    assert filled("{{ data.bad | replace('&', '<') | quote }}", HtmlTemplate, **data) == "&gt; &lt;script&gt;&lt;"
    assert filled("{{ data.bad }}", Template, **data) == "<script>&"


TOO_MUCH = [
    "{{ 'a' * 100000000 }}",
    "{{ 100000000 * 'a' }}",
    "{{ [1] * 100000000 }}",
    "{{ 10 ** 100000000 }}",
    "{{ (10 ** 1000) * (10 ** 1000) }}",
    "{{ range(100000000) | list }}",
    "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
    "{% for a in range(10000) %}{% for b in range(9) %}{{ message.subject * 1000 }}{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ 'a'.ljust(100000000) }}",
    "{{ 'a'.zfill(100000000) }}",
    "{{ ('a' * 100000).replace('a', 'a' * 1000) }}",
    "{{ ('a' * 100000) | replace('a', 'a' * 1000) }}",
    "{{ ('a' * 100000) | replace('', 'a' * 1000) }}",
    "{{ range(10000) | join('a' * 10000) }}",
    "{{ ('a' * 100000).join(range(1000) | list) }}",
    "{{ 'a' | indent(100000000, true) }}",
    "{{ '%100000000d' % 1 }}",
    "{{ '{:100000000}'.format(1) }}",
    "{{ 'a'.format_map({}) }}",
    "{{ ('a' * 1000000).translate({97: 'a' * 1000}) }}",
]


@pytest.mark.parametrize("source", TOO_MUCH)
def test_a_template_that_would_make_too_much_fails_at_once(source):
    started = time.monotonic()

    with pytest.raises(Permanent):
        filled(source)

    assert time.monotonic() - started < 2


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ message.__init__.__globals__ }}",
    "{{ data.update({'a': 1}) }}",
    "{{ message.author.__class__ }}",
    "{{ range.__globals__ }}",
    "{{ self._TemplateReference__context }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_does_not_get_out_of_its_box(source):
    with pytest.raises(Permanent):
        filled(source)


def test_there_is_nothing_in_a_template_that_the_docs_do_not_list():
    for source in (
        "{{ x | attr('y') }}",
        "{{ 'a' | format }}",
        "{{ [1] | random }}",
        "{{ lipsum() }}",
        "{{ 1 is sameas 1 }}",
    ):
        assert Template(source).problem() is not None


def test_a_regular_expression_that_is_none_is_known_beforehand():
    assert "regular expression" in Template("{{ message.subject | regex_search('(') }}").problem().sentence
    assert "regular expression" in Template("{{ message.subject is matching('(?=a)') }}").problem().sentence


def test_mailboxes_and_texts_of_mailboxes_are_taken_alike():
    for who in (Address("Jo", "jo@x.example"), "Jo <jo@x.example>"):
        assert filled("{{ data.who | name }} {{ data.who | localpart }}", data={"who": who}) == "Jo jo"
