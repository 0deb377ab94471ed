"""Who wrote a forwarded mail first: believed from forwarders that the account lists, a claim from all others."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mailrules.core.parse import parse
from mailrules.model.message import Address, Extent, Trust

FORWARDS = YAML(typ="safe", pure=True).load((Path(__file__).parent / "forwards.yaml").read_text(encoding="utf-8"))
TRUST = Trust(forwarders=frozenset({"desk@example.com"}))
IDA = Address("Ida Holm", "ida@acme.example")
NOBODY = Address("", "")


def mail(text="Hi.", *, sender="desk@example.com", attached=None, **headers):
    made = EmailMessage()
    made["From"] = sender
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    if attached is not None:
        made.add_attachment(attached)
    return parse(made.as_bytes(), trust=TRUST)


def enclosed():
    inner = EmailMessage()
    inner["From"] = str(IDA)
    inner["Subject"] = "Order"
    inner.set_content("Hello")
    return inner


@pytest.mark.parametrize("case", FORWARDS, ids=lambda case: case["client"])
def test_the_fields_above_a_forwarded_text_name_its_author(case):
    believed = mail(case["text"])

    assert believed.original_sender == IDA
    assert (
        "of the text, which forwards it, from the forwarder desk@example.com" in believed.original_sender_fact.evidence
    )
    assert believed.claimed_sender.value == NOBODY


@pytest.mark.parametrize("case", FORWARDS, ids=lambda case: case["client"])
def test_from_anybody_else_that_is_a_claim(case):
    claimed = mail(case["text"], sender="stranger@other.example")

    assert claimed.original_sender == Address("", "stranger@other.example")
    assert claimed.claimed_sender.value == IDA
    assert claimed.claimed_sender.evidence.endswith("not believed: stranger@other.example is none of trust.forwarders")


@pytest.mark.parametrize("name", ["X-Original-From", "X-Original-Sender", "X-Forwarded-From"])
def test_a_header_names_the_author(name):
    headers = {name.replace("-", "_"): str(IDA)}

    assert mail(**headers).original_sender_fact.evidence == f"{name}, from the forwarder desk@example.com"
    assert mail(**headers).original_sender == IDA
    assert mail(sender="x@other.example", **headers).claimed_sender.value == IDA


def test_an_attached_message_names_its_author():
    assert mail(attached=enclosed()).original_sender == IDA
    assert mail(sender="x@other.example", attached=enclosed()).claimed_sender.value == IDA


def test_a_redirected_message_keeps_its_author_and_tells_who_redirected_it():
    found = mail(sender="ida@acme.example", Resent_From="desk@example.com")

    assert found.original_sender.address == "ida@acme.example"
    assert found.original_sender_fact.evidence == "From; Resent-From: desk@example.com has redirected it"


@pytest.mark.parametrize(
    "text",
    [
        "From: the whole team, thanks!",
        "Greetings\nfrom: Ida <ida@acme.example>\nwho is well",
        "From: Ida\nSubject: no address\n",
        "We are away:\nFrom: Monday\nTo: Friday\n",
    ],
)
def test_a_line_that_only_looks_alike_names_nobody(text):
    assert mail(text, sender="x@other.example").claimed_sender.value == NOBODY


def test_who_quotes_himself_claims_nothing():
    text = "From: X <x@other.example>\nDate: Monday\nSubject: Mine\n\nHello"

    assert mail(text, sender="X <X@other.example>").claimed_sender.evidence == "it claims no other author"


def test_the_header_alone_cannot_rule_a_claim_out():
    head = parse(b"From: x@other.example\r\n\r\n", extent=Extent.HEADER, trust=TRUST)
    named = parse(b"From: x@other.example\r\nX-Original-From: ida@acme.example\r\n\r\n", extent=Extent.HEADER)

    assert not head.claimed_sender.known
    assert named.claimed_sender.value.address == "ida@acme.example"


FORGED = {
    "DMARC fails": "dmarc=fail header.from=example.com",
    "another domain passes": "spf=pass smtp.mailfrom=evil.example; dmarc=none",
    "nothing is told": "none",
}


@pytest.mark.parametrize("results", FORGED.values(), ids=FORGED)
def test_a_forwarder_that_nobody_vouches_for_is_not_believed(results):
    trust = Trust(authserv_id="mx.example.com", forwarders=frozenset({"desk@example.com"}))
    head = f"Authentication-Results: mx.example.com; {results}\nFrom: desk@example.com"
    message = parse(f"{head}\nX-Original-From: {IDA}\n\nHi.\n".encode(), trust=trust)

    assert message.original_sender == Address("", "desk@example.com")
    assert message.original_sender_fact.evidence.startswith("From; desk@example.com is not authenticated (")
    assert message.claimed_sender.value == IDA
    assert "not believed: desk@example.com is not authenticated" in message.claimed_sender.evidence


@pytest.mark.parametrize(
    "head", ["Authentication-Results: mx.example.com; dmarc=pass\n", ""], ids=["vouched", "silent"]
)
def test_a_forwarder_is_believed_where_the_server_vouches_or_says_nothing(head):
    trust = Trust(authserv_id="mx.example.com", forwarders=frozenset({"desk@example.com"}))
    message = parse(f"{head}From: desk@example.com\nX-Original-From: {IDA}\n\nHi.\n".encode(), trust=trust)

    assert message.original_sender == IDA
