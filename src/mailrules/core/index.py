"""The candidate rules for a message: every rule that may say anything but *no*, and few others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from typing import Any

from mailrules.core.sources import Source
from mailrules.core.triggers import LATE, Key, Kind, Trigger, rank, triggers
from mailrules.core.view import View
from mailrules.model.condition import Test
from mailrules.model.message import Extent
from mailrules.model.rule import Rule

CROWD = 8
"""When more rules than this need one key, another key of theirs is preferred."""


class Index:
    """Tables and automata over what each rule must find in a message, built once.

    Two choices are kept, one and the same where they do not differ: with the header block alone each rule is looked
    up by what the header tells; with the whole message by what tells most.
    """

    __slots__ = ("_header", "_whole")

    def __init__(self, rules: Sequence[Rule]) -> None:
        offers = [triggers(rule.condition) for rule in rules]
        crowd = _Crowd(offers)
        header = [_chosen(offer, crowd.by_header) for offer in offers]
        whole = [_chosen(offer, crowd.by_whole) for offer in offers]
        self._header = _Tables(header)
        self._whole = self._header if whole == header else _Tables(whole)

    def candidates(self, view: View) -> Iterable[int]:
        """The positions of the rules to try, in order; of the rest each says *no* to the message in *view*."""
        return (self._header if view.message.extent is Extent.HEADER else self._whole).candidates(view)


def _chosen(offer: list[Trigger], order: Callable[[Trigger], tuple[Any, ...]]) -> Trigger:
    if len(offer) < 2:
        return offer[0] if offer else ()
    return min(offer, key=order)


class _Crowd:
    """How many rules need each key: the fewer, the better a trigger it makes; the least order is the best trigger."""

    def __init__(self, offers: Sequence[list[Trigger]]) -> None:
        self._needed = Counter([key for offer in offers for trigger in offer for key in trigger])

    def by_header(self, trigger: Trigger) -> tuple[Any, ...]:
        """First of all it must be in the header block."""
        (late, kind, length), most = rank(trigger), self._most(trigger)
        return late, most > CROWD and most.bit_length(), kind >= Kind.SHORT, most.bit_length(), kind, length

    def by_whole(self, trigger: Trigger) -> tuple[Any, ...]:
        """First of all it must not be one that many need, then not in the body."""
        (late, kind, length), most = rank(trigger), self._most(trigger)
        return most > CROWD and most.bit_length(), late, kind >= Kind.SHORT, most.bit_length(), kind, length

    def _most(self, trigger: Trigger) -> int:
        return max([self._needed[key] for key in trigger])


class _Tables:
    """One trigger a rule, by source."""

    __slots__ = ("_always", "_late", "_soon")

    def __init__(self, chosen: Sequence[Trigger]) -> None:
        keys: dict[str, dict[Key, list[int]]] = defaultdict(lambda: defaultdict(list))
        for position, trigger in enumerate(chosen):
            for key in trigger:
                keys[key.source][key].append(position)
        sources = [Source(name, wanted) for name, wanted in keys.items()]
        self._soon = [source for source in sources if source.name not in LATE]
        self._late = [_Late(source) for source in sources if source.name in LATE]
        refused = {position for source in sources for position in source.refused}
        self._always = frozenset(refused.union(at for at, trigger in enumerate(chosen) if not trigger))

    def candidates(self, view: View) -> Iterable[int]:
        """The positions of the rules to try, in order, the late sources looked at only when it comes to their rules."""
        hits = set(self._always)
        for source in self._soon:
            source.read(view.message, hits)
        return self._with_late(sorted(hits), view) if self._late else sorted(hits)

    def _with_late(self, hits: list[int], view: View) -> Iterator[int]:
        start = min(late.first for late in self._late)
        waiting = iter(hits)
        for position in waiting:
            if position >= start:
                waiting = merge((position,), waiting)
                break
            yield position
        last = -1
        for position in merge(waiting, *[late.hits(view) for late in self._late]):
            if position != last:
                yield position
            last = position


class _Late:
    """A source that costs more than the header block; while it is not known for certain, all its rules may speak."""

    __slots__ = ("_positions", "_source", "_test", "first")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._test = Test(source.name)
        self._positions = source.positions
        self.first = self._positions[0]

    def hits(self, view: View) -> Sequence[int]:
        reading = view.reading(self._test)
        if not reading.certain:
            return self._positions
        hits: set[int] = set()
        for value in reading.values:
            self._source.find("\n".join(value.texts), hits)
            if value.address is not None:
                self._source.find_mailbox(value.address, hits)
        return sorted(hits)
