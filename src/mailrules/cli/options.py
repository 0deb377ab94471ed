"""The options of a plugin as rows for people, read from its type and its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mailrules.api import Duration, Size, options_schema

Schema = Mapping[str, Any]


def option_rows(kind: type[Any]) -> Iterator[tuple[str, str, str, str]]:
    """(name, kind of value, default or `required`, description) of each option of an options type."""
    schema, unsaid = options_schema(kind), _unsaid(kind)
    definitions = schema.get("$defs", {})
    shape = _object(schema, definitions)
    if shape is None:
        yield "(anything)", _kind(schema, definitions), "", schema.get("description", "")
        return
    required = shape.get("required", ())
    for name, option in shape.get("properties", {}).items():
        default = "required" if name in required else _default(option) or unsaid.get(name, "")
        yield name, _kind(option, definitions), default, _description(option, definitions)


def _unsaid(kind: type[Any]) -> dict[str, str]:
    """Defaults that are no JSON: spans of time and sizes, as one would write them."""
    said: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        default = field.default
        if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if isinstance(default, Duration):
            said[field.encode_name] = str(default)
        elif isinstance(default, Size):
            said[field.encode_name] = str(default.octets)
    return said


def _object(schema: Schema, definitions: Mapping[str, Schema]) -> Schema | None:
    """The mapping among what is allowed: the schema itself, what it refers to, or one of its alternatives."""
    schema = _resolved(schema, definitions)
    if "properties" in schema:
        return schema
    found = (_object(each, definitions) for each in schema.get("anyOf", ()))
    return next((each for each in found if each is not None), None)


def _resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref", "")
    return definitions.get(reference.rpartition("/")[2], schema) if reference else schema


def _default(option: Schema) -> str:
    if "default" not in option:
        return ""
    default = option["default"]
    if isinstance(default, str):
        return default
    return "" if default in (None, [], {}) else json.dumps(default, ensure_ascii=False)


def _description(option: Schema, definitions: Mapping[str, Schema]) -> str:
    described = option.get("description") or _resolved(option, definitions).get("description", "")
    return str(described)


def _kind(option: Schema, definitions: Mapping[str, Schema]) -> str:
    """What may be written there, in a word or two."""
    option = _resolved(option, definitions)
    if "enum" in option:
        return " | ".join(str(value) for value in option["enum"])
    if "anyOf" in option:
        kinds = (_kind(each, definitions) for each in option["anyOf"])
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null"))
    kind = option.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(option.get('items', {}), definitions)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
