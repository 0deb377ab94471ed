"""The action `webhook`: tell another program over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode, urlsplit

from msgspec import Meta, field

from mailrules.api import (
    ActionType,
    Answer,
    Context,
    Data,
    Message,
    Options,
    Permanent,
    Reach,
    Secret,
    Template,
    Transient,
    misfit,
)
from mailrules.builtin.action.facts import message_facts, strict_json

_NEVER = frozenset({406, 410})
"""How a receiver says that it does not want this message, whenever it is asked."""
_ALLOWED = re.compile(r"[0-9A-Fa-f:.]+(?:/\d{1,3})?|(?:\*\.)?[\w.-]+")
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOG_IN = re.compile(r"(?<=://)[^/?#]*@")
_TOKEN = re.compile(r"(?<=/)(?=[^/]*\d)[A-Za-z0-9_~.-]{20,}(?=/|\Z)")
"""A piece of a path that looks like what services put into the addresses of hooks instead of a password."""
_KEPT = 65_536
"""Octets of a JSON answer that later steps and the journal get."""


class WebhookOptions(Options, frozen=True):
    """The request: `webhook: url`, or with method, headers and body.

    Without `body`, `json`, `form` and `message` it carries what is known of the message, as JSON.
    """

    url: Annotated[Template, Meta(description="Where to; put values into it with `| urlencode`.")]
    method: Annotated[Literal["POST", "PUT", "PATCH", "GET", "DELETE"], Meta(description="The HTTP method.")] = "POST"
    headers: Annotated[dict[str, Template], Meta(description="Header fields to add.")] = field(default_factory=dict)
    secret_headers: Annotated[
        dict[str, Secret],
        Meta(description="Header fields whose whole value is a secret: {Authorization: 'env:HOOK_TOKEN'}."),
    ] = field(default_factory=dict)
    body: Annotated[Template | None, Meta(description="The body as text.")] = None
    json: Annotated[dict[str, Template] | None, Meta(description="The body as a JSON object of texts.")] = None
    form: Annotated[dict[str, Template] | None, Meta(description="The body as the fields of a form.")] = None
    message: Annotated[bool, Meta(description="The body is the whole message, as message/rfc822.")] = False
    allow_private: Annotated[
        bool | list[str],
        Meta(
            description="Servers of the own network that may be asked: true, or a list of hosts (hooks.lan, *.lan), "
            "addresses and networks (10.0.0.0/8). Otherwise only those of the internet are."
        ),
    ] = False
    certificate: Annotated[
        str, Meta(description="What to trust instead of the system's authorities: a PEM file, or its text.")
    ] = ""
    proxy: Annotated[
        str, Meta(description="The URL of a proxy to go through; those of the environment are not used.")
    ] = ""

    shorthand: ClassVar[str] = "url"

    def __post_init__(self) -> None:
        """Two bodies are one too many, and a name is a token (RFC 9110, section 5.6.2)."""
        if sum((self.body is not None, self.json is not None, self.form is not None, self.message)) > 1:
            raise ValueError("one of `body`, `json`, `form` and `message`")
        for at, text in enumerate(self.allow_private if isinstance(self.allow_private, list) else ()):
            if not _ALLOWED.fullmatch(text):
                raise misfit(f"allow_private[{at}]", f"not a host, an address or a network: {text!r}")
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
        """Method and URL without log-in, tokens and query, which may hold what should not be shown."""
        shown = self._filled(self.options.url.shown, data)
        return f"{self.options.method} {_TOKEN.sub('***', re.split('[?#]', _LOG_IN.sub('', shown))[0])}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Send it; status and JSON of the answer become `data.webhook`."""
        url = _url(self._filled(self.options.url.render, data))
        content, media_type = self._body(message, data)
        headers = {"Idempotency-Key": context.idempotency_key}
        headers |= {} if content is None else {"Content-Type": media_type}
        headers |= {name: _one_line(text.render(data)) for name, text in self.options.headers.items()}
        headers |= {name: secret.reveal() for name, secret in self.options.secret_headers.items()}
        answer = context.http.request(self.options.method, url, content=content, headers=headers, reach=self._reach())
        _judge(answer, f"{self.options.method} {urlsplit(url).hostname}")
        return {"webhook": {"status": answer.status, **_decoded(answer.content)}}

    def _filled(self, fill: Callable[[Data], str], data: Data) -> str:
        """The URL; why it cannot be filled in is told without it, as it may hold a password."""
        try:
            return fill(data)
        except Permanent as error:
            raise Permanent(f"`url`: {str(error).replace(f' {self.options.url.source!r}', '')}") from None

    def _reach(self) -> Reach:
        allowed = self.options.allow_private
        private = tuple(allowed) if isinstance(allowed, list) else allowed
        return Reach(private, self.options.certificate, self.options.proxy)

    def _body(self, message: Message, data: Data) -> tuple[bytes | None, str]:
        if self.options.body is not None:
            return self.options.body.render(data).encode(errors="replace"), "text/plain; charset=utf-8"
        if self.options.json is not None:
            return _encoded({name: text.render(data) for name, text in self.options.json.items()})
        if self.options.form is not None:
            fields = {name: text.render(data) for name, text in self.options.form.items()}
            return urlencode(fields, errors="replace").encode(), "application/x-www-form-urlencoded"
        if self.options.message:
            return message.raw, "message/rfc822"
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
    """What the status says: done, later, or never (RFC 9110, section 15).

    Most errors of a client are those of a receiver that is being set up or repaired, and pass.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Permanent(f"{request}: status {status}, and redirects are not followed: write the new URL")
    if status in _NEVER:
        raise Permanent(f"{request}: status {status}, so it is never sent again")
    raise Transient(f"{request}: status {status}", after=answer.retry_after)


def _one_line(text: str) -> str:
    """A header value that cannot become another header, in the octets that HTTP takes for granted."""
    kept = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return kept.encode("latin-1", "replace").decode("latin-1")


WEBHOOK = ActionType(
    name="webhook",
    summary="Tell another program over HTTP.",
    options=WebhookOptions,
    build=WebhookAction,
    needs_body=lambda options: options.message,
    results=lambda _options: ("webhook",),
)
