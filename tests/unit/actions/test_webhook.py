from __future__ import annotations

import json
import socket

import pytest

from mailrules.api import OptionsError, Permanent, Transient, build_options
from mailrules.builtin.action.webhook import WEBHOOK
from mailrules.testing.context import SAMPLE


@pytest.fixture
def act(act):
    """Servers of these tests are on this machine, which must be allowed."""

    def act_(action, options, **how):
        written = options if isinstance(options, dict) else {"url": options}
        return act(action, {"allow_private": ["127.0.0.1"]} | written, **how)

    return act_


def test_what_is_known_of_the_message_is_posted_as_json(act, hook):
    act(WEBHOOK, f"{hook.url}/in", match={"number": "42"}, data={"owner": "kim"})

    (request,) = hook.requests
    assert (request.method, request.path, request.headers["Content-Type"]) == ("POST", "/in", "application/json")
    assert json.loads(request.body) == {
        "id": "<invoice-42@acme.example>",
        "subject": "Invoice #42",
        "from": "ada@acme.example",
        "from_name": "Ada Field",
        "to": ["support@desk.example"],
        "date": "2026-03-02T10:15:00+01:00",
        "account": "support",
        "listener": "support-inbox",
        "rule": "acme invoices",
        "match": {"number": "42"},
        "data": {"owner": "kim"},
    }


def test_each_try_carries_the_same_idempotency_key(act, hook, context):
    act(WEBHOOK, hook.url)
    act(WEBHOOK, {"url": hook.url, "method": "GET"})

    assert [request.headers["Idempotency-Key"] for request in hook.requests] == [context.idempotency_key] * 2
    assert hook.requests[1].body == b""


@pytest.mark.parametrize(
    ("options", "media_type", "body"),
    [
        ({"body": "It is {{ match.x }}"}, "text/plain; charset=utf-8", "It is ü".encode()),
        ({"json": {"text": "{{ match.x }}"}}, "application/json", b'{"text": "\\u00fc"}'),
        ({"form": {"a b": "{{ match.x }}&"}}, "application/x-www-form-urlencoded", b"a+b=%C3%BC%26"),
        ({"message": True}, "message/rfc822", SAMPLE),
        ({"body": "<a/>", "headers": {"Content-Type": "application/xml"}}, "application/xml", b"<a/>"),
    ],
)
def test_a_body_of_ones_own(act, hook, options, media_type, body):
    act(WEBHOOK, {"url": hook.url, **options}, match={"x": "ü"})

    assert (hook.requests[0].headers["Content-Type"], hook.requests[0].body) == (media_type, body)


def test_a_secret_is_sent_and_never_shown(act, hook, describe, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "Bearer abcdef")
    options = {"url": f"{hook.url}/x?key=hidden", "secret_headers": {"Authorization": "env:HOOK_TOKEN"}}
    act(WEBHOOK, options)

    assert hook.requests[0].headers["Authorization"] == "Bearer abcdef"
    assert describe(WEBHOOK, options) == f"POST {hook.url}/x"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://jo:hidden@x.example/in?key=hidden", "POST https://x.example/in"),
        ("https://hid:d@en@x.example/@jo", "POST https://x.example/@jo"),
        ("https://hidden@x.example", "POST https://x.example"),
        ("https://jo:hidden@{{ data.host }}/in", "POST https://y.example/in"),
        ("https://x.example/in#hidden", "POST https://x.example/in"),
        ("https://x.example/services/B0/hiddenHidden17hiddenHidden", "POST https://x.example/services/B0/***"),
        ("https://x.example/v2/customer-correspondence", "POST https://x.example/v2/customer-correspondence"),
    ],
)
def test_a_log_in_within_the_url_is_never_shown(describe, url, shown):
    assert describe(WEBHOOK, url, data={"host": "y.example"}) == shown


def test_a_url_that_cannot_be_filled_in_is_not_shown(act, describe):
    options = {"url": "https://jo:hidden@x.example/{{ message.attachments[9].name }}?key=hidden"}
    for attempt in (act, describe):
        with pytest.raises(Permanent) as raised:
            attempt(WEBHOOK, options)
        assert "hidden" not in str(raised.value)
        assert str(raised.value).startswith("`url`: template: ")


def test_a_value_from_a_mail_cannot_become_another_header(act, hook):
    act(WEBHOOK, {"url": hook.url, "headers": {"X-Subject": "{{ match.x }}"}}, match={"x": "a\r\nX-Evil: b\u20ac"})

    assert hook.requests[0].headers["X-Subject"] == "a X-Evil: b?"
    assert "X-Evil" not in hook.requests[0].headers


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b'{"ticket": 7}', {"status": 200, "json": {"ticket": 7}}),
        (b"[" * 30_000 + b"]" * 30_000, {"status": 200}),
        (b"[1, 2]", {"status": 200, "json": [1, 2]}),
        (b"thanks", {"status": 200}),
        (b"", {"status": 200}),
        (b'"' + b"x" * 70_000 + b'"', {"status": 200}),
    ],
    ids=["object", "nested without end", "list", "text", "nothing", "too long to keep"],
)
def test_status_and_json_of_the_answer_are_data_of_later_steps(act, hook, answer, result):
    hook.answer = answer

    assert act(WEBHOOK, hook.url) == {"webhook": result}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 422, 425, 429, 500, 502, 503, 504])
def test_later_means_later(act, hook, status):
    hook.status = status
    with pytest.raises(Transient, match=f"127.0.0.1: status {status}"):
        act(WEBHOOK, f"{hook.url}/?key=hidden")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        ("Mon, 02 Mar 2026 10:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_passed_on(act, hook, asked, seconds):
    hook.status, hook.headers = 429, {"Retry-After": asked}
    with pytest.raises(Transient) as error:
        act(WEBHOOK, hook.url)
    assert error.value.after == seconds


@pytest.mark.parametrize("status", [301, 302, 307, 308, 406, 410])
def test_no_means_no(act, hook, status):
    hook.status, hook.headers = status, {"Location": f"{hook.url}/elsewhere"}
    with pytest.raises(Permanent, match=f"status {status}"):
        act(WEBHOOK, hook.url)
    assert len(hook.requests) == 1


def test_a_server_that_is_away_is_asked_again_later(act):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Transient):
            act(WEBHOOK, f"http://127.0.0.1:{unused.getsockname()[1]}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "file:///etc/passwd",
        "x.example/hook",
        "http://",
        "http://x\n.example",
        "http://jo:hid/den@x.example/",
    ],
)
def test_only_http_and_https_are_asked(act, context, url):
    with pytest.raises(Permanent, match=r"^not an http or https URL$"):
        act(WEBHOOK, "{{ match.url }}", match={"url": url})
    assert context.untouched()


@pytest.mark.parametrize(
    "options",
    [
        {"body": "x", "json": {}},
        {"form": {}, "message": True},
        {"allow_private": ["10.0.0.0/8", "a b"]},
        {"headers": {"X Y": "z"}},
        {"secret_headers": {"A:": "env:X"}},
        {"method": "FETCH"},
    ],
)
def test_what_cannot_be_a_request_is_refused_before_any_run(tmp_path, options):
    with pytest.raises(OptionsError):
        build_options(WEBHOOK.options, {"url": "https://x.example", **options}, root=tmp_path)


def test_only_the_whole_message_takes_more_than_the_header(tmp_path):
    facts, whole = ({"url": "https://x.example", "message": whole} for whole in (False, True))

    assert not WEBHOOK.needs_body(build_options(WEBHOOK.options, facts, root=tmp_path))
    assert WEBHOOK.needs_body(build_options(WEBHOOK.options, whole, root=tmp_path))


def test_the_own_network_is_not_asked_unless_it_is_allowed(act, hook):
    with pytest.raises(Permanent, match=r"127\.0\.0\.1 is this machine \(loopback\): write `allow_private:`"):
        act(WEBHOOK, {"url": hook.url, "allow_private": False})
    assert hook.requests == []
