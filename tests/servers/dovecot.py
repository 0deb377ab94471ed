"""Dovecot: IMAP, POP3, LMTP, and the SASL that Postfix asks."""

import os
import subprocess

from .daemon import Command, Daemon, nothing_missing
from .place import Place

USERS = ("alice", "bob", "carol", "support", "sales", "sink")
"""The named users, `<name>@tb.test` with password `pw-<name>`, on Dovecot and on Cyrus."""
FRESH_PASSWORD = "testbed"
"""What logs in any `u...@tb.test`, so that each test can have a mailbox of its own."""
OWNER = 5000
"""The numeric user and group that own all mail; no account of the machine is needed for it."""


def missing() -> str:
    """Why it cannot run on this machine."""
    if lack := nothing_missing("dovecot", "openssl", "/usr/lib/dovecot/lmtp", "/usr/lib/dovecot/pop3"):
        return lack
    version = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True, check=False).stdout
    return "" if version.startswith("2.3.") else f"its configuration is for version 2.3, this is {version.split()[0]}"


def prepare(place: Place) -> Command:
    """Configure it, with its users."""
    users = "".join(f"{name}@tb.test:{{PLAIN}}pw-{name}::::::\n" for name in USERS)
    (place.make("etc") / "users").write_text(users + dotted(place))
    place.make("run")
    os.chown(place.make("data/mail"), OWNER, OWNER)
    place.render("dovecot-oauth2.conf.ext")
    config = place.render("dovecot.conf", uid=OWNER, mail=place.mail, name=f"testbed-{place.ports.imap}")
    return Command(("/usr/sbin/dovecot", "-F", "-c", str(config)))


def dotted(place: Place) -> str:
    """The user `dots`, whose folders are called `INBOX.Invoices.2026` as on servers of old."""
    prefix = "userdb_namespace/inbox/prefix=INBOX."
    home = f"userdb_uid={OWNER} userdb_gid={OWNER} userdb_home={place.mail}/dots@tb.test"
    return f"dots@tb.test:{{PLAIN}}pw-dots::::::{home} userdb_namespace/inbox/separator=. {prefix}\n"


DOVECOT = Daemon("dovecot", ("lmtp", "imap", "imaps", "pop3", "pop3s"), missing, prepare)
