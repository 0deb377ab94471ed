"""The contract of unpackers, kept by one that is right and broken by those that are not."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mailrules.api import Unpacked, Unpacker
from mailrules.testing import UnpackerContract


def unpack_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [Unpacked(name, archive.read(name)) for name in archive.namelist()]


def packed(**files):
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return octets.getvalue()


ZIP = Unpacker(name="zip", summary="Files in an archive.", types=("application/zip",), unpack=unpack_zip)


class TestZip(UnpackerContract):
    unpacker = ZIP
    container = packed(a="one", b="two")
    held = (Unpacked("a", b"one"), Unpacked("b", b"two"))


def leaves_a_trace(content):
    Path("unpacked").write_bytes(content)
    return unpack_zip(content)


def gives_pairs(content):
    try:
        return unpack_zip(content)
    except zipfile.BadZipFile:
        return [("a", b"")]


BROKEN = {
    "loud": (replace(ZIP, types=("Application/Zip",)), "test_it_says_what_it_opens"),
    "opens nothing": (replace(ZIP, types=()), "test_it_says_what_it_opens"),
    "gives less": (
        replace(ZIP, unpack=lambda content: unpack_zip(content)[1:]),
        "test_it_gives_the_files_of_a_container",
    ),
    "leaves a trace": (replace(ZIP, unpack=leaves_a_trace), "test_it_gives_the_same_every_time_and_touches_nothing"),
    "gives pairs": (replace(ZIP, unpack=gives_pairs), "test_damaged_octets_are_refused_or_read_and_take_no_time"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_unpacker_that_breaks_a_promise_fails_its_test(name, tmp_path, monkeypatch):
    unpacker, promise = BROKEN[name]
    broken = type("Broken", (TestZip,), {"unpacker": unpacker})()
    needed = [tmp_path, monkeypatch] if "touches" in promise else []

    with pytest.raises(AssertionError):
        getattr(broken, promise)(*needed)
