"""Listening between passes, at the wire: what is heard, under TLS too, and what a connection that rests keeps alive."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import tracemalloc
from contextlib import ExitStack, closing
from pathlib import Path
from select import select

from tests.unit.engine.test_push import open_imap

from mailrules.api import Disposition, PasswordCredential, Place, Pushing, Secret, Settlement, build_options
from mailrules.builtin.imap.protocol import IMAP
from mailrules.testing.bad_imap import BadImap

MOST = 8 * 1024
"""Octets of memory that a connection may take while it rests."""


def hears(mailbox, seconds=5.0):
    """As who watches it: look when there is something to read."""
    while not (found := mailbox.heard()) and select([mailbox], [], [], seconds)[0]:
        pass
    return found


def test_no_new_mail_is_no_news():
    for steps in (["+ idling\r\n"], ["+ idling\r\n* 3 EXISTS\r\n"], ["+ idling\r\n* 2 EXPUNGE\r\n"]):
        with BadImap({"idle": steps}) as server, closing(open_imap(server.port)) as mailbox:
            mailbox.refs(unseen_only=False)
            mailbox.listen()
            assert not hears(mailbox, 0.2)


def test_one_goes_and_one_comes():
    with (
        BadImap({"idle": ["+ idling\r\n* 3 EXPUNGE\r\n* 3 EXISTS\r\n"]}) as server,
        closing(open_imap(server.port)) as mailbox,
    ):
        mailbox.refs(unseen_only=False)
        mailbox.listen()
        assert hears(mailbox)


def test_what_a_server_tells_while_a_folder_is_looked_for_is_heard_too():
    script = {
        "capability": ["* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS ESEARCH NAMESPACE\r\n{tag} OK done\r\n"],
        "namespace": ['* 4 EXISTS\r\n* NAMESPACE (("" "/")) NIL NIL\r\n{tag} OK done\r\n'],
    }
    with BadImap(script) as server, closing(open_imap(server.port)) as mailbox:
        (first, *_) = mailbox.refs(unseen_only=False)
        mailbox.settle([Settlement(first, Disposition(move="Done/Late"))])
        mailbox.listen()
        assert hears(mailbox, 0.2)


def test_what_comes_between_two_listings_is_news():
    with (
        BadImap({"noop": ["* 4 EXISTS\r\n{tag} OK done\r\n"]}) as server,
        closing(open_imap(server.port)) as mailbox,
    ):
        mailbox.refs(unseen_only=True)
        mailbox.refs(unseen_only=False)
        mailbox.listen()
        assert hears(mailbox, 0.2)


def test_what_may_have_come_while_another_folder_was_open_is_looked_for():
    script = {
        "examine": ["* 9 EXISTS\r\n* OK [UIDVALIDITY 2] valid\r\n{tag} OK [READ-ONLY] done\r\n"],
        "select 2": ["* 4 EXISTS\r\n* OK [UIDVALIDITY 1] valid\r\n{tag} OK [READ-WRITE] done\r\n"],
    }
    with BadImap(script) as server, closing(open_imap(server.port)) as mailbox:
        (first, *_) = mailbox.refs(unseen_only=False)
        mailbox.settle([Settlement(first, Disposition(copy=("Other",)), again=True)])
        mailbox.listen()
        assert hears(mailbox, 0.2)


def test_after_listening_everything_may_be_asked_again():
    script = {f"idle {number}": ["+ idling\r\n", f"* {number + 3} EXISTS\r\n"] for number in (1, 2)}
    with BadImap(script) as server, closing(open_imap(server.port)) as mailbox:
        assert isinstance(mailbox, Pushing)
        for _ in range(2):
            mailbox.listen()
            assert hears(mailbox)
            mailbox.resume()
            assert len(mailbox.refs(unseen_only=False)) == 3

    asked = ["IDLE", "DONE", "UID SEARCH RETURN (ALL) UNDELETED"]
    assert [line.partition(" ")[2] or line for line in server.heard[4:]][:6] == asked * 2


def test_under_tls_what_its_layer_holds_is_heard_though_the_socket_has_nothing_more(dovecot, mailbox):
    options = {"host": "localhost", "port": dovecot.imaps, "certificate": str(dovecot.ca), "timeout": "5s"}
    built = build_options(IMAP.options, options, root=Path())
    with closing(IMAP.open(built, PasswordCredential(mailbox.user, Secret(mailbox.password)), Place(Path()))) as opened:
        opened.refs(unseen_only=False)
        opened.listen()
        assert not opened.heard()
        mailbox.deliver(b"Subject: news\r\n\r\nhello\r\n")
        assert hears(opened)
        opened.resume()
        assert len(opened.refs(unseen_only=False)) == 1


def test_a_connection_is_probed_by_the_system():
    with (
        BadImap({}) as server,
        closing(open_imap(server.port)) as mailbox,
        socket.socket(fileno=socket.dup(mailbox.fileno())) as line,
    ):
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 300


def test_a_connection_that_rests_takes_little_memory_and_no_thread():
    command = [sys.executable, "-m", "benchmarks.idle_server"]
    with ExitStack() as held:
        server = held.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        held.callback(server.terminate)
        port = int(server.stdout.readline())

        def resting():
            mailbox = held.enter_context(closing(open_imap(port)))
            list(mailbox.heads(mailbox.refs(unseen_only=False)))
            mailbox.listen()
            mailbox.heard()

        resting()
        gc.collect()
        threads = threading.active_count()
        tracemalloc.start()
        try:
            for _ in range(50):
                resting()
            gc.collect()
            each = tracemalloc.get_traced_memory()[0] / 50
        finally:
            tracemalloc.stop()

        assert each < MOST
        assert threading.active_count() == threads
