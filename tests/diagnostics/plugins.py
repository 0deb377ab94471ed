"""The plugins that these cases are checked with: small ones, so that what ships can change without them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from mailrules.api import (
    ActionType,
    AuthType,
    Duration,
    NoCredential,
    Options,
    PasswordCredential,
    ReceiveProtocol,
    Secret,
    SendProtocol,
    Size,
    Template,
    TokenCredential,
    misfit,
)
from mailrules.registry import Broken, Plugin, Provided, Registry


class TextOptions(Options, frozen=True):
    text: Annotated[Template, Meta(description="The line.")]
    shorthand: ClassVar[str] = "text"


class CallOptions(Options, frozen=True):
    url: str
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, Template] = field(default_factory=dict)
    token: Secret | None = None
    retries: Annotated[int, Meta(ge=0, le=9)] = 3
    timeout: Duration = Duration(30)
    limit: Size = Size(1000)


class LetterOptions(Options, frozen=True):
    to: Template


class FileOptions(Options, frozen=True):
    account: str


class MapOptions(Options, frozen=True):
    values: dict[str, Template]
    inline: ClassVar[str] = "values"


class ToolOptions(Options, frozen=True):
    program: str
    shorthand: ClassVar[str] = "program"

    def __post_init__(self) -> None:
        if self.program == "never":
            raise misfit("program", "never works")

    def doubts(self) -> Iterable[tuple[str, str, str]]:
        if self.program == "rare":
            yield "program", "it is rare", "take another"


class NoOptions(Options, frozen=True):
    pass


class PathOptions(Options, frozen=True):
    path: str
    shorthand: ClassVar[str] = "path"


class ServerOptions(Options, frozen=True):
    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    certificate: str = ""


class PasswordOptions(Options, frozen=True):
    login: str
    password: Secret


class EvenOptions(Options, frozen=True):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


class Nothing:
    def __init__(self, options: Any) -> None:
        self.options = options

    def describe(self, *_: Any) -> str:
        return "nothing"

    def run(self, *_: Any) -> None:
        return None


def refuse(*_: Any) -> Any:
    raise RuntimeError("no bell here")


def opened(*_: Any) -> Any:
    raise AssertionError("checking opens no mailbox")


WORDS = frozenset({"delete", "move", "copy", "seen", "flags", "labels"})
MARKS = frozenset({"delete", "move", "copy", "seen", "flags"})
LOGIN = frozenset({PasswordCredential, TokenCredential})


def given(*items: Any, by: str = "kit") -> dict[str, Provided[Any]]:
    return {item.name: Provided(item, Plugin(by, "1.0")) for item in items}


REGISTRY = Registry(
    receive=given(
        ReceiveProtocol(
            name="imap",
            summary="IMAP.",
            options=ServerOptions,
            open=opened,
            accepts=LOGIN,
            verbs=WORDS,
            pushes=True,
        ),
        ReceiveProtocol(
            name="pop3",
            summary="POP3.",
            options=ServerOptions,
            open=opened,
            accepts=frozenset({PasswordCredential}),
            verbs=frozenset({"delete"}),
            folders=False,
        ),
        ReceiveProtocol(
            name="files",
            summary="Files.",
            options=PathOptions,
            open=opened,
            verbs=MARKS,
            folder_problem=lambda folder: "no dots" if ".." in folder else "",
        ),
        ReceiveProtocol(name="spool", summary="Files.", options=PathOptions, open=opened, verbs=WORDS),
    ),
    send=given(
        SendProtocol(name="smtp", summary="SMTP.", options=ServerOptions, open=opened, accepts=LOGIN | {NoCredential}),
        SendProtocol(name="outbox", summary="Files.", options=PathOptions, open=opened),
    ),
    auth=given(
        AuthType(name="password", summary="Both.", options=PasswordOptions, build=Nothing, yields=PasswordCredential),
        AuthType(name="token", summary="A token.", options=NoOptions, build=Nothing, yields=TokenCredential),
        AuthType(name="none", summary="Nothing.", options=NoOptions, build=Nothing, yields=NoCredential),
    ),
    actions=given(
        ActionType(name="log", summary="A line.", options=TextOptions, build=Nothing, results=lambda _options: ()),
        ActionType(name="call", summary="A call.", options=CallOptions, build=Nothing),
        ActionType(
            name="file", summary="File it.", options=FileOptions, build=Nothing, account=lambda options: options.account
        ),
        ActionType(name="letter", summary="A letter.", options=LetterOptions, build=Nothing, sends=True),
        ActionType(
            name="map",
            summary="Data.",
            options=MapOptions,
            build=Nothing,
            pure=True,
            results=lambda options: options.values,
        ),
        ActionType(name="ring", summary="A bell.", options=NoOptions, build=Nothing),
        ActionType(name="tool", summary="A tool.", options=ToolOptions, build=Nothing),
        ActionType(name="gong", summary="No bell.", options=NoOptions, build=refuse),
        ActionType(name="void", summary="No action.", options=NoOptions, build=lambda _options: None),
        ActionType(name="even", summary="Two by two.", options=EvenOptions, build=Nothing),
    ),
)

BROKEN = Registry(
    receive=REGISTRY.receive,
    send=REGISTRY.send,
    auth=REGISTRY.auth,
    actions=REGISTRY.actions,
    broken=(
        Broken(Plugin("mailrules-bells", "2.1"), "ImportError: no module named 'chime'"),
        Broken(Plugin("plugins/ring.py"), "'ring' is already given by kit 1.0", "plugin-clash"),
    ),
)
"""The same, with a plugin that could not be loaded and one that clashes."""


def write(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> None:
    """Put *files* into *folder*."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
