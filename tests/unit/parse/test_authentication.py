"""What of an Authentication-Results header is the trusted server's word (RFC 8601, section 2.2)."""

from __future__ import annotations

import pytest

from mailrules.core.parse import parse
from mailrules.model.message import Trust

TRUST = Trust(authserv_id="mx.example.com")


def results(*values):
    head = "".join(f"Authentication-Results: {value}\r\n" for value in values)
    return parse(f"{head}From: ida@sender.example\r\n\r\n".encode(), trust=TRUST).authentication


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("spf=pass smtp.mailfrom=dmarc=pass@forged.example", {"spf": "pass"}),
        ("spf=pass smtp.mailfrom=dmarc=pass@forged.example; dmarc=fail", {"spf": "pass", "dmarc": "fail"}),
        ('spf=fail smtp.mailfrom="a; dmarc=pass"@forged.example', {"spf": "fail"}),
        (r'spf=fail smtp.mailfrom="a\"; dmarc=pass; \""@forged.example', {"spf": "fail"}),
        ('spf=fail reason="; dmarc=pass"', {"spf": "fail"}),
        ("spf=fail (sender; dmarc=pass) smtp.mailfrom=x", {"spf": "fail"}),
        ("spf=fail (a (b) ; dmarc=pass) smtp.mailfrom=x", {"spf": "fail"}),
        (r"spf=fail (a \) ; dmarc=pass) smtp.mailfrom=x", {"spf": "fail"}),
        ('spf=fail (a " b) ; dmarc=fail (c " d)', {"spf": "fail", "dmarc": "fail"}),
        ("spf=fail (never closed; dmarc=pass", {"spf": "fail"}),
        ('spf=fail reason="never closed; dmarc=pass', {"spf": "fail"}),
        ("dmarc=fail; dmarc=pass", {"dmarc": "fail"}),
        ("spf=softfail; spf=pass", {"spf": "softfail"}),
        ("dkim=fail; dkim=pass; dkim=fail", {"dkim": "pass"}),
        ("x-dmarc=pass", {}),
        ("arc=pass dmarc=pass", {}),
        ("dmarc=pass@forged.example", {}),
        ("DMARC = Pass (p=none) header.from=x", {"dmarc": "pass"}),
        ("dkim/1 = pass header.d=x", {"dkim": "pass"}),
        ("dmarc=(well)pass(p=none)", {"dmarc": "pass"}),
        ("none", {}),
    ],
)
def test_a_result_stands_at_the_start_of_its_piece(value, found):
    said = results(f"mx.example.com; {value}").value

    assert {name: word for name, word in said.items() if not name.endswith("_domain")} == found


@pytest.mark.parametrize(
    "server", ["mx.example.com", "MX.example.com 1", '"mx.example.com"', "(own) mx.example.com (x)"]
)
def test_the_server_is_told_by_its_name(server):
    assert results(f"{server}; spf=pass").value == {"spf": "pass"}


@pytest.mark.parametrize("server", ["mx.example.com.forged.example", "(mx.example.com) x", '"; mx.example.com', ""])
def test_another_server_is_not_believed(server):
    assert not results(f"{server}; spf=pass").known


def test_only_the_topmost_header_of_the_server_counts():
    fact = results("other.example; dmarc=pass", "mx.example.com; spf=fail", "mx.example.com; spf=pass; dmarc=pass")

    assert fact.value == {"spf": "fail"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("spf=pass smtp.mailfrom=jo@bounce.sender.example", {"spf_domain": "bounce.sender.example"}),
        ("spf=pass (x) smtp.helo=Mail.Sender.Example.", {"spf_domain": "mail.sender.example"}),
        ("spf=pass smtp.helo=h.example smtp.mailfrom=m.example", {"spf_domain": "m.example"}),
        ('spf=pass smtp.mailfrom="a header.from=b"@sender.example', {}),
        ("spf=pass (smtp.mailfrom=forged.example)", {}),
        ("dkim=pass header.i=@sender.example header.s=one", {"dkim_domain": "sender.example"}),
        ("dkim=pass header.d=esp.example; dkim=pass header.d=sender.example", {"dkim_domain": "sender.example"}),
        (
            "dkim=pass header.d=mail.sender.example; dkim=pass header.d=x.example",
            {"dkim_domain": "mail.sender.example"},
        ),
        ("dkim=fail header.d=sender.example; dkim=pass header.d=esp.example", {"dkim_domain": "esp.example"}),
        ("dkim=pass header.d=one.example; dkim=pass header.d=two.example", {"dkim_domain": "one.example"}),
        ("dmarc=pass action=none header.from=sender.example; compauth=pass", {"dmarc_domain": "sender.example"}),
        ("dmarc=fail", {}),
    ],
)
def test_whom_a_result_is_about_is_told_with_it(value, found):
    said = results(f"mx.example.com; {value}").value

    assert {name: word for name, word in said.items() if name.endswith("_domain")} == found
