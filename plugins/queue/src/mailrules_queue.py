# ruff: noqa: INP001 - one module, no package around it
"""The action `queue`: what a mail holds goes to a message broker, confirmed before the step has succeeded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, field

from mailrules.api import (
    ActionType,
    Context,
    Data,
    InDoubt,
    Message,
    Options,
    Permanent,
    Secret,
    Template,
    Transient,
    hookimpl,
)

if TYPE_CHECKING:
    from kombu import Connection

KEY_FIELD = "Idempotency-Key"
"""The header by which a consumer tells a second try."""
SHORTEST = 0.1
"""Seconds that a broker gets, whatever is left of the step's time."""


class QueueOptions(Options, frozen=True):
    """Where to, and what."""

    url: Annotated[
        Secret, Meta(description="The broker: amqp://user:password@host/vhost, redis://host/0; as a reference.")
    ]
    queue: Annotated[Template, Meta(description="The queue; made, and durable, where it is not there.")] = field(
        default_factory=Template
    )
    exchange: Annotated[Template, Meta(description="An exchange that is there, in the place of a queue.")] = field(
        default_factory=Template
    )
    routing_key: Annotated[Template, Meta(description="The key by which the exchange routes.")] = field(
        default_factory=Template
    )
    fields: Annotated[dict[str, Template], Meta(description="What goes there, as a JSON object of texts.")] = field(
        default_factory=dict
    )
    message: Annotated[bool, Meta(description="The whole message goes there instead, as message/rfc822.")] = False

    def __post_init__(self) -> None:
        """One place, and one thing to put there."""
        if bool(self.queue.source) == bool(self.exchange.source):
            raise ValueError("one of `queue` and `exchange`")
        if self.routing_key.source and not self.exchange.source:
            raise ValueError("`routing_key` goes with `exchange`")
        if self.fields and self.message:
            raise ValueError("one of `fields` and `message`")


@dataclass(frozen=True, slots=True)
class QueueAction:
    """Publishes one message."""

    options: QueueOptions

    def describe(self, _message: Message, data: Data) -> str:
        """What goes where; the address is secret."""
        what = "the message" if self.options.message else ", ".join(self.options.fields) or "what is known"
        return f"queue {what} to {_one_line(self._place(data, shown=True))}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Publish it; what was used as its identity becomes `data.queued`."""
        body, kind = self._body(message, data)
        place = self._place(data)
        seconds = max(SHORTEST, (context.deadline - datetime.now(UTC)).total_seconds())
        with _connected(self.options.url.reveal(), seconds) as connection:
            self._publish(connection, (body, kind), (place, self.options.routing_key.render(data)), context, seconds)
        return {"queued": {"to": place, "message_id": context.idempotency_key}}

    def _place(self, data: Data, *, shown: bool = False) -> str:
        written = self.options.queue if self.options.queue.source else self.options.exchange
        return written.shown(data) if shown else written.render(data)

    def _body(self, message: Message, data: Data) -> tuple[bytes, str]:
        if self.options.message:
            return bytes(message.raw), "message/rfc822"
        if self.options.fields:
            given: dict[str, Any] = {name: written.render(data) for name, written in self.options.fields.items()}
        else:
            given = _known(message, data)
        return json.dumps(given, ensure_ascii=False, default=str).encode("utf-8", "replace"), "application/json"

    def _publish(
        self,
        connection: Connection,
        content: tuple[bytes, str],
        place: tuple[str, str],
        context: Context,
        seconds: float,
    ) -> None:
        from kombu import Exchange, Queue

        (body, kind), (name, routing_key) = content, place
        lost: list[str] = []
        producer = connection.Producer()
        to: dict[str, Any] = {"exchange": "", "routing_key": name, "declare": [Queue(name, durable=True)]}
        if not self.options.queue.source:
            producer.on_return = lambda error, *_: lost.append(str(error))
            to = {"exchange": Exchange(name, passive=True), "routing_key": routing_key}
        with _verdicts():
            producer.publish(
                body,
                content_type=kind,
                content_encoding="binary" if self.options.message else "utf-8",
                delivery_mode=2,
                message_id=context.idempotency_key,
                headers={KEY_FIELD: context.idempotency_key},
                mandatory=True,
                timeout=seconds,
                confirm_timeout=seconds,
                **to,
            )
        if lost:
            raise Permanent(f"the broker routes it nowhere: no queue is bound to '{name}' for it")


def _known(message: Message, data: Data) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "subject": message.subject,
        "from": message.author.address,
        "to": [each.address for each in message.addresses("To")],
        "date": message.date.isoformat() if message.date else None,
        "listener": data["listener"]["name"],
        "rule": data["listener"]["rule"],
        "match": data["match"],
        "data": data["data"],
    }


@contextmanager
def _connected(url: str, seconds: float) -> Iterator[Connection]:
    """A connection, closed at the end; errors name neither address nor password.

    Raises:
        Transient: the broker is away.
        Permanent: the address is none, or the log-in is refused.
    """
    from kombu import Connection

    amqp = {"confirm_publish": True, "read_timeout": seconds, "write_timeout": seconds}
    redis = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    by_name = redis if url.startswith("redis") else amqp
    try:
        connection = Connection(url, connect_timeout=seconds, transport_options=by_name)
        transport = connection.transport
    except Exception as error:
        raise Permanent(f"the broker's address cannot be used ({type(error).__name__})") from None
    try:
        with _reaching((*transport.connection_errors, *transport.channel_errors, OSError)):
            connection.connect()
            _ = connection.default_channel  # opened when it is first looked at
        yield connection
    finally:
        connection.release()


@contextmanager
def _reaching(passing: tuple[type[BaseException], ...]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if _refusal(error):
            raise Permanent(f"the broker refuses the log-in ({type(error).__name__})") from None
        if isinstance(error, passing):
            raise Transient(f"the broker cannot be reached ({type(error).__name__})") from None
        raise


@contextmanager
def _verdicts() -> Iterator[None]:
    """Failures of publishing: a refusal is final, of all else nobody knows whether the broker has the message."""
    from amqp.exceptions import AccessRefused, ChannelError, MessageNacked

    try:
        yield
    except MessageNacked:
        raise Transient("the broker does not take it now") from None
    except AccessRefused:
        raise Permanent("the broker refuses the log-in") from None
    except ChannelError as error:
        raise Permanent(f"the broker refuses it: {error.reply_text or type(error).__name__}") from None
    except Exception as error:
        raise InDoubt(f"the line broke ({type(error).__name__}): nobody knows whether the broker has it") from None


def _refusal(error: BaseException) -> bool:
    """Whether the broker does not let us in."""
    from amqp.exceptions import AccessRefused, NotAllowed

    return isinstance(error, AccessRefused | NotAllowed) or type(error).__name__ == "AuthenticationError"


def _one_line(text: str) -> str:
    return " ".join(text.split())


QUEUE = ActionType(
    name="queue",
    summary="Put what the mail holds into a queue of RabbitMQ, Redis or another broker.",
    options=QueueOptions,
    build=QueueAction,
    needs_body=lambda options: options.message,
)


@hookimpl
def mailrules_actions() -> Iterable[ActionType]:
    """The action."""
    yield QUEUE
