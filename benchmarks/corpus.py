"""Mail for measuring: any number of messages, each made from its number alone, so that every run sees the same.

Sizes are those of a busy mailbox: median about 10 KB, mean about 50 KB, header blocks of about 2.5 KB.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Iterator
from pathlib import Path

GIVEN = ["ada", "bo", "cleo", "dag", "edda", "finn", "gil", "hanne", "ivo", "jule", "kai", "liv", "mats", "noor", "odo"]
FAMILY = ["arnd", "brix", "carne", "dorn", "eyck", "falk", "gress", "holm", "imhof", "juhl", "kern", "lund", "moor"]
HOSTS = [f"{name}.example" for name in ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak")]
LISTS = ["dev.lists.example.org", "users.lists.example.org", "announce.vendor.example", "kernel.lists.example.net"]
WORDS = (  # noqa: SIM905 - a hundred quoted words are no easier to read
    "about account agenda answer arrive article before booking branch budget build call change claim client comment "
    "contract copy delay deliver design draft early estimate event figure final follow garden group holiday invite "
    "item journey kitchen launch letter margin market meeting minute monday network notice number office offer order "
    "parcel partner people plan please policy price print project proposal quarter question reply report request "
    "result review room sample schedule season server service share simple stock summer support survey system table "
    "team ticket today topic travel update version visit weather week window winter workshop yesterday"
).split()
FOREIGN = [
    ("utf-8", "Rechnung für Möbel und Gerät"),
    ("iso-8859-1", "Rechnung für Büro und Küche"),
    ("iso-2022-jp", "来週の会議について"),
    ("koi8-r", "Новый отчёт за месяц"),
    ("windows-1252", "Été à la plage, “oui”"),
    ("big5", "下週會議"),
    ("utf-8", "Zásilka dorazí zítra"),
]
KINDS = {
    "plain": 22,
    "alternative": 26,
    "newsletter": 14,
    "attachment": 11,
    "list": 13,
    "reply": 3,
    "forward": 4,
    "alert": 6.6,
    "large": 0.4,
}
STYLE = "".join(
    f".c{n}{{font-family:sans-serif;font-size:{10 + n}px;line-height:1.{n};color:#33{n:04d}}}\r\n" for n in range(40)
)


class Sheet:
    """One message being written, all its chances drawn from its own number."""

    def __init__(self, number: int, seed: str) -> None:
        self.number = number
        self.rng = random.Random(f"{seed}/{number}")
        self.kind = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
        self.sender = f"{self.rng.choice(GIVEN)}.{self.rng.choice(FAMILY)}{self.rng.randint(1, 400)}@{self.host()}"
        self.name = f"{self.rng.choice(GIVEN)} {self.rng.choice(FAMILY)}".title()
        self.to = "user@home.example"
        self.subject = self.sentence(self.rng.randint(3, 8))
        self.phrase = ""

    def host(self) -> str:
        return self.rng.choice(HOSTS)

    def sentence(self, words: int) -> str:
        return " ".join(self.rng.choices(WORDS, k=words)).capitalize()

    def paragraph(self, lines: int) -> str:
        return "".join(f"{self.sentence(self.rng.randint(7, 12))}.\r\n" for _ in range(lines))

    def token(self, length: int) -> str:
        return base64.b64encode(self.rng.randbytes(length)).decode()[:length]

    def aim(self) -> None:
        """Make it one that a rule of `rulesets.HOT` is about, or leave it."""
        rng, chance = self.rng, self.rng.random()
        if chance < 0.05:
            self.sender, self.name = "billing@invoices.example", "Billing Desk"
        elif chance < 0.10:
            self.sender = f"no-reply{rng.randint(1, 9)}@shop.example"
        elif chance < 0.14:
            self.to = "sales@home.example"
        elif chance < 0.18:
            self.subject = f"[TRACKER] ({rng.choice(('OPS', 'WEB', 'CORE'))}-{rng.randint(1, 9999)}) {self.subject}"
        elif chance < 0.21:
            self.subject = f"Weekly report {rng.randint(1, 52)} {self.subject}"
        elif chance < 0.24:
            self.phrase = f"Your tracking number is {rng.randint(10**9, 10**10)}.\r\n"
        elif chance < 0.27:
            self.phrase = "You can unsubscribe from these alerts at any time.\r\n"
        elif self.kind == "newsletter":
            self.sender = f"newsletter@{self.host()}"

    def headers(self) -> str:
        rng, sender_host, day = self.rng, self.sender.partition("@")[2], 1 + self.number % 27
        subject = self.subject
        if rng.random() < 0.22:
            charset, text = rng.choice(FOREIGN)
            subject = encoded_words(charset, text)
        quoted = f'"{self.name}"' if rng.random() < 0.5 else self.name
        lines = [
            f"Return-Path: <bounce+{rng.getrandbits(32):x}@{sender_host}>\r\n",
            self.traces(),
            f"Date: Mon, {day:02d} Jun 2026 {self.number % 24:02d}:{self.number % 60:02d}:00 +0000\r\n",
            f"From: {quoted} <{self.sender}>\r\n",
            f"To: <{self.to}>\r\n"
            if rng.random() < 0.3
            else f"To: A User <{self.to}>, Other <x{rng.randint(1, 50)}@home.example>\r\n",
            f"Subject: {subject}\r\nMessage-ID: <{self.number}.{rng.getrandbits(48):x}@{sender_host}>\r\n",
        ]
        return "".join(lines) + self.extras() + "MIME-Version: 1.0\r\n"

    def traces(self) -> str:
        rng, host = self.rng, self.host()
        lines = [
            f"Received: from mx{hop}.{host} (mx{hop}.{host} [192.0.2.{rng.randint(1, 254)}])\r\n"
            f"\tby in{hop}.home.example (Postfix) with ESMTPS id {rng.getrandbits(40):010X}\r\n"
            f"\tfor <user@home.example>; Mon, {1 + self.number % 27:2d} Jun 2026 10:00:{hop:02d} +0000 (UTC)\r\n"
            for hop in range(rng.randint(2, 6))
        ]
        lines.append(
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=one;\r\n\th=from:to:subject:date;\r\n"
            f"\tbh={self.token(44)};\r\n\tb={self.token(60)}\r\n\t {self.token(70)}\r\n\t {self.token(70)}\r\n"
            f"Authentication-Results: in.home.example; dkim=pass header.d={host}; spf=pass smtp.mailfrom={host}\r\n"
            f"X-Spam-Status: No, score=-{rng.randint(0, 99) / 10} required=5.0 tests=BAYES_00,SPF_PASS\r\n"
        )
        return "".join(lines)

    def extras(self) -> str:
        rng, lines = self.rng, ""
        if rng.random() < 0.2:
            copies = [f"{self.name} <{rng.choice(GIVEN)}{n}@{self.host()}>" for n in range(rng.randint(1, 8))]
            lines += "Cc: " + ",\r\n\t".join(copies) + "\r\n"
        if rng.random() < 0.35 or self.kind == "list":
            ids = [f"<{rng.getrandbits(64):x}@{self.host()}>" for _ in range(rng.choice((1, 2, 4, 9, 25)))]
            lines += f"In-Reply-To: {ids[-1]}\r\nReferences: " + "\r\n ".join(ids) + "\r\n"
        if self.kind == "list":
            name = rng.choice(LISTS)
            lines += f"List-Id: A list <{name}>\r\nList-Unsubscribe: <https://{name}/leave>\r\nPrecedence: list\r\n"
        if self.kind == "newsletter":
            lines += f"List-Unsubscribe: <https://news.example/{rng.getrandbits(64):x}>\r\nPrecedence: bulk\r\n"
        if self.kind == "reply":
            lines += "Auto-Submitted: auto-replied\r\n"
        return lines

    def prose(self) -> bytes:
        """A text/plain entity."""
        rng, charset = self.rng, "utf-8"
        text = self.paragraph(rng.choice((4, 15, 40, 70, 110))) + self.phrase
        if self.kind == "list":
            text += "".join(f"> {self.sentence(9)}\r\n" for _ in range(rng.choice((5, 60, 150))))
        if rng.random() < 0.2:
            charset, foreign = rng.choice(FOREIGN)
            text = f"{foreign}\r\n{text}"
        return entity(f"text/plain; charset={charset}", text.encode(charset), self.encoding())

    def encoding(self) -> str:
        return self.rng.choices(("8bit", "quoted-printable", "base64"), (6, 3, 1))[0]

    def page(self) -> bytes:
        """A text/html entity."""
        rows = self.rng.choice((20, 60, 140) if self.kind == "newsletter" else (6, 14, 40))
        cells = [
            f'<tr><td class="c{row % 40}" style="padding:8px 16px;border-bottom:1px solid #ddd">'
            f'<a href="https://news.example/{self.rng.getrandbits(64):x}">{self.sentence(9)}</a>'
            f"<p>{self.paragraph(2)}</p></td></tr>\r\n"
            for row in range(rows)
        ]
        style = STYLE if self.kind == "newsletter" else ""
        head = f"<!DOCTYPE html>\r\n<html><head><style>{style}</style></head>"
        html = f"{head}<body><table>\r\n{''.join(cells)}</table></body></html>\r\n"
        return entity("text/html; charset=utf-8", html.encode(), self.encoding())

    def alternative(self) -> bytes:
        text = self.paragraph(self.rng.choice((4, 12, 30))) + self.phrase
        plain = entity("text/plain; charset=utf-8", text.encode(), self.encoding())
        return multipart("alternative", f"=_a{self.rng.getrandbits(80):x}", [plain, self.page()])

    def file(self) -> bytes:
        rng = self.rng
        size = rng.randint(1_000_000, 4_000_000) if self.kind == "large" else int(20_000 * 15 ** rng.random())
        name = f"filename=report-{self.number}.pdf" if rng.random() < 0.75 else "filename*=utf-8''%C3%9Cbersicht.pdf"
        head = f"Content-Disposition: attachment; {name}\r\n"
        return head.encode() + entity("application/pdf", b"%PDF-1.7\n" + rng.randbytes(size), "base64")

    def body(self) -> bytes:
        if self.kind in {"plain", "list", "reply", "alert"}:
            return self.prose()
        if self.kind in {"alternative", "newsletter"}:
            return self.alternative()
        boundary = f"=_b{self.rng.getrandbits(80):x}"
        if self.kind == "forward":
            inner = b"Content-Type: message/rfc822\r\n\r\n" + message(self.number, "inner")
            return multipart("mixed", boundary, [self.prose(), inner])
        files = [self.file() for _ in range(self.rng.choice((1, 1, 1, 2, 3)) if self.kind == "attachment" else 1)]
        return multipart("mixed", boundary, [self.alternative(), *files])


def encoded_words(charset: str, text: str) -> str:
    """RFC 2047, in words of twelve characters."""
    pieces = [text[at : at + 12].encode(charset) for at in range(0, len(text), 12)]
    return "\r\n ".join(f"=?{charset}?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)


def entity(media_type: str, octets: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        octets = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    elif encoding == "base64":
        octets = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return f"Content-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + octets


def multipart(subtype: str, boundary: str, parts: list[bytes]) -> bytes:
    line = f"--{boundary}".encode()
    inside = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode() + inside + line + b"--\r\n"


def message(number: int, seed: str = "1") -> bytes:
    """Message *number* with CRLF line ends."""
    sheet = Sheet(number, seed)
    if seed == "inner" and sheet.kind == "forward":
        sheet.kind = "plain"
    sheet.aim()
    return sheet.headers().encode() + sheet.body()


def messages(count: int, seed: str = "1") -> Iterator[bytes]:
    return (message(number, seed) for number in range(count))


def write_maildir(folder: Path, count: int, seed: str = "1") -> None:
    """The messages in *folder*`/cur`, with the line feeds that files have."""
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(messages(count, seed)):
        lines = octets.replace(b"\r\n", b"\n")
        (folder / "cur" / f"{1780000000 + number}.M{number}.bench,S={len(lines)},W={len(octets)}:2,").write_bytes(lines)
