"""A person allows it in a browser, which comes back to a port of this machine (RFC 8252, section 7.3)."""

from __future__ import annotations

import secrets
import socketserver
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit, urlunsplit

from mailrules.api import Person, Transient
from mailrules.builtin.line.tls import one_line
from mailrules.builtin.oauth2.http import Denied
from mailrules.builtin.oauth2.provider import Provider
from mailrules.builtin.oauth2.tokens import Tokens

PATIENCE = 600.0
"""Seconds that a person may take."""


def by_browser(provider: Provider, person: Person) -> Tokens:
    """Show the address to open, wait for the browser to come back, exchange its code for tokens.

    Raises:
        Denied: the person said no, or the provider did.
        Transient: nobody came in time, or the port is taken.
    """
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    with _listening(provider.options.redirect_uri, state) as back:
        person.browse(provider.consent_url(redirect_uri=back.uri, state=state, verifier=verifier))
        answer = back.wait(PATIENCE)
    issuer = provider.description.get("issuer")
    if "error" in answer:
        raise Denied(answer["error"], one_line(": ".join((answer["error"], answer.get("error_description", "")))))
    if answer.get("iss", issuer) != issuer:  # RFC 9207
        raise Denied("mix-up", f"the answer came from {one_line(answer['iss'])}")
    return provider.by_grant(
        grant_type="authorization_code", code=answer["code"], redirect_uri=back.uri, code_verifier=verifier
    )


class Back(socketserver.ThreadingTCPServer):
    """Waits on a loopback port for the one request that carries our state."""

    allow_reuse_address = True
    daemon_threads = True
    timeout = 0.2

    def __init__(self, redirect_uri: str, state: str) -> None:
        self._parts = urlsplit(redirect_uri)
        self.state = state
        self.answer: dict[str, str] | None = None
        super().__init__(("127.0.0.1", self._parts.port or 0), _Request)

    @property
    def uri(self) -> str:
        """Where the browser is to come back to."""
        return urlunsplit(("http", f"{self._parts.hostname}:{self.server_address[1]}", self._parts.path, "", ""))

    @property
    def path(self) -> str:
        """Of that address."""
        return self._parts.path or "/"

    def wait(self, seconds: float) -> dict[str, str]:
        """The parameters that it came back with.

        Raises:
            Transient: nobody came.
        """
        end = time.monotonic() + seconds
        while self.answer is None:
            if time.monotonic() > end:
                raise Transient(f"no browser came back within {seconds:g} s")
            self.handle_request()
        return self.answer


def _listening(redirect_uri: str, state: str) -> Back:
    try:
        return Back(redirect_uri, state)
    except OSError as error:
        raise Transient(f"{redirect_uri}: {error.strerror}") from error


class _Request(BaseHTTPRequestHandler):
    server: Back
    timeout = 10

    def do_GET(self) -> None:
        """Take the answer; anything else that comes is not ours."""
        url = urlsplit(self.path)
        answer = {name: values[0] for name, values in parse_qs(url.query).items()}
        ours = url.path == self.server.path and secrets.compare_digest(answer.get("state", ""), self.server.state)
        if not (ours and ("code" in answer or "error" in answer)):
            self._say(HTTPStatus.NOT_FOUND, "There is nothing here.")
            return
        refused = "error" in answer
        self._say(
            HTTPStatus.OK,
            "It was not allowed." if refused else "Done: you can close this page and go back to the terminal.",
        )
        self.server.answer = answer

    def _say(self, status: HTTPStatus, text: str) -> None:
        content = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The address holds the code: it is for no log."""
