from __future__ import annotations

import fcntl
import mailbox as stdlib_mailbox
import multiprocessing
import os
import time
from contextlib import closing

import pytest

from mailrules.api import Disposition, PersonNeeded, Settlement, Transient
from mailrules.builtin.local import mbox_lock

FROM = "From ada@acme.example Fri Jul  8 12:08:3{} 2011\n"


def message(number, body="hello\n", header=""):
    return f"{FROM.format(number)}Subject: {number}\n{header}\n{body}\n".encode()


@pytest.fixture
def three(put):
    return put("mail.mbox", message(1) + message(2, header="Status: RO\n") + message(3))


def refs_of(mailbox):
    return mailbox.refs(unseen_only=False)


def subjects(mailbox):
    return [raw.split(b"\n")[0].decode() for _, raw in mailbox.bodies(refs_of(mailbox))]


@pytest.mark.usefixtures("three")
def test_messages_come_in_the_order_of_the_file_with_time_and_flags(opened):
    mailbox = opened("mbox")
    heads = list(mailbox.heads(refs_of(mailbox)))

    assert [head.header for head in heads] == [b"Subject: 1\n\n", b"Subject: 2\n\n", b"Subject: 3\n\n"]
    assert [head.flags for head in heads] == [frozenset(), {"\\Seen"}, frozenset()]
    assert heads[0].received.isoformat() == "2011-07-08T12:08:31+00:00"
    assert [head.size for head in heads] == [len(raw) for _, raw in mailbox.bodies(refs_of(mailbox))]
    assert len(mailbox.refs(unseen_only=True)) == 2


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("From the desk of Ada\n", "From the desk of Ada\n"),
        ("\nFrom here on\n", "\nFrom here on\n"),
        ("\n>From me\n", "\nFrom me\n"),
        ("\n>>From me\n", "\n>From me\n"),
        (" >From me\n", " >From me\n"),
        ("two\n\n\n", "two\n\n\n"),
    ],
)
def test_a_body_is_read_as_it_was_before_it_was_stored(put, opened, stored, read):
    put("mail.mbox", message(1, body=stored) + message(2))
    mailbox = opened("mbox")

    bodies = [raw.partition(b"\n\n")[2] for _, raw in mailbox.bodies(refs_of(mailbox))]

    assert bodies == [read.encode(), b"hello\n"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_the_last_message_is_the_same_whatever_ends_the_file(put, opened, end):
    put("mail.mbox", message(1) + FROM.format(2).encode() + b"Subject: 2\n\nhello" + end.encode())
    first = refs_of(opened("mbox"))
    put("mail.mbox", message(1) + message(2) + message(3))

    assert refs_of(opened("mbox"))[:2] == first


@pytest.mark.parametrize(
    ("line", "received"),
    [
        ("From a@x.example Fri Jul  8 12:08:31 2011", "2011-07-08T12:08:31+00:00"),
        ("From a@x.example  Fri Jul 18 02:08:31 UTC 2011", "2011-07-18T02:08:31+00:00"),
        ("From MAILER-DAEMON Fri Jul 31 12:08 2011", None),
        ("From - Fri Xyz 31 12:08:00 2011", None),
        ("From - Fri Feb 31 12:08:00 2011", None),
    ],
)
def test_the_from_line_says_when_it_came(put, opened, line, received):
    put("mail.mbox", f"{line}\nSubject: x\n\n".encode())
    mailbox = opened("mbox")

    (head,) = mailbox.heads(refs_of(mailbox))
    assert (head.received and head.received.isoformat()) == received


def test_lines_that_end_in_crlf_part_messages_too(put, opened):
    put("mail.mbox", (message(1) + message(2)).replace(b"\n", b"\r\n"))
    mailbox = opened("mbox")

    assert [raw for _, raw in mailbox.bodies(refs_of(mailbox))] == [
        b"Subject: 1\r\n\r\nhello\r\n",
        b"Subject: 2\r\n\r\nhello\r\n",
    ]


@pytest.mark.parametrize("size", [(1 << 20) - 80 + step for step in range(0, 100, 7)])
def test_a_from_line_counts_wherever_a_read_splits_it(put, opened, size):
    put("mail.mbox", message(1, body="x" * size + "\n") + message(2))

    assert len(refs_of(opened("mbox"))) == 2


def test_it_reads_what_the_standard_library_writes(tmp_path, opened):
    box = stdlib_mailbox.mbox(tmp_path / "mail.mbox")
    for number in range(3):
        box.add(f"Subject: {number}\n\nFrom here\n".encode())
    box.close()

    assert [raw for _, raw in opened("mbox").bodies(refs_of(opened("mbox")))] == [
        f"Subject: {number}\n\nFrom here\n".encode() for number in range(3)
    ]


@pytest.mark.usefixtures("three")
def test_the_standard_library_reads_what_is_left_after_settling(opened, tmp_path):
    mailbox = opened("mbox")
    first, second, third = refs_of(mailbox)
    mailbox.settle(
        [
            Settlement(first, Disposition(move="Done", seen=True)),
            Settlement(third, Disposition(flags=("\\Flagged",))),
        ]
    )

    def subjects_and_flags(name):
        with closing(stdlib_mailbox.mbox(tmp_path / name)) as box:
            return [(m["Subject"], m.get_flags()) for m in box]

    assert subjects_and_flags("mail.mbox") == [("2", "RO"), ("3", "OF")]
    assert subjects_and_flags("Done.mbox") == [("1", "RO")]
    assert refs_of(mailbox) == [second, third]


def test_identities_stay_when_mail_is_appended_flagged_or_taken_out(three, opened):
    mailbox = opened("mbox")
    first, second, third = refs_of(mailbox)
    with three.open("ab") as file:
        file.write(message(4))
    mailbox.settle([Settlement(second, Disposition(seen=False)), Settlement(first, Disposition(delete=True))])

    assert refs_of(opened("mbox"))[:2] == [second, third]
    assert subjects(mailbox) == ["Subject: 2", "Subject: 3", "Subject: 4"]


def test_identities_stay_when_another_program_writes_its_own_fields(three, opened):
    before = refs_of(opened("mbox"))
    text = three.read_bytes().replace(b"Subject: 1\n", b"Subject: 1\nStatus: O\nX-UID: 7\nContent-Length: 6\n")
    three.write_bytes(text)

    assert refs_of(opened("mbox")) == before


def test_the_same_message_twice_has_two_identities(put, opened):
    put("mail.mbox", message(1) * 2)
    mailbox = opened("mbox")
    first, second = refs_of(mailbox)

    assert second.uid == f"{first.uid}-2"
    mailbox.settle([Settlement(second, Disposition(delete=True))])
    assert refs_of(mailbox) == [first]


@pytest.mark.usefixtures("three")
def test_reading_changes_nothing(opened, tree):
    before = tree()
    mailbox = opened("mbox", readonly=True)
    list(mailbox.heads(refs_of(mailbox)))
    list(mailbox.bodies(refs_of(mailbox)))

    assert tree() == before


@pytest.mark.parametrize("disposition", [{"copy": ("Done",)}, {"move": "Done"}, {"copy": ("Done",), "move": "Done"}])
def test_a_second_try_does_not_make_a_second_copy(three, opened, tmp_path, disposition):
    content = three.read_bytes()
    mailbox = opened("mbox")
    settlement = Settlement(refs_of(mailbox)[0], Disposition(**disposition))
    mailbox.settle([settlement])
    three.write_bytes(content)  # as after a crash between the copy and the removal
    opened("mbox").settle([Settlement(settlement.ref, settlement.disposition, again=True)])

    assert (tmp_path / "Done.mbox").read_bytes() == message(1)


def test_a_message_moved_to_where_it_is_stays(three, opened):
    mailbox = opened("mbox")
    before = three.read_bytes()

    assert mailbox.settle([Settlement(refs_of(mailbox)[0], Disposition(move="INBOX", copy=("INBOX",)))]) == {}
    assert three.read_bytes() == before


@pytest.mark.usefixtures("three")
def test_a_message_that_has_gone_counts_as_settled(opened, tmp_path):
    mailbox = opened("mbox")
    gone = refs_of(mailbox)[0]
    mailbox.settle([Settlement(gone, Disposition(delete=True))])

    assert mailbox.settle([Settlement(gone, Disposition(move="Done"))]) == {}
    assert not (tmp_path / "Done.mbox").exists()


@pytest.mark.usefixtures("three")
def test_what_it_cannot_do_fails_for_that_message_alone(opened):
    mailbox = opened("mbox")
    first, second, third = refs_of(mailbox)
    failed = mailbox.settle(
        [
            Settlement(first, Disposition(flags=("Invoice",))),
            Settlement(second, Disposition(move="../up")),
            Settlement(third, Disposition(delete=True)),
        ]
    )

    assert set(failed) == {first, second}
    assert refs_of(mailbox) == [first, second]


def test_an_append_that_fails_leaves_both_files_as_they_were(three, opened, tmp_path):
    (tmp_path / "Done.mbox").mkdir()
    before = three.read_bytes()
    mailbox = opened("mbox")
    first = refs_of(mailbox)[0]

    assert set(mailbox.settle([Settlement(first, Disposition(move="Done"))])) == {first}
    assert three.read_bytes() == before


def test_the_file_keeps_its_mode(three, opened):
    three.chmod(0o640)
    mailbox = opened("mbox")
    mailbox.settle([Settlement(refs_of(mailbox)[0], Disposition(delete=True))])

    assert three.stat().st_mode & 0o777 == 0o640


def deliver(path, count, *, dotted):
    """Append as a delivery agent does: with a dot lock, or with fcntl's alone on a file that it holds open."""
    for number in range(count):
        text = f"From d@x.example Fri Jul  8 13:{number % 60:02}:00 2011\nSubject: late {number}\n\nlate\n\n".encode()
        if dotted:
            with mbox_lock.writing(path) as file:
                file.write(text)
        else:
            with path.open("ab") as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                file.write(text)
                file.flush()
        time.sleep(0.002)


def test_nothing_is_lost_of_what_is_delivered_while_the_file_is_written_anew(put, opened):
    path = put("mail.mbox", b"".join(message(n % 10, body=f"{n}\n") for n in range(40)))
    delivery = multiprocessing.get_context("fork").Process(target=deliver, args=(path, 60), kwargs={"dotted": True})
    delivery.start()
    mailbox = opened("mbox")
    for gone in refs_of(mailbox)[:10]:
        assert mailbox.settle([Settlement(gone, Disposition(delete=True))]) == {}
    delivery.join()

    assert sum(subject.startswith("Subject: late") for subject in subjects(mailbox)) == 60
    assert len(refs_of(mailbox)) == 90


def waiting_append(path, text, opened_):
    with path.open("ab") as file:
        opened_.set()
        fcntl.lockf(file, fcntl.LOCK_EX)
        file.write(text)


def test_what_a_program_appends_that_waited_with_the_old_file_open_is_taken_over(three, opened, monkeypatch):
    context = multiprocessing.get_context("fork")
    has_opened = context.Event()
    late = context.Process(target=waiting_append, args=(three, message(4), has_opened))
    mailbox = opened("mbox")
    first = refs_of(mailbox)[0]
    replace = type(three).replace

    def replace_when_somebody_waits(self, target):
        late.start()
        has_opened.wait(10)
        time.sleep(0.1)
        return replace(self, target)

    monkeypatch.setattr(type(three), "replace", replace_when_somebody_waits)
    mailbox.settle([Settlement(first, Disposition(delete=True))])
    late.join()

    assert subjects(mailbox) == ["Subject: 2", "Subject: 3", "Subject: 4"]


def test_another_program_that_holds_the_file_for_long_puts_it_off(three, opened, monkeypatch):
    monkeypatch.setattr(mbox_lock, "PATIENCE", 0.1)
    lock = three.with_name("mail.mbox.lock")
    lock.write_text("0\n")

    with pytest.raises(Transient, match="locked by another program"):
        refs_of(opened("mbox"))
    lock.unlink()
    assert len(refs_of(opened("mbox"))) == 3


@pytest.mark.parametrize("left", ["old", "dead"])
def test_a_lock_that_a_dead_program_left_is_taken_away(three, opened, left):
    lock = three.with_name("mail.mbox.lock")
    process = multiprocessing.get_context("fork").Process(target=lambda: None)
    process.start()
    process.join()
    lock.write_text(f"mailrules {process.pid} {os.uname().nodename}\n" if left == "dead" else "0\n")
    if left == "old":
        os.utime(lock, (time.time() - 3600,) * 2)
    mailbox = opened("mbox")

    assert mailbox.settle([Settlement(refs_of(mailbox)[0], Disposition(delete=True))]) == {}
    assert not lock.exists()


def test_an_empty_file_is_an_empty_mailbox(put, opened):
    put("mail.mbox", b"")

    assert refs_of(opened("mbox")) == []


@pytest.mark.usefixtures("three")
def test_a_folder_that_nobody_made_yet_is_empty(opened):
    assert refs_of(opened("mbox", "Nothing")) == []


def test_a_file_that_is_not_there_may_come_later(opened):
    with pytest.raises(Transient, match="no such file"):
        opened("mbox")


@pytest.mark.parametrize(
    ("content", "folder"), [(b"Subject: x\n\n", "INBOX"), (b"", "../up"), (b"", "a/"), (b"", ".hidden")]
)
def test_what_is_no_mbox_needs_a_person(put, opened, content, folder):
    put("mail.mbox", content)
    with pytest.raises(PersonNeeded):
        opened("mbox", folder)


def test_what_is_no_file_is_no_mbox(opened, odd):
    odd("mail.mbox")
    with pytest.raises((PersonNeeded, Transient), match=r"it is no file|no such file|does not start with 'From '"):
        opened("mbox")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["directory", "pipe"])
def test_an_mbox_that_became_something_else_is_left_for_later(three, opened, make):
    mailbox = opened("mbox")
    refs = refs_of(mailbox)
    three.unlink()
    make(three)

    with pytest.raises(Transient, match=r"mail\.mbox cannot be read"):
        list(mailbox.heads(refs))


def test_an_mbox_that_may_not_be_read_needs_a_person(three, opened, request):
    three.chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(PersonNeeded, match=r"mail\.mbox may not be read"):
        opened("mbox")


def test_a_dot_lock_that_is_a_pipe_hangs_nobody(three, opened, monkeypatch):
    monkeypatch.setattr(mbox_lock, "PATIENCE", 0.1)
    os.mkfifo(three.with_name("mail.mbox.lock"))

    with pytest.raises(Transient, match="locked by another program"):
        refs_of(opened("mbox"))
