"""What is read off a pattern without running it."""

import pytest
import re2

from mailrules.core.regex import by_line, literals, readable, tame

JOINED = {
    "as it stands": ("abc", "(?m)abc"),
    "anchors of the text": (r"\Aab\z", "(?m)^ab$"),
    "an escaped backslash": (r"\\A", r"(?m)\\A"),
    "flags of its own": ("(?i)ab", "(?m)(?i)ab"),
    "a flag group that unsets m": ("a(?i-m:b)", None),
    "a flag group that unsets another": ("a(?-s:b)", "(?m)a(?-s:b)"),
}


@pytest.mark.parametrize(("pattern", "expected"), JOINED.values(), ids=JOINED)
def test_a_pattern_for_texts_joined_by_newlines(pattern, expected):
    assert expected == by_line(re2.compile(pattern))


def _compiled(pattern, **given):
    options = re2.Options()
    for name, value in given.items():
        setattr(options, name, value)
    return re2.compile(pattern, options)


def test_options_of_a_pattern_become_flags():
    assert by_line(_compiled("a.b", case_sensitive=False, dot_nl=True)) == "(?mis)a.b"


READABLE = {
    "ordinary": (_compiled("ab"), True),
    "an escaped backslash before Q": (_compiled(r"a\\Qb"), True),
    "a quotation": (_compiled(r"a\Qb"), False),
    "POSIX syntax": (_compiled("ab", posix_syntax=True), False),
    "a literal": (_compiled("a.b", literal=True), False),
    "octets": (_compiled(b"ab"), False),
}


@pytest.mark.parametrize(("pattern", "expected"), READABLE.values(), ids=READABLE)
def test_a_pattern_is_readable(pattern, expected):
    assert expected is readable(pattern)


NEEDED = {
    "ab": [["ab"]],
    "a": [[]],
    "(?i)Invoice #[0-9]+ of": [["Invoice #", " of"]],
    "ab*cd": [["cd"]],
    "abc?de": [["ab", "de"]],
    "abc+de": [["abc", "de"]],
    "abc{2}de": [["ab", "de"]],
    "abc{0,}de": [["ab", "de"]],
    "ab{x}cd": [["ab", "x}cd"]],
    "abc*?de": [["ab", "de"]],
    "ab(cd|ef)gh": [["ab", "gh"]],
    "ab(?P<name>cd)?gh": [["ab", "gh"]],
    "(ab|cd)": [[]],
    "ab|cd": [["ab"], ["cd"]],
    "ab|.": [["ab"], []],
    "ab|": [["ab"], []],
    r"a\.b\[c\]": [["a.b[c]"]],
    r"ab\*cd": [["ab*cd"]],
    r"ab\bcd\d+ef": [["ab", "cd", "ef"]],
    r"ab\x41cd\x{42}ef\103gh": [["ab", "cd", "ef", "gh"]],
    r"ab\pLcd\p{Greek}ef\PNgh": [["ab", "cd", "ef", "gh"]],
    "ab[cd]ef[^]gh]ij[[:alpha:]]kl": [["ab", "ef", "ij", "kl"]],
    r"ab[\]cd]ef": [["ab", "ef"]],
    "^ab.cd$": [["ab", "cd"]],
    r"\Aab\z": [["ab"]],
    "ä(?:bc)ÖÜ": [["ÖÜ"]],
}


@pytest.mark.parametrize(("pattern", "expected"), NEEDED.items(), ids=NEEDED)
def test_literals_that_a_pattern_cannot_do_without(pattern, expected):
    re2.compile(pattern)

    assert expected == literals(pattern)


TAME = {
    "abc": True,
    "a?b{2}c{1,3}": True,
    r"a\d+b\s*c[0-9]{3,}": True,
    "ab+c": True,
    "a.*b": False,
    r"a\w+b": False,
    "a[a-z]*b": False,
    "(ab)+": False,
    ".{3,}": False,
    r"a\.*": True,
}


@pytest.mark.parametrize(("pattern", "expected"), TAME.items(), ids=TAME)
def test_a_pattern_is_tame(pattern, expected):
    assert expected is tame(pattern)
