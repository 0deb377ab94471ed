"""The OpenID provider: npm's certified oidc-provider, with clients and consent made for tests."""

from .daemon import Command, Daemon
from .place import HERE, INSTALLED, Place

NODE = INSTALLED / "bin/node"
LIBRARY = INSTALLED / "oidc/node_modules/oidc-provider/lib/index.js"


def missing() -> str:
    """Why it cannot run on this machine."""
    if NODE.exists() and LIBRARY.exists():
        return ""
    return "npm's oidc-provider is not installed (tests/servers/install.sh installs it)"


def prepare(place: Place) -> Command:
    """Tell it its port, where its library is, and where to keep what it has granted."""
    store = place.make("data") / "oidc.json"
    environment = {"LIBRARY": str(LIBRARY), "PORT": str(place.ports.oidc), "STORE": str(store)}
    return Command((str(NODE), str(HERE / "oidc/provider.mjs")), environment)


OIDC = Daemon("oidc", ("oidc",), missing, prepare)
