"""Real mail servers for tests: Dovecot, Postfix, Cyrus, an OpenID provider."""

from .dovecot import FRESH_PASSWORD, USERS
from .mailbox import Folder, Held, Mailbox, Snapshot, digest
from .testbed import DAEMONS, Provider, Relay, Store, Testbed

__all__ = [
    "DAEMONS",
    "FRESH_PASSWORD",
    "USERS",
    "Folder",
    "Held",
    "Mailbox",
    "Provider",
    "Relay",
    "Snapshot",
    "Store",
    "Testbed",
    "digest",
]
