"""`auth:` every way to log in that ships; here those without moving parts, a password or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from mailrules.api import (
    Auth,
    AuthType,
    Credential,
    NoCredential,
    Options,
    PasswordCredential,
    Place,
    Secret,
    TokenCredential,
    hookimpl,
)
from mailrules.builtin.oauth2.options import OAuth2Options


class PasswordOptions(Options, frozen=True):
    """A log-in name and its password."""

    login: Annotated[str, Meta(min_length=1, description="The log-in name, often the mail address.")]
    password: Secret


class NoOptions(Options, frozen=True):
    """Nothing to say."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same credential every time."""

    shown: Credential

    def credential(self) -> Credential:
        """What to show the server."""
        return self.shown


def with_password(options: PasswordOptions, _place: Place) -> Constant:
    """Log in by name and password."""
    return Constant(PasswordCredential(options.login, options.password))


def with_token(options: OAuth2Options, place: Place) -> Auth:
    """Log in by access token."""
    from mailrules.builtin.oauth2.auth import OAuth2

    return OAuth2(options, place)


def with_nothing(_options: NoOptions, _place: Place) -> Constant:
    """No log-in."""
    return Constant(NoCredential())


@hookimpl
def mailrules_auths() -> Iterable[AuthType]:
    """`password`, `oauth2` and `none`."""
    yield AuthType(
        name="password",
        summary="A log-in name and its password.",
        options=PasswordOptions,
        build=with_password,
        yields=PasswordCredential,
    )
    yield AuthType(
        name="oauth2",
        summary="An access token from an OpenID provider, renewed by itself.",
        options=OAuth2Options,
        build=with_token,
        yields=TokenCredential,
    )
    yield AuthType(
        name="none",
        summary="No log-in: local files, or a server that asks for none.",
        options=NoOptions,
        build=with_nothing,
        yields=NoCredential,
    )
