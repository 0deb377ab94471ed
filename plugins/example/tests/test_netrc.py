"""The log-in `netrc`."""

from __future__ import annotations

import pytest
from mailrules_example import NETRC

from mailrules.api import PersonNeeded, Place, build_options


@pytest.fixture
def auth(tmp_path):
    options = build_options(NETRC.options, {"machine": "imap.example.com", "path": "logins"}, root=tmp_path)
    return NETRC.build(options, Place(tmp_path))


@pytest.fixture
def logins(tmp_path):
    file = tmp_path / "logins"

    def write(text):
        file.write_text(text)
        file.chmod(0o600)

    return write


@pytest.mark.parametrize("password", ["s3cret", "env:HOME", "file:/etc/hostname"])
def test_the_entry_of_the_machine_is_shown_to_the_server_as_it_stands(auth, logins, password):
    logins(f"machine other.example.com login x password y\nmachine imap.example.com login jo password {password}\n")

    credential = auth.credential()

    assert isinstance(credential, NETRC.yields)
    assert (credential.login, credential.password.reveal()) == ("jo", password)


def test_a_changed_password_counts_at_once(auth, logins):
    logins("machine imap.example.com login jo password old\n")
    auth.credential()
    logins("machine imap.example.com login jo password new\n")

    assert auth.credential().password.reveal() == "new"


def test_the_password_is_never_shown(auth, logins):
    logins("machine imap.example.com login jo password s3cret\n")

    assert "s3cret" not in repr(auth.credential())


@pytest.mark.parametrize(
    ("text", "reason"),
    [("machine other login x password y\n", "no entry for"), ("machine\n", "cannot read"), (None, "cannot read")],
)
def test_without_an_entry_a_person_is_told_what_to_write(auth, logins, text, reason):
    if text is not None:
        logins(text)

    with pytest.raises(PersonNeeded, match=reason) as raised:
        auth.credential()
    assert "add 'machine imap.example.com login" in raised.value.remedy
