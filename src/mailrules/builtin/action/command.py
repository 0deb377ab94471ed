"""The action `command`: run a program of one's own on the message."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Duration, Message, Options, Permanent, Template, Transient
from mailrules.builtin.action.child import INHERITED, Child, Ended
from mailrules.builtin.action.facts import message_facts, strict_json

_TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
_KEPT = 4096
"""Octets kept of output that is no JSON."""
_JSON_KEPT = 65_536
_VALUE = 32_768
"""Octets of one environment value: the kernel refuses more than 128 KiB."""


class CommandOptions(Options, frozen=True):
    """What to run: a list of the program and its arguments. There is no shell between."""

    run: Annotated[
        list[Template],
        Meta(description="The program and its arguments; a value from a mail stays one argument.", min_length=1),
    ]
    timeout: Annotated[Duration, Meta(description="When it is killed, with all that it started.")] = field(
        default_factory=lambda: Duration(60)
    )
    input: Annotated[Literal["message", "none"], Meta(description="What it reads on standard input.")] = "message"
    environment: Annotated[
        list[str],
        Meta(description="Variables of our own environment that it gets beside the usual ones (PATH, HOME, LANG...)."),
    ] = field(default_factory=list)

    shorthand: ClassVar[str] = "run"

    def __post_init__(self) -> None:
        """A mail never names the program."""
        if not self.run[0].constant:
            raise ValueError("the program itself cannot be a template, its arguments can")

    def doubts(self) -> Iterator[tuple[str, str, str]]:
        """A program that is not installed here; it may be where the rules will run."""
        import shutil

        program = self.run[0].source
        if "/" not in program and shutil.which(program) is None:
            yield "run", f"there is no program '{program}' on the PATH here", "install it, or write its whole path"


@dataclass(frozen=True, slots=True)
class CommandAction:
    """Runs a program: exit status 0 is success, 75 (EX_TEMPFAIL) means later, any other means never."""

    options: CommandOptions

    def describe(self, message: Message, data: Data) -> str:  # noqa: ARG002 - every action has this signature
        """The command line."""
        import shlex

        return f"run {shlex.join(text.shown(data) for text in self.options.run)}"

    def run(self, message: Message, data: Data, context: Context) -> Mapping[str, Any]:
        """Run it; a JSON object on standard output becomes data, other output, less its line end, `data.output`."""
        seconds = min(
            self.options.timeout.seconds,
            (context.deadline - datetime.now(context.deadline.tzinfo)).total_seconds(),
        )
        arguments = [_clean(text.render(data)) for text in self.options.run]
        child = Child(arguments, self._environment(message, data, context), seconds, _JSON_KEPT)
        ended = child.run(lambda stdin: stdin.writelines(message.pieces() if self.options.input == "message" else ()))
        _judge(ended, arguments[0])
        return _result(ended.out)

    def _environment(self, message: Message, data: Data, context: Context) -> dict[str, str]:
        passed = (*INHERITED, *self.options.environment)
        facts = message_facts(message, data) | {"message_id": message.message_id}
        facts["to"] = ", ".join(facts["to"])
        del facts["id"]
        named = {f"MAILRULES_{name.upper()}": value for name, value in facts.items()}
        named |= {f"MATCH_{name}": value or "" for name, value in data["match"].items()}
        named |= {"MAILRULES_DATA": json.dumps(data["data"], default=str)}
        named |= {"MAILRULES_IDEMPOTENCY_KEY": context.idempotency_key}
        return {name: os.environ[name] for name in passed if name in os.environ} | {
            name: _cut(_clean(value)) for name, value in named.items()
        }


def _judge(ended: Ended, program: str) -> None:
    if ended.status == 0:
        return
    how = f"exit status {ended.status}" if ended.status > 0 else f"ended by signal {-ended.status}"
    failure = Transient if ended.status == _TEMPORARY else Permanent
    raise failure(f"{program}: {how}: {ended.said() or 'without a word'}")


def _result(text: bytes) -> dict[str, Any]:
    try:
        value = strict_json(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    return {"output": text[:_KEPT].decode(errors="replace").rstrip("\r\n")}


def _clean(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()


def _cut(text: str) -> str:
    return text.encode()[:_VALUE].decode(errors="ignore")


COMMAND = ActionType(
    name="command",
    summary="Run a program on the message.",
    options=CommandOptions,
    build=CommandAction,
    needs_body=lambda options: options.input == "message",
)
