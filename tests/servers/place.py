"""Where one testbed lives: its folder, its ports, its certificates."""

import contextlib
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

HOST = "127.0.0.1"
HERE = Path(__file__).resolve().parent
INSTALLED = HERE.parents[1] / ".servers"
"""What install.sh puts outside the system: npm modules, Node.js where the system has none, Cyrus."""

# Below the ports that the kernel gives to outgoing connections.
FIRST_PORT, LAST_PORT, STRIDE = 20000, 32000, 20
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
NAMES = "subjectAltName=DNS:localhost,DNS:mx.tb.test,IP:127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of every service of one testbed; the base itself is held by the testbed as its claim."""

    smtp: int
    submission: int
    smtps: int
    lmtp: int
    imap: int
    imaps: int
    pop3: int
    pop3s: int
    oidc: int
    cyrus_lmtp: int
    cyrus_imap: int
    cyrus_imaps: int
    cyrus_pop3: int
    cyrus_pop3s: int
    postgres: int
    redis: int
    amqp: int
    amqp_cluster: int
    amqp_names: int

    @classmethod
    def above(cls, base: int) -> "Ports":
        """The ports that follow a base port."""
        return cls(*range(base + 1, base + 1 + len(fields(cls))))


@dataclass(frozen=True, slots=True)
class Place:
    """The folder and the ports of one testbed."""

    directory: Path
    ports: Ports

    @property
    def ca(self) -> Path:
        """The certificate of the authority that signed every server's certificate."""
        return self.directory / "etc/ca.crt"

    @property
    def mail(self) -> Path:
        """Where Dovecot keeps each user's home."""
        return self.directory / "data/mail"

    def make(self, name: str) -> Path:
        """A folder of the testbed, made if need be."""
        folder = self.directory / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def render(self, template: str, **values: object) -> Path:
        """Fill in a template, put it under etc, and return its path."""
        text = (HERE / "templates" / f"{Path(template).name}.in").read_text()
        facts = {field.name: getattr(self.ports, field.name) for field in fields(self.ports)}
        facts |= {name: self.directory / name for name in ("etc", "run", "log", "data")}
        for name, value in (facts | values).items():
            text = text.replace(f"@{name.upper()}@", str(value))
        target = self.directory / "etc" / template
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def certify(self) -> None:
        """Make a throw-away authority and a certificate for localhost, mx.tb.test and 127.0.0.1."""
        etc = self.make("etc")
        if (etc / "server.crt").exists():
            return
        sign(etc, "ca", "mailrules testbed CA")
        sign(etc, "server", "localhost", "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", NAMES)
        (etc / "server.key").chmod(0o644)  # Cyrus reads it as an ordinary user


def sign(folder: Path, name: str, subject: str, *more: str) -> None:
    """Make a key and its certificate."""
    files = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
    command = ("openssl", "req", "-x509", *CURVE, "-days", "3650", "-subj", f"/CN={subject}", *files, *more)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def is_free(port: int) -> bool:
    """Whether nothing listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def claimed_base() -> Iterator[int]:
    """A base port whose followers are all free, held against other testbeds until the end of the block."""
    bases = list(range(FIRST_PORT, LAST_PORT, STRIDE))
    random.Random(os.urandom(8)).shuffle(bases)
    for base in bases:
        if not all(is_free(port) for port in astuple(Ports.above(base))):
            continue
        with contextlib.suppress(OSError), socket.create_server((HOST, base)):
            yield base
            return
    raise RuntimeError(f"no {STRIDE} free ports in a row between {FIRST_PORT} and {LAST_PORT}")
