"""The Jinja2 environment of templates: sandboxed, immutable, strict about undefined names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment


def slug(text: object) -> str:
    """Letters, digits and hyphens only, for file and folder names: `Rechnung März!` gives `rechnung-marz`."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def date(moment: datetime | None, form: str = "%Y-%m-%d") -> str:
    """A moment by strftime's codes; empty for none."""
    return moment.strftime(form) if moment else ""


def size(octets: float) -> str:
    """Octets for people: `1.5 MB`."""
    for unit in ("B", "kB", "MB"):
        if abs(octets) < 1000:
            return f"{octets:.3g} {unit}"
        octets /= 1000
    return f"{octets:.3g} GB"


class _Sandbox(ImmutableSandboxedEnvironment):
    """`a.b` is an attribute, or a key of a mapping: never an item of anything else, which a message has for headers."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The attribute; where there is none, what fails when it is used."""
        if isinstance(obj, Mapping | Undefined) or hasattr(obj, attribute):
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)


def environment() -> Any:
    """A fresh environment with the filters for mail work."""
    made = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    made.filters |= {"slug": slug, "date": date, "size": size}
    return made
