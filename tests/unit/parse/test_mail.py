"""Each message of tests/mail beside what is to be read in it: one trap a message, `why` says which."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrules.core.parse import parse
from mailrules.model.message import Address, Extent, Message, NotLoadedError, Trust

MAIL = Path(__file__).parents[2] / "mail"
CASES = sorted(MAIL.glob("*.eml"))


def expectation(path: Path) -> dict:
    return YAML(typ="safe", pure=True).load(path.with_suffix(".yaml").read_text(encoding="utf-8"))


def trust(expected: dict) -> Trust:
    given = expected.get("trust", {})
    return Trust(
        authserv_id=given.get("authserv_id", ""),
        own_addresses=frozenset(given.get("own_addresses", ())),
        forwarders=frozenset(given.get("forwarders", ())),
    )


def shown(address: Address, like: object) -> object:
    return {"name": address.name, "address": address.address} if isinstance(like, dict) else str(address)


def addresses(message: Message, name: str, expected: list) -> list:
    found = message.addresses(name)
    likes = expected + [{}] * (len(found) - len(expected))
    return [shown(address, like) for address, like in zip(found, likes, strict=False)]


def attachments(message: Message, expected: list) -> list:
    likes = expected + [{"name", "type", "kind", "size"}] * (len(message.attachments) - len(expected))
    return [
        {key: attachment.content().decode() if key == "content" else getattr(attachment, key) for key in like}
        for attachment, like in zip(message.attachments, likes, strict=False)
    ]


def seen(message: Message, key: str, expected: object) -> object:
    """What the message says under *key*, in the form of the expectation."""
    if key in ("from", "to", "cc", "bcc"):
        return addresses(message, key, expected)
    if key == "attachments":
        return attachments(message, expected)
    if key == "header":
        return {name: list(message.header(name)) for name in expected}
    if key in ("author", "original_sender"):
        return str(getattr(message, key))
    if key == "kind":
        return message.kind.value
    if key == "authentication":
        return message.authentication.value if message.authentication.known else None
    if key == "defects":
        return sorted({defect.word for defect in message.defects})
    if key == "header_names":
        return list(message.header_names())
    value = getattr(message, key)
    return list(value) if isinstance(value, tuple) else value


def read(message: Message, expected: dict) -> dict:
    """Defects are compared last: they tell what was found by what was asked before."""
    found = {key: seen(message, key, expected[key]) for key in expected if key not in ("why", "trust", "defects")}
    everything(message)
    if "defects" in expected:
        found["defects"] = seen(message, "defects", expected["defects"])
    return found


def everything(message: Message) -> None:
    _ = message.subject, message.author, message.addresses("To"), message.date, message.text
    for attachment in message.attachments:
        _ = attachment.name, attachment.content()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_reads(path):
    expected = expectation(path)

    found = read(parse(path.read_bytes(), trust=trust(expected)), expected)

    wanted = {key: value for key, value in expected.items() if key not in ("why", "trust")}
    if isinstance(wanted.get("date"), datetime):
        assert found["date"].utcoffset() == wanted["date"].utcoffset()
    assert found == wanted


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_says_why_it_is_there(path):
    assert expectation(path)["why"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_header_alone_says_the_same_of_the_header(path):
    raw = path.read_bytes()
    whole = parse(raw)

    head = parse(whole.header_block + (b"\r\n" if b"\n" in raw else b"\r"), extent=Extent.HEADER)

    assert head.header_names() == whole.header_names()
    for name in {name.lower() for name in whole.header_names()}:
        assert head.header(name) == whole.header(name)
        assert head.addresses(name) == whole.addresses(name)
    with pytest.raises(NotLoadedError):
        _ = head.text
