"""Real brokers: from the servers of mailrules' own tests in its repository, elsewhere as the environment names them."""

import os

import pytest

try:
    from tests.servers.fixtures import rabbitmq, redis, testbed
except ModuleNotFoundError:

    def _named(variable):
        if variable not in os.environ:
            pytest.skip(f"{variable} names no broker")
        return os.environ[variable]

    @pytest.fixture(scope="session")
    def rabbitmq():
        """The address of a RabbitMQ."""
        return _named("RABBITMQ_URL")

    @pytest.fixture(scope="session")
    def redis():
        """The address of a Redis."""
        return _named("REDIS_URL")

    testbed = None

__all__ = ["rabbitmq", "redis", "testbed"]
