from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrules.builtin.action.file_name import LONGEST, safe_name, safe_path


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("invoice 42.pdf", "invoice 42.pdf"),
        ("Rechnung März.pdf", "Rechnung März.pdf"),
        ("a\u0308.txt", "ä.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        (r"C:\Users\jo\a.pdf", "a.pdf"),
        (r"..\..\a.pdf", "a.pdf"),
        ("..", "default"),
        (".", "default"),
        (".bashrc", "bashrc"),
        ("...", "default"),
        ("", "default"),
        ("   ", "default"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("gpj\u202eexe.txt", "gpjexe.txt"),
        ("a:b*c?.txt", "a_b_c_.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.txt", "console.txt"),
        ("a. ", "a"),
        ("folder/", "folder"),
    ],
)
def test_a_name_from_a_mail_becomes_safe(given_name, safe):
    assert safe_name(given_name, "default") == safe


def test_a_long_name_keeps_its_suffix_and_whole_characters():
    name = safe_name("ä" * 300 + ".pdf", "default")

    assert name.endswith("ä.pdf")
    assert len(name.encode()) <= LONGEST


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("invoices/2026", "invoices/2026"),
        ("a//b/", "a/b"),
        ("../../up/./x", "up/x"),
        ("/srv/x", "srv/x"),
        ("a/../../b", "a/b"),
        ("", ""),
    ],
)
def test_a_path_leads_only_downwards(path, safe):
    assert safe_path(path) == safe


@given(st.text())
def test_any_text_gives_one_component_that_every_system_takes(text):
    name = safe_name(text, "default")

    assert name
    assert not set('/\\:*?"<>|\0') & set(name)
    assert not name.startswith(".")
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= LONGEST + 1
    assert all(unicodedata.category(char)[0] != "C" for char in name)


@given(st.text())
def test_a_safe_name_is_its_own_safe_name(text):
    name = safe_name(text, "default")

    assert safe_name(name, "default") == name
