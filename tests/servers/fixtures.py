"""Pytest fixtures: servers started on first use, once for each worker.

A server that is not installed skips the tests that ask for it, or fails them where MAILRULES_REQUIRE_SERVERS=1 says
that all must be there.
"""

import os
from collections.abc import Iterator

import pytest

from .mailbox import Mailbox
from .testbed import DAEMONS, Database, Provider, Relay, Store, Testbed


def require(bed: Testbed, *names: str) -> None:
    """Start servers, or skip or fail the test with the reason why one cannot run here."""
    for name in names:
        if reason := DAEMONS[name].missing():
            refuse = pytest.fail if os.environ.get("MAILRULES_REQUIRE_SERVERS") == "1" else pytest.skip
            refuse(f"no {name} here: {reason}")
    bed.start(*names)


def pytest_report_header() -> str:
    """Say at the top of the run which servers it will do without, and why."""
    lacking = {name: daemon.missing() for name, daemon in DAEMONS.items()}
    told = [f"no {name}: {reason}" for name, reason in lacking.items() if reason]
    return "servers: " + ("; ".join(told) or ", ".join(DAEMONS))


@pytest.fixture(scope="session")
def testbed() -> Iterator[Testbed]:
    """This worker's servers."""
    with Testbed.temporary() as bed:
        yield bed


@pytest.fixture(scope="session")
def dovecot(testbed: Testbed) -> Store:
    """A running Dovecot."""
    require(testbed, "dovecot")
    return testbed.dovecot


@pytest.fixture(scope="session")
def cyrus(testbed: Testbed) -> Store:
    """A running Cyrus."""
    require(testbed, "cyrus")
    return testbed.cyrus


@pytest.fixture(scope="session")
def postfix(testbed: Testbed) -> Relay:
    """A running Postfix, and the Dovecot that it delivers into."""
    require(testbed, "dovecot", "postfix")
    return testbed.postfix


@pytest.fixture(scope="session")
def oidc(testbed: Testbed) -> Provider:
    """A running OpenID provider."""
    require(testbed, "oidc")
    return testbed.oidc


@pytest.fixture(scope="session")
def postgres(testbed: Testbed) -> Database:
    """A running PostgreSQL."""
    require(testbed, "postgres")
    return testbed.postgres


@pytest.fixture(scope="session")
def redis(testbed: Testbed) -> str:
    """The address of a running Redis."""
    require(testbed, "redis")
    return testbed.redis


@pytest.fixture(scope="session")
def rabbitmq(testbed: Testbed) -> str:
    """The address of a running RabbitMQ."""
    require(testbed, "rabbitmq")
    return testbed.rabbitmq


@pytest.fixture
def mailbox(dovecot: Store) -> Mailbox:
    """A mailbox of this test's own, on Dovecot."""
    return dovecot.fresh()


@pytest.fixture
def cyrus_mailbox(cyrus: Store) -> Mailbox:
    """A mailbox of this test's own, on Cyrus."""
    return cyrus.fresh()
