"""`auth: {oauth2: ...}`: a token at every log-in, asked for when the one that is kept nears its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mailrules.api import (
    Credential,
    LogInState,
    Permanent,
    Person,
    PersonNeeded,
    Place,
    Secret,
    TokenCredential,
    Transient,
)
from mailrules.builtin.oauth2.http import Denied
from mailrules.builtin.oauth2.keeping import Keeping, TokenFile, TokenKeyring, Write
from mailrules.builtin.oauth2.options import OAuth2Options
from mailrules.builtin.oauth2.provider import Provider
from mailrules.builtin.oauth2.tokens import Tokens, fingerprint

FOLDER = Path(".mailrules", "tokens")
RETRY = 60.0
"""Seconds before an early renewal that failed is tried again, while the old token is still good."""


@dataclass(frozen=True, slots=True)
class OAuth2:
    """A log-in by access token. It holds no tokens itself: what is kept is read anew each time."""

    options: OAuth2Options
    place: Place

    def credential(self) -> Credential:
        """The token that is kept, or a new one when its end is near. See `mailrules.api.Auth`."""
        held = self._held()
        return self._shown(held if held.fresh(time.time()) else self._renewed(lambda t: t.fresh(time.time())))

    def renewed(self, refused: Credential, /) -> Credential | None:
        """See `mailrules.api.RenewableAuth`. A server that goes on refusing gets no more than one in ten minutes."""
        assert isinstance(refused, TokenCredential)
        old, held = refused.token.reveal(), self._held()
        if held.access == old and (held.hopeless(time.time()) or not (self._by_secret or held.refresh)):
            return None
        return self._shown(self._renewed(lambda tokens: tokens.good(time.time()) and tokens.access != old, doubt=True))

    def state(self) -> LogInState:
        """See `mailrules.api.RenewableAuth`."""
        reason = remedy = ""
        held = Tokens()
        try:
            held = self._held()
            self._possible(held)
        except PersonNeeded as error:
            if not held.fresh(time.time()):
                reason, remedy = str(error), error.remedy
        by_itself = self._by_secret or (bool(held.refresh) and not held.denied)
        until = held.until if held.good(time.time()) else None
        return LogInState(self.options.login, until, held.scopes, by_itself and not reason, reason, remedy)

    def log_in(self, person: Person, /, *, device: bool = False) -> LogInState:
        """See `mailrules.api.RenewableAuth`."""
        provider = Provider(self.options, self.place.workspace)
        try:
            tokens = self._allowed(provider, person, device=device)
        except Denied as denied:
            raise PersonNeeded(
                f"{self.options.discovery_url}: {denied}", remedy=f"try again: {self._command}"
            ) from None
        with self._keeping.locked(self._patience), self._keeping.writing() as write:
            write(msgspec.structs.replace(tokens, seed=self._seed))
        return self.state()

    def _allowed(self, provider: Provider, person: Person, *, device: bool) -> Tokens:
        from mailrules.builtin.oauth2.browser import by_browser
        from mailrules.builtin.oauth2.device import by_device

        if self._by_secret:
            return provider.by_secret()
        by_code = device or self.options.wanted == "device_code"
        return by_device(provider, person) if by_code else by_browser(provider, person)

    def _shown(self, tokens: Tokens) -> TokenCredential:
        return TokenCredential(self.options.mailbox or self.options.login, Secret.holding(tokens.access))

    def _held(self) -> Tokens:
        """What is kept, or the refresh token that was configured since."""
        held = self._keeping.load()
        if self._seed and held.seed != self._seed and self.options.refresh_token:
            return Tokens(refresh=self.options.refresh_token.reveal(), seed=self._seed)
        return held

    def _renewed(self, enough: Callable[[Tokens], bool], *, doubt: bool = False) -> Tokens:
        """Alone: what another has got meanwhile if that is *enough*, else new ones, kept before they are used."""
        with self._keeping.locked(self._patience):
            held = self._held()
            if enough(held):
                return held
            self._possible(held)
            with self._keeping.writing() as write:
                return self._asked(held, write, doubt=doubt)

    def _asked(self, held: Tokens, write: Write, *, doubt: bool) -> Tokens:
        provider = Provider(self.options, self.place.workspace)
        try:
            tokens = provider.by_secret() if self._by_secret else provider.by_refresh(held.refresh)
        except Denied as denied:
            write(msgspec.structs.replace(held, denied=str(denied)))
            raise self._person(str(denied)) from None
        except (Transient, Permanent):
            if doubt or not held.good(time.time()):
                raise
            tokens = msgspec.structs.replace(held, again=time.time() + RETRY)
        else:
            tokens = msgspec.structs.replace(tokens, seed=self._seed, doubted=doubt)
        write(tokens)
        return tokens

    def _possible(self, held: Tokens) -> None:
        """Whether new tokens can be had without a person.

        Raises:
            PersonNeeded: they cannot.
        """
        if self._by_secret:
            if self.options.client_secret:
                self.options.client_secret.reveal()
        elif held.denied:
            raise self._person(held.denied)
        elif not held.refresh:
            reason = "its token has ended, and there is none to renew it" if held.access else "nobody has logged in yet"
            raise self._person(reason)

    def _person(self, reason: str) -> PersonNeeded:
        return PersonNeeded(f"{self.options.login} cannot log in: {reason}", remedy=f"run: {self._command}")

    @property
    def _command(self) -> str:
        return f"mailrules auth login {self.place.account or 'ACCOUNT'}"

    @property
    def _by_secret(self) -> bool:
        return self.options.wanted == "client_credentials"

    @property
    def _seed(self) -> str:
        return fingerprint(self.options.refresh_token.reveal()) if self.options.refresh_token else ""

    @property
    def _patience(self) -> float:
        """Another may be waiting for the provider, with discovery and token request."""
        return 5 * self.options.timeout.seconds

    @property
    def _keeping(self) -> Keeping:
        return keeping(self.options, self.place.workspace)


def keeping(options: OAuth2Options, workspace: Path) -> Keeping:
    """Where the tokens of this log-in are kept: accounts that log in alike share them."""
    kind, _, name = options.tokens.partition(":")
    if kind == "file":
        return TokenFile(workspace / Path(name).expanduser())
    alike = (options.login, options.client_id, options.discovery_url, options.wanted, *options.scopes)
    mark = fingerprint("\n".join((options.tokens, *alike)))[:8]
    file = f"{re.sub(r'[^A-Za-z0-9@.+-]', '_', options.login)[:80].lstrip('.')}-{mark}.json"
    if kind == "keyring":
        service, _, user = name.rpartition("/")
        return TokenKeyring(service, user, workspace / FOLDER / f".{file}.lock")
    return TokenFile(workspace / FOLDER / file)
