"""Waves of offers, as they are asked for and as they are shown."""

from datetime import datetime
from typing import Any

import strawberry

from accounts.models import Timer
from matching.api.enums import WaveWhoEnum
from matching.core.waves import USUAL_PER_SEAT
from matching.models import AllocationRun


@strawberry.input(name="WaveInput", description="A wave of offers.")
class WaveInput:
    who: WaveWhoEnum = strawberry.field(description="Who is asked.")
    hours: int = strawberry.field(description="How long they have to answer; the next wave comes after that.")
    per_seat: int = strawberry.field(
        default=USUAL_PER_SEAT, description="Of the top: how many people for each seat it is."
    )


@strawberry.type(name="Wave", description="A wave of offers.")
class WaveType:
    who: WaveWhoEnum = strawberry.field(description="Who is asked.")
    hours: int = strawberry.field(description="How long they have to answer.")
    per_seat: int = strawberry.field(description="Of the top: how many people for each seat it is.")


def written_waves(given: list[WaveInput] | None) -> list[dict[str, Any]] | None:
    if given is None:
        return None
    return [{"who": one.who.value, "hours": one.hours, "per_seat": one.per_seat} for one in given]


def shown_waves(run: Any) -> list[WaveType]:
    return [WaveType(who=WaveWhoEnum(one["who"]), hours=one["hours"], per_seat=one["per_seat"]) for one in run.waves]


def next_waves(rows: list[AllocationRun]) -> dict[int, datetime]:
    """When the wave after each is due at the latest."""
    waiting = Timer.objects.filter(kind="allocation_wave", fired_at=None, subject_id__in=[row.pk for row in rows])
    return dict(waiting.values_list("subject_id", "due_at"))
