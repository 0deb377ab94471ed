"""A database's failures as `JournalError`s: one line that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mailrules.model.journal import JournalError

_SAID = {
    "FULL": "the disk is full; free some space, then run again",
    "BUSY": "another process holds it; wait, or end the other one (a backup, a second mailrules), then run again",
    "LOCKED": "another process holds it; wait, or end the other one (a backup, a second mailrules), then run again",
    "READONLY": "it may not be written; make the file and its folder writable for this user",
    "PERM": "it may not be opened; make the file and its folder readable and writable for this user",
    "AUTH": "it may not be opened; make the file and its folder readable and writable for this user",
    "CANTOPEN": "it cannot be opened; make sure that the folder exists, and that this user may read and write there",
    "CORRUPT": "the file is damaged; put it aside and restore it from a backup",
    "NOTADB": "the file is no SQLite database; name another file, or restore it from a backup",
    "IOERR": "the disk does not answer as it should; check its space, its quota and its health",
    "TOOBIG": "a value is too big for the database; park or skip the message",
}


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn whatever the database says about the journal at *place* into a `JournalError`."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise JournalError(f"journal {place}: {_reason(error)}") from error
    except (LookupError, ValueError) as error:  # a row that no entry can be made of
        reason = f"it holds what is no entry ({type(error).__name__}: {error})"
        raise JournalError(f"journal {place}: {_line(reason)}; put it aside and restore it from a backup") from error


def _reason(error: SQLAlchemyError | OSError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    name = str(getattr(cause, "sqlite_errorname", ""))
    if name == "SQLITE_CONSTRAINT_UNIQUE":
        return "another entry stands for the same message already; look at it with 'mailrules log'"
    if (said := _SAID.get(name.removeprefix("SQLITE_").partition("_")[0])) is not None:
        return said
    if isinstance(cause, OSError) and cause.strerror:
        return f"{cause.strerror} ({cause.filename}); check the path, its owner and its permissions"
    return f"{_line(str(cause))}; check the database and the journal's address"


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
