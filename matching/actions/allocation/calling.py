"""Open calls without a plan to look at first: for recruiters who want seats filled, first come, first served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.core.actor import Actor
from accounts.errors import InvalidInput
from marketplace.access import access_opportunity
from marketplace.actions.standing import check_open
from marketplace.errors import SeatsFilled
from marketplace.models import Seat
from matching.actions.allocation.offering import read_overbooking
from matching.actions.allocation.planning import plan_allocation
from matching.actions.allocation.policies import default_policy
from matching.actions.models import serving_now
from matching.models import AllocationRun
from matching.queries.offering import Call, open_call
from matching.queries.scorable import basics_at


def size_open_call(*, actor: Actor, opportunity_id: UUID, overbooking_ppm: int, now: datetime) -> Call:
    """How many could be asked at once now. Raises InvalidInput, OpportunityNotOpen, NotFound, NotPermitted."""
    limit = _limit(overbooking_ppm)
    opportunity = access_opportunity(actor, opportunity_id, to="manage")
    check_open(opportunity, now)
    return open_call(opportunity, limit, default_policy(), basics_at(now, serving_now()))


def send_open_call(
    *,
    actor: Actor,
    opportunity_id: UUID,
    overbooking_ppm: int,
    offers_expire_hours: int = 72,
    waves: Sequence[Mapping[str, Any]] | None = None,
    now: datetime,
) -> AllocationRun:
    """Queue a run over one opportunity that sends its open calls by itself once it is planned.

    Raises InvalidInput, OpportunityNotOpen, SeatsFilled, NotFound, NotPermitted.
    """
    limit = _limit(overbooking_ppm)
    opportunity = access_opportunity(actor, opportunity_id, to="manage")
    check_open(opportunity, now)
    if not Seat.objects.open().filter(opportunity=opportunity).exists():
        raise SeatsFilled
    return plan_allocation(
        actor=actor,
        organisation_id=opportunity.posting_organisation.public_id,
        opportunity_ids=[opportunity.public_id],
        offers_expire_hours=offers_expire_hours,
        overbooking_ppm=limit,
        waves=waves,
        commits_itself=True,
        now=now,
    )


def _limit(raw: int) -> int:
    limit = read_overbooking(raw)
    if limit is None:
        raise InvalidInput("overbooking_ppm", "must be given")
    return limit
