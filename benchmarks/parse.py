"""What a message costs to read, beside the standard library's compat32: prints the two ratios and fails over the bar.

python benchmarks/parse.py [messages] [rounds]
"""

from __future__ import annotations

import email
import gc
import sys
import time
from collections.abc import Callable, Sequence
from email.header import decode_header, make_header
from email.utils import getaddresses

import corpus

from mailrules.core.parse import parse
from mailrules.model.message import Extent

HEADER_BAR = 0.6
WHOLE_BAR = 0.2


def stdlib_header(block: bytes) -> None:
    message = email.message_from_bytes(block)
    for name in ("Subject", "List-Id"):
        value = message[name]
        if value is not None:
            str(make_header(decode_header(value)))
    for name in ("From", "To", "Cc"):
        for shown, _address in getaddresses([str(value) for value in message.get_all(name, [])]):
            str(make_header(decode_header(shown)))


def our_header(block: bytes) -> None:
    message = parse(block, extent=Extent.HEADER)
    _ = message.subject, message.addresses("From"), message.addresses("To"), message.addresses("Cc")
    message.header("List-Id")


def stdlib_whole(raw: bytes) -> None:
    for part in email.message_from_bytes(raw).walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            name = part.get_filename()
            if part.get_content_maintype() == "text" and name is None:
                content.decode(part.get_content_charset("utf-8"), "replace")
            _ = name, part.get_content_type(), len(content)


def our_whole(raw: bytes) -> None:
    message = parse(raw)
    _ = message.text
    for attachment in message.attachments:
        _ = attachment.name, attachment.type, attachment.size


def best(work: Callable[[bytes], None], items: Sequence[bytes], rounds: int) -> float:
    """Microseconds of processor time a message, the best of *rounds*."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        for item in items:
            work(item)
        times.append(time.process_time() - start)
    return min(times) / len(items) * 1e6


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    whole = list(corpus.messages(count))
    heads = [raw[: raw.index(b"\r\n\r\n") + 4] for raw in whole]
    failed = False
    for label, theirs, ours, items, bar in (
        ("header", stdlib_header, our_header, heads, HEADER_BAR),
        ("whole", stdlib_whole, our_whole, whole, WHOLE_BAR),
    ):
        reference, own = best(theirs, items, rounds), best(ours, items, rounds)
        failed |= own / reference > bar
        print(
            f"{label:7} compat32 {reference:8.1f} us  mailrules {own:8.1f} us  ratio {own / reference:.3f} (bar {bar})"
        )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
