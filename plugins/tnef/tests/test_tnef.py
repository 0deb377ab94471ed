"""The unpacker `tnef`."""

from __future__ import annotations

import struct
import time
import warnings
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailrules_tnef import BrokenTnefError, mailrules_unpackers, unpack_tnef

from mailrules.api import Unpacked
from mailrules.testing import UnpackerContract

GUID = b"\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"


def attribute(level, name, kind, octets):
    """MS-OXTNEF, section 2.1.3.1."""
    return struct.pack("<BHHI", level, name, kind, len(octets)) + octets + struct.pack("<H", sum(octets) & 0xFFFF)


def padded(octets):
    return struct.pack("<I", len(octets)) + octets + bytes(-len(octets) % 4)


def text(key, value):
    return struct.pack("<HHI", 31, key, 1) + padded(f"{value}\0".encode("utf-16-le"))


def file(title=b"", content=None, *properties):
    """The attributes of one attachment."""
    made = attribute(2, 0x9002, 6, bytes(14))
    made += attribute(2, 0x8010, 1, title + b"\0") if title else b""
    made += attribute(2, 0x800F, 6, content) if content is not None else b""
    made += attribute(2, 0x9005, 6, struct.pack("<I", len(properties)) + b"".join(properties)) if properties else b""
    return made


def container(*attributes, page=1252):
    head = attribute(1, 0x9006, 8, struct.pack("<I", 0x10000)) + attribute(1, 0x9007, 6, struct.pack("<II", page, 0))
    return struct.pack("<IH", 0x223E9F78, 1) + head + b"".join(attributes)


class TestTnef(UnpackerContract):
    """Every unpacker does this."""

    (unpacker,) = mailrules_unpackers()
    container = container(file(b"A.PDF", b"%PDF-"), file(b"B.TXT", b"two"))
    held = (Unpacked("A.PDF", b"%PDF-"), Unpacked("B.TXT", b"two"))


CASES = {
    "a file by its old name": ([file(b"A.PDF", b"%PDF-")], [Unpacked("A.PDF", b"%PDF-")]),
    "a file by its long name, with its type and identifier": (
        [
            file(
                b"LONGNA~1.PDF",
                b"x",
                text(0x3707, "a long näme.pdf"),
                text(0x370E, "Application/PDF"),
                text(0x3712, "<id@x>"),
            )
        ],
        [Unpacked("a long näme.pdf", b"x", "application/pdf", "id@x")],
    ),
    "several": ([file(b"a", b"one"), file(b"b", b"two")], [Unpacked("a", b"one"), Unpacked("b", b"two")]),
    "an empty one": ([file(b"a", b"")], [Unpacked("a", b"")]),
    "one without a name": ([file(b"", b"1")], [Unpacked("", b"1")]),
    "none": ([], []),
    "a message inside": (
        [file(b"Re: hello", None, struct.pack("<HHI", 13, 0x3701, 1) + padded(GUID + b"inner"))],
        [Unpacked("Re: hello", b"inner", "application/ms-tnef")],
    ),
    "what belongs to the message is passed over": (
        [attribute(1, 0x8004, 1, b"subject\0"), file(b"a", b"one")],
        [Unpacked("a", b"one")],
    ),
    "properties of every kind before the one that counts": (
        [
            file(
                b"old",
                b"1",
                struct.pack("<HHHH", 2, 1, 5, 0),
                struct.pack("<HHI", 3, 2, 5),
                struct.pack("<HHQ", 64, 3, 5),
                struct.pack("<HH", 72, 4) + bytes(16),
                struct.pack("<HHIHHHH", 0x1002, 5, 3, 1, 2, 3, 0),
                struct.pack("<HHI", 0x101F, 6, 2) + padded(b"a\0b\0") + padded(b"c\0"),
                struct.pack("<HH", 31, 0x8001)
                + bytes(16)
                + struct.pack("<II", 0, 7)
                + struct.pack("<I", 1)
                + padded(b"z\0"),
                struct.pack("<HH", 30, 0x8002)
                + bytes(16)
                + struct.pack("<I", 1)
                + padded(b"n\0")
                + struct.pack("<I", 1)
                + padded(b"z"),
                text(0x3707, "new"),
            )
        ],
        [Unpacked("new", b"1")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_finds(name):
    attributes, files = CASES[name]
    assert unpack_tnef(container(*attributes)) == files


@pytest.mark.parametrize(
    ("page", "octets"), [(1252, b"\xe4"), (1251, b"\xd4"), (65001, b"\xc3\xa4"), (932, b"\x82\xa0")]
)
def test_names_are_read_in_the_code_page_of_the_container(page, octets):
    charset = {65001: "utf-8"}.get(page, f"cp{page}")
    (found,) = unpack_tnef(container(file(octets, b"1"), page=page))
    assert found.name == octets.decode(charset)


@pytest.mark.parametrize("page", [0, 99999, 1 << 31])
def test_an_unknown_code_page_is_no_failure(page):
    assert len(unpack_tnef(container(file(b"a", b"1"), page=page))) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in CASES if name not in {"a message inside", "one without a name"}])
def test_the_library_finds_the_same_where_it_is_safe(name):
    from tnefparse import TNEF

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [
            (each.long_filename().strip("\0"), each.data) for each in TNEF(container(*CASES[name][0])).attachments
        ]
    assert [(each.name, each.content) for each in unpack_tnef(container(*CASES[name][0]))] == theirs


WHOLE = container(file(b"A.PDF", b"%PDF-", text(0x3707, "a.pdf")))
BROKEN = {
    "nothing": b"",
    "something else": b"PK\x03\x04 is an archive",
    "cut off in an attribute": WHOLE[:-20],
    "an attribute longer than the rest": container(struct.pack("<BHHI", 2, 0x800F, 6, 0xFFFFFFFF) + bytes(20)),
    "a property of an unknown type": container(file(b"a", b"1", struct.pack("<HH", 0x0777, 1) + bytes(8))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_said_to_be(name):
    with pytest.raises(BrokenTnefError):
        unpack_tnef(BROKEN[name])


HOSTILE = {
    "four billion properties": container(
        file(b"a", b"1") + attribute(2, 0x9005, 6, struct.pack("<I", 0xFFFFFFFF) + bytes(40))
    ),
    "four billion values": container(file(b"a", b"1", struct.pack("<HHI", 0x1002, 1, 0xFFFFFFFF) + bytes(40))),
    "four billion texts": container(file(b"a", b"1", struct.pack("<HHI", 0x101F, 1, 0xFFFFFFFF) + bytes(40))),
    "a million attributes": container(attribute(1, 0x8004, 1, b"") * 1_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_octets_take_time_in_proportion_to_their_number(name):
    began = time.process_time()
    with suppress(BrokenTnefError):
        unpack_tnef(HOSTILE[name])
    assert time.process_time() - began < 30  # not hours


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_any_octets_are_read_or_said_to_be_broken(octets, at):
    try:
        found = unpack_tnef(WHOLE[:at] + octets + WHOLE[at:])
    except BrokenTnefError:
        return
    assert all(isinstance(each, Unpacked) for each in found)
