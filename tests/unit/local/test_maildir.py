from __future__ import annotations

import time
from pathlib import Path

import pytest

from mailrules.api import (
    Disposition,
    NoCredential,
    Permanent,
    PersonNeeded,
    Place,
    Ref,
    Settlement,
    Transient,
)
from mailrules.builtin.local.maildir import MaildirOptions, open_maildir
from mailrules.builtin.local.maildir_name import folder_name


def ref(uid, folder="INBOX"):
    return Ref(folder, "", uid)


def settle(mailbox, uid="1.a", **disposition):
    return mailbox.settle([Settlement(ref(uid), Disposition(**disposition))])


@pytest.fixture
def mailbox(put, opened):
    put("mail/new/1.a")
    return opened("maildir")


@pytest.mark.parametrize(
    ("folder", "directory"),
    [
        ("INBOX", ""),
        ("inbox", ""),
        ("Invoices", ".Invoices"),
        ("Invoices/2026", ".Invoices.2026"),
        ("INBOX/Invoices", ".Invoices"),
        ("INBOX.Invoices.2026", ".Invoices.2026"),
        ("Büro", ".B&APw-ro"),
        ("R&D", ".R&-D"),
    ],
)
def test_a_folder_is_a_directory_by_maildir_plus_plus(folder, directory):
    assert folder_name(folder) == directory


@pytest.mark.parametrize("folder", ["", "../up", "a//b", "a/../b", "/etc", "a\nb", "a/ /b"])
def test_a_folder_cannot_lead_out_of_the_maildir(folder):
    with pytest.raises(Permanent):
        folder_name(folder)


def test_messages_come_oldest_first_then_by_name(put, opened):
    put("mail/new/9.b", age=10)
    put("mail/cur/1.z:2,S", age=5)
    put("mail/new/2.c", age=10)

    assert [r.uid for r in opened("maildir").refs(unseen_only=False)] == ["2.c", "9.b", "1.z"]


def test_unseen_only_leaves_out_what_carries_the_seen_flag(put, opened):
    put("mail/cur/1.a:2,S")
    put("mail/cur/2.b:2,F", age=1)
    put("mail/new/3.c", age=2)

    assert [r.uid for r in opened("maildir").refs(unseen_only=True)] == ["3.c", "2.b"]


def test_files_that_are_no_messages_are_left_out(put, opened):
    put("mail/cur/.hidden")
    put("mail/tmp/1.half")
    put("mail/dovecot-uidlist")
    put("mail/new/2.b")

    assert [r.uid for r in opened("maildir").refs(unseen_only=False)] == ["2.b"]


def test_a_head_is_the_header_block_with_size_time_and_flags(put, opened):
    put("mail/cur/1.a:2,FS", b"Subject: x\nTo: y\n\nbody\n\nmore\n")
    mailbox = opened("maildir")

    (head,) = mailbox.heads(mailbox.refs(unseen_only=False))

    assert head.header == b"Subject: x\nTo: y\n\n"
    assert head.size == 29
    assert head.received.timestamp() == 1_700_000_000
    assert head.flags == {"\\Seen", "\\Flagged"}


@pytest.mark.parametrize("ends", [b"\n\n", b"\r\n\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("length", [8180, 8189, 8190, 8191, 8192, 8193, 20_000])
def test_the_end_of_a_header_is_found_wherever_a_read_splits_it(put, opened, length, ends):
    header = b"X: " + b"x" * (length - 3) + ends
    put("mail/new/1.a", header + b"body" * 5000)
    mailbox = opened("maildir")

    assert next(mailbox.heads(mailbox.refs(unseen_only=False))).header == header


@pytest.mark.parametrize(
    ("content", "header"),
    [(b"", b""), (b"Subject: x", b"Subject: x"), (b"\nbody\n", b"\n"), (b"\r\nbody\n\nmore", b"\r\n")],
    ids=["empty", "no empty line", "no header", "no header, CRLF"],
)
def test_odd_messages_have_a_header_block_too(put, opened, content, header):
    put("mail/new/1.a", content)
    mailbox = opened("maildir")

    assert next(mailbox.heads(mailbox.refs(unseen_only=False))).header == header


def test_a_message_that_another_program_renames_is_still_found(put, opened, tmp_path):
    file = put("mail/new/1.a", b"Subject: x\n\nbody")
    mailbox = opened("maildir")
    refs = mailbox.refs(unseen_only=False)
    (tmp_path / "mail/cur").mkdir()
    file.rename(tmp_path / "mail/cur/1.a:2,S")

    assert [raw for _, raw in mailbox.bodies(refs)] == [b"Subject: x\n\nbody"]
    assert next(mailbox.heads(refs)).flags == {"\\Seen"}


def test_a_message_that_has_gone_is_left_out(put, opened):
    file = put("mail/new/1.a")
    put("mail/new/2.b", b"there")
    mailbox = opened("maildir")
    refs = mailbox.refs(unseen_only=False)
    file.unlink()

    assert [raw for _, raw in mailbox.bodies(refs)] == [b"there"]
    assert [head.ref.uid for head in mailbox.heads(refs)] == ["2.b"]


def test_reading_changes_nothing_and_leaves_new_messages_in_new(put, opened, tree):
    put("mail/new/1.a")
    put("mail/cur/2.b:2,S")
    before = tree()
    mailbox = opened("maildir", readonly=True)
    refs = mailbox.refs(unseen_only=False)

    assert len(list(mailbox.heads(refs))) == len(list(mailbox.bodies(refs))) == 2
    assert tree() == before


@pytest.mark.parametrize(
    ("start", "disposition", "end"),
    [
        ("new/1.a", {"seen": True}, "cur/1.a:2,S"),
        ("new/1.a", {"seen": False}, "new/1.a"),
        ("cur/1.a:2,FS", {"seen": False}, "cur/1.a:2,F"),
        ("cur/1.a:2,S", {"flags": ("\\Flagged", "\\answered")}, "cur/1.a:2,FRS"),
        ("cur/1.a:2,S", {"seen": True}, "cur/1.a:2,S"),
        ("new/1.a", {"move": "Done"}, ".Done/new/1.a"),
        ("cur/1.a:2,R", {"move": "Done/2026", "seen": True}, ".Done.2026/cur/1.a:2,RS"),
        ("new/1.a", {"move": "INBOX"}, "new/1.a"),
    ],
)
def test_a_disposition_is_a_rename(put, opened, names, start, disposition, end):
    put(f"mail/{start}")
    mailbox = opened("maildir")

    assert settle(mailbox, **disposition) == {}
    assert [name for name in names() if "maildirfolder" not in name] == [f"mail/{end}"]


def test_a_keyword_that_a_maildir_cannot_keep_fails_that_message_alone(put, opened, names):
    put("mail/new/1.a")
    put("mail/new/2.b")
    mailbox = opened("maildir")

    failed = mailbox.settle(
        [
            Settlement(ref("1.a"), Disposition(flags=("Invoice",))),
            Settlement(ref("2.b"), Disposition(delete=True)),
        ]
    )

    assert set(failed) == {ref("1.a")}
    assert "'Invoice'" in failed[ref("1.a")]
    assert names() == ["mail/new/1.a"]


def test_delete_unlinks_and_a_second_time_is_settled_too(mailbox, names):
    assert settle(mailbox, delete=True) == {}
    assert settle(mailbox, delete=True) == {}
    assert names() == []


def test_copies_go_to_each_folder_with_the_flags_and_the_time(mailbox, names, tmp_path):
    settle(mailbox, copy=("A", "B"), flags=("\\Flagged",))

    assert [name for name in names() if "maildirfolder" not in name] == [
        "mail/.A/cur/1.a:2,F",
        "mail/.B/cur/1.a:2,F",
        "mail/cur/1.a:2,F",
    ]
    assert (tmp_path / "mail/.A/cur/1.a:2,F").stat().st_mtime == 1_700_000_000


@pytest.mark.parametrize("disposition", [{"copy": ("Done",)}, {"move": "Done"}, {"copy": ("Done",), "move": "Done"}])
def test_a_second_try_does_not_make_a_second_copy(put, opened, names, disposition):
    put("mail/cur/1.a:2,S")
    settle(opened("maildir"), **disposition)
    settle(opened("maildir"), **disposition)

    assert [name for name in names() if ".Done/cur" in name] == ["mail/.Done/cur/1.a:2,S"]


def test_a_copy_is_recognised_by_a_second_try_though_it_was_read_meanwhile(mailbox, names, tmp_path):
    settle(mailbox, copy=("Done",))
    (tmp_path / "mail/.Done/new/1.a").rename(tmp_path / "mail/.Done/cur/1.a:2,S")
    settle(mailbox, copy=("Done",))

    assert [name for name in names() if ".Done/" in name and "1.a" in name] == ["mail/.Done/cur/1.a:2,S"]


def test_a_move_never_replaces_another_message_of_the_same_name(put, opened, names, tmp_path):
    put("mail/cur/1.a:2,", b"mine")
    put("mail/.Done/cur/1.a:2,", b"another")
    settle(opened("maildir"), move="Done")

    there = [(tmp_path / name).read_bytes() for name in names() if ".Done/cur" in name]
    assert sorted(there) == [b"another", b"mine"]
    assert not (tmp_path / "mail/cur/1.a:2,").exists()


def test_a_folder_of_the_maildir_is_a_mailbox_of_its_own(put, opened):
    put("mail/cur/1.a:2,")
    put("mail/.Sub.Two/new/2.b")

    assert opened("maildir", "Sub/Two").refs(unseen_only=False) == [ref("2.b", "Sub/Two")]


@pytest.mark.usefixtures("mailbox")
def test_a_folder_that_nobody_made_yet_is_empty(opened, tree):
    before = tree()

    assert opened("maildir", "Nothing").refs(unseen_only=False) == []
    assert tree() == before


def test_a_maildir_that_is_not_there_may_come_later(opened):
    with pytest.raises(Transient, match="mail: no such folder"):
        opened("maildir")


def test_a_folder_that_is_no_maildir_needs_a_person(put, opened):
    put("mail/letter.txt")
    with pytest.raises(PersonNeeded, match="neither new/ nor cur/"):
        opened("maildir")


def test_many_messages_are_moved_without_listing_the_target_for_each(opened, tmp_path):
    (tmp_path / "mail/new").mkdir(parents=True)
    for number in range(3000):
        (tmp_path / f"mail/new/{number}.a").write_bytes(b"\n")
    mailbox = opened("maildir")
    refs = mailbox.refs(unseen_only=False)
    started = time.monotonic()

    assert mailbox.settle([Settlement(r, Disposition(move="Done")) for r in refs]) == {}
    assert len(list((tmp_path / "mail/.Done/new").iterdir())) == 3000
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("place", ["new", "cur"])
def test_what_is_no_regular_file_is_no_message(put, opened, odd, place):
    put("mail/cur/1.a:2,")
    put("mail/new/3.c", age=-1)
    odd(f"mail/{place}/2.b")
    mailbox = opened("maildir")
    refs = mailbox.refs(unseen_only=False)

    assert [r.uid for r in refs] == ["1.a", "3.c"]
    assert [head.ref for head in mailbox.heads(refs)] == refs


def test_a_message_that_became_something_else_is_left_out_and_the_others_go_on(put, opened, odd, caplog):
    for number in (1, 2, 3):
        put(f"mail/new/{number}.a", age=-number)
    mailbox = opened("maildir")
    refs = mailbox.refs(unseen_only=False)
    odd("mail/new/2.a")

    assert [head.ref.uid for head in mailbox.heads(refs)] == ["1.a", "3.a"]
    assert [found.uid for found, _ in mailbox.bodies(refs)] == ["1.a", "3.a"]
    assert "message 2.a cannot be read" in caplog.text


def test_a_message_that_may_not_be_read_is_left_out_and_the_others_go_on(put, request, caplog):
    put("mail/new/1.a", age=1)
    put("mail/new/2.b").chmod(0)
    request.getfixturevalue("unprivileged")
    mailbox = open_maildir(MaildirOptions(path="mail"), NoCredential(), Place(Path()))
    refs = mailbox.refs(unseen_only=False)

    assert len(refs) == 2
    assert [head.ref.uid for head in mailbox.heads(refs)] == ["1.a"]
    assert [found.uid for found, _ in mailbox.bodies(refs)] == ["1.a"]
    assert "message 2.b cannot be read" in caplog.text


def test_moving_never_replaces_what_is_no_message(mailbox, odd, put, tmp_path):
    put("mail/.Done/new/0.z")
    odd("mail/.Done/new/1.a")
    before = (tmp_path / "mail/.Done/new/1.a").lstat()

    assert settle(mailbox, move="Done") == {}
    assert (tmp_path / "mail/.Done/new/1.a").lstat() == before
    assert len(messages_in(tmp_path / "mail/.Done/new", b"body\n")) == 2


def messages_in(directory, end):
    return [p for p in directory.iterdir() if p.is_file() and not p.is_symlink() and p.read_bytes().endswith(end)]


@pytest.mark.parametrize("place", ["new", "cur"])
def test_a_folder_that_may_not_be_listed_needs_a_person(place, put, opened, tmp_path, request):
    put("mail/new/1.a")
    put("mail/cur/2.a:2,")
    mailbox = opened("maildir")
    mailbox.root = Path("mail")
    (tmp_path / "mail" / place).chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(PersonNeeded, match=f"mail/{place} may not be read"):
        mailbox.refs(unseen_only=False)


def test_a_file_where_a_folder_should_be_needs_a_person(put, opened, tmp_path):
    put("mail/new/1.a")
    put("mail/cur")
    with pytest.raises(PersonNeeded, match="cur is no folder"):
        opened("maildir").refs(unseen_only=False)
