"""The action `webhook`: tell another program over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Meta, field

from mailrules.api import (
    ActionType,
    Answer,
    Context,
    Data,
    Message,
    Options,
    Permanent,
    Secret,
    Template,
    Transient,
    misfit,
)
from mailrules.builtin.action.facts import message_facts, strict_json

_LATER = frozenset({408, 421, 423, 425, 429})
"""Client errors that say "not now" (RFC 9110, RFC 6585, RFC 4918, RFC 8470)."""
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOG_IN = re.compile(r"(?<=://)[^/?#]*@")
_KEPT = 65_536
"""Octets of a JSON answer that later steps and the journal get."""


class WebhookOptions(Options, frozen=True):
    """The request: `webhook: url`, or with method, headers and body."""

    url: Annotated[Template, Meta(description="Where to; put values into it with `| urlencode`.")]
    method: Annotated[Literal["POST", "PUT", "PATCH", "GET", "DELETE"], Meta(description="The HTTP method.")] = "POST"
    headers: Annotated[dict[str, Template], Meta(description="Header fields to add.")] = field(default_factory=dict)
    secret_headers: Annotated[
        dict[str, Secret],
        Meta(description="Header fields whose whole value is a secret: {Authorization: 'env:HOOK_TOKEN'}."),
    ] = field(default_factory=dict)
    body: Annotated[Template | None, Meta(description="The body as text.")] = None
    json: Annotated[
        dict[str, Template] | None,
        Meta(description="The body as a JSON object of texts. Neither: what is known of the message, as JSON."),
    ] = None

    shorthand: ClassVar[str] = "url"

    def __post_init__(self) -> None:
        """Two bodies are one too many, and a name is a token (RFC 9110, section 5.6.2)."""
        if self.body is not None and self.json is not None:
            raise ValueError("either `body` or `json`")
        if self.url.constant:
            try:
                _url(self.url.source)
            except Permanent as error:
                raise misfit("url", str(error)) from error
        bad = [name for name in (*self.headers, *self.secret_headers) if not _FIELD_NAME.fullmatch(name)]
        if bad:
            raise ValueError(f"not the name of a header field: {bad[0]!r}")


@dataclass(frozen=True, slots=True)
class WebhookAction:
    """Sends one request, under an Idempotency-Key that is the same at every try."""

    options: WebhookOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """Method and URL without log-in and query, which may hold what should not be shown."""
        return f"{self.options.method} {_LOG_IN.sub('', self.options.url.shown(data)).partition('?')[0]}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Send it; status and JSON of the answer become `data.webhook`."""
        url = _url(self.options.url.render(data))
        content, media_type = self._body(message, data)
        headers = {"Idempotency-Key": context.idempotency_key}
        headers |= {} if content is None else {"Content-Type": media_type}
        headers |= {name: _one_line(text.render(data)) for name, text in self.options.headers.items()}
        headers |= {name: secret.reveal() for name, secret in self.options.secret_headers.items()}
        answer = context.http.request(self.options.method, url, content=content, headers=headers)
        _judge(answer, f"{self.options.method} {urlsplit(url).hostname}")
        return {"webhook": {"status": answer.status, **_decoded(answer.content)}}

    def _body(self, message: Message, data: Data) -> tuple[bytes | None, str]:
        if self.options.body is not None:
            return self.options.body.render(data).encode(errors="replace"), "text/plain; charset=utf-8"
        if self.options.json is not None:
            return _encoded({name: text.render(data) for name, text in self.options.json.items()})
        if self.options.method in {"GET", "DELETE"}:
            return None, ""
        return _encoded(message_facts(message, data) | {"match": dict(data["match"]), "data": dict(data["data"])})


def _encoded(value: Mapping[str, Any]) -> tuple[bytes, str]:
    return json.dumps(value).encode(), "application/json"


def _decoded(answer: bytes) -> dict[str, Any]:
    if len(answer) > _KEPT:
        return {}
    try:
        return {"json": strict_json(answer)}
    except ValueError:
        return {}


def _url(text: str) -> str:
    """The URL, if it is one that may be asked for.

    Raises:
        Permanent: another scheme, no host, or spaces and control characters in it.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise Permanent("not an http or https URL")  # which is not shown: it may hold a password
    return text


def _judge(answer: Answer, request: str) -> None:
    """What the status says: done, later, or never (RFC 9110, section 15)."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status >= 500 or status in _LATER:
        raise Transient(f"{request}: status {status}", after=answer.retry_after)
    if 300 <= status < 400:
        raise Permanent(f"{request}: status {status}, and redirects are not followed: write the new URL")
    raise Permanent(f"{request}: status {status}")


def _one_line(text: str) -> str:
    """A header value that cannot become another header, in the octets that HTTP takes for granted."""
    kept = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return kept.encode("latin-1", "replace").decode("latin-1")


WEBHOOK = ActionType(
    name="webhook",
    summary="Tell another program over HTTP.",
    options=WebhookOptions,
    build=WebhookAction,
)
