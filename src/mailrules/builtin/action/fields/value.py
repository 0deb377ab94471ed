"""Values of fields as what they are: numbers, dates, amounts of money."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

_NUMBER = re.compile(r"[-+]?\d[\d.,'\u2019 \u00a0\u202f]*")
_GROUPED = re.compile(r"(?<![\d.,])([-+]?\d{1,3}(?:[.,]\d{3})+)(?![\d.,]*\d)")
_CURRENCY = re.compile(r"\b[A-Z]{3}\b|[\u20ac$\u00a3\u00a5]")
_SYMBOLS = {"\u20ac": "EUR", "$": "USD", "\u00a3": "GBP", "\u00a5": "JPY"}
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_NUMERIC = re.compile(r"\b(\d{1,2})([./-])(\d{1,2})\2(\d{4})\b")
_NAMED = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)?[ .-]+([A-Za-z]{3})[a-z]*[ .,-]+(\d{4})\b")
_AMERICAN = re.compile(r"\b([A-Za-z]{3})[a-z]*[ .]+(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})\b")
_MONTHS = {"JanFebMarAprMayJunJulAugSepOctNovDec"[at * 3 : at * 3 + 3].lower(): at + 1 for at in range(12)}


def number(text: str, *, decimal: str = "") -> float:
    """The first number in *text*, with or without marks between thousands.

    Args:
        text: `1,234.50`, `1.234,50`, `1 234`, `-3`.
        decimal: the decimal mark, `.` or `,`; empty where the number tells.

    Raises:
        ValueError: there is none, or `1,234` may be either.
    """
    return float(plain_number(text, decimal=decimal))


def plain_number(text: str, *, decimal: str = "") -> str:
    """The same as digits with a point, no digit lost; raises as `number`."""
    found = _NUMBER.search(text[:1000])
    if not found:
        raise ValueError("no number")
    written = re.sub(r"['\u2019\s]", "", found[0]).rstrip(".,")
    mark = decimal or _decimal_mark(written)
    whole, _, rest = written.rpartition(mark) if mark and mark in written else (written, "", "")
    digits = re.sub(r"[.,]", "", whole)
    if not re.fullmatch(r"[-+]?\d+", digits) or not re.fullmatch(r"\d*", rest) or len(digits) + len(rest) > 30:
        raise ValueError("no number")
    return f"{digits}.{rest}" if rest else digits


def _decimal_mark(written: str) -> str:
    points, commas = written.count("."), written.count(",")
    if points and commas:
        return max(".,", key=written.rfind)
    if points + commas != 1:
        return ""  # several of one kind part thousands
    mark = "." if points else ","
    whole, _, rest = written.partition(mark)
    if len(rest) == 3 and whole.lstrip("+-0"):
        raise ValueError(f"{written} may be a thousand or a fraction: say which by `decimal:`")
    return mark


def amount(text: str, *, decimal: str = "") -> dict[str, str]:
    """A sum with its currency, `{"amount": "1234.50", "currency": "EUR"}`; the currency is empty where none stands."""
    found = _CURRENCY.search(text[:1000])
    return {
        "amount": plain_number(text, decimal=decimal),
        "currency": _SYMBOLS.get(found[0], found[0]) if found else "",
    }


def day(text: str, *, order: str = "") -> str:
    """The first date in *text* as ISO 8601 has it.

    Args:
        text: `2026-03-12`, `12.03.2026`, `03/12/2026`, `12 March 2026`, `March 12, 2026`.
        order: of day and month in figures, `dmy` or `mdy`; empty where the date tells, or has points between.

    Raises:
        ValueError: there is none, or `03/04/2026` may be either.
    """
    text = text[:1000]
    if found := _ISO.search(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMERIC.search(text):
        return _by_order(int(found[1]), int(found[3]), int(found[4]), order or ("dmy" if found[2] == "." else ""))
    if (found := _NAMED.search(text)) and found[2].lower() in _MONTHS:
        return _date(int(found[3]), _MONTHS[found[2].lower()], int(found[1]))
    if (found := _AMERICAN.search(text)) and found[1].lower() in _MONTHS:
        return _date(int(found[3]), _MONTHS[found[1].lower()], int(found[2]))
    raise ValueError("no date")


def _by_order(first: int, second: int, year: int, order: str) -> str:
    if not order and first <= 12 and second <= 12 and first != second:
        raise ValueError("day and month may be either way round: say which by `dates:`")
    day_first = order == "dmy" or (not order and first > 12) or first == second
    return _date(year, second, first) if day_first else _date(year, first, second)


def _date(year: int, month: int, of_month: int) -> str:
    return date(year, month, of_month).isoformat()


def read(text: Any, kind: str, *, decimal: str = "", order: str = "") -> Any:
    """*text* as a `text`, `integer`, `number`, `amount` or `date`; what JSON had as a number stays one.

    Raises:
        ValueError: it is none.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"no {kind}")  # noqa: TRY004 - what a mail holds is no wrong argument
    if isinstance(text, int | float) and kind in {"number", "integer"}:
        return int(text) if kind == "integer" else text
    if kind == "date":
        return day(str(text), order=order)
    readers: Mapping[str, Callable[..., Any]] = {"number": number, "integer": _integer, "amount": amount}
    return readers[kind](str(text), decimal=decimal) if kind in readers else str(text)


def _integer(text: str, *, decimal: str = "") -> int:
    found = _GROUPED.search(text[:1000])
    if found and not decimal:
        return int(re.sub(r"[.,]", "", found[1]))
    written = plain_number(text, decimal=decimal)
    whole, _, rest = written.partition(".")
    if rest.strip("0"):
        raise ValueError("no whole number")
    return int(whole)
