"""Which addresses a request may go to: those of the internet, and of our own network what the admin allows."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from mailrules.model.action import Permanent, Reach, Transient

_NOT_GLOBAL = tuple(
    map(ip_network, ("192.0.0.0/24", "168.63.129.16/32", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16"))
)
"""What looks like any other address: protocol assignments (RFC 6890), what one cloud tells its machines, relays to 6to4
(RFC 7526), site-local networks (RFC 3879), and what is for documents and for routers (RFC 9637, RFC 9602)."""
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as RFC 6052, section 2.1, writes them."""
MOST_TRIED = 4
"""Addresses of one host that are tried one after another."""


def addresses(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of *host* that may be asked, as numbers: a name that is looked up twice may be two machines.

    Raises:
        Transient: it has no address now.
        Permanent: all that it has are of our own network, and not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"{host}: host name not found") from error
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if _named(host, reach):
        return numbers[:MOST_TRIED]
    allowed = [number for number in numbers if permitted(number, reach)]
    if not allowed:
        raise _refused(host, numbers[0])
    return allowed[:MOST_TRIED]


def check_written(host: str, reach: Reach) -> None:
    """See that a *host* which a proxy is to ask is no address of our own network; names are the proxy's to look up.

    Raises:
        Permanent: it is one, and not allowed.
    """
    number = _written(host)
    if number and not _named(host, reach) and not permitted(number, reach):
        raise _refused(host, number)


def _written(host: str) -> str:
    """The address that *host* is in any of the ways in which systems read one; empty where it is a name."""
    if f".{host.lower().rstrip('.')}".endswith(".localhost"):  # RFC 6761, section 6.3
        return "127.0.0.1"
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f.1, 2130706433
    except OSError:
        return ""


def _refused(host: str, number: str) -> Permanent:
    return Permanent(f"{host} is {_what(number)}: write `allow_private:` if it is meant")


def permitted(number: str, reach: Reach) -> bool:
    """Whether an address may be asked: it is one of the internet, or its network is allowed."""
    address = ip_address(number.partition("%")[0])
    every = _within(address)
    if reach.private is True or all(_public(one) for one in every):
        return True
    networks = [network for text in reach.private or () if (network := _network(text))]
    return all(_public(one) or any(one in network for network in networks) for one in every)


def _within(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address that packets go to in the end, where one is written within another."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _TRANSLATED:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour:
        return [address, address.sixtofour]
    return [address]


def _public(address: IPv4Address | IPv6Address) -> bool:
    odd = address.is_multicast or address.is_reserved or any(address in network for network in _NOT_GLOBAL)
    return address.is_global and not odd


def _named(host: str, reach: Reach) -> bool:
    """Whether the host itself is allowed, wherever it is: by its name, or by `*.` and what it ends in."""
    if reach.private is True:
        return True
    host = host.lower().rstrip(".")
    names = [text.lower() for text in reach.private or ()]
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in names)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _what(number: str) -> str:
    address = ip_address(number.partition("%")[0])
    kinds = {
        "this machine (loopback)": address.is_loopback,
        "a multicast address": address.is_multicast,
        "a link-local address": address.is_link_local,
    }
    return next((words for words, so in kinds.items() if so), "an address of a private network")
