"""Requests to the provider: bounded in time and size, and what each refusal means."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from mailrules.api import PersonNeeded, Transient
from mailrules.api.options import redact
from mailrules.builtin.line.deadline import Deadline
from mailrules.builtin.line.tls import Server, one_line

MOST_OCTETS = 1 << 20
"""The largest answer that is taken."""
PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""Errors (RFC 6749, section 4.1.2.1; RFC 8628, section 3.5) that say nothing about who asks."""
PASSING_STATUS = frozenset({408, 425, 429})


class Denied(Exception):  # noqa: N818 - what the provider says
    """The provider refuses: `code` is its word for why, the text all that it said."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider said, as authlib reads it."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """Raises ValueError when it is no JSON."""
        return msgspec.json.decode(self.content)

    def raise_for_status(self) -> None:
        """Refusals have been raised before."""


class Line:
    """Requests to one provider: what authlib takes for a session."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._server.context()

    def get(self, url: str) -> Mapping[str, Any]:
        """A JSON document.

        Raises:
            Transient: the provider is away or unwell.
            PersonNeeded: there is no such document.
        """
        reply = self._asked("GET", url, {"Accept": "application/json"}, None)
        document = _mapping(reply.content)
        if reply.status_code != 200 or document is None:
            said = f"status {reply.status_code}" if reply.status_code != 200 else "no JSON"
            raise PersonNeeded(f"{url}: {said} where the provider should describe itself", remedy="check discovery_url")
        return document

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> Reply:
        """A form, with the client's own authentication (*auth*, authlib's).

        Raises:
            Denied: the provider refuses, with its word for why.
            Transient: it is away or unwell.
        """
        _, fields, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        reply = self._asked("POST", url, fields, body.encode())
        document = _mapping(reply.content) or {}
        if reply.status_code >= 400 or "error" in document:
            code = str(document.get("error") or f"status {reply.status_code}")
            raise Denied(code, _said(code, document, reply.content))
        if not document:
            raise Transient(f"{url}: its answer is no JSON")
        return reply

    def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        import httpx2

        deadline = Deadline(2 * self._server.timeout)
        # Where nothing is encrypted, no authorities are loaded.
        verify = self._context if url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        more: Any = {"headers": dict(headers), "content": body, "extensions": {"trace": deadline.watch}}
        try:
            with (
                httpx2.Client(verify=verify, timeout=self._server.timeout) as client,
                deadline,
                client.stream(method, url, **more) as answer,
            ):
                content = _received(answer, url)
        except httpx2.InvalidURL as error:
            raise PersonNeeded(f"{url}: {one_line(error)}", remedy="check discovery_url") from error
        except (httpx2.HTTPError, OSError) as error:
            deadline.check(url)
            raise self._fault(error, url) from error
        deadline.check(url)  # hung up, an answer without a length looks whole
        reply = Reply(answer.status_code, content)
        _raise_if_passing(reply, answer.headers.get("retry-after", ""), url)
        return reply

    def _fault(self, error: BaseException, url: str) -> Exception:
        """What went wrong below, in words: a certificate stays wrong until somebody acts, all else passes."""
        parts = urlsplit(url)
        there = replace(
            self._server, host=parts.hostname or "", port=parts.port or (443 if parts.scheme == "https" else 80)
        )
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, OSError):
                return there.fault(cause)
            cause = cause.__cause__ or cause.__context__
        return there.transient(one_line(error) or type(error).__name__)


def _received(answer: Any, url: str) -> bytes:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MOST_OCTETS:
            raise Transient(f"{url}: its answer is too large")
    return bytes(content)


def _raise_if_passing(reply: Reply, after: str, url: str) -> None:
    document = _mapping(reply.content) or {}
    code = str(document.get("error", ""))
    if reply.status_code < 500 and reply.status_code not in PASSING_STATUS and code not in PASSING:
        return
    if code == "slow_down":
        raise Denied(code, _said(code, document, b""))
    said = _said(code or f"status {reply.status_code}", document, reply.content)
    raise Transient(f"{url}: {said}", after=float(after) if after.isascii() and after.isdigit() else None)


def _said(code: str, document: Mapping[str, Any], content: bytes) -> str:
    """The provider's own words on one line."""
    words = document.get("error_description") or ("" if document else content[:200])
    return redact(f"{code}: {one_line(words)}" if words else code)


def _mapping(content: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
