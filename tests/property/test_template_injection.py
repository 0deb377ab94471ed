"""Nothing from a mail is ever taken for a template, wherever it stands and through however many steps it goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrules.api import HtmlTemplate, Template, build_options
from mailrules.builtin.action.map import MAP
from mailrules.testing.context import action_data, message_of

SNIPPETS = ["{{ 7 * 191 }}", "{% for i in [1337] %}{{ i }}{% endfor %}", "{# 1337 #}", "{{", "{%", "%}{{ 1337 - 0 }}"]
FIELDS = [
    "{{ message.subject }}",
    "{{ message.author.name }}",
    "{{ message.author.address }}",
    "{{ message.message_id }}",
    "{{ message['X-Note'] }}",
    "{{ message.addresses('To')[0].name }}",
    "{{ message.text }}",
    "{{ message.attachments[0].name }}",
    "{{ match.word }}",
]
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


@pytest.mark.parametrize("field", FIELDS)
@given(snippet=snippets)
def test_what_a_mail_says_is_filled_in_as_it_stands(field, snippet):
    message = message_of(MAIL.replace("{0}", snippet).encode())
    data = action_data(message, match={"word": snippet})

    once = Template(field).render(data)
    options = build_options(MAP.options, {"one": field, "deep": {"two": [field]}}, root=None)
    mapped = MAP.build(options).run(message, data, None)
    twice = Template("{{ data.one }}").render(data | {"data": mapped})
    shown = Template("{{ data.later }}" + field).shown(data)

    assert "1337" not in once.replace(snippet, "").replace("1337", "", snippet.count("1337") * once.count("1337"))
    assert once == twice == mapped["deep"]["two"][0]
    assert shown in ("{{ data.later }}" + once, "{{ data.later }}" + field)


@given(snippet=snippets)
def test_every_text_comes_through_whole(snippet):
    data = action_data(message_of(), match={"word": snippet})

    assert Template("{{ match.word }}").render(data) == snippet
    assert "<" not in HtmlTemplate("{{ match.word }}").render(
        action_data(message_of(), match={"word": snippet + "<b>"})
    )
