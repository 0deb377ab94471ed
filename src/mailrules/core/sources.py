"""The tables of one header, or of one field of the body, that the index looks keys up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailrules.core.sets import FEW, Literals, Patterns, Positions
from mailrules.core.triggers import Key, Kind
from mailrules.core.view import ADDRESS_HEADERS
from mailrules.model.message import Address, Message

_ADDRESS_HEADERS = frozenset(name for names in ADDRESS_HEADERS.values() for name in names)

Table = dict[str, list[int]]


class Source:
    """What the rules look for in one header, or in one field of the body."""

    __slots__ = (
        "_addressed",
        "_domains",
        "_exact",
        "_literals",
        "_localparts",
        "_mailboxes",
        "_patterns",
        "_present",
        "_wild",
        "name",
        "positions",
        "refused",
    )

    def __init__(self, name: str, keys: Mapping[Key, Sequence[int]]) -> None:
        tables: dict[Kind, Table] = {kind: {} for kind in Kind}
        for key, positions in keys.items():
            tables[key.kind][key.text] = list(positions)
        literals = tables[Kind.LITERAL] | tables[Kind.SHORT]
        self.name = name
        self._exact = tables[Kind.EXACT]
        self._domains = tables[Kind.DOMAIN]
        self._wild = any(domain.startswith("*") for domain in self._domains)
        self._localparts = tables[Kind.LOCALPART]
        self._literals = Literals(literals) if literals else None
        patterns = (Patterns(tables[Kind.PATTERN]), Patterns(tables[Kind.WILD], together=FEW))
        self._patterns = [each for each in patterns if each]
        self._present: Positions = tuple(tables[Kind.PRESENT].get("", ()))
        self._mailboxes = bool(self._domains or self._localparts)
        self._addressed = bool(name in _ADDRESS_HEADERS or self._mailboxes)
        self.positions: Positions = tuple(sorted({at for positions in keys.values() for at in positions}))
        refused = [*patterns[0].refused, *patterns[1].refused]
        self.refused: Positions = (*refused, *(self._literals.refused if self._literals is not None else ()))

    def read(self, message: Message, into: set[int]) -> None:
        """Add the rules that find what they need in this header of *message*."""
        texts: Sequence[str] = message.header(self.name)
        if not texts:
            return
        if self._present:
            into.update(self._present)
        if self._addressed:
            lines = [*texts]
            for address in message.addresses(self.name):
                lines += (address.address, address.name, str(address)) if address.name else (address.address,)
                if self._mailboxes:
                    self.find_mailbox(address, into)
            texts = lines
        self.find("\n".join(texts), into)

    def find(self, text: str, into: set[int]) -> None:
        """Add the rules that find what they need in *text*: all texts there are, joined by newlines."""
        if self._exact or self._literals is not None:
            folded = text.casefold()
            if self._exact:
                for line in folded.split("\n"):
                    if line in self._exact:
                        into.update(self._exact[line])
            if self._literals is not None:
                self._literals.find(folded, into)
        for patterns in self._patterns:
            patterns.find(text, into)

    def find_mailbox(self, address: Address, into: set[int]) -> None:
        """Add the rules that look for this domain or local part."""
        if self._domains:
            self._find_domain(address.domain.casefold(), into)
        if self._localparts:
            localpart = address.localpart.casefold()
            for text in (localpart, localpart.partition("+")[0], f"+{address.detail.casefold()}"):
                if text in self._localparts:
                    into.update(self._localparts[text])

    def _find_domain(self, domain: str, into: set[int]) -> None:
        if domain in self._domains:
            into.update(self._domains[domain])
        at = domain.find(".") if self._wild else -1
        while at >= 0:
            if (wild := f"*{domain[at:]}") in self._domains:
                into.update(self._domains[wild])
            at = domain.find(".", at + 1)
