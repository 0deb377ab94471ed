"""Postfix: SMTP, submission and smtps, delivering into Dovecot by LMTP."""

import os
import shutil
from pathlib import Path

from .daemon import Command, Daemon, nothing_missing
from .place import Place

PCRE = Path("/usr/lib/postfix/postfix-pcre.so")


def missing() -> str:
    """Why it cannot run on this machine."""
    if lack := nothing_missing("postfix", "openssl"):
        return lack
    return "" if PCRE.exists() else "the package postfix-pcre is not installed"


def prepare(place: Place) -> Command:
    """Configure it, with a queue of its own."""
    spool, state = place.make("data/postfix-spool"), place.make("data/postfix")
    shutil.chown(state, "postfix")
    for name in ("main.cf", "master.cf", "sink.pcre", "refuse.pcre"):
        path = place.render(f"postfix/{name}", spool=spool, state=state)
        os.utime(path, (0, 0))  # a file just written makes it wait for seconds, lest it be half of one
    etc = place.directory / "etc/postfix"
    (etc / "dynamicmaps.cf").write_text(f"pcre {PCRE} dict_pcre_open\n")
    # It closes every possible descriptor in turn, in each process: few of them, quick start.
    return Command(("prlimit", "--nofile=4096:4096", "/usr/sbin/postfix", "-c", str(etc), "start-fg"))


POSTFIX = Daemon("postfix", ("smtp", "submission", "smtps"), missing, prepare)
