"""The pytest plugin: each case of a `*.test.yaml` is a test, where that is asked for."""

import pytest

pytest_plugins = ("pytester",)

RULES = "version: 1\nrules: [{name: hello, match: {subject: hello}, code: keep, keep: {move: Greetings}}]\n"
CASES = """\
cases:
  - {name: a greeting is filed, mail: {subject: Hello}, expect: {rule: hello, keep: {move: Greetings}}}
  - {name: it expects too much, mail: {subject: Good bye}, expect: {rule: hello, code: keep}}
"""


@pytest.fixture
def project(pytester):
    """A folder with rules and cases, one of which fails."""
    pytester.makefile(".yaml", hello=RULES)
    pytester.path.joinpath("hello.test.yaml").write_text(CASES)
    return pytester


def test_nothing_is_collected_unless_it_is_asked_for(project):
    assert project.runpytest_inprocess("-q").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_each_case_is_a_test_and_a_failing_one_shows_the_difference(project):
    project.makeini("[pytest]\nmailrules_cases = true\n")

    done = project.runpytest_inprocess("-q", "-p", "no:randomly")

    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            "*hello.test.yaml:3:5: it expects too much",
            "*-rule: hello",
            "*+rule: null",
            "*rule 'hello' does not match: 'subject contains hello' says no (saw Good bye)",
        ]
    )


def test_a_case_is_chosen_by_its_name(project):
    project.makeini("[pytest]\nmailrules_cases = true\n")

    project.runpytest_inprocess("-q", "-k", "greeting").assert_outcomes(passed=1, deselected=1)


def test_mistakes_in_the_files_fail_with_their_place(project):
    project.makeini("[pytest]\nmailrules_cases = true\n")
    project.makefile(".yaml", hello=RULES.replace("subject", "subjekt"))

    done = project.runpytest_inprocess("-q")

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["hello.yaml:2:*error*unknown-field*"])
