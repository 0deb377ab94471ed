"""Folders on disk that cannot be listed, in words that say whether somebody must act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrules.api import PersonNeeded, Transient


@contextmanager
def listing(directory: Path) -> Iterator[None]:
    """While the names in *directory* are read; one that is not there is empty.

    Raises:
        PersonNeeded: it may not be read, or is no folder.
        Transient: the disk has trouble.
    """
    try:
        yield
    except FileNotFoundError:
        pass
    except PermissionError as error:
        raise PersonNeeded(
            f"{directory} may not be read", remedy="let the user that mailrules runs as read it"
        ) from error
    except NotADirectoryError as error:
        raise PersonNeeded(f"{directory} is no folder", remedy="move away what stands in its place") from error
    except OSError as error:
        raise Transient(f"{directory} cannot be read: {error.strerror or error}") from error
