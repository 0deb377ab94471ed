"""Nothing from a mail is ever taken for a template, wherever it stands and through however many steps it goes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrules.api import HtmlTemplate, Template, build_options
from mailrules.builtin.action.map import MAP
from mailrules.testing.context import action_data, message_of

SNIPPETS = ["{{ 7 * 191 }}", "{% for i in [1337] %}{{ i }}{% endfor %}", "{# 1337 #}", "{{", "{%", "%}{{ 1337 - 0 }}"]
FIELDS = {
    "{{ message.subject }}": lambda message: message.subject,
    "{{ message.author.name }}": lambda message: message.author.name,
    "{{ message.author.address }}": lambda message: message.author.address,
    "{{ message.author }}": lambda message: str(message.author),
    "{{ message.message_id }}": lambda message: message.message_id,
    "{{ message['X-Note'] }}": lambda message: message["X-Note"],
    "{{ message.addresses('To') | join }}": lambda message: "".join(str(to) for to in message.addresses("To")),
    "{{ message.text }}": lambda message: message.text,
    "{{ message.reply_text }}": lambda message: message.reply_text,
    "{{ message.attachments[0].name }}": lambda message: message.attachments[0].name,
}
MAIL = """\
From: "{0}" <a{0}@acme.example>
To: "{0}" <to@acme.example>
Subject: {0}
Message-ID: <{0}@acme.example>
X-Note: {0}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/plain

{0}
--part
Content-Type: application/pdf
Content-Disposition: attachment; filename="{0}.pdf"

x
--part--
"""

snippets = st.lists(st.sampled_from(SNIPPETS) | st.text("ab{}%#\"' ", max_size=5), min_size=1, max_size=4).map("".join)


@pytest.mark.parametrize(("field", "said"), FIELDS.items(), ids=FIELDS)
@settings(deadline=None)
@given(snippet=snippets)
def test_what_a_mail_says_is_filled_in_as_it_stands(field, said, snippet):
    message = message_of(MAIL.replace("{0}", snippet).encode())
    data, expected = action_data(message), said(message)
    options = build_options(MAP.options, {"one": field, "deep": {"two": [field]}}, root=None)

    mapped = MAP.build(options).run(message, data, None)

    assert mapped == {"one": expected, "deep": {"two": [expected]}}
    assert Template("{{ data.one }}{{ data.deep.two[0] }}").render(data | {"data": mapped}) == expected * 2
    assert Template("{{ data.later }}" + field).shown(data) in (
        "{{ data.later }}" + expected,
        "{{ data.later }}" + field,
    )


@settings(deadline=None)
@given(snippet=snippets)
def test_every_text_comes_through_whole(snippet):
    data = action_data(message_of(), match={"word": snippet})

    assert Template("{{ match.word }}").render(data) == snippet
    assert "<" not in HtmlTemplate("{{ match.word }}").render(
        action_data(message_of(), match={"word": snippet + "<b>"})
    )
