"""The action code: what becomes of the server copy, and whether the transition fires."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Exactly this table, everywhere (YAML, journal, trace, log).

    | code | word            | server copy                            | transition |
    |------|-----------------|----------------------------------------|------------|
    | 1    | delete+activate | deleted, after the transition succeeded | fires      |
    | 2    | keep+activate   | kept (as `keep:` says)                  | fires      |
    | 3    | delete          | deleted                                | does not   |
    | 4    | keep            | kept                                   | does not   |
    """

    DELETE_ACTIVATE = 1
    KEEP_ACTIVATE = 2
    DELETE = 3
    KEEP = 4

    @property
    def word(self) -> str:
        """The code as an admin may write it instead of the number."""
        return self.name.lower().replace("_", "+")

    @property
    def deletes(self) -> bool:
        """Whether the server copy goes."""
        return self in (Code.DELETE_ACTIVATE, Code.DELETE)

    @property
    def fires(self) -> bool:
        """Whether the outgoing transition fires."""
        return self in (Code.DELETE_ACTIVATE, Code.KEEP_ACTIVATE)

    @classmethod
    def of(cls, *, deletes: bool, fires: bool) -> Code:
        """The one code that says both."""
        if deletes:
            return cls.DELETE_ACTIVATE if fires else cls.DELETE
        return cls.KEEP_ACTIVATE if fires else cls.KEEP


CODE_WORDS: dict[str, Code] = {code.word: code for code in Code}
