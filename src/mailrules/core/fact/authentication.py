"""What SPF, DKIM and DMARC said, by the word of a server that is trusted (RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailrules.model.message import Fact, Message, Trust

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^"();\\]++|\\.|.', re.DOTALL)
_COMMENTED = re.compile(r"[^()\\]++|\\.|.", re.DOTALL)
_RESULT = re.compile(r"\s*+(spf|dkim|dmarc)\s*+(?:/\s*+\d++\s*+)?=\s*+([a-z]++)(?=\s|\Z)", re.IGNORECASE)
_PROPERTY = re.compile(
    r'\s(smtp\.mailfrom|smtp\.helo|header\.d|header\.i|header\.from)\s*+=\s*+([^\s"]++)', re.IGNORECASE
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_DOMAINS: Mapping[str, tuple[str, ...]] = {
    "spf": ("smtp.mailfrom", "smtp.helo"),
    "dkim": ("header.d", "header.i"),
    "dmarc": ("header.from",),
}
"""The properties of each method that hold the domain it speaks of, the best first (RFC 8601, section 2.7)."""


def authentication(message: Message, trust: Trust) -> Fact[dict[str, str]]:
    """By the topmost Authentication-Results of the trusted server (RFC 8601, section 5).

    `spf`, `dkim` and `dmarc` are the results; `spf_domain`, `dkim_domain` and `dmarc_domain` whom they are about. What
    the server does not say is not there.
    """
    if not trust.authserv_id:
        return Fact({}, "no authserv_id is trusted", known=False)
    for value in message.header("Authentication-Results"):
        head, *results = _resinfos(value)
        words = head.replace('"', "").split()
        if words and words[0].lower() == trust.authserv_id.lower():
            return Fact(_found(results, message.author.domain), f"Authentication-Results: {value}")
    return Fact({}, f"no Authentication-Results of {trust.authserv_id}", known=False)


def unauthenticated(message: Message) -> str:
    """Why nobody vouches that the author wrote *message*; empty when the author's domain does.

    DMARC decides where its result is told (RFC 7489, section 6.6.2); else SPF or DKIM for the author's own domain.
    A From of several, which servers judge by any one of them (RFC 7489, section 6.6.1), is vouched for by nobody.
    """
    fact = message.authentication
    if not fact.known:
        return fact.evidence
    told, author = fact.value, message.author.domain
    if len(message.addresses("From")) > 1:
        return "From names more than one author"
    if (dmarc := told.get("dmarc", "none")) != "none":
        about = told.get("dmarc_domain", author)
        if dmarc == "pass" and not _aligned(about, author):
            return f"dmarc=pass for {about}, and the author is of {author or 'no domain'}"
        return "" if dmarc == "pass" else f"dmarc={dmarc}"
    if any(told.get(way) == "pass" and _aligned(told.get(f"{way}_domain", ""), author) for way in ("spf", "dkim")):
        return ""
    said = [f"{way}={told[way]} for {told.get(f'{way}_domain', 'nobody')}" for way in ("spf", "dkim") if way in told]
    return f"{', '.join(said) or 'neither SPF nor DKIM is told'}, and the author is of {author or 'no domain'}"


def _found(results: list[str], author: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in results:
        said = _RESULT.match(result)
        if said:
            _keep(found, said[1].lower(), (said[2].lower(), _domain(result, said[1].lower())), author)
    return found


def _keep(found: dict[str, str], method: str, said: tuple[str, str], author: str) -> None:
    """Of several signatures one that passes suffices (RFC 6376, section 4.2), best the author's; of all else the first.

    The author's own domain is told before another's that passes, too, since that is what the signature is good for.
    """
    result, domain = said
    if method in found:
        better = method == "dkim" and result == "pass" and (found[method] != "pass" or _aligned(domain, author))
        if not better or (found[method] == "pass" and _aligned(found.get("dkim_domain", ""), author)):
            return
    found[method] = result
    found.pop(f"{method}_domain", None)
    if domain:
        found[f"{method}_domain"] = domain


def _aligned(domain: str, author: str) -> bool:
    """Relaxed alignment without the list of public suffixes: the one is the other, or a subdomain of it (RFC 7489)."""
    return bool(domain) and (domain == author or author.endswith(f".{domain}") or domain.endswith(f".{author}"))


def _domain(result: str, method: str) -> str:
    """The domain that *result* speaks of; empty where that cannot be told, or is in quotes."""
    properties: dict[str, str] = {}
    for name, value in _PROPERTY.findall(_QUOTED.sub(' " ', result)):
        properties.setdefault(name.lower(), value.rpartition("@")[2].rstrip(".").lower())
    return next((properties[name] for name in _DOMAINS[method] if properties.get(name)), "")


def _resinfos(value: str) -> list[str]:
    """What stands between the semicolons of *value*, those in quotes and comments aside; comments are blanks.

    What is quoted or in a comment is the sender's to choose (RFC 8601, section 2.2), and so is what follows a quote or
    a comment that nothing closes: it is nobody's word.
    """
    pieces: list[list[str]] = [[]]
    at = depth = 0
    while found := (_COMMENTED if depth else _TOKEN).match(value, at):
        at = found.end()
        text = found[0]
        if text == "(":
            depth += 1
            pieces[-1].append(" ")
        elif depth:
            depth -= text == ")"
        elif text == ";":
            pieces.append([])
        else:
            pieces[-1].append(text)
    return ["".join(piece) for piece in pieces]
