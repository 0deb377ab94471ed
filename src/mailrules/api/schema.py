"""The JSON Schema of an options type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mailrules.api.files import WorkspaceFile
from mailrules.api.options import Duration, Secret, Size
from mailrules.api.python_file import PythonFile
from mailrules.api.template import HtmlTemplate, Template, Templates

_SCHEMAS: Mapping[type[Any], dict[str, Any]] = {
    Secret: {"type": "string", "description": "env:NAME, file:PATH or keyring:SERVICE/USER; a literal works, warned."},
    Template: {"type": "string", "description": "Text; {{ ... }} is filled in from the message."},
    HtmlTemplate: {"type": "string", "description": "HTML; {{ ... }} is filled in from the message, escaped."},
    WorkspaceFile: {"type": "string", "description": "A path from the workspace's folder; {{ ... }} is filled in."},
    Templates: {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "One text or a list; {{ ... }} is filled in from the message.",
    },
    PythonFile: {"type": "string", "description": "A Python file, from the workspace's folder.", "minLength": 1},
    Duration: {
        "type": "string",
        "description": "A number with a unit: 5s, 90m, 1h 30m, 14d, 2w.",
        "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*([mM][sS]|[sS]|[sS][eE][cC]|[mM]|[mM][iI][nN]|[hH]|[dD]|[wW])\s*)+$",
        "examples": ["5s", "90m", "14d"],
    },
    Size: {
        "type": ["string", "integer"],
        "description": "Octets, or with a unit: 500KB, 10MB, 10MiB.",
        "pattern": r"^[0-9]+(\.[0-9]+)?\s*[kKmMgG]?i?[bB]?$",
        "minimum": 0,
        "examples": [4096, "500KB", "10MB"],
    },
}


def options_schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an options type, for editors, `check` and the docs, with `$defs`."""
    schema = msgspec.json.schema(_plain(kind), schema_hook=lambda t: dict(_SCHEMAS[t]))
    inline, shorthand = getattr(kind, "inline", None), getattr(kind, "shorthand", None)
    if not (inline or shorthand):
        return schema
    definitions = schema.pop("$defs")
    name = schema["$ref"].rpartition("/")[2]
    bare = definitions[name]["properties"][inline or shorthand]
    if inline:
        return {**bare, "$defs": definitions}
    return {"anyOf": [bare, schema], "$defs": definitions}


def _plain(kind: type[Any]) -> type[Any]:
    """The same type without the defaults that JSON cannot say: msgspec's schema would fail on a `Duration`."""
    if not any(type(field.default) in _SCHEMAS for field in msgspec.structs.fields(kind)):
        return kind
    fields: list[Any] = []
    for field in msgspec.structs.fields(kind):
        if field.required:
            fields.append((field.name, field.type))
        elif field.default is not msgspec.NODEFAULT and type(field.default) not in _SCHEMAS:
            fields.append((field.name, field.type, field.default))
        else:
            factory = object if field.default is not msgspec.NODEFAULT else field.default_factory
            fields.append((field.name, field.type, msgspec.field(default_factory=factory)))
    renamed = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    return msgspec.defstruct(
        kind.__name__,
        fields,
        namespace={"__doc__": kind.__doc__},
        rename=renamed,
        forbid_unknown_fields=True,
        kw_only=True,
    )
