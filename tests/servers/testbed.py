"""Real mail servers on loopback, all their files under one folder, none of the machine's services touched."""

import contextlib
import json
import secrets
import shutil
import ssl
import tempfile
import time
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psycopg

from . import cyrus
from .brokers import RABBITMQ, REDIS
from .cyrus import CYRUS
from .daemon import Running
from .dovecot import DOVECOT, FRESH_PASSWORD
from .mailbox import Mailbox
from .oidc import OIDC
from .place import HOST, Place, Ports, claimed_base
from .postfix import POSTFIX
from .postgres import OWNER, POSTGRES

DAEMONS = {daemon.name: daemon for daemon in (OIDC, DOVECOT, POSTFIX, CYRUS, POSTGRES, REDIS, RABBITMQ)}
"""Every kind of server, in the order of starting."""


@dataclass(frozen=True, slots=True)
class Store:
    """Dovecot or Cyrus. `imap` and `pop3` do STARTTLS and STLS, `imaps` and `pop3s` TLS at once.

    Measured: Dovecot answers a refused log-in, and wakes an IDLE, after half a second; Cyrus wakes an IDLE within two.
    Dovecot counts every loopback connection as secured, so LOGINDISABLED is never seen here.
    """

    name: str
    imap: int
    imaps: int
    pop3: int
    pop3s: int
    lmtp: int
    place: Place
    host: str = HOST

    @property
    def ca(self) -> Path:
        return self.place.ca

    @property
    def tls(self) -> ssl.SSLContext:
        """What a client needs to trust the server."""
        return ssl.create_default_context(cafile=self.ca)

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of a named user (see USERS)."""
        return self._mailbox(name, f"pw-{name}")

    def fresh(self) -> Mailbox:
        """A mailbox that nobody has used."""
        name = f"u{secrets.token_hex(6)}"
        if self.name == "cyrus":
            cyrus.admit(self.place, name, FRESH_PASSWORD)
        return self._mailbox(name, FRESH_PASSWORD)

    def _mailbox(self, name: str, password: str) -> Mailbox:
        user = f"{name}@tb.test"
        home = self.place.mail / user if self.name == "dovecot" else None
        return Mailbox(user, password, imap=self.imap, lmtp=self.lmtp, home=home)


@dataclass(frozen=True, slots=True)
class Relay:
    """Postfix. `smtp` and `submission` do STARTTLS, `smtps` TLS at once; the last two need a log-in.

    Mail for `<anyone>@tb.test` arrives in that mailbox, any other in sink@tb.test. Refused at RCPT: `reject5NN@tb.test`
    with 550, `reject4NN@tb.test` with 451, `full@tb.test` with 452.
    """

    smtp: int
    submission: int
    smtps: int
    place: Place
    host: str = HOST

    @property
    def ca(self) -> Path:
        return self.place.ca

    @property
    def tls(self) -> ssl.SSLContext:
        """What a client needs to trust the server."""
        return ssl.create_default_context(cafile=self.ca)


@dataclass(frozen=True, slots=True)
class Provider:
    """The OpenID provider. Dovecot takes its tokens, and so Postfix does.

    `svc-alice` and `svc-support`, secret `<id>-secret`, get a token for that one mailbox by client credentials.
    `mailrules-cli`, a public client, does authorization code with PKCE (redirect to /callback on any loopback port),
    device flow and refresh; whoever `login_hint` names (alice if nobody) logs in and consents at once.
    """

    issuer: str

    @property
    def discovery_url(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def token(self, client: str = "svc-alice") -> str:
        """An access token by client credentials."""
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "imap pop smtp"}).encode()
        basic = b64encode(f"{client}:{client}-secret".encode()).decode()
        return str(self._post("/token", form, Authorization=f"Basic {basic}")["access_token"])

    def approve(self, user_code: str, account: str = "alice@tb.test", *, deny: bool = False) -> None:
        """Do what a person does in a device flow."""
        self._control("approve", user_code=user_code, account=account, deny=deny)

    @contextlib.contextmanager
    def tokens_for(self, seconds: int) -> Iterator[None]:
        """Within the block, a new access token is good for that long only."""
        self._control("lifetime", seconds=seconds)
        yield
        self._control("lifetime", seconds=3600)

    def _control(self, name: str, **what: object) -> None:
        self._post(f"/testbed/{name}", json.dumps(what).encode())

    def _post(self, path: str, body: bytes, **headers: str) -> dict[str, object]:
        request = urllib.request.Request(self.issuer + path, body, headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            answer: dict[str, object] = json.load(response)
        return answer


@dataclass(frozen=True, slots=True)
class Database:
    """PostgreSQL."""

    host: str
    port: int

    def fresh(self) -> str:
        """The SQLAlchemy address of a new, empty database."""
        name = f"j{secrets.token_hex(6)}"
        with self._connected() as one:
            one.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://{OWNER}@{self.host}:{self.port}/{name}"

    def _connected(self, limit: float = 20) -> psycopg.Connection[psycopg.rows.TupleRow]:
        """It listens before it lets anybody in."""
        deadline = time.monotonic() + limit
        while True:
            try:
                return psycopg.connect(host=self.host, port=self.port, user=OWNER, dbname="postgres", autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class Testbed:
    """Servers that live in one folder and listen above one base port; several testbeds run side by side."""

    __test__ = False  # not a class of tests

    def __init__(self, directory: Path, base_port: int) -> None:
        self.place = Place(directory, Ports.above(base_port))
        self._running: dict[str, Running] = {}

    @classmethod
    @contextlib.contextmanager
    def temporary(cls) -> Iterator[Self]:
        """A testbed in a new folder on free ports, gone at the end of the block."""
        with claimed_base() as base, cls(Path(tempfile.mkdtemp(prefix="mailrules-servers-")), base) as bed:
            yield bed

    def start(self, *names: str) -> None:
        """Start servers that do not run yet, each with what it needs: Postfix delivers into Dovecot."""
        wanted = set(names) | ({"dovecot"} if "postfix" in names else set())
        self.place.directory.mkdir(parents=True, exist_ok=True)
        self.place.directory.chmod(0o755)  # the servers run under users of their own
        self.place.certify()
        for name, daemon in DAEMONS.items():
            if name in wanted and name not in self._running:
                self._running[name] = Running(daemon, self.place)

    def stop(self, *names: str) -> None:
        """Stop these servers, or all of them; their mail stays."""
        for name in names or tuple(reversed(self._running)):
            if running := self._running.pop(name, None):
                running.stop()

    def wipe(self) -> None:
        """Stop all servers and remove all files."""
        self.stop()
        shutil.rmtree(self.place.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    @property
    def dovecot(self) -> Store:
        ports = self.place.ports
        return Store("dovecot", ports.imap, ports.imaps, ports.pop3, ports.pop3s, ports.lmtp, self.place)

    @property
    def cyrus(self) -> Store:
        ports = self.place.ports
        imap, pop3 = (ports.cyrus_imap, ports.cyrus_imaps), (ports.cyrus_pop3, ports.cyrus_pop3s)
        return Store("cyrus", *imap, *pop3, ports.cyrus_lmtp, self.place)

    @property
    def postfix(self) -> Relay:
        ports = self.place.ports
        return Relay(ports.smtp, ports.submission, ports.smtps, self.place)

    @property
    def postgres(self) -> Database:
        return Database(HOST, self.place.ports.postgres)

    @property
    def redis(self) -> str:
        """Its address."""
        return f"redis://{HOST}:{self.place.ports.redis}/0"

    @property
    def rabbitmq(self) -> str:
        """Its address."""
        return f"amqp://guest:guest@{HOST}:{self.place.ports.amqp}//"

    @property
    def oidc(self) -> Provider:
        return Provider(f"http://{HOST}:{self.place.ports.oidc}")
