"""What goes wrong in the run, one after another, and how long it takes until all is well again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.reliability.house import House, Post
from benchmarks.reliability.postman import Postman, Sent
from benchmarks.reliability.process import Mailrules
from benchmarks.reliability.records import Hook, records

PATIENCE = 90.0
"""Seconds within which every listener must act again after a fault."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """A fault, what `status` said while it lasted, and when the listeners concerned acted again on new mail."""

    fault: str
    lasted: float
    states: dict[str, int]
    """How many listeners were in each state while it lasted; empty when nothing could be asked."""
    exit_code: int | None
    first: float
    """Seconds from the end of the fault to the first of them."""
    last: float
    """And to the last."""
    listeners: int
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Story:
    """The plan, and what came of it."""

    house: House
    mailrules: Mailrules
    postman: Postman
    hook: Hook
    seconds: float
    complaints: list[str] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    troubles: list[tuple[float, float]] = field(default_factory=list)
    """From each fault's beginning until all listeners concerned acted again."""
    lifetimes: ExitStack = field(default_factory=ExitStack)
    phase: str = "quiet"

    @property
    def hold(self) -> float:
        """Seconds that a server stays away."""
        return min(25.0, self.seconds / 36)

    @property
    def token_seconds(self) -> int:
        """What a new token is good for."""
        return max(10, int(self.seconds / 30))

    def tell(self) -> None:
        """All of it, spread over the time there is."""
        plan: list[tuple[str, Callable[[], None]]] = [
            ("Dovecot restarted", lambda: self._away("dovecot")),
            ("refresh token revoked", self._revoked),
            ("mailrules killed", self._killed),
            ("Cyrus restarted", lambda: self._away("cyrus")),
            ("OpenID provider away", lambda: self._away("oidc")),
            ("a line goes dead", self._dead_line),
            ("Postfix restarted", lambda: self._away("postfix")),
            ("mailrules told to end", self._ended),
            ("killed three times in a burst", self._killed_in_a_burst),
            ("every server restarted", lambda: self._away("postfix", "cyrus", "dovecot", "oidc")),
        ]
        began = time.monotonic()
        for number, (name, strike) in enumerate(plan, start=1):
            due = began + self.seconds * number / (len(plan) + 1)
            time.sleep(max(1.0, due - time.monotonic()))
            self.phase, struck = name, time.time()
            strike()
            self.phase = "quiet"
            self.troubles.append((struck, time.time()))
        time.sleep(max(1.0, began + self.seconds - time.monotonic()))

    def troubled(self, since: float, until: float) -> bool:
        """Whether anything was wrong at any moment from *since* to *until*."""
        return any(began < until and since < over for began, over in self.troubles)

    def short_tokens(self) -> None:
        """Tokens that expire while it runs; a provider that was started again must be told again."""
        self.lifetimes.enter_context(self.house.bed.oidc.tokens_for(self.token_seconds))

    def _concerned(self, *servers: str) -> list[Post]:
        def concerned(post: Post) -> bool:
            by_mail = "postfix" in servers and post.by == "smtp"
            return post.server in servers or by_mail or ("oidc" in servers and post.by_token)

        return [post for post in self.house.posts if concerned(post)]

    def _away(self, *servers: str) -> None:
        began = time.monotonic()
        self.house.bed.stop(*servers)
        time.sleep(self.hold)
        code, states = self._states()
        self.house.bed.start(*servers)
        if "oidc" in servers:
            self.short_tokens()
        if {"dovecot", "postfix"} & set(servers):
            flush(self.house)
        straight = "postfix" not in servers
        self._recovered(self._concerned(*servers), time.monotonic() - began, states, code, straight=straight)

    def _killed(self) -> None:
        began = time.monotonic()
        self._kill()
        self._recovered(self.house.posts, time.monotonic() - began, {}, None)

    def _kill(self) -> None:
        self.mailrules.end(signal.SIGKILL)
        self.kills.append(time.time())
        self.mailrules.start()

    def _killed_in_a_burst(self) -> None:
        began = time.monotonic()
        for _ in range(3):
            for post in self.house.posts:
                for _ in range(3):
                    self.postman.deliver(post, straight=True)
            time.sleep(0.3)
            self._kill()
        self._recovered(self.house.posts, time.monotonic() - began, {}, None)

    def _ended(self) -> None:
        code, seconds = self.mailrules.end(signal.SIGTERM)
        if code:
            self.complaints.append(f"told to end, it ends with exit code {code}")
        self.mailrules.start()
        said = f"it ended after {seconds:.1f} s with exit code {code}"
        self._recovered(self.house.posts, seconds, {}, None, remarks=(said,))

    def _dead_line(self) -> None:
        posts = [post for post in self.house.posts if post.line]
        began = time.monotonic()
        for post in posts:
            if post.line:
                post.line.passes.clear()
        time.sleep(max(self.hold, 12))  # the accounts' time-out is 10 s
        code, states = self._states()
        for post in posts:
            if post.line:
                post.line.passes.set()
        self._recovered(posts, time.monotonic() - began, states, code)

    def _revoked(self) -> None:
        post = next(post for post in self.house.posts if post.name == "person")
        began, before = time.monotonic(), self.mailrules.log.read_text().count("a person must act")
        revoke(self.house, post)
        limit = began + self.token_seconds + 60
        while self._health(post)["state"] != "person needed" and time.monotonic() < limit:
            time.sleep(0.5)
        health, (code, states) = self._health(post), self._states()
        if health["state"] != "person needed" or "mailrules auth login person" not in health["remedy"] or code != 1:
            self.complaints.append(f"a revoked log-in: status says {health} with exit code {code}")
        time.sleep(self.hold)
        told = self.mailrules.log.read_text().count("a person must act") - before
        if told != 1:
            self.complaints.append(f"a revoked log-in was told {told} times and not once")
        self.mailrules.log_in("person")
        said = f"told {told} time, as an error, with `{health['remedy']}`"
        self._recovered([post], time.monotonic() - began, states, code, remarks=(said,))

    def _health(self, post: Post) -> dict[str, Any]:
        found: dict[str, Any] = self.mailrules.status()[1][post.name]
        return found

    def _states(self) -> tuple[int, dict[str, int]]:
        code, listeners = self.mailrules.status()
        return code, dict(Counter(one["state"] for one in listeners.values()))

    def _recovered(
        self,
        posts: Iterable[Post],
        lasted: float,
        states: dict[str, int],
        code: int | None,
        *,
        straight: bool = True,
        remarks: tuple[str, ...] = (),
    ) -> None:
        """Deliver a message to each listener concerned, and wait until it is acted on."""
        ended = time.time()
        probes = [self.postman.deliver(post, straight=straight) for post in posts]
        waits = sorted(at - ended for at in self._acted_on(probes))
        missing = len(probes) - len(waits)
        if missing:
            self.complaints.append(f"{self.phase}: {missing} listeners do not act again within {PATIENCE:g} s")
        first, last = (waits[0], waits[-1]) if waits else (PATIENCE, PATIENCE)
        named = Recovery(self.phase, lasted, states, code, first, last, len(probes), remarks)
        self.recoveries.append(named)
        print(f"{named}", flush=True)

    def _acted_on(self, probes: list[Sent]) -> Iterator[float]:
        wanted = {probe.subject for probe in probes}
        deadline = time.monotonic() + PATIENCE
        while wanted and time.monotonic() < deadline:
            time.sleep(0.1)
            for record in records(self.house, self.hook):
                if record.subject in wanted:
                    wanted.discard(record.subject)
                    yield record.at


def flush(house: House) -> None:
    """Have Postfix try at once what it could not deliver, as an operator would after an outage."""
    etc = house.bed.place.directory / "etc/postfix"
    subprocess.run(["/usr/sbin/postqueue", "-c", str(etc), "-f"], check=False, capture_output=True)


def revoke(house: House, post: Post) -> None:
    """Withdraw the log-in at the provider (RFC 7009); mailrules learns of it when it renews its token."""
    held = house.root / ".mailrules" / "tokens"
    for file in held.glob("*.json"):
        if file.name.startswith(post.mailbox.user):
            token = json.loads(file.read_text())["refresh"]
            form = urllib.parse.urlencode({"token": token, "client_id": "mailrules-cli"}).encode()
            urllib.request.urlopen(f"{house.bed.oidc.issuer}/token/revocation", form, timeout=10).close()
            return
    raise RuntimeError(f"no tokens of {post.name} in {held}")
