"""What the provider gave: an access token, how long it is good, and what renews it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

EARLY = 300.0
"""Seconds before its end that a token is renewed; a fifth of its life where that is less."""
JUST = 5.0
"""Seconds that a token must still be good for to be shown to a server."""

DOUBT = 600.0
"""Seconds before another token is got for one that was got because a mail server refused the one before."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As kept, in seconds since 1970. Its repr holds no secret."""

    access: str = ""
    refresh: str = ""
    obtained: float = 0.0
    expires: float | None = None
    """None: the provider does not say."""
    scopes: tuple[str, ...] = ()
    seed: str = ""
    """Of which configured refresh token these are the children: its `fingerprint`."""
    denied: str = ""
    """The provider's words when it took the refresh token no more: nobody asks it again with that one."""
    again: float = 0.0
    """Not to be renewed early before this, because that just failed."""
    doubted: bool = False
    """Whether it was got because a mail server refused the one before."""

    def good(self, now: float) -> bool:
        """Whether a server should take the access token."""
        return bool(self.access) and (self.expires is None or now < self.expires - JUST * self._share)

    def fresh(self, now: float) -> bool:
        """Whether it need not be renewed yet."""
        return self.good(now) and (self.expires is None or now < self.again or now < self.expires - self._early)

    def hopeless(self, now: float) -> bool:
        """Whether another would fare no better, if a mail server refuses this one: it is new and a replacement."""
        young = min(DOUBT, self._life / 4) if self.expires else DOUBT
        return self.doubted and now < self.obtained + young

    @property
    def _early(self) -> float:
        return min(EARLY, self._life / 5)

    @property
    def _share(self) -> float:
        """Tokens that live for seconds, as in tests, are good nearly to the end."""
        return min(1.0, self._life / 100)

    @property
    def _life(self) -> float:
        return (self.expires or self.obtained) - self.obtained

    @property
    def until(self) -> datetime | None:
        """When the access token ends, aware."""
        return datetime.fromtimestamp(self.expires, UTC) if self.access and self.expires is not None else None

    def __repr__(self) -> str:
        """Never a secret."""
        return "Tokens(***)"


def granted(answer: Mapping[str, Any], *, now: float, asked: tuple[str, ...] = ()) -> Tokens:
    """An answer of the token endpoint (RFC 6749, section 5.1).

    Args:
        answer: its JSON.
        now: when the request was sent.
        asked: the scopes asked for, which are those given if it does not say others.

    Raises:
        ValueError: it holds no access token.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token") or ""
    if not (isinstance(access, str) and access and isinstance(refresh, str)):
        raise ValueError("it gives no access token")
    kind = answer.get("token_type", "Bearer")
    if str(kind).lower() != "bearer":
        raise ValueError(f"it gives a token of type {kind!r}, and mail servers take Bearer")
    scope = answer.get("scope")
    return Tokens(
        access=access,
        refresh=refresh,
        obtained=now,
        expires=_end(answer.get("expires_in"), now),
        scopes=tuple(scope.split()) if isinstance(scope, str) else asked,
    )


def _end(seconds: Any, now: float) -> float | None:
    """Some providers write the number as text."""
    try:
        return now + float(seconds)
    except (TypeError, ValueError):
        return None


def fingerprint(secret: str) -> str:
    """What tells one secret from another and gives neither away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
