"""The provider's endpoints, found by discovery: what asks for tokens, and what its refusals mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailrules.api import PersonNeeded, Secret, Transient
from mailrules.builtin.line.tls import Server
from mailrules.builtin.oauth2.http import Denied, Line
from mailrules.builtin.oauth2.options import OAuth2Options, is_safe
from mailrules.builtin.oauth2.tokens import Tokens, granted

ASK_AGAIN = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
"""Refusals of a refresh token (RFC 6749, section 5.2; OpenID Connect Core, section 3.1.2.6) that a new log-in cures."""
USUAL = {"prompt": "consent", "access_type": "offline"}
"""Asks for a refresh token: OpenID Connect Core, section 11, and Google. A provider ignores what it does not know."""


@dataclass(frozen=True)
class Provider:
    """One provider as one client sees it. Every method raises `Transient` when the provider is away or unwell."""

    options: OAuth2Options
    workspace: Path = Path()

    @cached_property
    def line(self) -> Line:
        """Where requests go."""
        url = urlsplit(self.options.discovery_url)
        security = "tls" if url.scheme == "https" else "none"
        server = Server(
            host=url.hostname or "",
            port=url.port or (443 if security == "tls" else 80),
            security="tls" if security == "tls" else "none",
            certificate=self.options.certificate,
            timeout=self.options.timeout.seconds,
            workspace=self.workspace,
        )
        return Line(server)

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """Its own description (OpenID Connect Discovery, RFC 8414).

        Raises:
            PersonNeeded: there is none.
        """
        return self.line.get(self.options.discovery_url)

    def endpoint(self, name: str) -> str:
        """The address of an endpoint.

        Raises:
            PersonNeeded: it has none, or one that secrets must not go to.
        """
        url = self.description.get(name)
        if not isinstance(url, str):
            raise PersonNeeded(f"{self.options.discovery_url}: no {name} there", remedy="check discovery_url and flow")
        if not is_safe(url):
            raise PersonNeeded(f"{self.options.discovery_url}: its {name} is not https", remedy="check discovery_url")
        return url

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """What to ask for: as written, and what gives a refresh token where the provider knows it."""
        known = self.description.get("scopes_supported", ())
        offline = self.options.wanted != "client_credentials" and "offline_access" in known
        more = ("offline_access",) if offline and "offline_access" not in self.options.scopes else ()
        return (*self.options.scopes, *more)

    def by_secret(self) -> Tokens:
        """A token for the client itself (RFC 6749, section 4.4).

        Raises:
            PersonNeeded: refused.
        """
        scope = " ".join(self.options.scopes) or None
        try:
            return self._granted(grant_type="client_credentials", scope=scope)
        except Denied as denied:
            raise self.misconfigured(denied) from None

    def by_refresh(self, refresh: str) -> Tokens:
        """New tokens by a refresh token (section 6), which stays if there is no new one.

        Raises:
            Denied: somebody has to log in again.
            PersonNeeded: the client itself is refused.
        """
        Secret.holding(refresh).reveal()
        client, url = self.client, self.endpoint("token_endpoint")
        try:
            return self._tokens(lambda: client.refresh_token(url, refresh_token=refresh))
        except Denied as denied:
            if denied.code in ASK_AGAIN:
                raise
            raise self.misconfigured(denied) from None

    def by_grant(self, **grant: str) -> Tokens:
        """Tokens for what a person has allowed: a code (section 4.1.3) or a device code (RFC 8628, section 3.4).

        Raises:
            Denied: not allowed, or not yet.
        """
        return self._granted(**grant)

    def consent_url(self, *, redirect_uri: str, state: str, verifier: str) -> str:
        """What a person opens to allow it (section 4.1.1, with PKCE: RFC 7636)."""
        client = self.client
        client.code_challenge_method = "S256"
        parameters = {**USUAL, "login_hint": self.options.login, **self.options.parameters}
        url, _ = client.create_authorization_url(
            self.endpoint("authorization_endpoint"),
            state=state,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
            scope=" ".join(self.scopes) or None,
            **parameters,
        )
        return str(url)

    def device_code(self) -> Mapping[str, Any]:
        """What a person types in on another device (RFC 8628, section 3.2).

        Raises:
            PersonNeeded: the provider does not do that, or not for this client.
        """
        url = self.endpoint("device_authorization_endpoint")
        client = self.client
        form = {"scope": " ".join(self.scopes)} if self.scopes else {}
        auth = client.client_auth(client.token_endpoint_auth_method)
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self.line.post(url, data=form, headers=headers, auth=auth).json()
        except Denied as denied:
            raise self.misconfigured(denied) from None
        return dict(answer)

    def misconfigured(self, denied: Denied) -> PersonNeeded:
        """A refusal that no new log-in cures."""
        return PersonNeeded(
            f"{self.options.discovery_url}: {denied}", remedy="check client_id, client_secret, scopes and flow"
        )

    @property
    def client(self) -> Any:
        """For one request: authlib's client."""
        from authlib.oauth2.client import OAuth2Client

        secret = self.options.client_secret
        return OAuth2Client(
            self.line,
            client_id=self.options.client_id,
            client_secret=secret.reveal() if secret else None,
            token_endpoint_auth_method=self._method if secret else "none",
        )

    @property
    def _method(self) -> str:
        if self.options.client_auth:
            return f"client_secret_{self.options.client_auth}"
        known = self.description.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"

    def _granted(self, **grant: str | None) -> Tokens:
        client, url = self.client, self.endpoint("token_endpoint")
        form = {name: value for name, value in grant.items() if value}
        return self._tokens(lambda: client.fetch_token(url, **form))

    def _tokens(self, ask: Any) -> Tokens:
        now = time.time()
        try:
            tokens = granted(ask(), now=now, asked=self.options.scopes)
        except ValueError as error:
            raise Transient(f"{self.options.discovery_url}: {error}") from None
        for secret in (tokens.access, tokens.refresh):
            Secret.holding(secret).reveal()
        return tokens
