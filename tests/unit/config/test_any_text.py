"""Loading never raises, whatever stands in the files: cases of known files with pieces of them replaced by junk."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.diagnostics.cases import all_cases, find

from mailrules.config.diagnostic import WORDS
from mailrules.config.report import render

CASES = [case for _, case in all_cases() if "encoding" not in case]
PIECE = re.compile(r"[^\s:,\[\]{}]+|\[[^\[\]]*\]|\{[^{}]*\}|\n")
JUNK = st.sampled_from([
    *("null", "true", "5", "-1", "1.5", "99999999999999999999", "2026-01-01", "5s", "''", "[]", "{}", "[[]]", "[{}]"),
    *("[null]", "{a: b}", "{null: 1}", "{from: null}", "[1, x]", "*", "&a", "*a", "!!x y", "|", "? a", ": ", "- "),
    *("<<", "'", '"', "{{", "(", "(?=x)", "\\", "*.pdf", "%", "#", "\t", "\n", "\x00", "\u2028", "é", ""),
]) | st.text(max_size=8)  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 999), JUNK), min_size=1, max_size=4)


def edited(text, edits):
    for position, junk in edits:
        pieces = list(PIECE.finditer(text))
        if pieces:
            begin, end = pieces[position % len(pieces)].span()
            text = text[:begin] + junk + text[end:]
    return text


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(CASES), st.integers(0, 9), EDITS)
def test_whatever_is_written_gets_findings_with_places(case, which, edits):
    files = dict(case.get("files") or {"rules.yaml": case["rules"]})
    name = sorted(files)[which % len(files)]
    files[name] = edited(files[name], edits)

    with TemporaryDirectory() as folder:
        _, found = find({**case, "files": files}, Path(folder))

    assert {each.word for each in found} <= set(WORDS)
    assert all(each.span.file for each in found)
    assert render(found).count("\n") >= len(found)
