"""One message from decision to the moment before its disposition: claim, perform each step, record each, conclude."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from mailrules.api.options import redact
from mailrules.config.settings import Listener
from mailrules.core.fact.authentication import unauthenticated
from mailrules.engine.perform import Attempt, Performed, placed
from mailrules.engine.results import Results, struck
from mailrules.engine.world import World
from mailrules.model.action import Data, InDoubt, Permanent, PersonNeeded, Transient, Withheld
from mailrules.model.decision import Decision
from mailrules.model.entry import PASSED, UNDONE, UNFINISHED, Entry, State, StepRecord, StepState
from mailrules.model.journal import JournalError
from mailrules.model.message import Message
from mailrules.model.rule import OnError, Step

BACKOFF = (60, 300, 900, 3600, 10800, 21600, 43200, 86400)
"""Seconds before the next try, by how many have failed; after the last one the message is parked."""

LONGEST_TOLD = 2_000
"""Characters of what a step says of itself, or why it failed: a mail may have any number."""


@dataclass(frozen=True, slots=True)
class Case:
    """One message in hand: parsed, decided, with its journal entry."""

    message: Message
    decision: Decision
    entry: Entry
    held: bool = False
    """Whether a crash left it in hand: it is claimed already."""
    again: bool = False
    """Whether an earlier pass may have carried out its disposition."""

    @property
    def acts(self) -> bool:
        """Whether there are steps to perform, or steps on record to compare them with."""
        return bool(self.decision.steps or self.entry.steps) and self.entry.state in UNFINISHED


def process(case: Case, listener: Listener, world: World) -> Entry:
    """Perform the decision's steps on a claimed entry. The server copy is not touched.

    Gives the entry in state `acted` (go on and settle), or `retry` or `parked` (leave the server copy alone).
    A step that is on record as done is not run again; one that a crash cut off runs again only if it is repeatable.
    """
    changed = _changed_step(case)
    if changed:
        return _park(case.entry, world, f"the rules changed while this message was in hand: {changed}")
    entry, results = case.entry, Results()
    for position, step in enumerate(case.decision.steps):
        earlier = entry.step(position)
        if earlier and _behind(earlier, step):
            results.add(earlier, step)
            continue
        if earlier and earlier.state is StepState.STARTED and not step.repeatable:
            entry = _in_doubt(entry, earlier, step, world)
        else:
            entry = _step(replace(case, entry=entry), position, results, listener, world)
        if entry.state not in (State.ACTING, State.ACTED):
            return entry
        results.add(entry.steps[-1], step)
    return _acted(entry, world)


def _behind(record: StepRecord, step: Step) -> bool:
    """Whether this very step is over; what is in doubt is, where failures are ignored."""
    passed = record.state in PASSED or (record.state is StepState.UNKNOWN and step.on_error is OnError.IGNORE)
    return passed and record.digest == step.digest


def _acted(entry: Entry, world: World) -> Entry:
    """On record as acted before the server copy is touched: a message that is gone after a crash was settled then."""
    if entry.state is State.ACTED:
        return entry
    acted = replace(entry, state=State.ACTED)
    world.journal.save([acted])
    return acted


def _changed_step(case: Case) -> str:
    """What may have happened by another rule; a step that failed, or was set aside, is nothing to compare with.

    One that failed half way has happened to some: who has a mail would get it again by the new words.
    """
    steps = case.decision.steps
    latest = {record.position: record for record in case.entry.steps}
    for position, record in latest.items():
        if record.state in UNDONE and not (record.state is StepState.FAILED and record.result):
            continue
        if position >= len(steps) or steps[position].digest != record.digest:
            return f"step {position + 1} was {record.name}"
    return ""


def _step(case: Case, position: int, results: Results, listener: Listener, world: World) -> Entry:
    step, entry = case.decision.steps[position], case.entry
    key = idempotency_key(entry, position, step)
    earlier = entry.step(position)
    progress = earlier.result if earlier and earlier.key == key and earlier.state not in PASSED else {}
    record = StepRecord(position, step.label, step.digest, StepState.STARTED, key, result=progress, at=world.clock())
    record = replace(record, span=str(step.span))
    attempt = Attempt(step, case.message, namespace(case, results, listener, world), listener, key, progress)
    try:
        record = replace(record, detail=_told(_described(attempt)))
        _demand_authentication(step, case.message)
        entry = world.journal.record(replace(entry, state=State.ACTING), record)
        performed = world.perform(attempt)
    except JournalError:
        raise
    except Withheld as error:
        told = record.detail or step.label
        performed = Performed(StepState.WITHHELD, said=told if str(error) in told else f"{told}: {error}")
    except (Exception, SystemExit) as error:
        return _failed(entry, record, error, step, world)
    said = _told(performed.said) or record.detail
    done = replace(record, state=performed.state, result=struck(performed.result), detail=said, at=world.clock())
    last = position == len(case.decision.steps) - 1
    return world.journal.record(replace(entry, state=State.ACTED if last else State.ACTING), done)


def _described(attempt: Attempt) -> str:
    said: object = attempt.step.action.describe(attempt.message, attempt.data)
    if not isinstance(said, str):
        raise Permanent(f"nothing has run: its description is of type {type(said).__name__} where a text is meant")
    return said


def _demand_authentication(step: Step, message: Message) -> None:
    if step.authenticated and (doubt := unauthenticated(message)):
        raise Permanent(f"it is done for authenticated mail only ({doubt})")


def namespace(case: Case, results: Results, listener: Listener, world: World) -> Data:
    """What templates and actions see."""
    return {
        "message": case.message,
        "match": dict(case.decision.captures),
        "data": results.data,
        "account": listener.account.data,
        "listener": {"name": listener.name, "folder": listener.folder, "rule": case.decision.rule or ""},
        "now": world.clock(),
    }


def idempotency_key(entry: Entry, position: int, step: Step) -> str:
    """The same for every try of this step for this message, and for no other."""
    parts = (entry.listener, entry.account, entry.fingerprint, str(position), step.digest)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _failed(entry: Entry, record: StepRecord, error: BaseException, step: Step, world: World) -> Entry:
    """On record; then again later, to a person, or on to the next step, as `on_error` says."""
    reason = _told(f"{record.name}: {_say(error)}")
    came_to = StepState.UNKNOWN if isinstance(error, InDoubt) else StepState.FAILED
    if step.on_error is OnError.IGNORE:
        came_to = StepState.UNKNOWN if came_to is StepState.UNKNOWN else StepState.IGNORED
    told = error.progress if isinstance(error, Transient | InDoubt) else None
    progress = record.result if told is None else told
    failed = replace(record, state=came_to, detail=reason, result=struck(progress), at=world.clock())
    if step.on_error is OnError.IGNORE:
        return world.journal.record(replace(entry, state=State.ACTING), failed)
    if step.on_error is OnError.RETRY and isinstance(error, Transient):
        return world.journal.record(later(entry, reason, world, after=error.after), failed)
    return world.journal.record(replace(entry, state=State.PARKED, reason=reason, retry_at=None), failed)


def _told(text: str) -> str:
    """As the journal keeps it: without secrets, and no longer than people read."""
    struck_out = redact(text)
    return struck_out if len(struck_out) <= LONGEST_TOLD else f"{struck_out[:LONGEST_TOLD]}..."


def _say(error: BaseException) -> str:
    if isinstance(error, PersonNeeded) and error.remedy:
        return f"{error}; {error.remedy}"
    return str(error) if type(error).__module__.startswith("mailrules.") else placed(error)


def later(entry: Entry, reason: str, world: World, *, after: float | None = None) -> Entry:
    """The entry to be tried again after its back-off (or what the other side asked for); parked after the last try."""
    attempts = entry.attempts + 1
    if attempts > len(BACKOFF):
        reason = f"{reason} (given up after {attempts} tries)"
        return replace(entry, state=State.PARKED, reason=reason, attempts=attempts, retry_at=None)
    asked = min(after, BACKOFF[-1]) if after and after > 0 else 0  # nobody may put a message off for ever
    at = world.clock() + timedelta(seconds=max(asked, BACKOFF[attempts - 1]))
    return replace(entry, state=State.RETRY, reason=reason, attempts=attempts, retry_at=at)


def _in_doubt(entry: Entry, record: StepRecord, step: Step, world: World) -> Entry:
    doubt = replace(record, state=StepState.UNKNOWN, at=world.clock())
    if step.on_error is OnError.IGNORE:
        return world.journal.record(replace(entry, state=State.ACTING), doubt)
    reason = f"{record.name} was cut off: nobody knows whether it happened, and it is not repeated by itself"
    return world.journal.record(replace(entry, state=State.PARKED, reason=reason), doubt)


def _park(entry: Entry, world: World, reason: str) -> Entry:
    return world.journal.record(replace(entry, state=State.PARKED, reason=reason))
