"""What a list of actions asks of `match` and `data`, and what it leaves in `data` for what comes after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mailrules.config.document import Place


class Asked(NamedTuple):
    """A name that a template asks for without a default."""

    name: str
    place: Place
    flow: str = ""
    """The flow that asks for it, where the place is a call of that flow."""
    title: str = ""
    """The step of whose result it is asked: `data.TITLE.NAME`."""


@dataclass(slots=True)
class Needs:
    """Of one list of actions, the flows that it calls included."""

    captures: list[Asked] = field(default_factory=list)
    data: list[Asked] = field(default_factory=list)
    """What none of its own steps gives before it is asked for."""
    gives: set[str] = field(default_factory=set)
    titled: dict[str, frozenset[str] | None] = field(default_factory=dict)
    """What the steps with a title give; None where only a run tells."""
    anything: bool = False
    """Whether there is a step of which only a run tells what it gives."""

    def ask(self, captures: Iterable[Asked], data: Iterable[Asked]) -> None:
        """What the next step, or flow, asks for."""
        self.captures += captures
        self.data += (asked for asked in data if not self.knows(asked) or (asked.flow and asked.title))

    def knows(self, asked: Asked) -> bool:
        """Whether it is given by now, or may be."""
        if asked.title:
            fields = self.titled.get(asked.title)
            return fields is None or asked.name in fields
        return self.anything or asked.name in self.gives or asked.name in self.titled

    def give(self, fields: Collection[str] | None, title: str) -> None:
        """What the next step leaves behind."""
        self.anything |= fields is None
        self.gives |= set(fields or ())
        if title:
            self.titled[title] = None if fields is None else frozenset(fields)

    def call(self, flow: str, inner: Needs, place: Place) -> None:
        """A flow that is called at *place*."""
        self.ask(
            [asked._replace(place=place, flow=flow) for asked in inner.captures],
            [asked._replace(place=place, flow=flow) for asked in inner.data],
        )
        self.follow(inner)

    def follow(self, inner: Needs) -> None:
        """Come after those of another list."""
        self.anything |= inner.anything
        self.gives |= inner.gives
        self.titled |= inner.titled
