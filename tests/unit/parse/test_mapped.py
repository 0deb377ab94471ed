"""A message read from a memory map, and in pieces however small, is the same message."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from mailrules.core.parse import parse

MAIL = sorted((Path(__file__).parents[2] / "mail").glob("*.eml"))


def everything(raw):
    message = parse(raw)
    return {
        "headers": [(name, message.header(name)) for name in message.header_names()],
        "block": message.header_block,
        "text": message.text,
        "html": message.html,
        "attachments": [(a.name, a.type, a.kind, a.size, a.content()) for a in message.attachments],
        "size": message.size,
        "raw": message.raw,
        "defects": set(message.defects),
    }


def mapped(path):
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.parametrize("path", MAIL, ids=lambda path: path.stem)
def test_a_map_gives_what_its_octets_give(path):
    if path.stat().st_size:  # nothing cannot be mapped, and is never big
        assert everything(mapped(path)) == everything(path.read_bytes())


@pytest.mark.parametrize("piece", [1, 3, 76])
@pytest.mark.parametrize("path", MAIL, ids=lambda path: path.stem)
def test_pieces_give_what_the_whole_gives(path, piece, monkeypatch):
    whole = everything(path.read_bytes())
    monkeypatch.setattr("mailrules.core.mime.PIECE", piece)
    monkeypatch.setattr("mailrules.core.parse.PIECE", piece)
    message = parse(path.read_bytes())

    assert everything(path.read_bytes()) == whole
    assert b"".join(message.pieces()) == whole["raw"]
    assert [b"".join(a.pieces()) for a in message.attachments] == [content for *_, content in whole["attachments"]]
