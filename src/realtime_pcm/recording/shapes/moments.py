"""Dates and times as people and programs write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

__all__ = ["MOMENT", "Moment", "moment_of"]

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_CLOCK = (
    r"(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d))?(?:[.,](?P<f>\d{1,9})\d*)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?\s?(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-]\d\d:?\d\d|UTC|GMT)?"
)
_MONTH = r"[A-Z][a-z]{2}"
_DATE = (
    r"(?:(?P<y>\d{4})[-/.](?P<mo>\d{1,2})[-/.](?P<d>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<dot>[/.])(?P<b>\d{1,2})[/.](?P<y2>\d{4})"
    rf"|(?P<d3>\d{{1,2}})[ /-](?P<mo3>{_MONTH})[ /-](?P<y3>\d{{4}})"
    rf"|(?P<mo4>{_MONTH})\s{{1,2}}(?P<d4>\d{{1,2}})(?:,?\s(?P<y4>\d{{4}}))?)"
)
# A date and a time of day, or a time of day alone, which may be minutes and seconds.
MOMENT = re.compile(rf"(?<![\d.:])(?:{_DATE}(?:[Tt:]|,?\s+|\sat\s))?{_CLOCK}(?![\d:])")


class Moment(NamedTuple):
    """seconds: since 1970 if `dated`, else since midnight or since the recording began."""

    seconds: float
    dated: bool


def moment_of(text: str) -> Moment | None:
    """The moment that a text begins with; None for any other text."""
    found = MOMENT.search(text[:100])
    if found is None or found.start() > 6:  # a day of the week may come before it
        return None
    parts = found.groupdict()
    fraction = float(f"0.{parts['f']}") if parts["f"] else 0.0
    first, second, third = int(parts["h"]), int(parts["m"]), parts["s"]
    date = _date(parts)
    if third is None and date is None:
        return Moment(first * 60 + second + fraction, False) if parts["f"] else Moment(first * 3600 + second * 60.0, False)
    half = (parts["half"] or "").lower()
    hour = first % 12 + 12 * (half == "p") if half else first
    if hour > 24 or second > 59 or int(third or 0) > 60:
        return None
    seconds = hour * 3600 + second * 60 + int(third or 0) + fraction
    if date is None:
        return Moment(seconds, False)
    try:
        midnight = datetime(*date, tzinfo=_zone(parts["zone"]))
    except ValueError:
        return None
    return Moment(midnight.timestamp() + seconds, date[0] > 1)


def _date(parts: dict[str, str | None]) -> tuple[int, int, int] | None:
    """Year, month and day. A date without a year gets one that no recording has."""
    if parts["y"]:
        return int(parts["y"]), int(parts["mo"] or 0), int(parts["d"] or 0)
    if parts["y2"]:
        month, day = int(parts["a"] or 0), int(parts["b"] or 0)
        if parts["dot"] == "." or month > 12:
            month, day = day, month
        return int(parts["y2"]), month, day
    for month_, day_, year in (("mo3", "d3", "y3"), ("mo4", "d4", "y4")):
        name = parts[month_]
        if name:
            number = _MONTHS.get(name.lower())
            return None if number is None else (int(parts[year] or 1), number, int(parts[day_] or 0))
    return None


def _zone(text: str | None) -> timezone:
    digits = re.sub(r"[^\d+-]", "", text or "")
    if len(digits) != 5:
        return UTC
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if digits[0] == "-" else offset) if offset < timedelta(hours=24) else UTC
