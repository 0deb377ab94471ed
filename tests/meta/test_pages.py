"""What the pages are tested with finds what is wrong in a page."""

import pytest
from tests.meta.execute import Execution
from tests.meta.pages import anchors, broken_links, crowded_lines
from tests.meta.shell import agrees

WRONG = {
    "output": ("```console\n$ mailrules --version\nmailrules of old\n```", "this is what happens"),
    "exit code": ("```console\n$ mailrules check\n...\n```", "ends with 2"),
    "no output told": ("```console\n$ mailrules --version\n```", "this is what happens"),
    "verdict": ("```yaml\nmatch: {subject: a}\nyes: {subject: b}\n```", "is no 'yes'"),
    "rules": ("```yaml\n- {name: a, match: {subjet: a}}\n```", "unknown-field"),
    "a mistake that is none": ("```yaml wrong\n- {name: a, match: {subject: a}}\n```", "shown as wrong"),
    "mailrules.yaml": ("```yaml\naccounts: {a: {recieve: {maildir: m}}}\n```", "unknown-key"),
    "python": ("```python\nassert 1 == 2\n```", ""),
    "interpreter": ("```pycon\n>>> 1 + 1\n3\n\n```", "Expected"),
    "shell": ("```sh\nif\n```", "syntax error"),
    "a kind that nobody executes": ("```perl\n1;\n```", "is not executed"),
    "an example of another file": ('```toml title="plugins/example/pyproject.toml"\nx = 1\n```', "says something else"),
    "a path out of the workspace": ('```text title="../x"\n```', "leaves the workspace"),
    "an end that is missing": ("```text\n", "never ends"),
}


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Writes a page, in a folder where it may be executed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILRULES_PLUGINS", "")
    monkeypatch.delenv("MAILRULES_UPDATE_DOCS", raising=False)
    path = tmp_path / "page.md"

    def write(text):
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", WRONG)
def test_a_page_that_is_wrong_fails(name, page):
    text, reason = WRONG[name]

    with pytest.raises(AssertionError) as told:
        Execution(page(text)).run()
    assert reason in str(told.value)


def test_a_page_that_is_right_passes(page):
    Execution(page("```console\n$ mailrules --version\nmailrules ...\n$ mailrules check\n...\n$ echo $?\n2\n```")).run()


@pytest.mark.parametrize(
    ("expected", "printed", "agree"),
    [
        (("a ... c",), "a b c\n", True),
        (("a", "...", "d"), "a\nb\nc\nd\n", True),
        (("a", "...", "d"), "a\nd\n", True),
        (("2026-01-01 10:00:00 a",), "2031-12-31 23:59:59 a\n", True),
        (("a",), "a   \n\n", True),
        (("a",), "a\nb\n", False),
        (("a", "b"), "b\na\n", False),
        ((), "a\n", False),
    ],
)
def test_what_is_printed_is_compared_line_by_line(expected, printed, agree):
    assert agrees(expected, printed) is agree


def test_a_link_to_nowhere_is_told(page):
    path = page("# One `two`\n[a](#one-two) [b](#three) [c](none.md) [d](https://example.com) `[e](code.md)`")

    assert list(broken_links(path)) == ["#three: no such heading", "none.md: no such file"]
    assert anchors(path) == {"one-two"}


def test_a_second_sentence_on_a_line_is_told(page):
    path = page("One.\nTwo. Three.\n1. Four.\n| a. | B. |\n```text\nFive. Six.\n```")

    assert [line.rpartition(": ")[2] for line in crowded_lines(path)] == ["Two. Three."]
