"""What a way to send says when a mail reached some of its recipients and not the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailrules.model.action import InDoubt


class PartlySent(InDoubt):
    """Some have it, others do not: who asks again asks for the others only.

    `accepted`: who has it. `later`: who was refused for now (4yz), and `refused`: for good (5yz), each with the
    server's words. `said`: the server's words for those who have it.
    """

    def __init__(
        self,
        server: object,
        *,
        accepted: Sequence[str],
        later: Mapping[str, str],
        refused: Mapping[str, str],
        said: str,
    ) -> None:
        self.accepted, self.later, self.refused, self.said = tuple(accepted), dict(later), dict(refused), said
        super().__init__(
            f"{server}: sent to {', '.join(accepted)} ({said}) but refused for {named({**later, **refused})}: "
            "not repeated, so that nobody gets it twice"
        )


def named(refused: Mapping[str, str]) -> str:
    """Recipients with what the server said of each."""
    return ", ".join(f"{address} ({words})" for address, words in refused.items())
