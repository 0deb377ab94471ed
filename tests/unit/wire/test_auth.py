"""`auth: password` and `auth: none`."""

from __future__ import annotations

from pathlib import Path

from mailrules.api import NoCredential, Place, build_options
from mailrules.registry import load_registry


def credential(name, raw):
    kind = load_registry().auth[name].item
    made = kind.build(build_options(kind.options, raw, root=Path()), Place(Path())).credential()
    assert type(made) is kind.yields
    return made


def test_a_password_is_revealed_when_it_is_needed_and_not_shown(monkeypatch):
    monkeypatch.setenv("SUPPORT_PASSWORD", "hunter2")
    found = credential("password", {"login": "jo", "password": "env:SUPPORT_PASSWORD"})

    assert (found.login, found.password.reveal()) == ("jo", "hunter2")
    assert "hunter2" not in repr(found)


def test_none_shows_nothing():
    assert credential("none", {}) == NoCredential()
