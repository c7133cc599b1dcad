"""When a digest goes out, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

GATHER = timedelta(seconds=30)  # what is found within it goes out in one mail
SENT_AT_HOUR = 7  # by the person's own clock
MONDAY = 0
MOST_TOLD = 200  # of in one mail: the latest found
MOST_LISTED = 50  # of those; the others are counted


class Frequency(StrEnum):
    """How often somebody is told by mail of what a search has found."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"
    NONE = "none"


def next_digest_at(frequency: Frequency, now: datetime, timezone: str = "") -> datetime | None:
    """When what is found now goes out: within a minute, or at seven in the morning of the next day or Monday, by the
    clock of a zone (IANA name; an unknown one counts as UTC). None where no mails are wanted."""
    match frequency:
        case Frequency.NONE:
            return None
        case Frequency.IMMEDIATELY:
            return now + GATHER
    local = now.astimezone(_zone(timezone))
    due = local.replace(hour=SENT_AT_HOUR, minute=0, second=0, microsecond=0, fold=0)
    days = (MONDAY - due.weekday()) % 7 if frequency is Frequency.WEEKLY else 0
    due += timedelta(days=days)  # by the clock on the wall: seven o'clock stays seven o'clock
    if due <= local:
        due += timedelta(days=7 if frequency is Frequency.WEEKLY else 1)
    return due.astimezone(UTC)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@dataclass(frozen=True, slots=True)
class Listed:
    """One opportunity as a digest tells of it."""

    title: str
    organisation: str
    pay: str  # empty where none is stated
    address: str

    @property
    def lines(self) -> str:
        return "\n".join([self.title, " · ".join(filter(None, [self.organisation, self.pay])), self.address])


def subject(search: str, found: int) -> str:
    return f"{_counted(found)}: {search}"


def body(search: str, found: Sequence[Listed], *, frequency: Frequency, home: str, stop: str) -> str:
    """The text of a mail. `home` leads to the app, `stop` ends the mails."""
    told = [f"{_counted(len(found))} for your search “{search}”:"]
    told += [one.lines for one in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        told.append(f"And {len(found) - MOST_LISTED} more: {home}")
    told.append(f"You get these mails {_HOW_OFTEN[frequency]}. To stop them:\n{stop}")
    return "\n\n".join(told) + "\n"


def _counted(found: int) -> str:
    return "One new opportunity" if found == 1 else f"{found} new opportunities"


_HOW_OFTEN = {
    Frequency.IMMEDIATELY: "as soon as something is found",
    Frequency.DAILY: "daily",
    Frequency.WEEKLY: "weekly",
}
