r"""mailrules as a library: load rules, parse a message, decide.

>>> import mailrules
>>> rules = mailrules.load_rules("version: 1\nrules: [{name: hello, match: {subject: hello}, code: keep}]")
>>> decision = mailrules.decide(rules, mailrules.parse(b"Subject: Hello there\r\n\r\n"))
>>> decision.rule, int(decision.code)
('hello', 4)

Nothing is imported before it is used, so that `import mailrules` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailrules.library import RulesError, decide, load_rules, parse
    from mailrules.model.decision import Decision
    from mailrules.model.message import Message
    from mailrules.model.rule import RuleSet

    __version__: str

__all__ = ["Decision", "Message", "RuleSet", "RulesError", "__version__", "decide", "load_rules", "parse"]

_HOMES = {
    "Decision": "mailrules.model.decision",
    "Message": "mailrules.model.message",
    "RuleSet": "mailrules.model.rule",
    "RulesError": "mailrules.library",
    "decide": "mailrules.library",
    "load_rules": "mailrules.library",
    "parse": "mailrules.library",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mailrules")
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mailrules' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
