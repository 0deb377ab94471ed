"""The schemas that editors use say the same as `check` does, as far as a schema can."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator
from tests.diagnostics.cases import all_cases, find
from tests.diagnostics.plugins import REGISTRY

from mailrules.config.files import parse
from mailrules.config.findings import Findings
from mailrules.config.schema import schemas

SCHEMAS = schemas(REGISTRY)
SHAPE = frozenset({
    "unknown-key", "missing-key", "wrong-type", "not-one-key", "unknown-field", "unknown-operator", "unknown-action",
    "unknown-protocol", "unknown-auth",
})  # fmt: skip
"""Words of mistakes that every schema sees."""


def documents():
    for file, case in all_cases():
        for name, text in (case.get("files") or {"rules.yaml": case["rules"]}).items():
            if name.endswith(".yaml") and case.get("encoding") is None:
                yield pytest.param(case, name, text, id=f"{file}: {case['name']}: {name}")


def kind_of(name):
    return "tests" if name.endswith(".test.yaml") else "mailrules" if name == "mailrules.yaml" else "rules"


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_a_schema(kind):
    Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize(("case", "name", "text"), list(documents()))
def test_a_schema_agrees_with_check(case, name, text, tmp_path):
    node = parse(text, name, Findings())
    words = {each.word for each in find(case, tmp_path)[1] if each.span.file == name}
    if node is None or words & {"yaml-tag", "merge-key", "key-not-text", "duplicate-key"}:
        return
    wrong = [error.message for error in Draft202012Validator(SCHEMAS[kind_of(name)]).iter_errors(node.value)]

    if not words:
        assert not wrong
    if words & SHAPE:
        assert wrong
