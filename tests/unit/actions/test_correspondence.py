"""Answers, forwards, redirects and receipts: what leaves, and what does not."""

from __future__ import annotations

import time

import pytest
from tests.unit.actions.letters import ACTIONS, OURS, own, raw_mail, sent

from mailrules.api import OptionsError, Permanent, Withheld, build_options
from mailrules.api.guard import loop_token
from mailrules.builtin.action.acknowledge import ACKNOWLEDGE
from mailrules.builtin.action.conversation import answer_subject, forward_subject
from mailrules.builtin.action.forward import FORWARD
from mailrules.builtin.action.original import original_html
from mailrules.builtin.action.redirect import REDIRECT
from mailrules.builtin.action.reply import REPLY
from mailrules.builtin.action.send import SEND
from mailrules.testing.context import NOW, SAMPLE, action_data, message_of


@pytest.mark.parametrize(
    ("headers", "to"),
    [
        ((), ("ada@acme.example",)),
        (("Reply-To: orders@acme.example",), ("orders@acme.example",)),
        (("Reply-To: a@acme.example, b@acme.example",), ("a@acme.example", "b@acme.example")),
        (("Reply-To: not an address",), ("ada@acme.example",)),
    ],
)
def test_a_reply_goes_where_answers_are_wanted(run, context, headers, to):
    run(REPLY, {"text": "Thank you."}, raw_mail(*headers))

    assert sent(context)[1] == to


def test_a_reply_to_all_leaves_ourselves_and_repetitions_out(run, context):
    raw = raw_mail(f"To: {OURS}, Kim <kim@acme.example>", "Cc: ada@acme.example, KIM@acme.example, sales@desk.example")

    run(REPLY, {"text": "Thank you.", "to_all": True}, raw, own=[OURS, "sales@desk.example"])

    mail, recipients = sent(context)
    assert (mail["To"], mail["Cc"]) == ("Ada Field <ada@acme.example>", "Kim <kim@acme.example>")
    assert recipients == ("ada@acme.example", "kim@acme.example")


@pytest.mark.parametrize(
    ("headers", "reply_to", "references"),
    [
        ((), "<17@acme.example>", "<17@acme.example>"),
        (
            ("References: <1@a.example> <2@a.example>",),
            "<17@acme.example>",
            "<1@a.example> <2@a.example> <17@acme.example>",
        ),
        (("In-Reply-To: <2@a.example>",), "<17@acme.example>", "<2@a.example> <17@acme.example>"),
    ],
)
def test_a_reply_is_in_the_conversation(run, context, headers, reply_to, references):
    run(REPLY, {"text": "Thank you."}, raw_mail(*headers))

    mail, _ = sent(context)
    assert (mail["In-Reply-To"], " ".join(mail["References"].split())) == (reply_to, references)
    assert (mail["Auto-Submitted"], mail["Subject"]) == ("auto-replied", "Re: Order 17")


def test_a_long_conversation_is_cut_in_its_middle(run, context):
    many = " ".join(f"<{number}@a.example>" for number in range(100))

    run(REPLY, {"text": "Thank you."}, raw_mail(f"References: {many}"))

    found = sent(context)[0]["References"].split()
    assert (len(found), found[0], found[-2:]) == (20, "<0@a.example>", ["<99@a.example>", "<17@acme.example>"])


@pytest.mark.parametrize("identifier", ["<a b@acme.example>", "<ü@acme.example>", "nothing", "<>"])
def test_what_is_no_identifier_is_not_answered_by(run, context, identifier):
    run(REPLY, {"text": "x"}, SAMPLE.replace(b"<invoice-42@acme.example>", identifier.encode()))

    mail, _ = sent(context)
    assert (mail["In-Reply-To"], mail["References"]) == (None, None)


@pytest.mark.parametrize(
    ("subject", "answer", "forward"),
    [
        ("Order", "Re: Order", "Fwd: Order"),
        ("Re: Order", "Re: Order", "Fwd: Order"),
        ("AW: Re: Order", "Re: Order", "Fwd: Order"),
        ("RE[2]: SV: Order", "Re: Order", "Fwd: Order"),
        ("Fwd: Order", "Re: Fwd: Order", "Fwd: Order"),
        ("WG: TR: Re: Order", "Re: WG: TR: Re: Order", "Fwd: Order"),
        ("回复：Order", "Re: Order", "Fwd: Order"),  # noqa: RUF001 - the colon that those mail programs write
        ("Reorder: 3 boxes", "Re: Reorder: 3 boxes", "Fwd: Reorder: 3 boxes"),
        ("", "Re:", "Fwd:"),
    ],
)
def test_a_subject_is_marked_once_in_any_language(subject, answer, forward):
    assert (answer_subject(subject), forward_subject(subject)) == (answer, forward)


def test_a_reply_quotes_below_its_text(run, context):
    raw = raw_mail("Date: Mon, 02 Mar 2026 10:15:00 +0100", text="Where is it?\n> It comes.\n\nAda\n")

    run(REPLY, {"text": "It is there.", "html": "<p>It is there.</p>", "quote": True}, raw)

    mail, _ = sent(context)
    above = "Ada Field <ada@acme.example> wrote on 2026-03-02:"
    assert mail.get_body(("plain",)).get_content() == (
        f"It is there.\n\n{above}\n> Where is it?\n>> It comes.\n>\n> Ada\n"
    )
    html = mail.get_body(("html",)).get_content()
    assert html.startswith("<p>It is there.</p>\n<p>Ada Field &lt;ada@acme.example&gt; wrote on 2026-03-02:</p>")
    assert '<blockquote type="cite">' in html


def test_what_is_quoted_has_an_end(run, context):
    run(REPLY, {"text": "Thank you.", "quote": True}, raw_mail(text="x\n" * 500_000))

    content = sent(context)[0].get_content()
    assert len(content) < 300_000
    assert content.endswith("> [...]\n")


@pytest.mark.parametrize("html", ["<body", "<!doctype", "</html", "<head", "<script", "</body "])
def test_html_that_never_closes_a_tag_is_quoted_in_no_time(html):
    message = message_of(b"From: a@b.example\nContent-Type: text/html\n\n" + html.encode() * (99_000 // len(html)))
    assert message.html
    began = time.process_time()
    original_html(message)
    assert time.process_time() - began < 0.5


def test_markup_of_a_text_stays_text_in_html(run, context):
    run(REPLY, {"html": "<p>Hi</p>", "quote": True}, raw_mail(text="<script>alert(1)</script>"))

    assert "&lt;script&gt;" in sent(context)[0].get_content()


def test_what_is_filled_into_html_is_escaped(run, context):
    run(REPLY, {"html": "<p>{{ message.author.name }}</p>"}, raw_mail(sender='"<b>Ada" <ada@acme.example>'))

    assert "&lt;b&gt;Ada" in sent(context)[0].get_content()
    assert "<b>" not in sent(context)[0].get_content()


def test_a_reply_says_something(tmp_path):
    with pytest.raises(OptionsError, match="a reply needs"):
        build_options(REPLY.options, {}, root=tmp_path)


def test_who_cannot_be_answered_is_not(run, context):
    with pytest.raises(Withheld, match="nobody can be answered"):
        run(REPLY, {"text": "x"}, raw_mail(sender="nobody in particular"))
    assert context.untouched()


def test_a_mail_carries_the_tokens_of_all_it_came_through(run, context):
    other = loop_token("desk@other.example")

    run(SEND, {"from": OURS, "to": "desk@desk.example"}, raw_mail(f"X-Loop-Token: {other}"))

    assert sent(context)[0]["X-Loop-Token"].split() == [other, loop_token(OURS)]


HTML = """\
From: Ada Field <ada@acme.example>
To: support@desk.example
Subject: Picture
Date: Mon, 02 Mar 2026 10:15:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html; charset=utf-8

<html><head><title>t</title><script>x()</script></head><body bgcolor=red>See <img src="cid:pic@a"></body></html>
--r
Content-Type: image/png
Content-ID: <pic@a>
Content-Disposition: inline; filename=pic.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--r--
--m
Content-Type: application/pdf; name=a.pdf
Content-Disposition: attachment; filename=a.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjcK
--m--
"""


def test_a_forward_shows_the_message_under_its_header_with_its_attachments(run, context):
    run(FORWARD, {"to": "desk@desk.example", "text": "For <you>."}, HTML.encode())

    mail, _ = sent(context)
    assert mail["Subject"] == "Fwd: Picture"
    assert (
        mail.get_body(("plain",))
        .get_content()
        .startswith(
            "For <you>.\n\n---------- Forwarded message ----------\nFrom: Ada Field <ada@acme.example>\n"
            "Date: Mon, 02 Mar 2026 10:15:00 +0100\nSubject: Picture\nTo: support@desk.example\n"
        )
    )
    html = mail.get_body(("html",)).get_content()
    assert "For &lt;you&gt;." in html
    assert 'See <img src="cid:pic@a">' in html
    assert "<script" not in html
    attached = [(part.get_filename(), part["Content-ID"]) for part in mail.iter_attachments()]
    assert attached == [("pic.png", "<pic@a>"), ("a.pdf", None)]


def test_a_forward_as_attachment_holds_the_message_itself(run, context):
    run(FORWARD, {"to": "desk@desk.example", "as": "attachment"})

    (part,) = sent(context)[0].iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    assert part.get_content()["Message-ID"] == "<invoice-42@acme.example>"


def test_a_forwarded_attachment_with_parts_in_other_scripts_keeps_its_boundaries(run, context):
    head = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit"
    inside = f"Content-Type: multipart/mixed; boundary=theirs\n\n--theirs\n{head}\n\nGrüße\n--theirs--\n"
    run(FORWARD, {"to": "desk@desk.example", "as": "attachment"}, f"From: Ada <ada@acme.example>\n{inside}".encode())

    (part,) = sent(context)[0].iter_attachments()
    assert part.get_content().get_boundary() == "theirs"
    assert part.get_content().get_payload()[0]["MIME-Version"] == "1.0"


def test_only_the_whole_says_which_version_of_mime_it_is(run, context):
    run(FORWARD, {"to": "desk@desk.example", "text": "See."}, HTML.encode())

    mail, _ = sent(context)
    assert [part["MIME-Version"] for part in mail.walk()] == ["1.0"] + [None] * (len(list(mail.walk())) - 1)


def test_a_redirect_puts_its_fields_on_top_and_leaves_the_rest_alone(run, context):
    result = run(REDIRECT, {"to": ["Desk <desk@desk.example>", "kim@desk.example"]}, b"From x Mon Mar  2\n" + SAMPLE)

    ((octets, recipients),) = context.send.sent
    head = octets.removesuffix(SAMPLE).decode()
    assert recipients == ("desk@desk.example", "kim@desk.example")
    assert [line.partition(":")[0] for line in head.splitlines()] == [
        "X-Loop-Token", "Resent-From", "Resent-To", "Resent-Date", "Resent-Message-ID",
    ]  # fmt: skip
    assert "Resent-To: Desk <desk@desk.example>, kim@desk.example\r\n" in head
    assert f"Resent-Message-ID: {result['sent']['message_id']}\r\n" in head


def test_a_redirect_ends_where_mail_goes_round_in_circles(run, context):
    with pytest.raises(Permanent, match="come through 51 servers"):
        run(REDIRECT, "desk@desk.example", raw_mail(*["Received: from a by b"] * 51))
    assert context.untouched()


def test_a_receipt_is_for_what_begins_a_conversation(run, context):
    with pytest.raises(Withheld, match="goes on with a conversation"):
        run(ACKNOWLEDGE, {"text": "We have it."}, raw_mail("In-Reply-To: <1@desk.example>"))
    run(ACKNOWLEDGE, {"text": "We have it.", "once": "message"}, raw_mail("In-Reply-To: <1@desk.example>"))

    assert sent(context)[0]["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize(
    ("naming", "options", "name"),
    [
        ("company", {}, "Example"),
        ("company", {"agent": "Jo"}, "Example"),
        ("agent and company", {"agent": "Jo"}, "Jo from Example"),
        ("agent and company", {"agent": "{{ data.agent }}"}, "Kim from Example"),
        ("agent and company", {}, "Kim from Example"),
        ("agent and company", {"from": f"Desk <{OURS}>", "agent": "Jo"}, "Desk"),
        ("agent and company", {"from": "other@desk.example", "agent": "Jo"}, ""),
    ],
)
def test_the_account_says_in_whose_name_it_writes(tmp_path, context, naming, options, name):
    message = message_of()
    data = {**own(message, company="Example", naming=naming), "data": {"agent": "Kim"}}

    REPLY.build(build_options(REPLY.options, {"text": "x", **options}, root=tmp_path)).run(message, data, context)

    assert sent(context)[0]["From"].addresses[0].display_name == name


@pytest.mark.parametrize(
    ("action", "options"),
    [*ACTIONS.values(), (FORWARD, {"to": "desk@desk.example"}), (REDIRECT, "desk@desk.example")],
)
def test_a_preview_is_the_very_mail_that_leaves(tmp_path, context, action, options):
    message = message_of()
    data, built = action_data(message), action.build(build_options(action.options, options, root=tmp_path))

    shown = built.preview(message, data, context.idempotency_key)
    built.run(message, data, context)

    ((mail, _),) = context.send.sent
    assert shown == (mail if isinstance(mail, bytes) else mail.as_bytes())
    assert f"{NOW:%d %b %Y}".encode() in shown
