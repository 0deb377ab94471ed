"""The workspace of the run: who listens where, how it logs in, and what it does with what comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.reliability.faulty_line import FaultyLine
from tests.servers.mailbox import Mailbox
from tests.servers.place import HOST
from tests.servers.testbed import Store, Testbed

SCOPES = ["openid", "imap", "pop", "smtp"]
APPEND = 'printf "%s %s %s\\n" "$MAILRULES_SUBJECT" "$MAILRULES_IDEMPOTENCY_KEY" "$(date +%s.%N)" >> "$0"'
"""What the action `command` runs: one line a message."""
FILED = "Filed"


@dataclass(frozen=True, slots=True)
class Post:
    """One listener of which something is expected."""

    name: str
    server: str
    protocol: str
    security: str
    login: str
    """How it logs in, for people."""
    action: str
    """`webhook`, `save` or `command`: what leaves a record of its own."""
    then: str
    """`delete`, `move`, or `keep`."""
    mailbox: Mailbox
    by: str = "lmtp"
    """How mail comes: `lmtp` straight into the store, `smtp` through Postfix."""
    auth: Mapping[str, Any] = field(default_factory=dict)
    polled: bool = False
    """Whether it looks by its schedule in any case; an open connection outlives the log-in that it was opened by."""
    line: FaultyLine | None = None
    """Where it connects to instead of the server."""

    @property
    def by_token(self) -> bool:
        return "oauth2" in self.auth

    @property
    def by_person(self) -> bool:
        """Whether a person logs in, once."""
        return self.auth.get("oauth2", {}).get("client_id") == "mailrules-cli"


@dataclass(slots=True)
class House:
    """Servers, accounts and listeners, and the folder in which they are written down."""

    bed: Testbed
    root: Path
    hook: str
    """The URL that the webhooks tell."""
    idle: bool
    every: str
    posts: list[Post] = field(default_factory=list)
    hopeless: dict[str, int] = field(default_factory=dict)
    """Listeners whose server never says anything right, with its port."""

    @property
    def appended(self) -> Path:
        """What the action `command` writes."""
        return self.root / "appended"

    def person(self, mailbox: Mailbox) -> dict[str, Any]:
        """A log-in that a person allows."""
        return self._oauth2(mailbox.user, "mailrules-cli")

    def service(self, name: str) -> dict[str, Any]:
        """A log-in by client credentials."""
        secret = self._secret(f"svc-{name}", f"svc-{name}-secret")
        return self._oauth2(f"{name}@tb.test", f"svc-{name}", client_secret=secret, scopes=SCOPES[1:])

    def password(self, login: str, secret: str) -> dict[str, Any]:
        """A log-in by password."""
        return {"password": {"login": login, "password": self._secret(login, secret)}}

    def _secret(self, name: str, secret: str) -> str:
        """As an admin does: in a file of its own."""
        (self.root / "secrets").mkdir(mode=0o700, exist_ok=True)
        (self.root / "secrets" / name).write_text(secret)
        return f"file:secrets/{name}"

    def _oauth2(self, login: str, client: str, **more: Any) -> dict[str, Any]:
        said = {"login": login, "client_id": client, "discovery_url": self.bed.oidc.discovery_url, "scopes": SCOPES}
        return {"oauth2": said | more}

    def store(self, post: Post) -> Store:
        """The server that holds its mail."""
        return self.bed.dovecot if post.server == "dovecot" else self.bed.cyrus

    def write(self) -> None:
        """The workspace, as an admin would write it."""
        (self.root / "rules").mkdir(parents=True, exist_ok=True)
        accounts = {post.name: self._account(post) for post in self.posts}
        listeners = {post.name: self._listener(post) for post in self.posts}
        first = self.posts[0].name
        listeners["filed"] = self._listens(first, "rules/filed.yaml") | {"folder": FILED}
        for name, port in self.hopeless.items():
            reach = {"host": HOST, "port": port, "security": "none", "timeout": "5s"}
            accounts[name] = {"receive": {"imap": reach}, "auth": self.password("jo", "nobody-asks")}
            listeners[name] = self._listens(name, "rules/filed.yaml")
        main = {"version": 1, "accounts": accounts, "listeners": listeners, "files": "saved"}
        (self.root / "mailrules.yaml").write_text(json.dumps(main, indent=1))
        for post in self.posts:
            self._rules(post.name, self._action(post), post.then)
        self._rules("filed", self._save("filed"), "delete")

    def _account(self, post: Post) -> dict[str, Any]:
        store = self.store(post)
        port = getattr(store, post.protocol + ("s" if post.security == "tls" else ""))
        reach = {"host": "localhost", "port": port, "security": post.security, "timeout": "10s"}
        if post.line:
            reach |= {"port": post.line.port}
        if post.security != "none":
            reach |= {"certificate": str(store.ca)}
        return {"receive": {post.protocol: reach}, "auth": dict(post.auth)}

    def _listener(self, post: Post) -> dict[str, Any]:
        listens = self._listens(post.name, f"rules/{post.name}.yaml")
        if self.idle and post.protocol == "imap" and not post.polled:
            listens |= {"idle": True, "schedule": {"every": "30s"}}
        return listens

    def _listens(self, account: str, rules: str) -> dict[str, Any]:
        return {
            "account": account,
            "start": "all",
            "max_emails": 50,
            "schedule": {"every": self.every},
            "rules": [rules],
        }

    def _action(self, post: Post) -> dict[str, Any]:
        match post.action:
            case "webhook":
                told = {"listener": "{{ listener.name }}", "subject": "{{ message.subject }}"}
                return {"webhook": {"url": self.hook, "json": told, "allow_private": True}}
            case "save":
                return self._save(post.name)
            case _:
                return {"command": {"run": ["/bin/sh", "-c", APPEND, str(self.appended)], "input": "none"}}

    @staticmethod
    def _save(name: str) -> dict[str, Any]:
        return {"save": {"message": True, "to": f"{name}/{{{{ message.subject }}}}.eml"}}

    def _rules(self, name: str, action: dict[str, Any], then: str) -> None:
        keep = {"move": {"keep": {"move": FILED}}, "keep": {"keep": {"seen": True}}, "delete": {}}[then]
        code = "delete+activate" if then == "delete" else "keep+activate"
        rule = {"name": name, "match": {"subject": {"starts": "m"}}, "code": code, **keep, "actions": [action]}
        (self.root / "rules" / f"{name}.yaml").write_text(json.dumps({"version": 1, "rules": [rule]}, indent=1))


def furnish(house: House) -> None:
    """Eleven mailboxes, one of each way to reach and to log in, and two servers that hang."""
    bed = house.bed
    dovecot, cyrus = bed.dovecot, bed.cyrus
    alice, support = dovecot.mailbox("alice"), dovecot.mailbox("support")
    fresh = {name: dovecot.fresh() for name in ("tls", "starttls", "xoauth2", "person", "pop3", "stls")}
    theirs = {name: cyrus.fresh() for name in ("tls", "starttls", "pop3")}
    with fresh["tls"].session() as imap:
        imap.create(FILED)
    hidden = [FaultyLine(port) for port in (dovecot.imap, dovecot.pop3)]

    def known(mailbox: Mailbox) -> dict[str, Any]:
        return house.password(mailbox.user, mailbox.password)

    def add(name: str, how: str, action: str, then: str, mailbox: Mailbox, **more: Any) -> None:
        server, protocol, security, login = how.split()
        house.posts.append(Post(name, server, protocol, security, login, action, then, mailbox, **more))

    bearer = {name: {"auth": house.person(fresh[name])} for name in ("xoauth2", "person", "stls")}
    service = {name: {"auth": house.service(name)} for name in ("alice", "support")}
    bearer["xoauth2"]["line"], service["support"]["line"] = hidden
    bearer["person"] |= {"by": "smtp", "polled": True}
    add("orders", "dovecot imap tls password", "webhook", "move", fresh["tls"], auth=known(fresh["tls"]))
    add("desk", "dovecot imap starttls password", "save", "delete", fresh["starttls"], auth=known(fresh["starttls"]))
    add("alice", "dovecot imap tls OAUTHBEARER", "webhook", "keep", alice, by="smtp", **service["alice"])
    add("sales", "dovecot imap none XOAUTH2", "webhook", "move", fresh["xoauth2"], **bearer["xoauth2"])
    add("person", "dovecot imap starttls OAUTHBEARER", "save", "keep", fresh["person"], **bearer["person"])
    add("scans", "dovecot pop3 tls password", "webhook", "delete", fresh["pop3"], auth=known(fresh["pop3"]))
    add("support", "dovecot pop3 none XOAUTH2", "save", "delete", support, **service["support"])
    add("billing", "dovecot pop3 starttls OAUTHBEARER", "webhook", "delete", fresh["stls"], **bearer["stls"])
    add("press", "cyrus imap tls password", "webhook", "move", theirs["tls"], auth=known(theirs["tls"]))
    add("jobs", "cyrus imap starttls password", "command", "delete", theirs["starttls"], auth=known(theirs["starttls"]))
    add("faxes", "cyrus pop3 tls password", "save", "delete", theirs["pop3"], auth=known(theirs["pop3"]))
