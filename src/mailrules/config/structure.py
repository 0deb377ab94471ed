"""From plain values to structs: fast when all is well, and with every mistake named when it is not."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from mailrules.config.document import Node, Place
from mailrules.config.findings import Findings
from mailrules.config.nearest import suggestion

T = TypeVar("T")

_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')

_COMMENT = re.compile(r"[ ]*:[ ]+(#\w[^\s,}\]]*)")
"""What looks like a value behind a key, and is none to YAML."""
_EMPTY = "give it a value, or leave the key out"

KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def kind_of(value: object) -> str:
    """What a value is, for people: `a list`."""
    if isinstance(value, bool):
        return str(value).lower()
    names = {dict: "object", list: "array", str: "string", int: "integer", float: "number"}
    return KINDS[names.get(type(value), "null")]


def fit(node: Node, kind: type[T], findings: Findings, *, owner: str) -> T | None:
    """The value as a *kind*; None when it does not fit, and *findings* says all that is wrong.

    `owner` names the thing for messages: `rule 'acme invoices'`.
    """
    try:
        return msgspec.convert(node.value, kind)
    except msgspec.ValidationError as error:
        shape: Any = kind
        if not explain(node, _validator(shape), findings, owner=owner):
            findings.add(node.label, "wrong-type", f"{owner}: {error}")
        return None


@lru_cache(maxsize=64)
def _validator(kind: Hashable) -> Any:
    return validator(_schema(kind))


def validator(schema: Mapping[str, Any]) -> Any:
    """What checks values by a JSON Schema."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema)


def _schema(kind: Hashable) -> dict[str, Any]:
    """The schema of one struct; what it refers to outside of itself is looked at by somebody else."""
    _, definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    referred = set(_REFERENCE.findall(msgspec.json.encode(definitions).decode()))
    foreign = dict.fromkeys(sorted(referred - definitions.keys()), True)
    name = getattr(kind, "__name__", "")
    return {"$ref": f"#/$defs/{name}", "$defs": foreign | definitions}


def explain(node: Node, checker: Any, findings: Findings, *, owner: str) -> bool:
    """Tell of everything in which *node* departs from the schema of *checker*; whether there was anything."""
    before = len(findings)
    for error in checker.iter_errors(node.value):
        for leaf in _leaves(error):
            _tell(node, leaf, findings, owner)
    return len(findings) > before


def _leaves(error: Any) -> Iterable[Any]:
    """Errors that say something: of alternatives, those of the branch that the value's type points at."""
    if error.validator not in ("anyOf", "oneOf"):
        return [error]
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    right_type = [inner for inner in branches.values() if not any(_is_type_error(e, error) for e in inner)]
    if len(right_type) != 1:
        return [error]
    return [leaf for inner in right_type[0] for leaf in _leaves(inner)]


def _is_type_error(inner: Any, outer: Any) -> bool:
    """Whether the branch was meant for another type of value; a list of words takes none but words."""
    if len(inner.absolute_path) != len(outer.absolute_path):
        return False
    words_only = inner.validator == "enum" and all(type(a) is not type(inner.instance) for a in inner.validator_value)
    nested = inner.validator == "anyOf" and all(_is_type_error(deep, inner) for deep in inner.context)
    return inner.validator == "type" or words_only or nested


def _tell(root: Node, error: Any, findings: Findings, owner: str) -> None:
    node = root
    path: deque[Any] = error.absolute_path
    for step in path:
        node = node[step]
    tell = _TELL.get(error.validator, _tell_limit)
    tell(
        node, error, findings, " of ".join([*(f"'{step}'" for step in reversed(path) if isinstance(step, str)), owner])
    )


def _tell_unknown(node: Node, error: Any, findings: Findings, owner: str) -> None:
    known = error.schema.get("properties", {})
    for key in node.value:
        if key not in known:
            word = re.split(r"[\s{\[]", key)[0]
            help_ = f"did you mean '{word}:'?" if word in known else suggestion(key, known, what="keys")
            findings.add(node[key].label, "unknown-key", f"{owner} has no key '{key}'", help_)


def _tell_missing(node: Node, error: Any, findings: Findings, owner: str) -> None:
    for key in error.validator_value:
        if key not in node.value:
            description = error.schema.get("properties", {}).get(key, {}).get("description", "")
            help_ = f"add '{key}:'" + (f" ({description.rstrip('.')})" if description else "")
            findings.add(node.label, "missing-key", f"{owner} needs '{key}'", help_)


def _tell_type(node: Node, error: Any, findings: Findings, owner: str) -> None:
    wanted = error.validator_value
    form = _examples(error.schema) or _only_key(node.value, error.schema)
    wrong_type(node, [wanted] if isinstance(wanted, str) else list(wanted), findings, owner, form)


def _only_key(value: object, schema: Mapping[str, Any]) -> str:
    """Where the text belongs, in a mapping that needs one key alone."""
    required = schema.get("required", ())
    return f"write {{{required[0]}: {value}}}" if isinstance(value, str) and len(required) == 1 else ""


def _examples(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples", ())
    return f"write it like this: {', '.join(str(example) for example in examples)}" if examples else ""


def wrong_type(node: Node, wanted: Iterable[str], findings: Findings, owner: str, form: str = "") -> None:
    """A value of another kind than the JSON types in *wanted*; `form` says how such a text is written."""
    words = list(dict.fromkeys(KINDS[name] for name in wanted))
    expected = " or ".join(words)
    if node.value is None:
        comment = _COMMENT.match(node.source.text, node.label.end)
        empty = f"quote it: '{comment[1]}' after a space is a comment" if comment else _EMPTY
        findings.add(node.label, "wrong-type", f"{owner} is empty; it takes {expected}", empty)
        return
    findings.add(
        _value_place(node),
        "wrong-type",
        f"{owner} is {kind_of(node.value)}; it takes {expected}",
        form or _known_cure(node.value, owner) or _cure(node.value, words),
    )


def _known_cure(value: object, owner: str) -> str:
    """What was meant by the commonest slips of kind."""
    key = owner.partition("'")[2].partition("'")[0] if owner.startswith("'") else ""
    if isinstance(value, str) and key == "max_emails":
        return "write a number: 5, or -1 for all"
    if isinstance(value, str):
        forms = {"schedule": "write schedule: {every: %s}", "keep": "write keep: {move: %s}"}
        run = "write [program, argument]: there is no shell that would take the text apart"
        return run if owner.endswith("action 'command'") else forms[key] % value if key in forms else ""
    if isinstance(value, dict) and key in ("actions", "any", "all", "none", "rules"):
        return "start each with '- '"
    if isinstance(value, list) and owner == "a condition":
        return "write match: {any: [...]} where one of them will do, match: {all: [...]} where each must hold"
    if isinstance(value, list) and owner == "the rules file":
        return "write 'version: 1' and 'rules:' above the list"
    return ""


def _cure(value: object, words: list[str]) -> str:
    if "text" in words and isinstance(value, int | float):
        return "quote it to make it text"
    if "true or false" in words and str(value).lower() in ("yes", "no", "on", "off", "true", "false"):
        return "write true or false, without quotes: YAML 1.2 knows no others"
    return ""


def _value_place(node: Node) -> Place:
    """The value of a scalar; of a list or mapping its key, which is what a person looks for."""
    return node.label if isinstance(node.value, dict | list) else node.place


def _tell_choice(node: Node, error: Any, findings: Findings, owner: str) -> None:
    allowed = [str(value) for value in error.validator_value]
    not_allowed(node, allowed, findings, owner)


def not_allowed(node: Node, allowed: Iterable[str], findings: Findings, owner: str) -> None:
    """A value that is none of the words *allowed*."""
    quoted = isinstance(node.value, str) and node.value in allowed
    help_ = f"write {node.value} without quotes" if quoted else suggestion(node.value, allowed, what="allowed")
    if node.value is None:
        findings.add(node.label, "wrong-type", f"{owner} is empty", help_)
        return
    shown = node.place.text if not isinstance(node.value, dict | list) else kind_of(node.value)
    findings.add(_value_place(node), "not-allowed-value", f"{owner} cannot be {shown}", help_)


def _tell_alternatives(node: Node, error: Any, findings: Findings, owner: str) -> None:
    """No branch of an anyOf fits by its type: say which types and words would."""
    types: list[str] = []
    words: list[str] = []
    for branch in _branches(error.schema["anyOf"], error):
        words += [str(word) for word in branch.get("enum", ())]
        found = branch.get("type", "object" if "$ref" in branch else [])
        types += [found] if isinstance(found, str) else found
    if words and not isinstance(node.value, dict | list | bool) and node.value is not None:
        not_allowed(node, words, findings, owner)
    else:
        wrong_type(node, types or ["string"], findings, owner)


def _branches(branches: Iterable[dict[str, Any]], error: Any) -> Iterable[dict[str, Any]]:
    for branch in branches:
        if "anyOf" in branch:
            yield from _branches(branch["anyOf"], error)
        else:
            yield branch


def _tell_limit(node: Node, error: Any, findings: Findings, owner: str) -> None:
    limit = error.validator_value
    if error.validator == "pattern" and (help_ := _examples(error.schema)):
        findings.add(node.place, "not-allowed-value", f"{owner} cannot be {node.place.text}", help_)
        return
    sentences = {
        "minimum": f"must be {limit} or more",
        "maximum": f"must be {limit} or less",
        "exclusiveMinimum": f"must be more than {limit}",
        "exclusiveMaximum": f"must be less than {limit}",
        "minLength": "must not be empty",
        "minItems": f"must have {limit} or more items",
        "maxItems": f"must have {limit} or fewer items",
        "minProperties": f"must have {limit} or more keys",
        "maxProperties": f"must have {limit} or fewer keys",
        "pattern": f"must match {limit}",
    }
    sentence = sentences.get(error.validator, f"breaks the limit '{error.validator}'")
    findings.add(_value_place(node), "not-allowed-value", f"{owner} {sentence}")


_TELL: Mapping[str, Callable[[Node, Any, Findings, str], None]] = {
    "additionalProperties": _tell_unknown,
    "required": _tell_missing,
    "type": _tell_type,
    "enum": _tell_choice,
    "const": _tell_limit,
    "anyOf": _tell_alternatives,
}
