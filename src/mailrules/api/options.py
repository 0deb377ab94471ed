"""Options of plugins: one frozen struct is the schema that editors see and the value that code uses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mailrules.api.files import WorkspaceFile
from mailrules.api.python_file import PythonFile
from mailrules.api.template import HtmlTemplate, Template, Templates, scalar
from mailrules.model.action import PersonNeeded

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base of every options type: frozen, keyword-only, unknown keys refused.

    Document a field with `Annotated[str, msgspec.Meta(description="...")]`; the text reaches schema and docs.
    `shorthand` names the field that a bare value stands for: `- flow: new-mail` for `- flow: {name: new-mail}`.
    `inline` names the one field that all that is written stands for: `- map: {to: ...}` fills a mapping of any keys.
    """

    def doubts(self) -> Iterable[tuple[str, str, str]]:
        """What is no mistake for certain: key, sentence, help; `check` warns of each."""
        return ()


def misfit(key: str, sentence: str) -> ValueError:
    """What a `__post_init__` raises when the option *key* can never work; `check` shows it at its place."""
    return ValueError(f"{sentence} - at `$.{key}`")


class OptionsError(ValueError):
    """The value does not fit the options type; `str()` is msgspec's sentence with its path."""


_revealed: set[str] = set()
"""Every secret this process has looked up: what `redact` strikes out. A cache, not state: losing it loses nothing."""
_obtained: dict[str, None] = {}
"""The same for what log-ins have obtained, the newest `MOST_OBTAINED`: tokens of an hour would add up."""
MOST_OBTAINED = 10_000
SHORTEST_REDACTED = 6
"""Characters that a secret must have to be struck out of any text: a shorter one is a word, and stands everywhere."""


def redact(text: str) -> str:
    """*text* with every secret that this process has looked up replaced by `***`: for journal, log and traces.

    Secrets of fewer than `SHORTEST_REDACTED` characters stay: without them a text could no longer be read, and
    whoever sees where the asterisks are would know them.
    """
    for secret in (*_revealed, *_obtained):
        text = text.replace(secret, "***")
    return text


@scalar
@dataclass(frozen=True)
class Secret:
    """A reference to a secret (`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`) or, with a warning, the secret itself.

    Its repr and str are `***`: it cannot reach a log, a journal or a trace by accident.
    """

    reference: str
    root: Path = Path()
    held: bool = False
    """Whether `reference` is the secret itself, however it reads."""

    @classmethod
    def holding(cls, secret: str) -> Secret:
        """One that a log-in has just obtained: a password out of a vault, an access token."""
        return cls(secret, held=True)

    @property
    def literal(self) -> bool:
        """Whether the secret itself stands in the file."""
        return self.reference.partition(":")[0] not in {"env", "file", "keyring"}

    def reveal(self) -> str:
        """The secret; from now on `redact` strikes it out of texts, unless it is shorter than `SHORTEST_REDACTED`.

        Raises:
            PersonNeeded: the variable, file or keyring entry is missing.
        """
        secret = self._look_up()
        if len(secret) < SHORTEST_REDACTED:
            return secret
        if not self.held:
            _revealed.add(secret)
        else:
            _obtained[secret] = None
            for oldest in list(_obtained)[:-MOST_OBTAINED] if len(_obtained) > MOST_OBTAINED else ():
                _obtained.pop(oldest, None)
        return secret

    def _look_up(self) -> str:
        if self.held:
            return self.reference
        scheme, _, name = self.reference.partition(":")
        if scheme == "env":
            return self._or_ask(os.environ.get(name), f"environment variable {name} is not set")
        if scheme == "file":
            return self._from_file(self.root / Path(name).expanduser())
        if scheme == "keyring":
            return self._from_keyring(*name.rpartition("/")[::2])
        return self.reference

    @staticmethod
    def _or_ask(value: str | None, reason: str) -> str:
        if value is None:
            raise PersonNeeded(reason, remedy="provide it, then start again")
        return value

    @staticmethod
    def _from_file(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise PersonNeeded(f"secret file {path}: {error.strerror}", remedy="create it, mode 0600") from error

    @classmethod
    def _from_keyring(cls, service: str, user: str) -> str:
        try:
            import keyring
        except ImportError as error:
            raise PersonNeeded("no keyring library here", remedy="pip install keyring") from error
        return cls._or_ask(keyring.get_password(service, user), f"keyring has nothing for {service}/{user}")

    def __repr__(self) -> str:
        """Never the secret."""
        return "***"

    __str__ = __repr__


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m|h|d|w)\s*)+", re.IGNORECASE)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|min|m|h|d|w)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


@scalar
@dataclass(frozen=True, order=True)
class Duration:
    """A length of time, written with its unit: `5s`, `90m`, `1h 30m`, `14d`, `2w`."""

    seconds: float

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read it as written.

        Raises:
            ValueError: no number with a unit.
        """
        if not (isinstance(text, str) and _DURATION.fullmatch(text.strip())):
            raise ValueError("a duration is a number with a unit: 5s, 90m, 1h 30m, 14d, 2w")
        return cls(sum(float(n) * _SECONDS[unit.lower()] for n, unit in _DURATION_PART.findall(text)))

    @property
    def delta(self) -> timedelta:
        """For adding to moments."""
        return timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        """In the largest unit that is whole, as it may be written: `90s`, `5m`, `2h`, `30d`."""
        for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
            if self.seconds >= length and self.seconds % length == 0:
                return f"{self.seconds // length:.0f}{unit}"
        return f"{self.seconds:g}s"


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)


@scalar
@dataclass(frozen=True, order=True)
class Size:
    """A number of octets: `4096`, `10MB` (decimal), `10MiB` (binary)."""

    octets: int

    @classmethod
    def parse(cls, text: str | int) -> Size:
        """Read it as written.

        Raises:
            ValueError: no size.
        """
        if isinstance(text, int) and not isinstance(text, bool):
            return cls(text)
        found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
        if not found:
            raise ValueError("a size is a number of octets or one with a unit: 4096, 500KB, 10MB, 10MiB")
        base = 1024 if found[3] else 1000
        return cls(int(float(found[1]) * base ** " kmg".index(found[2].lower() or " ")))


_PARSERS: Mapping[type[Any], Any] = {Duration: Duration.parse, Size: Size.parse}


def build_options(kind: type[T], raw: Any, *, root: Path) -> T:
    """*raw* (plain mappings, lists and scalars as YAML gave them) as a value of *kind*.

    Args:
        kind: an `Options` type.
        raw: what stands after the plugin's name; a bare value stands for the field that `shorthand` names; None for {}.
        root: the workspace, where `file:` secrets start.

    Raises:
        OptionsError: it does not fit.
    """

    def hook(wanted: type[Any], value: Any) -> Any:
        if wanted is Secret and isinstance(value, str):
            return Secret(value, root)
        if wanted in (Template, HtmlTemplate) and isinstance(value, str | int | float) and not isinstance(value, bool):
            return wanted(str(value))
        if wanted is WorkspaceFile and isinstance(value, str):
            return WorkspaceFile(value, root)
        if wanted is PythonFile and isinstance(value, str) and value:
            return PythonFile(value, root)
        if wanted is Templates:
            return Templates(tuple(hook(Template, item) for item in (value if isinstance(value, list) else [value])))
        if wanted in _PARSERS:
            return _PARSERS[wanted](value)
        raise ValueError(f"expected {wanted.__name__.lower()}, got {value!r}")

    try:
        return msgspec.convert(expand_shorthand(kind, raw), kind, dec_hook=hook)
    except msgspec.ValidationError as error:
        raise OptionsError(str(error)) from error


def expand_shorthand(kind: type[Any], raw: Any) -> Any:
    """`flow: name` as `flow: {name: name}` where the type says which field a bare value, or everything, stands for."""
    inline = getattr(kind, "inline", None)
    if inline:
        return {inline: raw}
    field = getattr(kind, "shorthand", None)
    if raw is None:
        return {}
    if field and not isinstance(raw, Mapping):
        return {field: raw}
    return raw


def templates(options: Any) -> Iterator[Template]:
    """Every template anywhere in *options*."""
    if isinstance(options, Template):
        yield options
    elif isinstance(options, Templates):
        yield from options.items
    elif isinstance(options, msgspec.Struct):
        for name in options.__struct_fields__:
            yield from templates(getattr(options, name))
    elif isinstance(options, Mapping):
        for value in options.values():
            yield from templates(value)
    elif isinstance(options, list | tuple):
        for value in options:
            yield from templates(value)
