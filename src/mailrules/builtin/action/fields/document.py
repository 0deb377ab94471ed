"""Fields of JSON and XML, by paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import msgspec

MOST_ELEMENTS = 200_000
DEEPEST = 200

_STEP = re.compile(r"([^.\[\]]+)|\[(-?\d{1,6})\]")
_PATH = re.compile(r"(?:[^.\[\]]+|\[-?\d{1,6}\])(?:\.[^.\[\]]+|\[-?\d{1,6}\])*")


class UnreadableError(ValueError):
    """It is not of the form that was asked for, or more of it than is meant."""


def json_steps(path: str) -> list[str | int]:
    """`order.items[0].sku` as its steps.

    Raises:
        ValueError: it is no path.
    """
    plain = path.removeprefix("$.").removeprefix("$")
    if not _PATH.fullmatch(plain):
        raise ValueError(f"not a path: {path!r}; write order.items[0].sku")
    return [int(number) if number else name for name, number in _STEP.findall(plain)]


def by_json_path(paths: Mapping[str, str], content: bytes) -> Iterator[tuple[str, Any]]:
    """The scalar at each path, or the list or mapping; what is not there, or null, is not given.

    Raises:
        UnreadableError: it is no JSON.
    """
    try:
        value = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"not JSON: {error}") from error
    for name, path in paths.items():
        found = _walk(value, json_steps(path))
        if found is not None:
            yield name, found


def _walk(value: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def xml_path(path: str) -> tuple[str, str]:
    """`order/item[2]/@sku` as what `ElementTree` finds by, and the attribute; the root is not named.

    Raises:
        ValueError: it is no path.
    """
    steps, _, attribute = path.rpartition("@") if "/@" in path or path.startswith("@") else (path, "", "")
    steps = steps.rstrip("/") or "."
    try:
        ET.Element("x").find(steps)
    except Exception as error:
        raise ValueError(f"not a path: {path!r}; write order/item[2]/@sku") from error
    return steps, attribute


def by_xml_path(paths: Mapping[str, str], content: bytes) -> Iterator[tuple[str, str]]:
    """The text, or attribute, that each path first finds; names are compared without their namespace.

    Raises:
        UnreadableError: it is no XML, it has a DTD (and so could have entities), or it is too large a tree.
    """
    root = _tree(content)
    for name, path in paths.items():
        steps, attribute = xml_path(path)
        element = root if steps == "." else root.find(steps)
        if element is None:
            continue
        value = element.get(attribute) if attribute else "".join(element.itertext())
        if value is not None:
            yield name, value.strip()


def _tree(content: bytes) -> ET.Element:
    """A tree built with every door shut: no DTD, no entity of one's own, no reading of anything else."""
    builder, parser = ET.TreeBuilder(), expat.ParserCreate(namespace_separator="\n")
    counted = {"elements": 0, "depth": 0}

    def start(name: str, attributes: dict[str, str]) -> None:
        counted["elements"] += 1
        counted["depth"] += 1
        if counted["elements"] > MOST_ELEMENTS or counted["depth"] > DEEPEST:
            raise UnreadableError(f"over {MOST_ELEMENTS} elements, or {DEEPEST} within another")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        counted["depth"] -= 1
        builder.end(_local(name))

    def refuse(*_: Any) -> None:
        raise UnreadableError("it has a document type, which is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, LookupError) as error:
        raise UnreadableError(f"not XML: {error}") from error


def _local(name: str) -> str:
    return name.rpartition("\n")[2]
