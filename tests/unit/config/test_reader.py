"""YAML as it is read: values, places, and what keeps it from being a burden."""

from __future__ import annotations

import pytest

from mailrules.config.files import parse
from mailrules.config.findings import Findings


def read(text):
    findings = Findings()
    node = parse(text, "a.yaml", findings)
    assert not findings.sorted()
    return node


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("null", None),
        ("~", None),
        ("", None),
        ("42", 42),
        ("-7", -7),
        ("007", 7),
        ("0o17", 15),
        ("0xff", 255),
        ("1_000", "1_000"),
        ("12345678901234567890", "12345678901234567890"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("'42'", "42"),
        ('"a\\tb"', "a\tb"),
        ("|\n    one\n    two", "one\ntwo\n"),
        ("a text: # and a comment".replace(":", ""), "a text"),
        ("https://example.com/?a=b", "https://example.com/?a=b"),
    ],
)
def test_a_value_by_the_core_schema_of_yaml_12(written, value):
    assert read(f"k: {written}\n").value == {"k": value}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{a: http://x.example/}", {"a": "http://x.example/"}),
        ("{a: env:NAME, b: 10:30}", {"a": "env:NAME", "b": "10:30"}),
        ("[what?, ?x, a?b]", ["what?", "?x", "a?b"]),
        ("[::1]", ["::1"]),
        ("{\"a\":1, 'b':2}", {"a": 1, "b": 2}),
        ("{a: 'x: y?', b: \"?:z\"}", {"a": "x: y?", "b": "?:z"}),
        ("{a:b: c}", {"a:b": "c"}),
    ],
)
def test_words_within_braces_as_yaml_12_has_them(written, value):
    assert read(f"k: {written}\n").value == {"k": value}


def test_text_that_holds_private_characters_stays_as_it_is():
    assert read("k: [\ue000, \ue001, a:b, c?]\n").value == {"k": ["\ue000", "\ue001", "a:b", "c?"]}


def test_every_value_knows_its_place():
    node = read("a:\n  - {b: 'c', d: [1, 22]}\n  - é: ü\n")

    places = [node["a"], node["a"][0]["b"], node["a"][0]["d"][1], node["a"][1]["é"]]
    assert [str(each.place.span) for each in places] == ["a.yaml:2:3", "a.yaml:2:9", "a.yaml:2:21", "a.yaml:3:8"]
    assert [str(each.span) for each in places] == ["a.yaml:1:1", "a.yaml:2:6", "a.yaml:2:21", "a.yaml:3:5"]
    assert [each.place.text for each in places[1:]] == ["'c'", "22", "ü"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_as_editors_do(end):
    node = read(end.join(["# a comment\x85still the same line", "a: 1", "b: 2"]))

    assert [node[key].span.line for key in "ab"] == [2, 3]


def test_a_byte_order_mark_moves_nothing():
    assert read("\ufeffa: 1").value == {"a": 1}
    assert str(read("\ufeffa: 1")["a"].span) == "a.yaml:1:1"


def test_an_alias_is_the_same_value_in_its_first_place():
    node = read("a: &x [1, 2]\nb: *x\n")

    assert node.value["b"] is node.value["a"]
    assert str(node["b"].span) == "a.yaml:2:1"
    assert str(node["b"][1].place.span) == "a.yaml:1:11"


def test_text_in_memory_that_is_no_unicode_is_told():
    findings = Findings()

    assert parse("a: \ud800", "a.yaml", findings) is None
    assert [each.word for each in findings.sorted()] == ["yaml-syntax"]
