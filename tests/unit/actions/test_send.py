from __future__ import annotations

import email
import email.policy

import pytest

from mailrules.api import OptionsError, Permanent, Transient, Withheld, build_options
from mailrules.builtin.action.send import SEND
from mailrules.testing.context import SAMPLE, recording_context

BASE = {"from": "support@desk.example", "to": "desk@desk.example"}


def sent(context):
    """The one mail sent, as the next server reads it, and its envelope."""
    ((mail, recipients),) = context.send.sent
    return email.message_from_bytes(mail.as_bytes(), policy=email.policy.default), recipients


def test_a_mail_is_put_together_from_its_fields(act, context):
    options = {
        "from": "Support Büro <support@desk.example>",
        "to": ["Jo <jo@desk.example>", "kim@desk.example, lou@desk.example"],
        "cc": "ann@desk.example",
        "bcc": "bob@desk.example",
        "subject": "Wg: {{ message.subject }}, März",
        "text": "Grüße\n",
        "headers": {"X-Queue": "{{ match.queue }}", "Reply-To": "desk@desk.example"},
    }
    result = act(SEND, options, match={"queue": "billing"})

    mail, recipients = sent(context)
    assert mail["From"] == "Support Büro <support@desk.example>"
    assert mail["To"] == "Jo <jo@desk.example>, kim@desk.example, lou@desk.example"
    assert (mail["Cc"], mail["Subject"]) == ("ann@desk.example", "Wg: Invoice #42, März")
    assert (mail["X-Queue"], mail["Reply-To"]) == ("billing", "desk@desk.example")
    assert mail["Date"].datetime.isoformat() == "2026-03-02T09:30:00+00:00"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == "Grüße"
    assert recipients == tuple(f"{name}@desk.example" for name in ("jo", "kim", "lou", "ann", "bob"))
    assert result == {"sent": {"to": list(recipients), "message_id": mail["Message-ID"], "answer": "250 taken"}}


def test_every_try_sends_the_same_message_id_and_another_step_another(act, tmp_path):
    ids = []
    for key in ("key-1", "key-1", "key-2"):
        context = recording_context(tmp_path, key=key)
        ids.append(act(SEND, BASE, context=context)["sent"]["message_id"])

    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@desk.example>")


@pytest.mark.parametrize(
    ("given", "types"),
    [
        ({"text": "t"}, ["text/plain"]),
        ({"html": "<b>t</b>"}, ["text/html"]),
        ({"text": "t", "html": "<b>t</b>"}, ["multipart/alternative", "text/plain", "text/html"]),
        ({}, ["text/plain"]),
        ({"text": "t", "attachments": "*.pdf"}, ["multipart/mixed", "text/plain", "application/pdf"]),
        ({"text": "t", "attachments": "*.zip"}, ["text/plain"]),
    ],
)
def test_the_body_is_what_was_written(act, context, given, types):
    act(SEND, BASE | given)

    assert [part.get_content_type() for part in sent(context)[0].walk()] == types


def test_attachments_are_passed_on_octet_for_octet(act, context):
    act(SEND, BASE | {"attachments": "*"})

    (part,) = sent(context)[0].iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("invoice 42.pdf", b"%PDF-1.7\n%%EOF\n")


MAPPED = {"to": "mapped@desk.example", "subject": "mapped", "text": ""}


@pytest.mark.parametrize(
    ("priority", "written", "data", "expected"),
    [
        ("consumed", {"subject": "written"}, MAPPED, ("mapped@desk.example", "mapped", "")),
        ("input", {"subject": "written"}, MAPPED, ("desk@desk.example", "written", "")),
        ("consumed", {"text": "written"}, MAPPED, ("mapped@desk.example", "mapped", "written")),
        ("input", {"subject": "", "text": "written"}, MAPPED, ("desk@desk.example", "mapped", "written")),
        ("input", {"to": []}, MAPPED, ("mapped@desk.example", "mapped", "")),
        ("input", {"to": ["", " "]}, MAPPED, ("mapped@desk.example", "mapped", "")),
        (
            "consumed",
            {"subject": "written"},
            {"to": None, "subject": "  ", "text": 7},
            ("desk@desk.example", "written", "7"),
        ),
        ("consumed", {}, {"to": ["a@x.example", "", "b@x.example"]}, ("a@x.example, b@x.example", "", "")),
    ],
)
def test_priority_says_field_by_field_what_wins_and_nothing_empty_ever_does(
    act, context, priority, written, data, expected
):
    act(SEND, BASE | written | {"priority": priority}, data=data)

    mail, _ = sent(context)
    assert (mail["To"], mail["Subject"], mail.get_content().strip()) == expected


def test_what_was_mapped_from_a_mail_is_never_a_template(act, context):
    act(SEND, BASE, data={"text": "{{ message.raw }}"})

    assert sent(context)[0].get_content().strip() == "{{ message.raw }}"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
@pytest.mark.parametrize("field", ["subject", "to", "from", "X-Note"])
def test_a_value_from_a_mail_cannot_become_another_header_or_recipient(act, context, field, line_break):
    value = {"to": "desk@desk.example", "from": "support@desk.example"}.get(field, "x")
    evil = f"{value}{line_break}Bcc: evil@x.example"
    options = BASE | ({"headers": {"X-Note": "{{ match.x }}"}} if field == "X-Note" else {field: "{{ match.x }}"})
    try:
        act(SEND, options, match={"x": evil})
    except Permanent:
        assert context.untouched()
        return

    mail, recipients = sent(context)
    assert mail["Bcc"] is None
    assert recipients == ("desk@desk.example",)


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a b@x.example",
        "@x.example",
        "a@",
        "a@@x.example",
        "<>",
        "desk@desk.example Bcc: evil@x.example",
        "a@x.example)b@y.example",
        "a@x.example b@y.example",
        "a@x.example;b@y.example",
        "a@" + "x" * 70 + ".example",
        "a@x..example",
    ],
)
def test_what_is_no_address_is_not_sent_to(act, context, address):
    with pytest.raises(Permanent, match=r"not an address to send to|nobody to send to"):
        act(SEND, BASE | {"to": "{{ match.x }}"}, match={"x": address})
    assert context.untouched()


@pytest.mark.parametrize(
    ("value", "recipients"),
    [
        ('"Smith, Jo" <jo@x.example>', ["jo@x.example"]),
        ("J. R. Smith <jo@x.example>,", ["jo@x.example"]),
        ("Jö (büro) <jo@x.example>", ["jo@x.example"]),
        ("all: a@x.example, b@x.example;", ["a@x.example", "b@x.example"]),
        ("a@[127.0.0.1]", ["a@[127.0.0.1]"]),
        ("a@x.example, A <a@x.example>", ["a@x.example"]),
    ],
)
def test_addresses_are_read_as_headers_write_them(act, context, value, recipients):
    act(SEND, BASE | {"to": value})

    assert sent(context)[1] == tuple(recipients)


@pytest.mark.parametrize(
    ("written", "on_the_wire"),
    [
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("ü@bücher.example", "ü@xn--bcher-kva.example"),
    ],
)
def test_a_domain_in_another_script_is_sent_in_the_form_of_the_wire(act, context, written, on_the_wire):
    act(SEND, BASE | {"to": written})

    ((_, recipients),) = context.send.sent
    assert recipients == (on_the_wire,)


def attached(context):
    return [(part.get_content_type(), part.get_filename()) for part in sent(context)[0].iter_attachments()]


def test_files_of_the_workspace_and_the_whole_message_go_along(act, context, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "terms-acme.txt").write_bytes(b"our terms\n")
    along = ["*.pdf", "invoice*", {"file": "docs/terms-{{ match.who }}.txt"}, {"message": "original.eml"}]

    act(SEND, BASE | {"attachments": along}, match={"who": "acme"})

    assert attached(context) == [
        ("application/pdf", "invoice 42.pdf"),
        ("text/plain", "terms-acme.txt"),
        ("message/rfc822", "original.eml"),
    ]
    *_, terms, original = sent(context)[0].iter_attachments()
    assert terms.get_content() == "our terms\n"
    assert original.get_content()["Subject"] == "Invoice #42"


def test_a_message_in_ascii_goes_along_octet_for_octet(act, context):
    act(SEND, BASE | {"attachments": [{"message": "original.eml"}]})

    ((mail, _),) = context.send.sent
    assert SAMPLE.replace(b"\n", b"\r\n") in mail.as_bytes()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("Subject: Grüße\nContent-Type: text/plain; charset=utf-8\n\nGrüße\n".encode(), "message/rfc822"),
        (b"Subject: long\n\n" + b"x" * 2000 + b"\n", "application/octet-stream"),
        (b"Subject: nul\n\na\0b\n", "application/octet-stream"),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=none\n\n\xff", None),
    ],
)
def test_any_message_can_go_along(act, context, raw, kind):
    act(SEND, BASE | {"attachments": [{"message": "original.eml"}]}, raw=raw)

    ((found, name),) = attached(context)
    assert (found, name) == (kind or found, "original.eml")


@pytest.mark.parametrize(
    ("path", "says"), [("../secret", "outside"), ("{{ match.x }}", "outside"), ("missing.txt", "there is no file")]
)
def test_a_file_comes_from_the_workspace_and_must_be_there(act, context, path, says):
    with pytest.raises(Permanent, match=says):
        act(SEND, BASE | {"attachments": [{"file": path}]}, match={"x": "/etc/passwd"})
    assert context.untouched()


@pytest.mark.parametrize("wrong", [{}, {"file": "a", "part": "b"}])
def test_an_attachment_is_one_thing(tmp_path, wrong):
    with pytest.raises(OptionsError, match="an attachment is"):
        build_options(SEND.options, BASE | {"attachments": [wrong]}, root=tmp_path)


def test_long_identifiers_are_folded_and_never_encoded(act, context):
    first, last = f"<{'a' * 200}@acme.example>", f"<{'b' * 90}@acme.example>"
    raw = f"From: ada@acme.example\nReferences: {first}\nMessage-ID: {last}\n\ntext\n".encode()

    act(SEND, BASE, raw=raw)

    ((mail, _),) = context.send.sent
    assert f"References: {first}\r\n {last}\r\n".encode() in mail.as_bytes()


@pytest.mark.parametrize("sender", ["", "a@x.example, b@x.example"])
def test_from_is_one_address(act, sender):
    with pytest.raises(Permanent, match="`from` is one address"):
        act(SEND, BASE | {"from": "{{ match.x }}"}, match={"x": sender})


def test_without_anybody_to_send_to_it_fails_for_good(act):
    with pytest.raises(Permanent, match="nobody to send to"):
        act(SEND, {"from": "support@desk.example"})


def test_lone_surrogates_and_nuls_reach_no_server(act, context):
    act(SEND, BASE | {"subject": "{{ match.x }}", "text": "{{ match.x }}"}, match={"x": "a\ud800\0b"})

    mail, _ = sent(context)
    assert (mail["Subject"], mail.get_content().strip()) == ("a?b", "a?b")


AUTOMATIC = [
    ("Auto-Submitted: auto-replied\n", "auto-reply"),
    ("List-Id: <news.acme.example>\n", "list"),
    ("Precedence: bulk\n", "bulk"),
]


@pytest.mark.parametrize(("header", "kind"), AUTOMATIC)
def test_mail_that_no_person_wrote_gets_no_mail_back(act, context, describe, header, kind):
    raw = header.encode() + SAMPLE
    options = BASE | {"to": "{{ message.author.address | upper }}"}

    with pytest.raises(Withheld, match=f"of the kind '{kind}'"):
        act(SEND, options, raw=raw)
    assert context.untouched()
    assert "(withheld: " in describe(SEND, options, raw=raw)


@pytest.mark.parametrize(("header", "kind"), AUTOMATIC)
def test_mail_about_it_to_somebody_else_is_sent(act, context, header, kind):
    act(SEND, BASE, raw=header.encode() + SAMPLE)

    assert sent(context)[1] == ("desk@desk.example",), kind


def test_a_description_says_to_whom_and_what(describe):
    assert describe(SEND, BASE | {"cc": "a@x.example", "subject": "Re: {{ message.subject }}"}) == (
        "send to desk@desk.example, a@x.example: 'Re: Invoice #42'"
    )
    assert describe(SEND, BASE | {"to": "{{ data.owner }}"}) == "send to {{ data.owner }}: ''"


@pytest.mark.parametrize(
    "name", ["Bcc", "from", "Content-Type", "X Y", "Date", "Message-ID", "X:", "References", "DKIM-Signature", "X\nY"]
)
def test_a_header_that_is_not_ones_own_to_write_is_refused_before_any_run(tmp_path, name):
    with pytest.raises(OptionsError, match="cannot set"):
        build_options(SEND.options, BASE | {"headers": {name: "x"}}, root=tmp_path)


@pytest.mark.parametrize("failure", [Transient("away", after=60), Permanent("no such user")], ids=str)
def test_what_the_server_says_is_passed_on(act, tmp_path, failure):
    with pytest.raises(type(failure)) as raised:
        act(SEND, BASE, context=recording_context(tmp_path, failure=failure))
    assert raised.value is failure
