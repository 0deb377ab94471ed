"""The documentation is true: every example on a page is executed, every link leads somewhere."""

import importlib.util
import os
import time

import msgspec
import pytest
from tests.meta.execute import Execution, conditions
from tests.meta.pages import PAGES, REPOSITORY, blocks, broken_links, crowded_lines

import mailrules.api
from mailrules.config.fields import FIELDS, PROPERTIES
from mailrules.config.spec import (
    AccountSpec,
    ActiveSpec,
    AttachmentSpec,
    CaseSpec,
    ExpectSpec,
    ExpirySpec,
    KeepSpec,
    ListenerSpec,
    MailrulesFile,
    MailSpec,
    OutcomeSpec,
    RulesFile,
    RuleSpec,
    ScheduleSpec,
    TestsFile,
    TrustSpec,
)
from mailrules.model.condition import Operator, Test
from mailrules.model.message import Message

DOCS = REPOSITORY / "docs"
ADR = REPOSITORY / "docs" / "adr"
EXECUTED = [page for page in PAGES if any(blocks(page)) and page.parent != ADR]


spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


def text_of(name):
    return (DOCS / name).read_text(encoding="utf-8")


def keys_of(*kinds):
    """The keys that an admin may write."""
    return {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}


def named(page):
    return str(page.relative_to(REPOSITORY))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """An empty folder, in a world where nothing depends on who runs the tests."""
    for name in [name for name in os.environ if name.startswith("MAILRULES_")]:
        if name != "MAILRULES_UPDATE_DOCS":
            monkeypatch.delenv(name)
    usual = {"MAILRULES_PLUGINS": "", "TZ": "UTC", "NO_COLOR": "1", "COLUMNS": "100", "HOME": str(tmp_path)}
    for name, value in usual.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    folder = tmp_path / "mail"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize("page", EXECUTED, ids=named)
def test_every_example_of_a_page_does_what_the_page_says(page):
    Execution(page).run()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files_and_headings_that_are_there(page):
    assert not list(broken_links(page))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_line_holds_one_sentence(page):
    assert not list(crowded_lines(page))


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_generated_page_says_what_the_program_says(name, monkeypatch):
    monkeypatch.setenv("MAILRULES_PLUGINS", "")

    fresh = generate.PAGES[name]()

    assert (DOCS / name).read_text(encoding="utf-8") == fresh, "stale: run python docs/generate.py"


def words_of(condition):
    """Field and operator words of a condition, down to an attachment's properties."""
    if not isinstance(condition, Test):
        return {word for part in condition.conditions for word in words_of(part)}
    said = {f"{condition.field}", *(name for name in ("exists", "occurrence") if getattr(condition, name) is not None)}
    said |= {name for name in ("case_sensitive", "timezone", "count") if getattr(condition, name)}
    inner = (nested for operator in condition.operators for nested in operator.operands if isinstance(nested, Operator))
    return said | {operator.name for operator in (*condition.operators, *inner, *condition.count)}


@pytest.fixture(scope="module")
def shown_words():
    """What conditions in the rule reference use, of those that are put to mails."""
    page = DOCS / "rules.md"
    return {word for condition in conditions(page) for word in words_of(condition)}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_shown_on_mails(field, shown_words):
    assert field in shown_words


KINDS = [*FIELDS.values(), *PROPERTIES.values()]
OPERATORS = sorted({word for kind in KINDS for word in (*kind.operators, *kind.modifiers)})


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_shown_on_mails(operator, shown_words):
    assert operator in shown_words


@pytest.mark.parametrize("value", sorted({value for kind in KINDS for value in kind.values}))
def test_every_word_that_a_field_knows_is_in_the_rule_reference(value):
    assert f"`{value}`" in text_of("rules.md")


@pytest.mark.parametrize("key", sorted(keys_of(RuleSpec, KeepSpec, ActiveSpec, OutcomeSpec, RulesFile)))
def test_every_key_of_a_rules_file_is_in_the_rule_reference(key):
    assert f"`{key}`" in text_of("rules.md")


@pytest.mark.parametrize("key", sorted(keys_of(TestsFile, CaseSpec, MailSpec, AttachmentSpec, ExpectSpec)))
def test_every_key_of_a_test_file_is_in_its_section_of_the_rule_reference(key):
    assert f"`{key}`" in text_of("rules.md").partition("## Test cases")[2]


@pytest.mark.parametrize("key", sorted(keys_of(MailrulesFile, AccountSpec, ListenerSpec, ScheduleSpec, TrustSpec)))
def test_every_key_of_mailrules_yaml_is_in_the_configuration(key):
    assert f"`{key}`" in text_of("configuration.md")


@pytest.mark.parametrize("key", sorted(keys_of(ExpirySpec)))
def test_every_key_of_an_expiry_is_in_its_section_of_the_configuration(key):
    assert f"`{key}`" in text_of("configuration.md").partition("### Expiries")[2].partition("## Flows")[0]


@pytest.mark.parametrize("attribute", sorted(name for name in vars(Message) if not name.startswith("_")))
def test_every_attribute_of_a_message_is_in_the_plugin_guide(attribute):
    table = text_of("plugin-guide.md").partition("## What a message offers")[2]

    assert f"`{attribute}`" in table or f"`{attribute}(name)`" in table or f"`{attribute}()`" in table


@pytest.mark.parametrize("name", [name for name in vars(mailrules.api)["__all__"] if name[0].isupper()])
def test_everything_that_a_plugin_may_import_is_named_in_the_plugin_guide(name):
    assert name in text_of("plugin-guide.md")
