"""The journal as a file: how it is made, kept, read without a trace, and what it says when it cannot."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import event

from mailrules.model.entry import State
from mailrules.model.journal import JournalError, Query
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import LISTENER, NOON, entry, step, uids


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


@pytest.fixture
def journal(url):
    journal = open_journal(url)
    yield journal
    journal.close()


def listing(folder):
    """Every file with its bytes and times: what must not change."""
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


# making and keeping


def test_folder_and_files_are_this_users_alone(path, journal):
    journal.claim([entry(1)])
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {
        "journal.db": 0o600,
        "journal.db-wal": 0o600,
        "journal.db-shm": 0o600,
    }


def test_a_folder_that_is_there_keeps_its_permissions(path, url):
    path.parent.mkdir(mode=0o755)
    open_journal(url).close()
    assert path.parent.stat().st_mode & 0o777 == 0o755


def test_every_commit_is_synced_to_disk(journal):
    with journal._engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_what_is_written_is_there_after_closing(journal, url):
    recorded = journal.record(journal.claim([entry(1)])[0], step())
    journal.begin(LISTENER, NOON, [])
    journal.close()
    again = open_journal(url)
    assert (again.find(Query()), again.first_pass(LISTENER)) == ([recorded], NOON)
    again.close()


def test_a_number_is_never_given_twice(journal, path):
    (first,) = journal.claim([entry(1)])
    journal.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM entry")
    assert journal.claim([entry(2)])[0].id == first.id + 1


def test_eight_processes_that_open_an_absent_journal_at_once_all_get_it(url):
    code = "import sys; from mailrules.store.sql import open_journal; open_journal(sys.argv[1]).totals('x')"
    tries = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True) for _ in range(8)]
    assert [each.communicate()[1] for each in tries] == [""] * 8


CLAIMER = """
import sys
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import entry, uids
journal = open_journal(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for start in range(0, 400, 10):
    print(*uids(journal.claim([entry(uid) for uid in range(start, start + 10)])), flush=True)
"""


def test_of_two_processes_exactly_one_gets_each_message(url, journal):
    journal.claim([entry(uid, state=State.RETRY) for uid in range(0, 400, 3)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    claimers = [subprocess.Popen([sys.executable, "-c", CLAIMER, url], **pipes) for _ in range(2)]
    assert [claimer.stdout.readline() for claimer in claimers] == ["ready\n", "ready\n"]
    for claimer in claimers:
        claimer.stdin.write("\n")
        claimer.stdin.flush()
    claimed = [claimer.communicate()[0].split() for claimer in claimers]
    assert sorted(int(uid) for each in claimed for uid in each) == list(range(400))


def test_a_writer_waits_for_another_to_finish(url, path, journal):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = subprocess.Popen([sys.executable, "-c", CLAIMER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert waiting.stdout.readline() == b"ready\n"
        waiting.stdin.write(b"\n")
        waiting.stdin.flush()
        assert journal.totals(LISTENER)[State.CLAIMED] == 0  # readers do not wait
        other.execute("COMMIT")
        waiting.communicate()
    assert journal.totals(LISTENER)[State.CLAIMED] == 400


# reading only


def test_read_only_an_absent_journal_is_empty_and_stays_absent(tmp_path, url):
    reader = open_journal(url, readonly=True)
    assert reader.find(Query()) == []
    assert reader.known(LISTENER, [entry(1).ref]) == {}
    assert reader.first_pass(LISTENER) is None
    assert set(reader.totals(LISTENER).values()) == {0}
    assert list(tmp_path.iterdir()) == []


def test_read_only_an_empty_file_is_an_empty_journal(path, url):
    path.parent.mkdir()
    path.touch()
    assert open_journal(url, readonly=True).find(Query()) == []
    assert path.stat().st_size == 0


def test_read_only_leaves_no_trace_beside_a_closed_journal(path, url, journal):
    journal.claim([entry(1)])
    journal.close()
    before = listing(path.parent)
    reader = open_journal(url, readonly=True)
    assert uids(reader.find(Query())) == ["1"]
    assert listing(path.parent) == before
    reader.close()
    assert listing(path.parent) == before


def test_read_only_sees_what_a_running_process_writes(url, journal):
    reader = open_journal(url, readonly=True)
    assert reader.find(Query()) == []
    (one,) = journal.claim([entry(1)])
    assert reader.find(Query()) == [one]
    journal.save([replace(one, state=State.DONE)])
    assert reader.totals(LISTENER)[State.DONE] == 1
    journal.close()
    assert uids(reader.find(Query())) == ["1"]


def test_read_only_sees_what_a_crash_left_unmerged(path, journal, tmp_path):
    (one,) = journal.claim([entry(1)])
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in path.parent.iterdir():
        (crashed / file.name).write_bytes(file.read_bytes())
    kept = ("journal.db", "journal.db-wal")
    before = [(crashed / name).read_bytes() for name in kept]
    reader = open_journal(f"sqlite:///{crashed}/journal.db", readonly=True)
    assert reader.find(Query()) == [one]
    reader.close()
    assert [(crashed / name).read_bytes() for name in kept] == before


def test_read_only_sees_a_journal_that_was_made_since(url):
    reader = open_journal(url, readonly=True)
    assert reader.find(Query()) == []
    writer = open_journal(url)
    writer.claim([entry(1)])
    assert uids(reader.find(Query())) == ["1"]
    writer.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: journal.claim([entry(1)]),
        lambda journal: journal.save([entry(1, id=1)]),
        lambda journal: journal.record(entry(1, id=1), step()),
        lambda journal: journal.begin(LISTENER, NOON, []),
    ],
    ids=["claim", "save", "record", "begin"],
)
def test_read_only_refuses_to_write(url, write):
    with pytest.raises(JournalError, match="open for reading only"):
        write(open_journal(url, readonly=True))


# failures


def refusal(act, *arguments, **options):
    """The one line that a failure comes as."""
    with pytest.raises(JournalError) as caught:
        act(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_full_disk_is_told_and_nothing_is_half_written(journal):
    (one,) = journal.claim([entry(1)])
    limit = "PRAGMA max_page_count = {}".format

    @event.listens_for(journal._engine, "checkout")
    def fill(connection, _record, _proxy):
        connection.execute(limit(1))  # no further page: what a full disk says, SQLite says then

    many = [entry(uid, subject="x" * 1000) for uid in range(2, 500)]
    assert refusal(journal.claim, many).endswith("the disk is full; free some space, then run again")
    assert "disk is full" in refusal(journal.record, one, step(detail="x" * 1_000_000))
    event.remove(journal._engine, "checkout", fill)
    assert journal.find(Query()) == [one]
    journal.close()
    assert len(journal.claim(many)) == len(many)


def test_a_write_that_the_system_cuts_off_is_told_and_nothing_is_half_written(url):
    """Like a full disk or a quota, in a process that may write no file beyond 256 kB."""
    code = f"""
import resource, signal
from mailrules.model.journal import JournalError, Query
from mailrules.store.sql import open_journal
from mailrules.testing.journal_contract import entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = open_journal({url!r})
journal.claim([entry(0)])
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
try:
    journal.claim([entry(uid, subject="x" * 1000) for uid in range(1, 1000)])
except JournalError as error:
    print(error)
print(len(journal.find(Query())))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].endswith("check its space, its quota and its health")
    assert said[1:] == ["1"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_lock_that_does_not_go_away_is_told(url, path):
    hasty = open_journal(f"{url}?timeout=0.05")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another process holds it" in refusal(hasty.claim, [entry(1)])
        other.execute("COMMIT")
    assert len(hasty.claim([entry(1)])) == 1
    hasty.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_is_told(url, path, journal):
    journal.close()
    path.chmod(0o400)
    assert "make the file and its folder writable" in refusal(open_journal, url)


def test_a_write_to_a_read_only_database_is_told(journal):
    @event.listens_for(journal._engine, "checkout")
    def forbid(connection, _record, _proxy):
        connection.execute("PRAGMA query_only = ON")

    assert "make the file and its folder writable" in refusal(journal.claim, [entry(1)])


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_database_is_told_and_left_alone(url, path, readonly):
    path.parent.mkdir()
    path.write_text("Dear diary,\n" * 1000)
    assert "no SQLite database" in refusal(open_journal, url, readonly=readonly)
    assert listing(path.parent).keys() == {"journal.db"}
    assert path.read_text() == "Dear diary,\n" * 1000


@pytest.mark.parametrize("readonly", [False, True])
def test_another_programs_database_is_told_and_left_alone(url, path, readonly):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()[100:]
    assert "another program" in refusal(open_journal, url, readonly=readonly)
    assert path.read_bytes()[100:] == before  # the first hundred bytes are SQLite's own header


@pytest.mark.parametrize("readonly", [False, True])
def test_damage_is_told(url, path, journal, readonly):
    journal.claim([entry(uid) for uid in range(500)])
    journal.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xde\xad" * 4096 * 8)

    def use():
        opened = open_journal(url, readonly=readonly)
        opened.find(Query(limit=None))

    assert "the file is damaged" in refusal(use)


def test_a_row_that_is_no_entry_is_told(journal, path):
    journal.claim([entry(1)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE entry SET state = 'pondering'")
    assert "pondering" in refusal(journal.find, Query())
    assert "pondering" in refusal(journal.known(LISTENER, [entry(1).ref]).__getitem__, entry(1).ref)


def test_two_entries_cannot_stand_for_one_message(journal):
    one, two = journal.claim([entry(1), entry(2)])
    assert "same message" in refusal(journal.save, [replace(one, state=State.DONE), replace(two, ref=one.ref)])
    assert journal.find(Query()) == [two, one]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("journal.db", "write it as sqlite:///journal.db"),
        ("", "write it as sqlite:///journal.db"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////", "names a folder"),
        ("mysql+pymysql://mail:hunter2@db.example/mail", "driver that is not installed"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(address, said):
    reason = refusal(open_journal, address)
    assert said in reason
    assert "hunter2" not in reason


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    assert "check the path" in refusal(open_journal, f"sqlite:///{tmp_path}/file/journal.db")
