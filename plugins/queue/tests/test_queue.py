"""The action `queue`: what every action keeps to, and real brokers."""

# ruff: noqa: RUF012 - the contract reads these class attributes, and nothing writes to them
from __future__ import annotations

import json
import secrets
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
from kombu import Connection, Exchange, Queue
from mailrules_queue import QUEUE, QueueOptions

from mailrules.api import InDoubt, OptionsError, Permanent, Transient, build_options
from mailrules.testing import action_data, message_of, recording_context
from mailrules.testing.action_contract import ActionContract


class TestQueue(ActionContract):
    action = QUEUE
    options = {"url": "memory://", "queue": "mail", "fields": {"subject": "{{ message.subject }}"}}


class TestQueueWholeMessage(ActionContract):
    action = QUEUE
    options = {"url": "memory://", "queue": "mail", "message": True}


@pytest.fixture(params=["rabbitmq", "redis"])
def broker(request):
    """The address of a real one."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def name():
    """A queue that nobody has used."""
    return f"q{secrets.token_hex(6)}"


def publish(tmp_path, url, *, message=None, data=None, **options):
    built = QUEUE.build(build_options(QueueOptions, {"url": url, **options}, root=tmp_path))
    message = message or message_of()
    return built.run(message, action_data(message, data=data or {}), recording_context(tmp_path / "files", seconds=20))


@contextmanager
def waiting(url, name):
    """What is taken from a queue, as (body, properties, headers, content type)."""
    with Connection(url) as connection:
        got = []
        channel = connection.default_channel
        queue = Queue(name, durable=True, channel=channel)
        while (message := queue.get(no_ack=True)) is not None:
            body = message.body if isinstance(message.body, bytes) else message.body.encode()
            got.append((body, message.properties, message.headers, message.content_type))
        yield got


def test_fields_arrive_as_json_under_the_key_of_the_step(tmp_path, broker, name):
    given = publish(
        tmp_path, broker, queue=name, fields={"who": "{{ message.author.name }}", "n": "{{ data.n }}"}, data={"n": 7}
    )
    with waiting(broker, name) as got:
        ((body, properties, headers, kind),) = got

    assert json.loads(body) == {"who": message_of().author.name, "n": "7"}
    assert kind == "application/json"
    assert properties["message_id"] == headers["Idempotency-Key"] == given["queued"]["message_id"]
    assert properties["delivery_mode"] == 2


def test_without_fields_all_that_is_known_arrives(tmp_path, broker, name):
    publish(tmp_path, broker, queue=name, data={"total": "12.00"})
    with waiting(broker, name) as got:
        ((body, *_),) = got

    known = json.loads(body)
    assert known["subject"] == message_of().subject
    assert known["data"] == {"total": "12.00"}


def test_the_whole_message_arrives_octet_for_octet(tmp_path, broker, name):
    built = QUEUE.build(build_options(QueueOptions, {"url": broker, "queue": name, "message": True}, root=tmp_path))
    message = message_of()
    built.run(message, action_data(message), recording_context(tmp_path / "files", seconds=20))
    with waiting(broker, name) as got:
        ((body, _, _, kind),) = got

    assert (body, kind) == (bytes(message.raw), "message/rfc822")


def test_the_name_of_the_queue_may_come_from_the_mail(tmp_path, broker, name):
    publish(tmp_path, broker, queue=f"{name}-{{{{ message.author.domain }}}}")
    with waiting(broker, f"{name}-{message_of().author.domain}") as got:
        assert len(got) == 1


def test_an_exchange_routes(tmp_path, rabbitmq, name):
    with Connection(rabbitmq) as connection:
        exchange = Exchange(name, "topic", durable=True)
        Queue(f"{name}-all", exchange, routing_key="mail.#", durable=True, channel=connection.default_channel).declare()
    publish(tmp_path, rabbitmq, exchange=name, routing_key="mail.{{ data.what }}", data={"what": "new"})
    with waiting(rabbitmq, f"{name}-all") as got:
        assert len(got) == 1


def test_what_no_queue_is_bound_for_is_an_error_and_not_lost_in_silence(tmp_path, rabbitmq, name):
    with Connection(rabbitmq) as connection:
        Exchange(name, "topic", durable=True, channel=connection.default_channel).declare()
    with pytest.raises(Permanent, match="no queue is bound"):
        publish(tmp_path, rabbitmq, exchange=name, routing_key="mail.new")


def test_an_exchange_that_is_not_there_is_an_error(tmp_path, rabbitmq, name):
    with pytest.raises(Permanent, match="NOT_FOUND"):
        publish(tmp_path, rabbitmq, exchange=name, routing_key="mail.new")


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_a_broker_that_is_away_is_tried_again(tmp_path, scheme, name):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"{scheme}://jo:hunter22@127.0.0.1:{held.getsockname()[1]}/"
        with pytest.raises(Transient, match="cannot be reached") as caught:
            publish(tmp_path, url, queue=name)
    assert "hunter22" not in str(caught.value)


def test_a_wrong_password_is_told_without_it(tmp_path, rabbitmq, name):
    with pytest.raises(Permanent, match="refuses the log-in") as caught:
        publish(tmp_path, rabbitmq.replace("guest:guest", "guest:hunter22"), queue=name)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense://x", "amqp://[::1"])
def test_an_address_that_is_none_is_told_without_it(tmp_path, url, name):
    with pytest.raises(Permanent, match="cannot be used"):
        publish(tmp_path, url, queue=name)


def cut_off(port, most):
    """The port of a relay to a broker that hangs up after so many octets of its client."""
    listening = socket.create_server(("127.0.0.1", 0))

    def back(server, client):
        with suppress(OSError):
            while octets := server.recv(4096):
                client.sendall(octets)

    def relay():
        with listening, listening.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as server:
            threading.Thread(target=back, args=(server, client), daemon=True).start()
            left = most
            while left and (octets := client.recv(min(4096, left))):
                server.sendall(octets)
                left -= len(octets)

    threading.Thread(target=relay, daemon=True).start()
    return listening.getsockname()[1]


def test_a_line_that_breaks_while_it_is_handed_over_leaves_it_in_doubt(tmp_path, rabbitmq, name):
    port = int(rabbitmq.rpartition(":")[2].partition("/")[0])
    through = cut_off(port, 60_000)  # the log-in takes under 2,000 octets
    with pytest.raises(InDoubt, match="nobody knows"):
        publish(tmp_path, rabbitmq.replace(str(port), str(through)), queue=name, fields={"x": "y" * 100_000})


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "memory://"},
        {"url": "memory://", "queue": "a", "exchange": "b"},
        {"url": "memory://", "queue": "a", "routing_key": "b"},
        {"url": "memory://", "queue": "a", "message": True, "fields": {"x": "y"}},
        {"queue": "a"},
    ],
    ids=["no place", "two places", "a key without an exchange", "two bodies", "no broker"],
)
def test_options_that_make_no_sense_are_refused(tmp_path, wrong):
    with pytest.raises(OptionsError):
        build_options(QueueOptions, wrong, root=tmp_path)
