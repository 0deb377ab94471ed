"""The JSON Schemas of the files an admin writes, composed from our structs, the table of fields and every plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mailrules.api import options_schema
from mailrules.config.fields import DOMAINS, FIELDS, JUNCTIONS, PARTED, PROPERTIES, RESULTS, FieldKind
from mailrules.config.presets import fillable
from mailrules.config.spec import (
    AccountSpec,
    CaseSpec,
    ListenerSpec,
    MailrulesFile,
    OutcomeSpec,
    RulesFile,
    RuleSpec,
    TestsFile,
)
from mailrules.config.step import StepSpec
from mailrules.model.rule import OnError
from mailrules.registry import Provided, Registry

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas(registry: Registry) -> dict[str, Schema]:
    """The schema of each kind of file, by the stem of its name: `mailrules`, `rules`, `tests`."""
    actions = _actions(registry)
    places = {
        "receive": _one_of(registry.receive, "receive", "a protocol"),
        "send": _one_of(registry.send, "send", "a protocol"),
        "auth": _one_of(registry.auth, "auth", "a way to log in"),
    }
    plugged: Schema = {name: place[0] for name, place in places.items()}
    for _, options in places.values():
        plugged |= options
    made = {
        "mailrules": _file(MailrulesFile, [AccountSpec, ListenerSpec], {**plugged, **actions}),
        "rules": _file(RulesFile, [RuleSpec, OutcomeSpec], {**actions, **_conditions()}),
        "tests": _file(TestsFile, [CaseSpec], {}),
    }
    made["mailrules"]["$defs"]["AccountSpec"]["anyOf"] = [{"required": [key]} for key in ("receive", "send", "preset")]
    _loosen(made["mailrules"]["$defs"])
    made["tests"]["$defs"]["CaseSpec"]["oneOf"] = [{"required": ["mail"]}, {"required": ["eml"]}]
    return made


def _loosen(definitions: Schema) -> None:
    """Let out what a preset fills; `check` misses it where the account's own preset does not."""
    for plugin, option in fillable():
        shape: Schema = definitions.get(plugin, {})
        shape = definitions.get(shape.get("$ref", "").removeprefix("#/$defs/"), shape)
        if option in shape.get("required", ()):
            shape["required"].remove(option)


def write_schemas(directory: Path, registry: Registry) -> list[Path]:
    """Write each as `NAME.schema.json`; gives the files."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas(registry).items():
        path = directory / f"{name}.schema.json"
        path.write_text(as_text(schema), encoding="utf-8")
        written.append(path)
    return written


def as_text(schema: Schema) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _file(kind: type[Any], parts: list[type[Any]], definitions: Schema) -> Schema:
    _, shapes = msgspec.json.schema_components([kind, *parts], ref_template="#/$defs/{name}")
    for shape in shapes.values():
        shape.pop("title", None)
    whole = shapes.pop(kind.__name__)
    title = whole.pop("description")
    return {"$schema": DIALECT, "title": title, **_plain(whole), "$defs": _plain(shapes | definitions)}


def _plain(value: Any) -> Any:
    """Without defaults of null, which only say that a key may be left out."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if not (key == "default" and inner is None)}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _actions(registry: Registry) -> Schema:
    one, options = _one_of(registry.actions, "action", "an action")
    _say_more(one["anyOf"][0] if "anyOf" in one else one, registry)
    return {"action": one, "actions": {"type": "array", "items": {"$ref": "#/$defs/action"}}, **options}


def _say_more(step: Schema, registry: Registry) -> None:
    """What a step may say beside its one action; a call of a flow says none of it."""
    beside = msgspec.json.schema_components([StepSpec])[1]
    said = {key: _plain(value) for key, value in beside["StepSpec"]["properties"].items()}
    said["on_error"] |= {"enum": [str(each) for each in OnError]}
    said["on_error"].pop("$ref", None)
    step["properties"] = step["properties"] | said
    step["maxProperties"] = 1 + len(said)
    alone: Schema = {"required": ["flow"], "maxProperties": 1}
    step["oneOf"] = [alone if name == "flow" else {"required": [name]} for name in registry.actions]
    step["description"] = "An action: one name with its options; and how the step is called and done."


def _one_of(table: Mapping[str, Provided[Any]], place: str, what: str) -> tuple[Schema, Schema]:
    """`{name: options}` for every plugin of one kind, and the definitions of their options."""
    definitions: Schema = {}
    named: Schema = {}
    bare = []
    for name, provided in table.items():
        schema = _renamed(options_schema(provided.item.options), f"{place}.{name}")
        definitions |= schema.pop("$defs", {})
        definitions[f"{place}.{name}"] = schema
        optional = not _required(schema, definitions)
        empty: list[Schema] = [{"type": "null"}] if optional else []
        refers = {"$ref": f"#/$defs/{place}.{name}"}
        named[name] = {"description": provided.item.summary, **({"anyOf": [refers, *empty]} if empty else refers)}
        bare += [name] if optional else []
    one = {
        "type": "object",
        "description": f"{what[0].upper()}{what[1:]}: one name with its options.",
        "properties": named,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return ({"anyOf": [one, {"enum": bare}]} if bare else one), definitions


def _renamed(schema: Any, prefix: str) -> Any:
    """References and definitions with the plugin's place before their names, so that no two meet."""
    if isinstance(schema, list):
        return [_renamed(inner, prefix) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: _renamed(inner, prefix) for key, inner in schema.items() if key not in ("$defs", "title")}
    if isinstance(schema.get("title"), dict):
        renamed["title"] = _renamed(schema["title"], prefix)
    if "$defs" in schema:
        renamed["$defs"] = {f"{prefix}.{name}": _renamed(inner, prefix) for name, inner in schema["$defs"].items()}
    if isinstance(schema.get("$ref"), str):
        renamed["$ref"] = schema["$ref"].replace("#/$defs/", f"#/$defs/{prefix}.")
    return renamed


def _required(schema: Schema, definitions: Schema) -> bool:
    """Whether something must be said; what is no mapping always must."""
    if "$ref" in schema:
        return _required(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "anyOf" in schema:
        return all(_required(inner, definitions) for inner in schema["anyOf"])
    return bool(schema.get("required", True)) if "properties" in schema else True


def _or_list(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


_TEXT: Schema = {"type": ["string", "number"]}
_MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d"}
_AGE: Schema = {"type": "string", "description": "A number with a unit: 90m, 12h, 30d, 2w."}
_SIZE: Schema = {"type": ["string", "number"], "description": "Octets, or with a unit: 500KB, 10MB, 10MiB."}
_COUNT: Schema = {"type": "integer", "minimum": 0}

_OPERANDS: Mapping[str, Schema] = {
    **dict.fromkeys(("contains", "starts", "ends", "domain", "localpart", "detail", *DOMAINS), _or_list(_TEXT)),
    **dict.fromkeys(("is", "glob"), _or_list(_TEXT)),
    "regex": {**_or_list(_TEXT), "description": "RE2 syntax; (?P<name>...) reaches templates as match.name."},
    **dict.fromkeys(("over", "under"), _or_list(_SIZE)),
    **dict.fromkeys(("before", "after"), _or_list(_MOMENT)),
    **dict.fromkeys(("older_than", "newer_than"), _or_list(_AGE)),
    "weekday": {**_or_list({"type": "string"}), "description": "mon ... sun, or mon-fri."},
    "time": {**_or_list({"type": "string"}), "description": "08:00-18:00; may pass midnight."},
    **dict.fromkeys(("spf", "dkim", "dmarc"), _or_list({"enum": list(RESULTS)})),
    "exists": {"type": "boolean"},
    "case_sensitive": {"type": "boolean"},
    "timezone": {"type": "string", "description": "An IANA name; the account's by default."},
    "occurrence": {"type": "integer", "not": {"const": 0}, "description": "1 is the first, -1 the last."},
    "count": {
        "anyOf": [
            *_or_list(_COUNT)["anyOf"],
            {
                "type": "object",
                "properties": {"over": _COUNT, "under": _COUNT},
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    },
}


def _conditions() -> Schema:
    """`match` and what it refers to."""
    several: Schema = {"type": "array", "items": {"$ref": "#/$defs/match"}, "minItems": 1}
    junctions = dict.fromkeys(JUNCTIONS, several)
    fields = {name: {"description": kind.summary, **_field(name, kind)} for name, kind in FIELDS.items()}
    return {
        "match": {
            "type": "object",
            "description": "Several fields must all hold.",
            "properties": fields | junctions,
            "additionalProperties": False,
            "minProperties": 1,
        },
        "header": _value(FIELDS["header"], {"$ref": "#/$defs/test.header"}),
        "addresses": _value(FIELDS["from"], {"$ref": "#/$defs/test.from"}),
        **{f"test.{name}": _test(name) for name in FIELDS if name == "from" or not FIELDS[name].address},
        **{f"operator.{name}": schema for name, schema in _OPERANDS.items()},
    }


def _operand(name: str) -> Schema:
    return {"$ref": f"#/$defs/operator.{name}"}


def _field(name: str, kind: FieldKind) -> Schema:
    if kind.address:
        return {"$ref": "#/$defs/addresses"}
    if name != "header":
        return _value(kind, {"$ref": f"#/$defs/test.{name}"})
    words = [*kind.operators, *kind.modifiers]
    names = _or_list({"type": "string", "minLength": 1})
    many = _object({"names": names, **{word: _operand(word) for word in words}}) | {"required": ["names"]}
    one = {
        "type": "object",
        "propertyNames": {"pattern": "^[!-9;-~]+$", "not": {"enum": ["names", *words]}},
        "additionalProperties": {"$ref": "#/$defs/header"},
        "minProperties": 1,
    }
    return {"anyOf": [one, many]}


def _test(name: str) -> Schema:
    """What a field is put to, as a mapping of operators."""
    kind = FIELDS[name]
    if name not in PARTED:
        return _operators(kind)
    properties = {word: PROPERTIES[word] for word in kind.operators}
    inner = {word: {"description": each.summary, **_property(each)} for word, each in properties.items()}
    return _object({**inner, **{word: _operand(word) for word in kind.modifiers}})


def _property(kind: FieldKind) -> Schema:
    return _value(kind, _operators(kind), mixed=False)


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}


def _operators(kind: FieldKind) -> Schema:
    words = _or_list({"enum": list(kind.values)}) if kind.values else None
    known = (*kind.operators, *kind.modifiers)
    return _object({word: (words if word == "is" and words else _operand(word)) for word in known})


def _value(kind: FieldKind, operators: Schema, *, mixed: bool = True) -> Schema:
    """A mapping of operators; where the field has one of its own a bare value, too; or a list of them."""
    if not kind.bare:
        return {"anyOf": [operators, {"type": "array", "items": operators, "minItems": 1}]} if mixed else operators
    bare: Schema = _TEXT
    if kind.values:
        bare = {"anyOf": [{"enum": list(kind.values)}, {"type": "string", "pattern": "[*?]"}]}
    item = {"anyOf": [bare, operators]} if mixed else bare
    return {"anyOf": [bare, operators, {"type": "array", "items": item, "minItems": 1}]}
