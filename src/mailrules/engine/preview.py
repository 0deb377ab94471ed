"""The very mail that a step would send, kept for people to look at while nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailrules.api.options import redact
from mailrules.engine.perform import Attempt, Perform, Performed
from mailrules.model.action import Permanent, Withheld


@dataclass(frozen=True, slots=True)
class Previews:
    """What actions that have a `preview` give, by idempotency key."""

    mails: dict[str, str] = field(default_factory=dict)
    """The whole text of each mail, header and body, with line feeds."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why there is none."""

    def over(self, perform: Perform) -> Perform:
        """The same performer, looked at: it does what it does, and what would leave is kept."""

        def run(attempt: Attempt) -> Performed:
            done = perform(attempt)
            self._keep(attempt)
            return done

        return run

    def _keep(self, attempt: Attempt) -> None:
        preview = getattr(attempt.step.action, "preview", None)
        if preview is None:
            return
        try:
            mail = preview(attempt.message, attempt.data, attempt.key)
        except Withheld as error:
            self.reasons[attempt.key] = f"withheld: {error}"
        except Permanent as error:
            self.reasons[attempt.key] = redact(str(error))
        else:
            text = mail.decode("utf-8", "replace") if isinstance(mail, bytes) else str(mail)
            self.mails[attempt.key] = redact(text.replace("\r\n", "\n"))
