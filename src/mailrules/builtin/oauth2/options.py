"""What an admin writes under `oauth2:`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta, field

from mailrules.api import Duration, Options, Secret
from mailrules.builtin.line.tls import Certificate, Timeout

Flow: TypeAlias = Literal["client_credentials", "authorization_code", "device_code"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
KEPT_IN = ("file:", "keyring:")


class OAuth2Options(Options, frozen=True):
    """Who logs in, at which provider, and where the tokens are kept."""

    login: Annotated[str, Meta(min_length=1, description="Who logs in, often the mail address.")]
    client_id: Annotated[str, Meta(min_length=1, description="What the provider calls this installation.")]
    discovery_url: Annotated[
        str, Meta(description="The provider's address that ends in /.well-known/openid-configuration.")
    ]
    client_secret: Annotated[Secret | None, Meta(description="What the provider gave along with it, if it did.")] = None
    flow: Annotated[
        Flow | None,
        Meta(description="client_credentials with a client_secret, else authorization_code, if left out."),
    ] = None
    scopes: Annotated[tuple[str, ...], Meta(description="What to ask for; the provider's documentation says it.")] = ()
    mailbox: Annotated[str, Meta(description="The mailbox to open, if it is not that of `login`: a shared one.")] = ""
    refresh_token: Annotated[
        Secret | None, Meta(description="One obtained elsewhere, to begin with; what it is replaced by is kept.")
    ] = None
    tokens: Annotated[
        str,
        Meta(description="file:PATH or keyring:SERVICE/USER; a file under .mailrules/tokens, mode 0600, if left out."),
    ] = ""
    redirect_uri: Annotated[
        str, Meta(description="Where the browser comes back to, on this machine; without a port any free one.")
    ] = "http://127.0.0.1/callback"
    parameters: Annotated[
        dict[str, str], Meta(description="More for the address that the browser opens, as some providers want it.")
    ] = field(default_factory=dict)
    client_auth: Annotated[
        Literal["basic", "post"] | None,
        Meta(description="How the client secret is shown; as the provider says if left out."),
    ] = None
    certificate: Certificate = ""
    timeout: Timeout = Duration(30)

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            ValueError: with the reason.
        """
        if not is_safe(self.discovery_url):
            raise ValueError("'discovery_url' begins with https://")
        if self.wanted == "client_credentials" and self.client_secret is None:
            raise ValueError("the flow client_credentials needs a 'client_secret'")
        if self.tokens and not self.tokens.startswith(KEPT_IN):
            raise ValueError("'tokens' is file:PATH or keyring:SERVICE/USER; one from elsewhere is a 'refresh_token'")
        back = _parts(self.redirect_uri)
        if back.scheme != "http" or back.hostname not in LOOPBACK:
            raise ValueError("'redirect_uri' is on this machine: http://127.0.0.1/callback or http://localhost")

    @property
    def wanted(self) -> Flow:
        """The flow, chosen or by default."""
        return self.flow or ("client_credentials" if self.client_secret else "authorization_code")


def is_safe(url: str) -> bool:
    """Whether secrets may go there: under TLS, or on this machine."""
    parts = _parts(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _parts(url: str) -> SplitResult:
    """The parts of an address; none of what is no address."""
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")
