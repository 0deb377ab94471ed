from __future__ import annotations

import base64

import pytest

from mailrules.api import OptionsError, Permanent, Transient, build_options
from mailrules.builtin.action.save import SAVE
from mailrules.testing.context import SAMPLE, recording_context

PDF = b"%PDF-1.7\n%%EOF\n"


def with_parts(*parts):
    """A message with these attachments: (name, type, content)."""
    lines = [b"From: a@x.example\nSubject: parts\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=p\n"]
    for name, kind, content in parts:
        disposition = f'attachment; filename="{name}"' if name else "attachment"
        head = f"--p\nContent-Type: {kind}\nContent-Disposition: {disposition}\nContent-Transfer-Encoding: base64\n"
        lines.append(head.encode() + b"\n" + base64.encodebytes(content))
    return b"\n".join([*lines, b"--p--\n"])


def test_the_message_is_saved_by_default_named_by_date_and_subject(act, context):
    result = act(SAVE, {})

    assert context.files.saved() == {"2026-03-02-invoice-42.eml": SAMPLE}
    assert result["saved"] == ["2026-03-02-invoice-42.eml"]
    assert result["done"] == "save 2026-03-02-invoice-42.eml"


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("mail", "mail/2026-03-02-invoice-42.eml"),
        ("mail/", "mail/2026-03-02-invoice-42.eml"),
        ("mail/{{ match.number }}.eml", "mail/42.eml"),
        ("{{ message.date.year }}/{{ message.author.domain }}", "2026/acme.example/2026-03-02-invoice-42.eml"),
    ],
)
def test_to_is_a_folder_or_a_name_that_ends_in_eml(act, context, to, path):
    act(SAVE, {"to": to}, match={"number": "42"})

    assert list(context.files.saved()) == [path]


@pytest.mark.parametrize("subject", ["", "=?utf-8?b?//8=?=", "../../x", "\x00"])
def test_a_message_is_named_whatever_its_subject_is(act, context, subject):
    act(SAVE, {}, raw=f"Subject: {subject}\nDate: Mon, 02 Mar 2026 10:15:00 +0100\n\nx".encode())

    (name,) = context.files.saved()
    assert name.startswith("2026-03-02-")
    assert "/" not in name


def test_a_message_without_a_date_is_named_by_the_day_it_is_saved(act, context):
    act(SAVE, {}, raw=b"Subject: x\n\n")

    assert list(context.files.saved()) == ["2026-03-02-x.eml"]


@pytest.mark.parametrize(
    ("patterns", "saved"),
    [
        ("*.pdf", ["a.pdf", "B.PDF"]),
        (["a.*", "*.csv"], ["a.pdf", "c.csv"]),
        ("*", ["a.pdf", "B.PDF", "c.csv"]),
        ("*.zip", []),
    ],
)
def test_attachments_are_chosen_by_name_ignoring_case(act, context, patterns, saved):
    raw = with_parts(("a.pdf", "application/pdf", PDF), ("B.PDF", "application/pdf", b"2"), ("c.csv", "text/csv", b"3"))
    act(SAVE, {"attachments": patterns}, raw=raw)

    assert sorted(context.files.saved()) == sorted(saved)


def test_an_attachment_is_saved_octet_for_octet(act, context):
    act(SAVE, {"attachments": "*.pdf", "to": "in"})

    assert context.files.saved() == {"in/invoice 42.pdf": PDF}


def test_message_and_attachments_can_be_saved_together(act, context):
    act(SAVE, {"message": True, "attachments": "*", "to": "in/mail.eml"})

    assert sorted(context.files.saved()) == ["in/invoice 42.pdf", "in/mail.eml"]


def test_an_attachment_without_a_name_is_named_by_its_place_and_type(act, context):
    raw = with_parts(("", "application/pdf", PDF), ("..", "application/x-nothing", b"2"))
    act(SAVE, {"attachments": "*"}, raw=raw)

    assert sorted(context.files.saved()) == ["attachment-1.pdf", "attachment-2.bin"]


def test_two_attachments_of_one_name_are_two_files(act, context):
    raw = with_parts(("a.pdf", "application/pdf", b"1"), ("a.pdf", "application/pdf", b"2"))
    act(SAVE, {"attachments": "*"}, raw=raw)

    assert context.files.saved() == {"a.pdf": b"1", "a-2.pdf": b"2"}


@pytest.mark.parametrize("value", ["../../out", "/etc", "a\x00b", "..\\..\\x"])
def test_a_value_from_a_mail_never_leads_out_of_the_folder(act, context, value, tmp_path):
    act(SAVE, {"attachments": "*", "to": "in/{{ match.x }}"}, match={"x": value})

    assert all(name.startswith("in/") for name in context.files.saved())
    assert [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(context.files.root / "in")] == []


@pytest.mark.parametrize("to", ["/srv/mail", "../up", "a/../../b"])
def test_a_path_that_leads_elsewhere_is_refused_before_any_run(tmp_path, to):
    with pytest.raises(OptionsError, match=r"under the folder for files.* at `\$\.to`"):
        build_options(SAVE.options, {"to": to}, root=tmp_path)


def test_nothing_chosen_is_no_error(act, describe):
    assert act(SAVE, {"attachments": "*.zip"})["saved"] == []
    assert describe(SAVE, {"attachments": "*.zip"}) == "save nothing: no attachment fits"


def test_a_description_names_the_files(describe):
    assert describe(SAVE, {"message": True, "attachments": "*", "to": "in"}) == (
        "save in/2026-03-02-invoice-42.eml, in/invoice 42.pdf"
    )


@pytest.mark.parametrize("failure", [Transient("disk full"), Permanent("outside")], ids=str)
def test_what_the_disk_says_is_passed_on(act, tmp_path, failure):
    with pytest.raises(type(failure), match=str(failure)):
        act(SAVE, {}, context=recording_context(tmp_path, failure=failure))
