"""Cyrus: the second implementation of IMAP and POP3, unpacked because its Debian package excludes Dovecot's."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from .daemon import Command, Daemon, nothing_missing
from .dovecot import USERS
from .place import INSTALLED, Place

UNPACKED = INSTALLED / "cyrus"
REALM = "mx.tb.test"
"""Where Cyrus looks a user up: its own server name."""


def missing() -> str:
    """Why it cannot run on this machine."""
    return nothing_missing(UNPACKED / "usr/sbin/cyrmaster", "saslpasswd2", "openssl")


def admit(place: Place, name: str, password: str) -> None:
    """Let one more user log in."""
    users = str(place.directory / "data/cyrus/sasldb2")
    subprocess.run(["saslpasswd2", "-pcf", users, "-u", REALM, name], input=password.encode(), check=True)


def prepare(place: Place) -> Command:
    """Configure it, with its users."""
    owner = pwd.getpwnam("mail")
    # A copy, because its unprivileged user may not be allowed to look into our own tree.
    root = place.directory / "cyrus"
    if not root.exists():  # started again it is there
        shutil.copytree(UNPACKED, root, symlinks=True)
    for name in ("data/cyrus", "data/cyrus/conf", "data/cyrus/spool", "run/cyrus", "run/cyrus/proc"):
        os.chown(place.make(name), owner.pw_uid, owner.pw_gid)
    for user in USERS:
        admit(place, user, f"pw-{user}")
    os.chown(place.directory / "data/cyrus/sasldb2", owner.pw_uid, owner.pw_gid)
    imapd = place.render("imapd.conf", state=place.directory / "data/cyrus")
    services = place.render("cyrus.conf", bin=root / "usr/lib/cyrus/bin")
    pid = place.directory / "run/cyrus/master.pid"
    argv = (str(root / "usr/sbin/cyrmaster"), "-C", str(imapd), "-M", str(services), "-p", str(pid))
    return Command(argv, {"LD_LIBRARY_PATH": libraries(root)})


def libraries(root: Path) -> str:
    """The folders of the shared libraries that came with it."""
    return os.pathsep.join({str(path.parent) for path in root.glob("usr/lib/**/libcyrus*.so.0")})


CYRUS = Daemon("cyrus", ("cyrus_lmtp", "cyrus_imap", "cyrus_imaps", "cyrus_pop3", "cyrus_pop3s"), missing, prepare)
