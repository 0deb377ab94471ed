"""The HTTP edge that an action's context gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailrules.builtin.line.deadline import Deadline
from mailrules.builtin.line.tls import Server
from mailrules.engine.reach import addresses, check_written
from mailrules.model.action import INTERNET, Answer, InDoubt, Permanent, Reach, Transient

if TYPE_CHECKING:
    import ssl

MOST_OCTETS = 16 << 20
"""The largest answer of an HTTP server that is taken."""


@dataclass(frozen=True, slots=True)
class DeadlineHttp:
    """HTTP requests that end within a time, however slowly the answer drips. Redirects are not followed.

    A host is looked up once, and the very address that was looked at is connected to. Proxies of the environment are
    not used. Errors name method and host only: path, query and log-in of a URL may be secret, and errors are kept in
    the journal.
    """

    seconds: float
    root: Path = Path()
    """The workspace, where paths of certificates start."""

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        reach: Reach = INTERNET,
    ) -> Answer:
        """See `mailrules.api.Http`."""
        import httpx2

        named, deadline = _request_named(method, url), Deadline(self.seconds)
        try:
            with httpx2.Client(timeout=self.seconds, trust_env=False, **self._way(reach)) as client, deadline:
                asked = partial(client.stream, method, content=content)
                answer = _first_there(asked, httpx2.URL(url), dict(headers or {}), reach, deadline)
        except httpx2.InvalidURL:
            raise Permanent(f"{named}: not a URL that can be asked for") from None
        except (httpx2.HTTPError, OSError) as error:
            deadline.check(named)
            # What could not be put into words of HTTP is told by its kind: it may be a header with a secret.
            words = "" if isinstance(error, httpx2.LocalProtocolError) else error
            raise Transient(f"{named}: {type(error).__name__} {words}".strip()) from error
        deadline.check(named)
        return answer

    def _way(self, reach: Reach) -> dict[str, Any]:
        """How the client connects, beyond what is usual."""
        own = Server("", 0, "tls", reach.certificate, self.seconds, self.root) if reach.certificate else None
        way: dict[str, Any] = {"verify": own.context() if own else _trusted()}
        return way | ({"proxy": reach.proxy} if reach.proxy else {})


@cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities, read once for all requests: reading them takes longer than most requests do."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _first_there(
    asked: Callable[..., Any], url: Any, headers: dict[str, str], reach: Reach, deadline: Deadline
) -> Answer:
    """Ask at one address after another until one is there, with the name in Host and SNI (RFC 6066, section 3)."""
    import httpx2

    host = url.raw_host.decode("ascii").strip("[]")
    if not host or url.scheme not in {"http", "https"}:
        raise httpx2.InvalidURL("no host, or another scheme")
    port = url.port or (443 if url.scheme == "https" else 80)
    if reach.proxy:
        check_written(host, reach)
    numbers = [""] if reach.proxy else addresses(host, port, reach)
    for left, number in zip(range(len(numbers) - 1, -1, -1), numbers, strict=True):
        where = url.copy_with(host=number) if number else url
        names = {} if number in {"", host} else {"sni_hostname": host}
        named = {"Host": url.netloc.decode("ascii")} | headers
        try:
            with asked(where, headers=named, extensions={"trace": deadline.watch, **names}) as answer:
                received = _received(answer.iter_bytes(), f"{answer.request.method} {host}")
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            if not left:
                raise
            continue
        return Answer(answer.status_code, {name.lower(): text for name, text in answer.headers.items()}, received)
    raise Transient(f"{host}: no address")


def _request_named(method: str, url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return f"{method} {host}" if host else method


def _received(chunks: Iterable[bytes], request: str) -> bytes:
    """The whole body, unless it is too much: then the request has been heard, and nobody knows what was answered."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_OCTETS:
            raise InDoubt(f"{request}: an answer of over {MOST_OCTETS >> 20} MB")
    return bytes(body)
