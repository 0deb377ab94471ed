from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailrules.api import Disposition, NoCredential, PersonNeeded, Place, Ref, Settlement, Transient
from mailrules.builtin.local.eml import EmlOptions, name_of, open_eml


def ref_of(mailbox, name):
    return next(ref for ref in mailbox.refs(unseen_only=False) if name_of(ref) == name)


def settle(mailbox, message, **disposition):
    ref = message if isinstance(message, Ref) else ref_of(mailbox, message)
    return mailbox.settle([Settlement(ref, Disposition(**disposition))])


@pytest.fixture
def mailbox(put, opened):
    put("mail/b.eml", b"Subject: b\n\nb", age=2)
    put("mail/a.EML", b"Subject: a\n\na", age=1)
    put("mail/.hidden.eml")
    put("mail/notes.txt")
    put("mail/sub/c.eml")
    return opened("eml")


@pytest.mark.parametrize("unseen_only", [True, False])
def test_each_eml_file_of_the_folder_is_a_message_oldest_first(mailbox, unseen_only):
    assert [name_of(ref) for ref in mailbox.refs(unseen_only=unseen_only)] == ["b.eml", "a.EML"]


def test_heads_and_bodies_are_read(mailbox):
    refs = mailbox.refs(unseen_only=False)

    assert [(head.header, head.size) for head in mailbox.heads(refs)] == [
        (b"Subject: b\n\n", 13),
        (b"Subject: a\n\n", 13),
    ]
    assert [raw for _, raw in mailbox.bodies(refs)] == [b"Subject: b\n\nb", b"Subject: a\n\na"]


@pytest.mark.usefixtures("mailbox")
def test_one_file_may_be_the_mailbox(tmp_path):
    single = open_eml(EmlOptions(path="mail/notes.txt"), NoCredential(), Place(tmp_path))

    assert [name_of(ref) for ref in single.refs(unseen_only=False)] == ["notes.txt"]


@pytest.mark.parametrize(
    ("disposition", "end"),
    [
        ({"delete": True}, []),
        ({"move": "done"}, ["done/b.eml"]),
        ({"move": "done/2026", "copy": ("all",)}, ["all/b.eml", "done/2026/b.eml"]),
        ({"copy": ("done",)}, ["b.eml", "done/b.eml"]),
        ({"copy": ("done",), "delete": True}, ["done/b.eml"]),
        ({"move": "INBOX"}, ["b.eml"]),
    ],
)
def test_a_disposition_is_settled_once_however_often_it_is_tried(mailbox, names, disposition, end):
    ref = ref_of(mailbox, "b.eml")
    for _ in range(2):
        assert settle(mailbox, ref, **disposition) == {}

    assert [name.removeprefix("mail/") for name in names() if name.endswith("b.eml")] == end


def test_another_message_of_the_same_name_is_never_replaced(mailbox, put, tmp_path):
    put("mail/sub/b.eml", b"another")
    settle(mailbox, "b.eml", move="sub")

    assert (tmp_path / "mail/sub/b.eml").read_bytes() == b"another"
    assert (tmp_path / "mail/sub/b-2.eml").read_bytes() == b"Subject: b\n\nb"


def test_a_folder_that_cannot_be_one_fails_for_that_message_alone(mailbox):
    failed = settle(mailbox, "b.eml", move="../up")

    assert "'../up'" in failed[ref_of(mailbox, "b.eml")]
    assert len(mailbox.refs(unseen_only=False)) == 2


def test_reading_changes_nothing(mailbox, tree):
    before = tree()
    list(mailbox.heads(mailbox.refs(unseen_only=False)))

    assert tree() == before


def test_a_path_that_is_not_there_may_come_later(opened):
    with pytest.raises(Transient):
        opened("eml")


@pytest.mark.usefixtures("mailbox")
def test_a_folder_name_that_leads_out_needs_a_person(opened):
    with pytest.raises(PersonNeeded):
        opened("eml", "../mail")


def test_what_is_no_regular_file_is_no_message(mailbox, odd):
    odd("mail/c.eml")
    refs = mailbox.refs(unseen_only=False)

    assert [name_of(ref) for ref in refs] == ["b.eml", "a.EML"]


def test_a_message_that_became_something_else_is_left_out_and_the_others_go_on(mailbox, odd, caplog):
    refs = mailbox.refs(unseen_only=False)
    odd("mail/b.eml")

    assert [name_of(head.ref) for head in mailbox.heads(refs)] == ["a.EML"]
    assert [name_of(ref) for ref, _ in mailbox.bodies(refs)] == ["a.EML"]
    assert "message b.eml cannot be read" in caplog.text


@pytest.mark.usefixtures("mailbox")
def test_a_message_that_may_not_be_read_is_left_out_and_the_others_go_on(tmp_path, request, caplog):
    (tmp_path / "mail/b.eml").chmod(0)
    request.getfixturevalue("unprivileged")
    mailbox = open_eml(EmlOptions(path="mail"), NoCredential(), Place(Path()))
    refs = mailbox.refs(unseen_only=False)

    assert len(refs) == 2
    assert [name_of(head.ref) for head in mailbox.heads(refs)] == ["a.EML"]
    assert [name_of(ref) for ref, _ in mailbox.bodies(refs)] == ["a.EML"]
    assert "message b.eml cannot be read" in caplog.text


def test_moving_never_replaces_what_is_no_message(mailbox, odd, tmp_path):
    odd("mail/sub/b.eml")
    before = (tmp_path / "mail/sub/b.eml").lstat()

    assert settle(mailbox, "b.eml", move="sub") == {}
    assert (tmp_path / "mail/sub/b.eml").lstat() == before
    assert (tmp_path / "mail/sub/b-2.eml").read_bytes() == b"Subject: b\n\nb"


@pytest.mark.usefixtures("mailbox")
def test_one_file_may_be_named_by_a_symlink(tmp_path):
    (tmp_path / "today").symlink_to("mail/b.eml")
    single = open_eml(EmlOptions(path="today"), NoCredential(), Place(tmp_path))

    assert [raw for _, raw in single.bodies(single.refs(unseen_only=False))] == [b"Subject: b\n\nb"]


def test_a_pipe_is_no_mailbox(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PersonNeeded, match="neither a folder nor a file"):
        open_eml(EmlOptions(path="pipe"), NoCredential(), Place(tmp_path))


def test_a_name_that_is_used_again_is_another_message(mailbox, put, tmp_path):
    before = ref_of(mailbox, "b.eml")
    put("mail/b.eml", b"Subject: new\n\nother", age=0)
    after = ref_of(mailbox, "b.eml")

    assert before != after
    assert [head.header for head in mailbox.heads([before, after])] == [b"Subject: new\n\n"]
    assert [ref for ref, _ in mailbox.bodies([before, after])] == [after]
    assert settle(mailbox, before, delete=True) == {}
    assert (tmp_path / "mail/b.eml").read_bytes() == b"Subject: new\n\nother"


def test_a_folder_that_may_not_be_listed_needs_a_person(mailbox, tmp_path, request):
    (tmp_path / "mail").chmod(0o300)
    request.getfixturevalue("unprivileged")
    with pytest.raises(PersonNeeded, match="may not be read"):
        mailbox.refs(unseen_only=False)
