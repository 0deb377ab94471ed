"""The HTTP edge that an action's context gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mailrules.builtin.line.deadline import Deadline
from mailrules.model.action import Answer, Permanent, Transient

MOST_OCTETS = 16 << 20
"""The largest answer of an HTTP server that is taken."""


@dataclass(frozen=True, slots=True)
class DeadlineHttp:
    """HTTP requests that end within a time, however slowly the answer drips. Redirects are not followed.

    Errors name method and host only: path, query and log-in of a URL may be secret, and errors are kept in the journal.
    """

    seconds: float

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """See `mailrules.api.Http`."""
        import httpx2

        named, deadline = _request_named(method, url), Deadline(self.seconds)
        more: Any = {"headers": dict(headers or {}), "content": content, "extensions": {"trace": deadline.watch}}
        try:
            with httpx2.Client(timeout=self.seconds) as client, deadline, client.stream(method, url, **more) as answer:
                received = _received(answer.iter_bytes(), named)
        except httpx2.InvalidURL:
            raise Permanent(f"{named}: not a URL that can be asked for") from None
        except (httpx2.HTTPError, OSError) as error:
            deadline.check(named)
            # What could not be put into words of HTTP is told by its kind: it may be a header with a secret.
            words = "" if isinstance(error, httpx2.LocalProtocolError) else error
            raise Transient(f"{named}: {type(error).__name__} {words}".strip()) from error
        deadline.check(named)
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, received)


def _request_named(method: str, url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"{method} {host}" if host else method


def _received(chunks: Iterable[bytes], request: str) -> bytes:
    """The whole body, unless it is too much."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_OCTETS:
            raise Permanent(f"{request}: an answer of over {MOST_OCTETS >> 20} MB")
    return bytes(body)
