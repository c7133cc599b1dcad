"""How a run is to offer: reserved or open call, all at once or in waves. Each wave after the first is a run of its own.

A wave has ended when none of its offers waits for an answer any more, at the latest when all have expired. If seats are
still open then, the next one is planned by the truth of that moment and commits itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.actions.events import append
from accounts.actions.timers import cancel_timer, set_timer
from accounts.core.actor import Actor, ActorKind
from accounts.errors import InvalidInput
from marketplace.models import Offer, Seat
from matching.core.waves import MOST_PER_SEAT, MOST_WAVES, USUAL_PER_SEAT, Wave, Who
from matching.models import AllocationRun
from matching.queries.market import opportunities_in_scope
from matching.queries.offering import wave_of

NEXT_WAVE = "allocation_wave"
GRACE = timedelta(seconds=10)  # for offers to expire before the wave after them looks at the seats
LONGEST_OFFER_HOURS = 90 * 24
PPM = 1_000_000


def read_overbooking(raw: Any) -> int | None:
    """The chance of more acceptances than seats at which offers are open calls; None: they hold seats. Raises
    InvalidInput."""
    if raw is not None and (type(raw) is not int or not 0 <= raw <= PPM):
        raise InvalidInput("overbooking_ppm", f"must be a whole number from 0 to {PPM}")
    return raw


def read_waves(raw: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """As they are stored; none where all are asked at once. Raises InvalidInput."""
    if raw is None:
        return []
    if len(raw) > MOST_WAVES:
        raise InvalidInput("waves", f"are at most {MOST_WAVES}")
    return [_read_wave(one, f"waves[{at}]").to_data() for at, one in enumerate(raw)]


def schedule_next_wave(run: AllocationRun, now: datetime) -> None:
    """Once a wave has been sent: have the next one looked after, at once where nobody was asked. The caller has locked
    the run."""
    wave = wave_of(run)
    if wave is not None and run.wave + 1 < len(run.waves):
        waits = timedelta(hours=wave.hours) if _live_offers(run).exists() else timedelta(0)
        set_timer(NEXT_WAVE, run.pk, now + waits + GRACE)


def waves_answered(offer_pks: Collection[int], now: datetime) -> None:
    """After offers were answered, or ended otherwise: where none of their wave waits any more, the next one is due at
    once. One statement where they are of no wave, however many there are."""
    runs = AllocationRun.objects.filter(proposals__offer__in=offer_pks).exclude(waves=[])
    for run in runs.order_by("pk").distinct("pk").only("pk"):
        if not _live_offers(run).exists():
            send_next_wave(run.pk, now)


def send_next_wave(run_pk: int, now: datetime) -> AllocationRun | None:
    """Queue the wave after this one, where it has ended and seats are still open. None where it has not, or there is
    nothing left to do; where it was done already, too: the timer and the last answer may both call this."""
    with transaction.atomic():
        run = AllocationRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run_pk)
        is_last = run.wave + 1 >= len(run.waves)
        if is_last or (run.sent + run.dropped == 0 and run.proposed) or _next_exists(run):
            return None
        last_answer = _live_offers(run).aggregate(last=Max("expires_at"))["last"]
        if last_answer is not None:  # somebody was given more time
            set_timer(NEXT_WAVE, run.pk, max(last_answer, now) + GRACE)
            return None
        cancel_timer(NEXT_WAVE, run.pk)
        if not Seat.objects.open().filter(opportunity__in=opportunities_in_scope(run, now)).exists():
            return None
        following = AllocationRun.objects.create(
            organisation_id=run.organisation_id,
            policy=run.policy,
            previous=run,
            cause=AllocationRun.Cause.WAVE,
            commits_itself=True,
            overbooking_ppm=run.overbooking_ppm,
            most_seats=run.most_seats,
            waves=run.waves,
            wave=run.wave + 1,
            offers_expire_hours=run.waves[run.wave + 1]["hours"],
            created_at=now,
        )
        following.opportunities.set(run.opportunities.all())
        append(following, "AllocationQueued", actor=Actor.system(), by=ActorKind.SYSTEM, now=now)
        return following


def _live_offers(run: AllocationRun) -> Any:
    return Offer.objects.live().filter(proposal__run=run)


def _next_exists(run: AllocationRun) -> bool:
    return AllocationRun.objects.filter(previous=run, cause=AllocationRun.Cause.WAVE).exists()


def _read_wave(raw: Mapping[str, Any], field: str) -> Wave:
    who, hours, per_seat = raw.get("who"), raw.get("hours"), raw.get("per_seat", USUAL_PER_SEAT)
    if who not in set(Who):
        raise InvalidInput(f"{field}.who", "must be one of " + ", ".join(Who))
    if type(hours) is not int or not 1 <= hours <= LONGEST_OFFER_HOURS:
        raise InvalidInput(f"{field}.hours", f"must be a whole number from 1 to {LONGEST_OFFER_HOURS}")
    if type(per_seat) is not int or not 1 <= per_seat <= MOST_PER_SEAT:
        raise InvalidInput(f"{field}.per_seat", f"must be a whole number from 1 to {MOST_PER_SEAT}")
    return Wave(Who(who), hours, per_seat)
