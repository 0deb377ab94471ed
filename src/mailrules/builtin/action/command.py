"""The action `command`: run a program of one's own on the message."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from mailrules.api import ActionType, Context, Data, Duration, Message, Options, Permanent, Template, Transient
from mailrules.builtin.action.facts import message_facts, strict_json

_TEMPORARY = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""What of our own environment a program gets; the rest may hold secrets."""
_SCARCE = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY})
"""Why a program may not start now and yet start later."""
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
        """Run it; a JSON object on standard output becomes data, other output `data.output`."""
        seconds = min(
            self.options.timeout.seconds,
            (context.deadline - datetime.now(context.deadline.tzinfo)).total_seconds(),
        )
        if seconds <= 0:
            raise Transient("no time left to run it")
        arguments = [_clean(text.render(data)) for text in self.options.run]
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if self.options.input == "message":
                stdin.write(message.raw)
                stdin.seek(0)
            status = _finish(_start(arguments, self._environment(message, data, context), (stdin, out, err)), seconds)
            _judge(status, arguments[0], err)
            return _result(out)

    def _environment(self, message: Message, data: Data, context: Context) -> dict[str, str]:
        passed = (*_INHERITED, *self.options.environment)
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


def _start(
    arguments: list[str], environment: dict[str, str], streams: tuple[IO[bytes], IO[bytes], IO[bytes]]
) -> subprocess.Popen[bytes]:
    """The program in a process group of its own, its streams files, so that a child that keeps them holds nobody up."""
    stdin, stdout, stderr = streams
    try:
        return subprocess.Popen(  # noqa: S603 - running what the admin wrote is what this action is for
            arguments, env=environment, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
    except OSError as error:
        failure = Transient if error.errno in _SCARCE else Permanent
        raise failure(f"cannot run {arguments[0]}: {error.strerror}") from error


def _finish(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Its exit status; killed with all that it started when it takes too long, or when we are interrupted."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise Transient(f"{process.args[0]!r} was killed after {seconds:.3g} s") from error  # type: ignore[index]
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _judge(status: int, program: str, err: IO[bytes]) -> None:
    if status == 0:
        return
    err.seek(max(err.seek(0, os.SEEK_END) - _KEPT, 0))
    lines = err.read().decode(errors="replace").strip().splitlines()
    said = "".join(char if char.isprintable() else " " for char in lines[-1])[:200] if lines else "without a word"
    how = f"exit status {status}" if status > 0 else f"ended by signal {-status}"
    failure = Transient if status == _TEMPORARY else Permanent
    raise failure(f"{program}: {how}: {said}")


def _result(out: IO[bytes]) -> dict[str, Any]:
    out.seek(0)
    text = out.read(_JSON_KEPT)
    try:
        value = strict_json(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    return {"output": text[:_KEPT].decode(errors="replace")}


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
