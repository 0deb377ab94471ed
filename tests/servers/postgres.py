"""PostgreSQL: a journal that several machines share."""

import os
import pwd
import subprocess
from pathlib import Path

from .daemon import Command, Daemon, nothing_missing
from .place import HOST, Place

OWNER = "postgres"
"""The user of the Debian package; the server refuses to run as root."""


def programs() -> Path | None:
    """Where the newest version's programs are."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def missing() -> str:
    """Why it cannot run on this machine."""
    found = programs()
    return nothing_missing((found or Path("/usr/lib/postgresql/bin")) / "initdb", "setpriv")


def prepare(place: Place) -> Command:
    """An empty cluster that asks nobody on loopback for a password; what it loses in a crash nobody misses."""
    found, data, owner = programs(), place.make("data/postgres"), pwd.getpwnam(OWNER)
    assert found is not None
    os.chown(data, owner.pw_uid, owner.pw_gid)
    as_owner = ("setpriv", f"--reuid={OWNER}", f"--regid={owner.pw_gid}", "--init-groups", "--")
    if not (data / "PG_VERSION").exists():
        initdb = (str(found / "initdb"), "-D", str(data), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        subprocess.run((*as_owner, *initdb), check=True, capture_output=True, cwd="/")
    settings = {"listen_addresses": HOST, "unix_socket_directories": "", "fsync": "off", "max_connections": "50"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Command((*as_owner, str(found / "postgres"), "-D", str(data), "-p", str(place.ports.postgres), *options))


POSTGRES = Daemon("postgres", ("postgres",), missing, prepare)
