"""Folders that rules move or copy to, looked for before the first message is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailrules.api import Permanent, PersonNeeded, Place


def demand(place: Place, exists: Callable[[str], bool], there: Callable[[], Iterable[str]], where: object) -> None:
    """See that every folder is there that must be.

    Args:
        place: says which must.
        exists: whether one is there, by its name as written.
        there: the names of those that are, asked for only when one is missing.
        where: the mailbox, for naming it.

    Raises:
        PersonNeeded: one is missing, or cannot be called so.
    """
    try:
        missing = [folder for folder in place.must_exist if not exists(folder)]
    except PersonNeeded:
        raise
    except Permanent as error:
        raise PersonNeeded(str(error), remedy="correct `keep:` in the rules") from error
    if not missing:
        return
    from difflib import get_close_matches

    known = sorted(there())
    near = get_close_matches(missing[0], known, n=1)
    hint = f"did you mean '{near[0]}'? Else " if near else ""
    wanted = ", ".join(f"'{folder}'" for folder in missing)
    raise PersonNeeded(
        f"{where}: rules move or copy to {wanted}, and there is only {', '.join(known[:20])}",
        remedy=f"{hint}make it there, correct the rules, or set `missing_folder: create`",
    )
