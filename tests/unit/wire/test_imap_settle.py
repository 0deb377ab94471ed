"""Which commands carry dispositions out, on servers that can more or less."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailrules.api import Disposition, PasswordCredential, Place, Ref, Secret, Settlement, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap

FULL = "IMAP4rev1 MOVE UIDPLUS ESEARCH"
NO_MOVE = "IMAP4rev1 UIDPLUS"
BARE = "IMAP4rev1"
COPIED = "{tag} OK [COPYUID 9 %s 11] done\r\n"


def settlement(uid, disposition, *, again=False, validity="1", folder="INBOX"):
    return Settlement(Ref(folder, validity, str(uid)), disposition, again)


def looks(uid, header):
    octets = f"{header}\r\n\r\n"
    return f"* 1 FETCH (UID {uid} RFC822.SIZE 500 BODY[HEADER] {{{len(octets)}}}\r\n{octets})\r\n{{tag}} OK done\r\n"


@dataclass
class Case:
    """What is asked of a server that can *capabilities*; the commands after SELECT, and what failed by UID."""

    wanted: list
    commands: list
    capabilities: str = FULL
    script: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)


CASES = {
    "nothing to do": Case([settlement(1, Disposition())], []),
    "a delete flags and expunges those UIDs, and never all that is flagged": Case(
        [settlement(uid, Disposition(delete=True)) for uid in (1, 2, 3, 7)],
        [r"UID STORE 1:3,7 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 1:3,7"],
    ),
    "without UIDPLUS a delete is a flag only": Case(
        [settlement(1, Disposition(delete=True))], [r"UID STORE 1 +FLAGS.SILENT (\Deleted)"], BARE
    ),
    "marks of one kind go together, before what removes": Case(
        [
            settlement(1, Disposition(seen=True, move="A")),
            settlement(2, Disposition(seen=True)),
            settlement(3, Disposition(seen=False, delete=True)),
        ],
        [
            r"UID STORE 1:2 +FLAGS.SILENT (\Seen)",
            r"UID STORE 3 -FLAGS.SILENT (\Seen)",
            'UID MOVE 1 "A"',
            r"UID STORE 3 +FLAGS.SILENT (\Deleted)",
            "UID EXPUNGE 3",
        ],
    ),
    "labels are Gmail's where the server is Gmail's": Case(
        [settlement(1, Disposition(labels=("to do", 'a"b')))],
        [r'UID STORE 1 +X-GM-LABELS.SILENT ("to do" "a\"b")'],
        f"{FULL} X-GM-EXT-1",
    ),
    "labels are keywords elsewhere": Case(
        [settlement(1, Disposition(labels=("to do", "Größe")))], ["UID STORE 1 +FLAGS.SILENT (to_do Gr&APYA3w-e)"]
    ),
    "a flag that the server does not keep is told, and stops what would follow": Case(
        [settlement(1, Disposition(labels=("todo",), move="A")), settlement(2, Disposition(flags=(r"\Flagged",)))],
        [r"UID STORE 2 +FLAGS.SILENT (\Flagged)"],
        script={
            "select": [
                r"* OK [PERMANENTFLAGS (\Deleted \Seen \Flagged)] limited" + "\r\n"
                "* OK [UIDVALIDITY 1] valid\r\n* 3 EXISTS\r\n{tag} OK done\r\n"
            ]
        },
        failed={1: "the server does not keep the flag todo"},
    ),
    "a command cannot be brought along by a flag": Case(
        [settlement(1, Disposition(flags=("x)\r\nA1 DELETE (y",)))],
        [],
        failed={1: r"'x) A1 DELETE (y' is no IMAP flag"},
    ),
    "a missing folder is made, subscribed to, and the move repeated": Case(
        [settlement(1, Disposition(move="Neu/Ü"))],
        [
            'LIST "" ""',
            'UID MOVE 1 "Neu/&ANw-"',
            'CREATE "Neu/&ANw-"',
            'SUBSCRIBE "Neu/&ANw-"',
            'UID MOVE 1 "Neu/&ANw-"',
        ],
        script={"uid move 1": ["{tag} NO [TRYCREATE] no such folder\r\n"]},
    ),
    "a refusal fails that group, the others go on": Case(
        [settlement(1, Disposition(move="A")), settlement(2, Disposition(move="B"))],
        ['UID MOVE 1 "A"', 'UID MOVE 2 "B"'],
        script={"uid move 1": ["{tag} NO [OVERQUOTA] full\r\n"]},
        failed={1: "MOVE to A answered NO [OVERQUOTA] full"},
    ),
    "a folder that cannot be made fails too": Case(
        [settlement(1, Disposition(copy=("A",), delete=True))],
        ['UID COPY 1 "A"', 'CREATE "A"'],
        script={
            "uid copy": ["{tag} NO [TRYCREATE] no such folder\r\n"],
            "create": ["{tag} NO [CANNOT] not here\r\n"],
        },
        failed={1: "COPY to A answered NO [CANNOT] not here"},
    ),
    "messages gone in between are no failure": Case(
        [settlement(1, Disposition(move="A"))],
        ['UID MOVE 1 "A"'],
        script={"uid move": ["{tag} NO [EXPUNGEISSUED] some are gone\r\n"]},
    ),
    "without MOVE: copied, verified by COPYUID, expunged": Case(
        [settlement(1, Disposition(move="A")), settlement(2, Disposition(move="A"))],
        [
            'UID COPY 1:2 "A"',
            "UID SEARCH UID 1:2",
            r"UID STORE 1:2 +FLAGS.SILENT (\Deleted)",
            "UID EXPUNGE 1:2",
        ],
        NO_MOVE,
        {"uid copy": [COPIED % "1:2"], "uid search": ["* SEARCH 1 2\r\n{tag} OK done\r\n"]},
    ),
    "without MOVE: what was not copied stays": Case(
        [settlement(1, Disposition(move="A")), settlement(2, Disposition(move="A"))],
        ['UID COPY 1:2 "A"', "UID SEARCH UID 1:2", r"UID STORE 1 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 1"],
        NO_MOVE,
        {"uid copy": [COPIED % "1"], "uid search": ["* SEARCH 1 2\r\n{tag} OK done\r\n"]},
        {2: "the copy in A could not be verified, so it stays here too"},
    ),
    "without MOVE: what was not copied because it is gone is settled": Case(
        [settlement(1, Disposition(move="A")), settlement(2, Disposition(move="A"))],
        ['UID COPY 1:2 "A"', "UID SEARCH UID 1:2", r"UID STORE 1 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 1"],
        NO_MOVE,
        {"uid copy": [COPIED % "1"], "uid search": ["* SEARCH 1\r\n{tag} OK done\r\n"]},
    ),
    "with neither MOVE nor UIDPLUS the target is counted": Case(
        [settlement(1, Disposition(move="A"))],
        [
            "UID SEARCH UID 1",
            'STATUS "A" (MESSAGES)',
            'UID COPY 1 "A"',
            'STATUS "A" (MESSAGES)',
            "UID SEARCH UID 1",
            r"UID STORE 1 +FLAGS.SILENT (\Deleted)",
        ],
        BARE,
        {
            "uid search": ["* SEARCH 1\r\n{tag} OK done\r\n"],
            "status 1": ['* STATUS "A" (MESSAGES 5)\r\n{tag} OK done\r\n'],
            "status 2": ['* STATUS "A" (MESSAGES 6)\r\n{tag} OK done\r\n'],
        },
    ),
    "with neither, a target that did not grow keeps the message here": Case(
        [settlement(1, Disposition(move="A"))],
        [
            "UID SEARCH UID 1",
            'STATUS "A" (MESSAGES)',
            'UID COPY 1 "A"',
            'STATUS "A" (MESSAGES)',
            "UID SEARCH UID 1",
        ],
        BARE,
        {
            "uid search": ["* SEARCH 1\r\n{tag} OK done\r\n"],
            "status": ['* STATUS "A" (MESSAGES 5)\r\n{tag} OK done\r\n'],
        },
        {1: "the copy in A could not be verified, so it stays here too"},
    ),
    "a copy that may have been made is looked for by size and header block": Case(
        [settlement(1, Disposition(copy=("A",)), again=True)],
        [
            "UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER])",
            'EXAMINE "A"',
            "UID SEARCH LARGER 499 SMALLER 501",
            "UID FETCH 11 (UID RFC822.SIZE BODY.PEEK[HEADER])",
            "SELECT INBOX",
        ],
        script={
            "uid search": ["* SEARCH 11\r\n{tag} OK done\r\n"],
            "uid fetch 1": [looks(1, "Subject: one")],
            "uid fetch 2": [looks(11, "Subject: one")],
        },
    ),
    "another message of that size is not the copy": Case(
        [settlement(1, Disposition(copy=("A",)), again=True)],
        [
            "UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER])",
            'EXAMINE "A"',
            "UID SEARCH LARGER 499 SMALLER 501",
            "UID FETCH 11 (UID RFC822.SIZE BODY.PEEK[HEADER])",
            "SELECT INBOX",
            'UID COPY 1 "A"',
        ],
        script={
            "uid search": ["* SEARCH 11\r\n{tag} OK done\r\n"],
            "uid fetch 1": [looks(1, "Subject: one")],
            "uid fetch 2": [looks(11, "Subject: two")],
        },
    ),
    "a folder made anew in between holds strangers, which are left alone": Case(
        [settlement(1, Disposition(copy=("A",), delete=True), again=True)],
        ["UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER])", 'EXAMINE "A"', "SELECT INBOX"],
        script={
            "uid fetch": ["{tag} OK done\r\n"],
            "examine": ["{tag} NO [NONEXISTENT] no such folder\r\n"],
            "select 2": ["* 3 EXISTS\r\n* OK [UIDVALIDITY 2] new\r\n{tag} OK done\r\n"],
        },
        failed={1: "the folder was made anew meanwhile"},
    ),
    "a reference to another folder is left alone": Case(
        [settlement(1, Disposition(delete=True), folder="Archive")],
        [],
        failed={1: "it is in Archive, not in INBOX"},
    ),
    "INBOX is one folder however it is written": Case(
        [settlement(1, Disposition(seen=True), folder="Inbox")], [r"UID STORE 1 +FLAGS.SILENT (\Seen)"]
    ),
    "a reference of another UIDVALIDITY is left alone": Case(
        [settlement(1, Disposition(delete=True), validity="2")], []
    ),
    "many folders, few commands": Case(
        [settlement(uid, Disposition(move=f"F{uid % 2}")) for uid in range(1, 2001)],
        [
            f'UID MOVE {",".join(str(uid) for uid in range(1, 2001, 2) if low <= uid < high)} "F1"'
            for low, high in ((1, 2001),)
        ]
        + [f'UID MOVE {",".join(str(uid) for uid in range(2, 2001, 2))} "F0"'],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_settling(case):
    script = {"capability": [f"* CAPABILITY {case.capabilities}\r\n{{tag}} OK done\r\n"], **case.script}
    with BadImap(script) as server:
        options = build_options(
            IMAP.options, {"host": "127.0.0.1", "port": server.port, "security": "none"}, root=Path()
        )
        with closing(IMAP.open(options, PasswordCredential("jo", Secret("x")), Place(Path()))) as mailbox:
            before = len(server.heard)
            failed = mailbox.settle(case.wanted)
            commands = [line.partition(" ")[2] for line in server.heard[before:]]

    assert [command.replace('"INBOX"', "INBOX") for command in commands] == case.commands
    assert {int(ref.uid): reason for ref, reason in failed.items()} == case.failed
