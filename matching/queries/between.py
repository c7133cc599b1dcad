"""What stands between opportunities and candidates when offers are about to be made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Count, QuerySet, Sum

from marketplace.core.workflow import ApplicationStatus, OfferState
from marketplace.models import Application, Offer, Placement
from matching.queries.scorable import Scorable, refused_pairs

Pair = tuple[int, int]  # inner ids of opportunity and candidate


class Between:
    """Blocks, lists, history, other offers. `limit`: how many live offers from allocations one person may hold."""

    def __init__(self, opportunity_ids: Collection[int], candidate_ids: Collection[int], limit: int) -> None:
        self.refused = refused_pairs(candidate_ids)
        self.ruled_out = ruled_out_pairs(opportunity_ids, candidate_ids)
        self.limit = limit
        self.offers, self.hours = _offers_from_allocations(candidate_ids)
        self._set_aside: dict[int, set[int]] = defaultdict(set)
        for opportunity_id, candidate_id in self.ruled_out:
            self._set_aside[opportunity_id].add(candidate_id)
        self._refusing: dict[int, set[int]] = defaultdict(set)
        for candidate_id, organisations in self.refused.items():
            for organisation_id in organisations:
                self._refusing[organisation_id].add(candidate_id)
        self.applicants: dict[int, set[int]] = defaultdict(set)
        self.applications: dict[Pair, int] = {}
        self.ranks: dict[Pair, int] = {}
        """Of applications, where the candidate says which they prefer: 1 for the first choice."""
        live = Application.objects.live().filter(opportunity__in=opportunity_ids, candidate__in=candidate_ids)
        for opportunity_id, candidate_id, pk, rank in live.values_list(
            "opportunity_id", "candidate_id", "pk", "preference_rank"
        ):
            self.applicants[opportunity_id].add(candidate_id)
            self.applications[opportunity_id, candidate_id] = pk
            if rank is not None:
                self.ranks[opportunity_id, candidate_id] = rank

    def is_engaged(self, candidate_id: int) -> bool:
        """Whether the person already holds as many offers from allocations as one may."""
        return self.offers.get(candidate_id, 0) >= self.limit

    def engaged(self) -> set[int]:
        return {candidate_id for candidate_id in self.offers if self.is_engaged(candidate_id)}

    def engage(self, candidate_id: int, hours: int = 0) -> None:
        """Count an offer that has just been sent, of so many hours a week."""
        self.offers[candidate_id] = self.offers.get(candidate_id, 0) + 1
        self.hours[candidate_id] = self.hours.get(candidate_id, 0) + hours

    def hours_promised(self, candidate_id: int) -> int:
        """What offers from allocations ask for: nothing where one may hold but one, which then is no other's."""
        return self.hours.get(candidate_id, 0) if self.limit > 1 else 0

    def may_meet(self, one: Scorable, candidate_id: int) -> bool:
        return (
            (one.pk, candidate_id) not in self.ruled_out
            and not self.is_engaged(candidate_id)
            and self.refused.get(candidate_id, set()).isdisjoint(one.organisations)
        )

    def set_aside(self, one: Scorable) -> set[int]:
        """With whom the opportunity is not to be brought together, whatever other offers they hold."""
        refusing = (self._refusing.get(organisation_id, set()) for organisation_id in one.organisations)
        return self._set_aside.get(one.pk, set()).union(*refusing)


def ruled_out_pairs(opportunity_ids: Collection[int], candidate_ids: Collection[int]) -> set[Pair]:
    """Pairs between which no new offer is due: one is out already, or they work there; or, where nobody has applied
    anew since, an offer was turned down or ran out, or the application was rejected or withdrawn."""
    scope = {"opportunity__in": opportunity_ids, "candidate__in": candidate_ids}
    over = [ApplicationStatus.REJECTED, ApplicationStatus.WITHDRAWN, ApplicationStatus.HIRED]
    unwanted = [OfferState.DECLINED, OfferState.EXPIRED]
    ended = {
        *_pairs(Application.objects.filter(**scope, status__in=over)),
        *_pairs(Offer.objects.filter(**scope, state__in=unwanted)),
    }
    ended -= _pairs(Application.objects.live().filter(**scope))
    return ended | _pairs(Offer.objects.live().filter(**scope)) | _pairs(Placement.objects.live().filter(**scope))


def _pairs(rows: QuerySet[Any]) -> set[Pair]:
    return set(rows.order_by().values_list("opportunity_id", "candidate_id"))


def _offers_from_allocations(candidate_ids: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Candidate → how many live offers they hold that an allocation sent, and the hours a week of these."""
    rows = list(
        Offer.objects.live()
        .filter(candidate__in=candidate_ids, proposal__isnull=False)
        .order_by()
        .values_list("candidate_id")
        .annotate(offers=Count("pk"), hours=Sum("weekly_hours"))
    )
    return {pk: offers for pk, offers, _ in rows}, {pk: hours for pk, _, hours in rows}
