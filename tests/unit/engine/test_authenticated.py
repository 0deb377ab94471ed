"""Steps that are done for authenticated mail only."""

from dataclasses import replace

import pytest
from tests.unit.engine.house import subject

from mailrules.config.settings import Account
from mailrules.model.entry import State
from mailrules.model.message import Trust
from mailrules.model.rule import OnError

MX = "mx.b.example"
VOUCHED = {
    "DMARC passes": "dmarc=pass header.from=a.example; spf=fail smtp.mailfrom=jo@a.example",
    "SPF passes for the author's domain": "spf=pass smtp.mailfrom=jo@a.example",
    "SPF passes for a subdomain": "spf=pass smtp.mailfrom=jo@mail.a.example",
    "DKIM passes for the author's domain": "dkim=pass header.d=a.example; spf=fail smtp.mailfrom=x.example",
    "there is no DMARC policy, and DKIM passes": "dmarc=none; dkim=pass header.d=a.example",
}
DOUBTED = {
    "DMARC fails, whatever else passes": "dmarc=fail header.from=a.example; spf=pass smtp.mailfrom=jo@a.example",
    "SPF passes for another's domain": "spf=pass smtp.mailfrom=jo@evil.example",
    "DKIM passes for another's domain": "dkim=pass header.d=evil.example",
    "SPF passes for a domain that only ends alike": "spf=pass smtp.mailfrom=jo@nota.example",
    "DMARC passes for another's domain": "dmarc=pass header.from=evil.example",
    "nothing passes": "spf=softfail smtp.mailfrom=jo@a.example",
    "nothing is said": "none",
}


def received(house, results, server=MX):
    said = f"Authentication-Results: {server}; {results}\n" if results else ""
    house.box.messages = {"1": f"{said}From: jo@a.example\nSubject: pay\n\nbody\n".encode()}


def run(house, step=None, authserv_id=MX):
    rule = house.rule("pay", subject("pay"), 1, step or house.step(authenticated=True))
    account = Account("local", trust=Trust(authserv_id=authserv_id))
    (entry,) = house.run(replace(house.listener(rule), account=account)).entries
    return entry


@pytest.mark.parametrize("why", VOUCHED)
def test_it_is_done_where(house, why):
    received(house, VOUCHED[why])
    assert run(house).state is State.DONE
    assert len(house.notes.done) == 1


@pytest.mark.parametrize("why", DOUBTED)
def test_the_message_is_parked_untouched_where(house, why):
    received(house, DOUBTED[why])
    entry = run(house)
    assert entry.state is State.PARKED
    assert "it is done for authenticated mail only" in entry.reason
    assert (house.notes.done, list(house.box.messages)) == ([], ["1"])


@pytest.mark.parametrize(
    ("results", "server", "trusted"),
    [("dmarc=pass", "mx.evil.example", MX), ("", MX, MX), ("dmarc=pass", MX, "")],
    ids=["another server says so", "no server says anything", "nobody is trusted"],
)
def test_nobody_else_is_believed(house, results, server, trusted):
    received(house, results, server)
    assert run(house, authserv_id=trusted).state is State.PARKED


@pytest.mark.parametrize(
    "second", [", eve@evil.example", "\nFrom: eve@evil.example"], ids=["in one field", "in a second field"]
)
def test_nobody_vouches_for_one_of_several_authors(house, second):
    said = f"Authentication-Results: {MX}; dmarc=pass"
    house.box.messages = {"1": f"{said}\nFrom: jo@a.example{second}\nSubject: pay\n\nbody\n".encode()}
    entry = run(house)
    assert (entry.state, house.notes.done) == (State.PARKED, [])
    assert "From names more than one author" in entry.reason


def test_it_may_be_left_out_instead(house):
    received(house, DOUBTED["nothing passes"])
    entry = run(house, house.step(authenticated=True, on_error=OnError.IGNORE))
    assert entry.state is State.DONE
    assert house.notes.done == []
