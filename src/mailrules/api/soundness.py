"""Whether a descriptor is what its type says: looked at when a plugin is loaded, so that nothing falls over later."""

from __future__ import annotations

import re
from typing import Any

from mailrules.api.descriptors import ReceiveProtocol, SendProtocol
from mailrules.api.options import Options
from mailrules.api.schema import options_schema
from mailrules.model.unpack import Unpacker

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def unsound(item: Any) -> str:
    """Why the descriptor *item* cannot be used, as a sentence; empty when it can."""
    given = f"the {type(item).__name__} {item.name!r}"
    if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
        return f"{given} has no name that can be written as a key: letters, digits, '-' and '_', a letter first"
    if not callable(_callable_of(item)):
        return f"{given} has nothing that can be called: {_callable_of(item)!r}"
    if isinstance(item, Unpacker):
        return _opens(item, given)
    if not (isinstance(item.options, type) and issubclass(item.options, Options)):
        return f"the options of {given} are {_named(item.options)}, and no subclass of Options"
    try:
        options_schema(item.options)
    except Exception as error:
        return f"the options of {given} have no schema: {(str(error) or type(error).__name__).splitlines()[0]}"
    return ""


def _opens(item: Any, given: str) -> str:
    """A text in the place of a tuple would be read letter by letter, and what is written in capitals never fits."""
    for field, words in (("types", item.types), ("names", item.names)):
        if isinstance(words, str):
            return f"the {field} of {given} are a text: write ({words!r},)"
        if loud := [word for word in words if word != word.lower()]:
            return f"the {field} of {given} are compared in small letters: write {loud[0].lower()!r}"
    return "" if item.types or item.names else f"{given} opens nothing: it has neither types nor names"


def _callable_of(item: Any) -> object:
    if isinstance(item, Unpacker):
        return item.unpack
    return item.open if isinstance(item, ReceiveProtocol | SendProtocol) else item.build


def _named(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)
