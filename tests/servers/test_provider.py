"""That the OpenID provider and the mail servers agree about tokens."""

import base64
import hashlib
import imaplib
import json
import smtplib
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from http import HTTPStatus
from typing import IO, Any

import pytest
from tests.servers import Provider, Relay, Store

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid offline_access email imap smtp"


def bearer(user: str, token: str) -> bytes:
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def log_in(store: Store, user: str, token: str) -> str:
    with imaplib.IMAP4_SSL(store.host, store.imaps, ssl_context=store.tls, timeout=10) as imap:
        return imap.authenticate("XOAUTH2", lambda _: bearer(user, token))[0]


def post(oidc: Provider, endpoint: str, **form: str) -> dict[str, Any]:
    """The answer of an endpoint to the public client, errors included."""
    with urllib.request.urlopen(oidc.discovery_url, timeout=10) as answer:
        address = json.load(answer)[endpoint]
    body = urllib.parse.urlencode(form | {"client_id": "mailrules-cli"}).encode()
    try:
        with urllib.request.urlopen(address, body, timeout=10) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))


def start_device_flow(oidc: Provider) -> dict[str, Any]:
    return post(oidc, "device_authorization_endpoint", scope=SCOPE, prompt="consent")


def ask_for_device(oidc: Provider, flow: dict[str, Any]) -> dict[str, Any]:
    return post(oidc, "token_endpoint", grant_type=DEVICE_CODE, device_code=flow["device_code"])


def test_a_token_opens_its_mailbox(dovecot: Store, oidc: Provider) -> None:
    assert log_in(dovecot, "alice@tb.test", oidc.token()) == "OK"


def test_a_token_opens_no_other_mailbox(dovecot: Store, oidc: Provider) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        log_in(dovecot, "bob@tb.test", oidc.token())


def test_a_token_that_has_expired_is_refused(dovecot: Store, oidc: Provider) -> None:
    with oidc.tokens_for(1):
        token = oidc.token()
    time.sleep(1.5)

    with pytest.raises(imaplib.IMAP4.error):
        log_in(dovecot, "alice@tb.test", token)


def test_a_token_sends_mail(postfix: Relay, oidc: Provider) -> None:
    answer = base64.b64encode(bearer("alice@tb.test", oidc.token())).decode()
    with smtplib.SMTP_SSL(postfix.host, postfix.smtps, context=postfix.tls, timeout=10) as smtp:
        smtp.ehlo()

        assert smtp.docmd("AUTH", f"XOAUTH2 {answer}")[0] == 235


def test_a_device_flow_waits_for_a_person(oidc: Provider) -> None:
    assert ask_for_device(oidc, start_device_flow(oidc))["error"] == "authorization_pending"


def test_a_device_flow_can_be_refused(oidc: Provider) -> None:
    flow = start_device_flow(oidc)
    oidc.approve(flow["user_code"], deny=True)

    assert ask_for_device(oidc, flow)["error"] == "access_denied"


def test_an_approved_device_flow_gives_tokens_that_refresh(dovecot: Store, oidc: Provider) -> None:
    flow = start_device_flow(oidc)
    oidc.approve(flow["user_code"], "carol@tb.test")
    first = ask_for_device(oidc, flow)
    second = post(oidc, "token_endpoint", grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert log_in(dovecot, "carol@tb.test", second["access_token"]) == "OK"


class StopAtCallback(urllib.request.HTTPRedirectHandler):
    """A browser that follows the provider but does not open our own callback."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        return None if "/callback?" in newurl else super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def authorize(oidc: Provider, **query: str) -> str:
    """The code that the provider sends to the callback."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), StopAtCallback())
    with pytest.raises(urllib.error.HTTPError) as stopped:
        browser.open(f"{oidc.issuer}/auth?{urllib.parse.urlencode(query)}", timeout=10)
    with stopped.value as answer:
        assert answer.code == HTTPStatus.SEE_OTHER
        return urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["code"][0]


def test_a_code_with_its_verifier_gives_a_token(dovecot: Store, oidc: Provider) -> None:
    verifier, callback = "v" * 43, "http://127.0.0.1:45678/callback"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"client_id": "mailrules-cli", "redirect_uri": callback, "response_type": "code", "scope": SCOPE}
    consent = {"prompt": "consent", "login_hint": "carol@tb.test"}
    code = authorize(oidc, **asked, **consent, code_challenge=challenge, code_challenge_method="S256")
    proof = {"code": code, "code_verifier": verifier, "redirect_uri": callback}
    token = post(oidc, "token_endpoint", grant_type="authorization_code", **proof)

    assert log_in(dovecot, "carol@tb.test", token["access_token"]) == "OK"
