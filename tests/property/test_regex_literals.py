"""The law of reading a pattern: wherever it matches, the literals of one of its alternatives are there."""

import re2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mailrules.core.regex import by_line, literals, readable

PIECES = [
    *("a", "b", "k", "s", "ab", "ks", "ß", "\u017f", "-", " ", "]", "[a", "{", "}"),
    *("{2}", "{0,1}", "{1,}", "{,2}", "*", "+", "?", "*?", "|", ".", "^", "$"),
    *("(", ")", "(?:", "(?P<n>", "(?i)", "(?i:", "(?-i)", "(?s)", "(?U)"),
    *("[ab]", "[^a]", "[]a]", "[[:alpha:]]", r"[\]a]", r"\.", r"\\", r"\*", r"\(", r"\|", r"\n", r"\Q", r"\E"),
    *(r"\b", r"\d", r"\A", r"\z", r"\x61", r"\x{62}", r"\141", r"\pL", r"\p{Greek}"),
]

patterns = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
texts = st.text(st.sampled_from("abAkK\u212as\u017fßẞ{}2,.*\\(|] \n1"), max_size=8)


def compiled(source):
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(source, options)
    except re2.error:
        return None


@settings(deadline=None, max_examples=300)
@given(patterns, st.lists(texts, min_size=1, max_size=8))
def test_a_match_holds_the_literals_of_an_alternative(source, tried):
    pattern = compiled(source)
    assume(pattern is not None and readable(pattern))

    for text in [*tried, source, source.replace("\\", "")]:
        if pattern.search(text):
            folded = text.casefold()
            assert any(all(each.casefold() in folded for each in branch) for branch in literals(source))


@settings(deadline=None, max_examples=300)
@given(patterns, st.lists(texts, min_size=1, max_size=4))
def test_a_pattern_by_line_finds_what_it_finds_in_each_text(source, tried):
    pattern = compiled(source)
    assume(pattern is not None and readable(pattern))
    line = by_line(pattern)
    assume(line is not None)
    joined = compiled(line)

    if any(pattern.search(text) for text in tried):
        assert joined.search("\n".join(tried))
