"""What is wrong in a file, where, and what to do: found all at once, sorted, told in three formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailrules.model.span import Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` stands alone; `help` says what to do next."""

    span: Span
    word: str
    """Stable, `unknown-action`: for suppressing, searching and the docs."""
    message: str
    help: str = ""
    severity: Literal["error", "warning"] = "error"
    source: str = ""
    """The line of the file, for the caret under it; secrets are struck out."""
    underline: tuple[int, int] = (0, 0)
    """First and past-last character of `source` to underline, from 0; equal when nothing is."""

    def __str__(self) -> str:
        """One line, as in a log: place, severity, word, message."""
        return f"{self.span}: {self.severity}[{self.word}]: {self.message}"


WARNINGS = frozenset(
    {"broken-plugin", "shadowed-rule", "expired-rule", "expired-schedule", "never-matches", "literal-secret"}
    | {
        "doubtful-option",
        "in-the-clear",
        "bare-number",
        "no-rules",
        "no-push",
        "doubtful-flag",
        "doubtful-pattern",
        "no-trust",
    }
)
"""Words that warn; every other one is an error, and nothing is run."""

WORDS: dict[str, str] = {
    # the file
    "no-file": "A file that is named cannot be read.",
    "not-utf8": "The file is not UTF-8 text.",
    "yaml-syntax": "The file is no YAML.",
    "empty-file": "The file holds nothing.",
    "many-documents": "The file holds a second YAML document after `---`.",
    "duplicate-key": "A key stands twice in one mapping.",
    "key-not-text": "A key is a number, true, false, null or a list instead of text.",
    "yaml-tag": "A value carries a YAML tag, `!!python/object` or any other.",
    "merge-key": "A mapping uses the merge key `<<`, which YAML 1.2 does not have.",
    "unknown-alias": "An alias `*name` has no anchor `&name` before it, or stands inside it.",
    "alias-bomb": "Aliases blow the file up beyond any sensible size.",
    "too-deep": "Lists and mappings are nested too deep.",
    # its shape
    "unknown-key": "A key that has no meaning here.",
    "missing-key": "A key that must be there is not.",
    "wrong-type": "A value of the wrong kind: a list instead of text, say.",
    "not-allowed-value": "A value of the right kind that is not one of those allowed.",
    "not-one-key": "A plugin is named by one key with its options, and there are none or several keys.",
    "bad-options": "The options of a plugin do not fit, in the plugin's own words.",
    "doubtful-option": "A value that will hardly work on this machine: a program or driver is not there.",
    "unknown-action": "No plugin gives an action of this name.",
    "unknown-protocol": "No plugin gives a protocol of this name.",
    "unknown-auth": "No plugin gives a way to log in of this name.",
    "unknown-account": "A listener or an action names an account that is not there.",
    "unknown-flow": "A flow is named that is not there.",
    "unknown-rule": "A test case expects a rule that its rules file does not hold.",
    "duplicate-step": "Two steps of one list have the same name.",
    "flow-cycle": "A flow calls itself, directly or through others.",
    "broken-plugin": "A plugin could not be loaded.",
    "plugin-clash": "Two plugins give a thing of the same name.",
    # conditions
    "unknown-field": "No field of a message has this name.",
    "unknown-operator": "The field has no such operator.",
    "empty-condition": "A condition that says nothing, and so would match every message or none.",
    "bare-number": "A header is compared with a bare number, which means that its text holds the number.",
    "bad-header-name": "A header name that no message can hold.",
    "bad-regex": "A regular expression that is wrong, or that RE2 cannot say.",
    "bad-size": "A size that cannot be read.",
    "bad-duration": "A length of time that cannot be read.",
    "bad-date": "A date that cannot be read.",
    "bad-time": "A time of day that cannot be read.",
    "bad-weekday": "A day of the week that cannot be read.",
    "bad-timezone": "No time zone has this name.",
    "bad-cron": "A cron expression that is wrong or never comes.",
    "bad-expiry": "An expiry that names no moment, or several.",
    "bad-schedule": "A schedule with two rhythms, or without a single run.",
    "bad-template": "A template that does not compile, or that names what templates do not know.",
    # rules
    "actions-never-run": "A rule has actions, and its code does not fire them.",
    "code-of-script": "A rule has a code, and its script gives the code.",
    "keep-of-deleted": "A rule says how to keep the message, and its code deletes it.",
    "continue-moves": "A continuing rule moves or deletes, which only the last rule may.",
    "bad-script": "A script cannot be loaded, or has no function `decide`.",
    "duplicate-rule": "Two rules of one listener have the same name.",
    "unreachable-rule": "An earlier rule takes every message, so that this one is never asked.",
    "shadowed-rule": "An earlier rule takes every message that this one could.",
    "expired-rule": "The rule's time is over.",
    "expired-schedule": "The listener's time is over.",
    "never-matches": "Nothing can satisfy the rule.",
    "doubtful-pattern": "A text is looked for with its star, and a pattern was probably meant.",
    "doubtful-flag": "A flag is a word of one's own, and one of the standard ones was probably meant.",
    # accounts and listeners
    "unsupported-disposition": "The account's protocol cannot carry out what `keep` or the code asks.",
    "bad-folder": "No folder of the account can be called so.",
    "no-folders": "The account's protocol has no folders, and a folder is named.",
    "no-push": "The account's protocol cannot tell what comes, so that `idle` changes nothing.",
    "auth-mismatch": "The protocol cannot log in with what `auth` gives.",
    "cannot-receive": "A listener uses an account that only sends.",
    "bad-address": "A text that must be an address is none.",
    "in-the-clear": "A log-in would travel over the network without encryption.",
    "no-rules": "A listener has neither rules nor a flow, so that nothing comes of any message.",
    "bad-journal": "The journal's URL names no database, or is no URL.",
    "cannot-send": "An action sends mail, and the listener's account cannot.",
    "cannot-append": "An action puts messages into an account that cannot take any.",
    "never-authenticated": "A step is for authenticated mail, and the account trusts no server's word on that.",
    "no-trust": "A rule asks what SPF, DKIM or DMARC say, and the account trusts no server's word on that.",
    "literal-secret": "A secret stands in the file itself.",
}
"""Every word that a diagnostic can carry, with what it means; `docs/diagnostics.md` lists them."""
