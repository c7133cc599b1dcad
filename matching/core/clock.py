"""Days, months and clocks, as rules reckon with them."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY_MINUTES = 24 * 60
_LAST_DAY = date.max - timedelta(days=1)  # whose noon is within the calendar in every zone


@lru_cache(maxsize=4096)
def utc_offset_minutes(timezone: str | None, on: date) -> int | None:
    """How far a zone's clock is ahead of UTC at noon UTC of a day. None for no zone, and for an unknown one."""
    if not timezone:
        return None
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    offset = datetime.combine(min(on, _LAST_DAY), time(12), tzinfo=UTC).astimezone(zone).utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last: a month before 31 March is 28 or 29 February."""
    month = day.year * 12 + day.month - 1 - months
    year, month = divmod(month, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def longest_overlap(start: int, length: int, other_start: int, other_length: int) -> int:
    """The longest stretch, in minutes, that two daily windows share. Starts are minutes after midnight on one clock,
    0–1439; lengths 1–1440; a window may run over midnight."""
    if length >= DAY_MINUTES or other_length >= DAY_MINUTES:
        return min(length, other_length)
    return max(
        0,
        *(
            min(start + length, other_start + turn + other_length) - max(start, other_start + turn)
            for turn in (-DAY_MINUTES, 0, DAY_MINUTES)
        ),
    )
