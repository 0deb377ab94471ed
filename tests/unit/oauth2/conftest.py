"""A provider on loopback that answers as it is told to."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mailrules.api import Place, build_options
from mailrules.builtin.oauth2.auth import OAuth2
from mailrules.builtin.oauth2.options import OAuth2Options


class ScriptedProvider:
    """Answers its description, and at the token endpoint what is in `answers`, the last again and again."""

    def __init__(self):
        self.answers = [(200, {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"})]
        self.described = {}
        self.asked = []
        provider = self

        class Request(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, provider.description)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.asked.append((self.path, body, self.headers.get("Authorization", "")))
                answers = provider.answers
                self.answer(*(answers.pop(0) if len(answers) > 1 else answers[0]))

            def answer(self, status, content, headers=()):
                if status in {"drip", "drip header"}:
                    return self.drip(status)
                octets = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(octets)), **dict(headers)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(octets)
                return None

            def drip(self, what):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if what == "drip" else b"X-Long: "))
                for _ in range(200):
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        return
                    time.sleep(0.05)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self.server.block_on_close = False
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def description(self):
        usual = {"issuer": self.url, "token_endpoint": f"{self.url}/token"}
        return self.described if isinstance(self.described, bytes) else usual | self.described

    def encrypt(self, certificate, key):
        """Speak TLS from now on."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = self.url.replace("http://", "https://")

    def granting(self, *pairs, life=3600, **more):
        """Give these (access, refresh) pairs, one after another."""
        self.answers = [
            (
                200,
                {"access_token": access, "refresh_token": refresh, "expires_in": life, "token_type": "bearer", **more},
            )
            for access, refresh in pairs
        ]


@pytest.fixture
def provider():
    scripted = ScriptedProvider()
    thread = threading.Thread(target=scripted.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    scripted.server.server_close()
    thread.join(5)


@pytest.fixture
def made(provider, tmp_path):
    """Makes the log-in from its options."""

    def made_(**options):
        raw = {
            "login": "jo@x.example",
            "client_id": "me",
            "discovery_url": f"{provider.url}/.well-known/openid-configuration",
            "tokens": "file:tokens.json",
            "timeout": "500ms",
            **options,
        }
        return OAuth2(build_options(OAuth2Options, raw, root=Path()), Place(tmp_path, account="box"))

    return made_


@pytest.fixture
def keep(tmp_path):
    """Puts tokens where the log-in looks for them."""

    def keep_(**values):
        (tmp_path / "tokens.json").write_text(json.dumps(values))

    return keep_


@pytest.fixture
def kept(tmp_path):
    """What is kept there."""
    return lambda: json.loads((tmp_path / "tokens.json").read_text())
