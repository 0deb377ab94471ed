from __future__ import annotations

import json
import time

import pytest

from mailrules.api import OptionsError, Permanent, build_options
from mailrules.builtin.action.extract import EXTRACT

ORDER = """\
Dear desk,

Order no.: 4711
Total = 1.234,50 EUR
> Due:  12.03.2026
Notes:
Name\tAda Field
"""
JSON = '{"order": {"id": 7, "paid": false, "items": [{"sku": "K-1"}, {"sku": "K-2"}], "note": null}}'
XML = (
    '<?xml version="1.0"?><o:orders xmlns:o="urn:x"><o:order id="7"><line>tea <b>pot</b></line>'
    "<line>kettle</line></o:order></o:orders>"
)
CSV = 'SKU;Amount;"In stock"\nK-1;"1;5";yes\n\nK-2;2;no\n'
TABLE = """\
<table><tr><td><table>
<tr><th>SKU</th><th> Amount </th></tr><tr><td>K-1</td><td>2</td></tr><tr><td>K-2</td><td>3 <i>pcs</i></td></tr>
</table></td></tr></table>"""
FORM = """\
<table><tr><td>Name:</td><td>Ada <b>Field</b></td></tr></table>
<dl><dt>City</dt><dd>York</dd></dl>
<form><input name="phone" value="01 23"><textarea name="wish">tea</textarea></form>"""


def mail(body, *, kind="text/plain", attachment=None, name="a.csv"):
    lines = ["From: Ada <ada@acme.example>", "Subject: Order", "MIME-Version: 1.0"]
    if attachment is None:
        return ("\n".join([*lines, f"Content-Type: {kind}; charset=utf-8", "", body])).encode()
    octets = attachment if isinstance(attachment, bytes) else attachment.encode()
    head = [*lines, 'Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "", body]
    part = ["--b", f'Content-Disposition: attachment; filename="{name}"', "Content-Transfer-Encoding: binary", "", ""]
    return "\n".join([*head, *part]).encode() + octets + b"\n--b--\n"


def extract(act, options, body=ORDER, **how):
    found = act(EXTRACT, options, raw=mail(body, **how))
    found.pop("done")
    return found


@pytest.mark.parametrize(
    ("options", "body", "kind", "found"),
    [
        ({"regex": r"no\.: (?P<number>\d+)"}, ORDER, "text/plain", {"number": "4711"}),
        ({"regex": [r"(?P<a>none)", r"(?i)TOTAL = (?P<sum>\S+)"]}, ORDER, "text/plain", {"sum": "1.234,50"}),
        (
            {"lines": {"number": "order NO.", "total": "Total", "due": "due", "name": "Name", "notes": "Notes"}},
            ORDER,
            "text/plain",
            {"number": "4711", "total": "1.234,50 EUR", "due": "12.03.2026", "name": "Ada Field"},
        ),
        (
            {
                "json": {
                    "id": "order.id",
                    "sku": "$.order.items[-1].sku",
                    "paid": "order.paid",
                    "x": "order.note",
                    "y": "a",
                }
            },
            JSON,
            "text/plain",
            {"id": 7, "sku": "K-2", "paid": False},
        ),
        (
            {
                "xml": {
                    "id": "order/@id",
                    "line": "order/line[2]",
                    "first": ".//line",
                    "none": "order/x",
                    "no": "order/@x",
                }
            },
            XML,
            "text/plain",
            {"id": "7", "line": "kettle", "first": "tea pot"},
        ),
        ({"csv": {"sku": "sku", "amount": "AMOUNT"}}, CSV, "text/plain", {"sku": "K-1", "amount": "1;5"}),
        ({"table": {"sku": "SKU", "amount": "Amount"}}, TABLE, "text/html", {"sku": "K-1", "amount": "2"}),
        (
            {"form": {"name": "Name", "city": "City", "phone": "phone", "wish": "wish", "none": "Other"}},
            FORM,
            "text/html",
            {"name": "Ada Field", "city": "York", "phone": "01 23", "wish": "tea"},
        ),
    ],
    ids=["a pattern", "patterns", "lines", "JSON", "XML", "CSV", "a table", "a form"],
)
def test_fields_are_found_by_the_form_of_the_text(act, options, body, kind, found):
    assert extract(act, options, body, kind=kind) == found


def test_all_rows_are_a_list_of_their_own(act):
    wanted = {"csv": {"sku": "SKU", "n": "Amount"}, "rows": "items", "types": {"n": "number"}, "decimal": ","}

    assert extract(act, wanted, CSV.replace('"1;5"', "1,5")) == {
        "sku": "K-1",
        "n": 1.5,
        "items": [{"sku": "K-1", "n": 1.5}, {"sku": "K-2", "n": 2.0}],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_attachment_is_read_in_the_bytes_that_spreadsheets_write(act, encoding):
    wanted = {"attachment": ["*.txt", "*.CSV"], "csv": {"town": "Ort"}}

    assert extract(act, wanted, attachment="Ort\nKöln".encode(encoding)) == {"town": "Köln"}


def test_of_several_forms_the_first_that_finds_a_field_counts(act):
    wanted = {"regex": r"(?P<n>\d+) pieces", "lines": {"n": "Order no."}, "defaults": {"n": "none", "of": "tea"}}

    assert extract(act, wanted) == {"n": "4711", "of": "tea"}


def test_fields_can_go_under_one_name(act):
    assert extract(act, {"lines": {"n": "Order no."}, "into": "order"}) == {"order": {"n": "4711"}}


@pytest.mark.parametrize(
    ("kind", "text", "more", "value"),
    [
        ("number", "1,234.50 or so", {}, 1234.5),
        ("number", "EUR 1.234,50", {}, 1234.5),
        ("number", "1 234 567", {}, 1234567.0),
        ("number", "1'234.5", {}, 1234.5),
        ("number", "-3", {}, -3.0),
        ("number", "1,234", {"decimal": ","}, 1.234),
        ("number", "1,234", {"decimal": "."}, 1234.0),
        ("number", "0.125", {}, 0.125),
        ("integer", "1.234.567 pieces", {}, 1234567),
        ("integer", "12", {}, 12),
        ("amount", "1.234,50 EUR", {}, {"amount": "1234.50", "currency": "EUR"}),
        ("amount", "€ 99", {}, {"amount": "99", "currency": "EUR"}),
        ("amount", "12.00", {}, {"amount": "12.00", "currency": ""}),
        ("date", "on 2026-03-12", {}, "2026-03-12"),
        ("date", "12.3.2026", {}, "2026-03-12"),
        ("date", "13/03/2026", {}, "2026-03-13"),
        ("date", "03/13/2026", {}, "2026-03-13"),
        ("date", "03/04/2026", {"dates": "dmy"}, "2026-04-03"),
        ("date", "03/04/2026", {"dates": "mdy"}, "2026-03-04"),
        ("date", "12th March 2026", {}, "2026-03-12"),
        ("date", "Mar 2, 2026", {}, "2026-03-02"),
    ],
)
def test_values_are_what_they_are_said_to_be(act, kind, text, more, value):
    wanted = {"lines": {"x": "x"}, "types": {"x": kind}, **more}

    assert extract(act, wanted, f"x: {text}\n") == {"x": value}


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("number", "many", "x is 'many': no number"),
        ("number", "1,234", "may be a thousand or a fraction: say which by `decimal:`"),
        ("number", "9" * 400, "no number"),
        ("integer", "1.5", "no whole number"),
        ("date", "soon", "no date"),
        ("date", "03/04/2026", "either way round: say which by `dates:`"),
        ("date", "31.02.2026", "day is out of range"),
    ],
)
def test_a_value_that_is_something_else_or_may_be_two_things_parks_the_message(act, kind, text, reason):
    with pytest.raises(Permanent, match=reason):
        extract(act, {"lines": {"x": "x"}, "types": {"x": kind}}, f"x: {text}\n")


def test_required_fields_that_are_not_there_are_named_all_at_once(act):
    wanted = {"lines": {"number": "Order no.", "iban": "IBAN", "vat": "VAT"}, "required": ["number", "iban", "vat"]}

    with pytest.raises(Permanent, match=r"^nothing found for iban, vat$"):
        extract(act, wanted)


@pytest.mark.parametrize(
    ("options", "body", "reason"),
    [
        ({"json": {"a": "a"}}, "{oops", "not JSON"),
        ({"json": {"a": "a"}}, "[" * 200_000, "not JSON"),
        ({"xml": {"a": "a"}}, "<a", "not XML"),
        ({"xml": {"a": "a"}}, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ({"xml": {"a": "a"}}, '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        ({"xml": {"a": "a"}}, "<a>" * 100_000, "within another"),
        ({"xml": {"a": "a"}}, "<r>" + "<a/>" * 300_000 + "</r>", "over 200000 elements"),
        ({"csv": {"a": "Other"}}, "One;Two\n1;2", "no column 'Other'; there are One, Two"),
        ({"csv": {"a": "a"}}, "a," * 1_000_000 + "\n1", "over 10000 columns"),
        ({"csv": {"a": "a"}}, "a\n" + "x" * 200_000, "not CSV"),
        ({"csv": {"a": "a"}, "rows": "all"}, "a\n" + "1\n" * 5_000, "over 1000 rows"),
        ({"csv": {"a": "a"}}, "a\n" + "," * 3_000_000, "a line of over 2500000 characters"),
        ({"table": {"a": "a"}}, "<div>" * 400_000, "nests too deeply"),
        ({"table": {"a": "Other"}}, TABLE, "no table with the columns Other"),
        ({"form": {"a": "a"}}, "<table>" + "<tr><td>x" * 100_000, "over 50000 cells"),
        ({"regex": "(?s)(?P<a>.*)"}, "x" * 20_000, "a has over 10000 characters"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_hostile_text_costs_little_and_says_what_is_wrong(act, options, body, reason):
    started = time.monotonic()
    with pytest.raises(Permanent, match=reason):
        extract(act, options, body, kind="text/html" if {"table", "form"} & options.keys() else "text/plain")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "line",
    [
        "x: a" + " " * 2_000_000 + "b",
        " " * 2_000_000 + "a",
        "> " * 1_000_000,
        "a" * 2_000_000,
        "a b " * 500_000 + ": c",
    ],
    ids=["spaces within", "spaces before", "quotations", "a word", "words"],
)
def test_a_line_without_end_takes_linear_time(act, line):
    started = time.monotonic()
    found = extract(act, {"lines": {"n": "number", "x": "y"}}, f"{line}\nnumber: 7\n")

    assert found == {"n": "7"}
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "line", ["Order No: 7", "order  no = 7", "Order no\t7", "Order no\t: 7", "> - order no.: 7", "* ORDER NO.:\t7  "]
)
def test_a_line_is_found_in_any_case_and_spacing(act, line):
    wanted = {"lines": {"n": "Order no"}} if "." not in line else {"lines": {"n": "Order no."}}

    assert extract(act, wanted, f"Order number: 8\n{line}\nOrder no: 9\n") == {"n": "7"}


def test_a_huge_attachment_is_not_read_to_its_end(act):
    with pytest.raises(Permanent, match="the attachment has over 10 MB"):
        extract(act, {"attachment": "*", "csv": {"a": "a"}}, attachment=b"a\n" + b"1\n" * 50_000_000)


def test_an_attachment_that_is_not_there_parks_the_message(act):
    with pytest.raises(Permanent, match=r"no attachment fits \*\.xml"):
        extract(act, {"attachment": "*.xml", "xml": {"a": "a"}}, attachment="a")


def test_a_pattern_without_end_takes_linear_time(act):
    assert extract(act, {"regex": r"^(?P<a>(a+)+)$"}, "a" * 5_000 + "!") == {}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "say where fields stand"),
        ({"regex": "(?P<a>"}, r"not an RE2 pattern: missing \): \(\?P<a>"),
        ({"regex": r"(?P<a>x)(?=y)"}, "not an RE2 pattern"),
        ({"regex": ["(?P<a>x)", "x"]}, r"no named group.*regex\[1\]"),
        ({"json": {"a": "a..b"}}, "not a path"),
        ({"xml": {"a": "a["}}, "not a path"),
        ({"lines": {"a": "A"}, "required": ["b"]}, "nothing gives the field 'b'; there are a"),
        ({"lines": {"a": "A"}, "types": {"b": "date"}}, "nothing gives the field 'b'"),
        ({"lines": {"a": "A"}, "rows": "all"}, "rows are those of"),
        ({"lines": {"a": "A"}, "types": {"a": "money"}}, "money"),
    ],
)
def test_what_can_never_find_anything_is_refused_before_any_run(tmp_path, options, reason):
    with pytest.raises(OptionsError, match=reason):
        build_options(EXTRACT.options, options, root=tmp_path)


def test_what_was_found_is_told_and_is_json(act):
    found = act(EXTRACT, {"lines": {"n": "Order no.", "total": "Total"}, "types": {"total": "amount"}}, raw=mail(ORDER))

    assert found["done"] == "extract n='4711', total={'amount': '1234.50', 'currency': 'EUR'}"
    assert json.loads(json.dumps(found)) == found
