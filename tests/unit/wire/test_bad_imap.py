"""Bad IMAP servers: each gives one clear error, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from select import select

import pytest
from ruamel.yaml import YAML

from mailrules.api import (
    Disposition,
    PasswordCredential,
    Permanent,
    PersonNeeded,
    Place,
    Refused,
    Secret,
    Settlement,
    Transient,
    build_options,
)
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap

CASES = YAML(typ="safe").load(Path(__file__).with_name("bad_imap.yaml"))
TIMEOUT = 0.4
MOST_SECONDS = 5
MOST_OCTETS = 40 << 20


def open_on(server, security="none"):
    options = {"host": "127.0.0.1", "port": server.port, "security": security, "timeout": f"{TIMEOUT * 1000:.0f}ms"}
    return IMAP.open(
        build_options(IMAP.options, options, root=Path()), PasswordCredential("jo", Secret("hunter2")), Place(Path())
    )


def act(server, case):
    mailbox = open_on(server, case.get("security", "none"))
    try:
        refs = mailbox.refs(unseen_only=False)
        match case["when"]:
            case "heads":
                list(mailbox.heads(refs))
            case "bodies":
                list(mailbox.bodies(refs))
            case "listen":
                mailbox.listen()
                select([mailbox], [], [], 0.3)
                time.sleep(0.3)
                mailbox.heard()
                mailbox.resume()
            case "settle":
                mailbox.settle([Settlement(refs[0], Disposition(delete=True))])
    finally:
        mailbox.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_bad_server_gives_one_clear_error(case):
    kind = {"Transient": Transient, "PersonNeeded": PersonNeeded, "Refused": Refused}[case["raises"]]
    tracemalloc.start()
    start = time.monotonic()
    try:
        with BadImap(case["script"]) as server, pytest.raises((Transient, Permanent)) as raised:
            act(server, case)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    text = str(raised.value)
    assert type(raised.value) is kind, text
    assert case["says"] in text
    assert text.startswith(f"127.0.0.1:{server.port}: ")
    assert text.isprintable()
    assert len(text) < 400
    assert "hunter2" not in text
    assert case.get("unheard", "\0") not in "\n".join(server.heard)
    assert time.monotonic() - start < MOST_SECONDS
    assert peak < MOST_OCTETS
