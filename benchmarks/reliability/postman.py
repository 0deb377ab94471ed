"""Mail that arrives all the time, and what is known of each: when a server took it, and under which circumstances."""

from __future__ import annotations

import itertools
import random
import smtplib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.reliability.house import House, Post
from tests.servers.place import HOST

SENDER = "someone@else.example"
REFUSED = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused)
"""What a server says before the message: nothing has been taken."""
WORDS = ("invoice", "Termin", "angebot", "lunch", "parcel", "report", "Grüße", "ticket")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a server has taken, or may have."""

    subject: str
    post: str
    at: float
    phase: str
    in_doubt: bool = False
    """The connection broke before the answer: it may be there or not."""


@dataclass(slots=True)
class Postman:
    """Delivers at random moments until told to stop; *rate* is messages a second, all posts together."""

    house: House
    rate: float
    phase: Callable[[], str]
    sent: list[Sent] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """One round for each door: a server that is away holds up its own mail only, as it does everywhere."""
        doors: dict[tuple[str, str], list[Post]] = {}
        for post in self.house.posts:
            doors.setdefault((post.by, post.server), []).append(post)
        for posts in doors.values():
            share = self.rate * len(posts) / len(self.house.posts)
            self._threads.append(threading.Thread(target=self._round, args=(posts, share), daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more mail."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _round(self, posts: list[Post], rate: float) -> None:
        while not self._over.wait(random.expovariate(rate)):
            self.deliver(random.choice(posts))

    def deliver(self, post: Post, *, straight: bool = False) -> Sent:
        """One message, tried until a server takes it; *straight* into the store, whatever its usual way."""
        while True:
            subject = f"m{next(self._numbers):06}"
            message = compose(subject, post)
            try:
                self._hand_in(post, message, straight=straight)
            except (ConnectionRefusedError, *REFUSED):
                pass
            except OSError:  # smtplib's own are OSErrors, too; a server that ends may say no to what it has stored
                self.sent.append(Sent(subject, post.name, time.time(), self.phase(), in_doubt=True))
            else:
                sent = Sent(subject, post.name, time.time(), self.phase())
                self.sent.append(sent)
                return sent
            if self._over.wait(0.2):
                return Sent(subject, post.name, 0, "", in_doubt=True)

    def _hand_in(self, post: Post, message: bytes, *, straight: bool) -> None:
        kind, port = smtplib.LMTP, post.mailbox.lmtp
        if post.by == "smtp" and not straight:
            kind, port = smtplib.SMTP, self.house.bed.postfix.smtp
        with kind(HOST, port, timeout=20) as connection:
            connection.sendmail(SENDER, [post.mailbox.user], message)


def compose(subject: str, post: Post) -> bytes:
    """A message of some kilobytes; one in twenty of a few hundred."""
    size = 300_000 if random.random() < 0.05 else int(random.lognormvariate(7.5, 1))
    line = " ".join(random.choices(WORDS, k=9)) + "\r\n"
    text = line * (size // len(line) + 1)
    head = (
        f"From: Someone <{SENDER}>\r\nTo: {post.mailbox.user}\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject}.{time.time_ns()}@else.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return (head + text).encode()
