"""How a run offers: to whom in its wave, and how many offers for the seats there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketplace.models import CandidateGroup, CandidateGroupMembership, Opportunity, Seat
from matching.core.allocation import CallSize, call_size
from matching.core.run_policy import RunPolicy
from matching.core.waves import Wave, Who, waves_from_data
from matching.models import AllocationRun
from matching.queries.between import Between
from matching.queries.candidates_at_hand import at_hand
from matching.queries.open_calls import chances_of_open_calls
from matching.queries.pairings import Pairings, pairings_of
from matching.queries.scorable import Basics, Scorable, scorables


@dataclass(frozen=True, slots=True)
class Call:
    """An open call that could go out now: for how many open seats, and beside how many live calls for the same ones."""

    size: CallSize
    seats: int
    outstanding: int


def wave_of(run: AllocationRun) -> Wave | None:
    """None where all are asked at once."""
    waves = waves_from_data(run.waves)
    return waves[run.wave] if waves else None


def in_its_wave(
    run: AllocationRun, opportunities: Mapping[int, Scorable], seats: Mapping[int, int], pairings: Pairings
) -> Pairings:
    """Those pairs that the run's wave is about."""
    wave = wave_of(run)
    if wave is None or wave.who is Who.REST:
        return pairings
    kept = np.zeros(len(pairings), np.bool_)
    favourites = _favourites(opportunities) if wave.who is Who.FAVOURITES else {}
    for pk, one in opportunities.items():
        of = _rows(pairings, pk)
        if wave.who is Who.FAVOURITES:
            theirs = set().union(*(favourites.get(organisation, set()) for organisation in one.organisations))
            kept[of] = np.isin(pairings.candidate[of], sorted(theirs))
        else:
            kept[of] = _best(pairings.fit[of], wave.per_seat * seats[pk])
    return pairings.kept(kept)


def call_sizes(
    run: AllocationRun,
    open_seats: Mapping[int, int],
    pairings: Pairings,
    outstanding: Mapping[int, Collection[int]],
) -> dict[int, int]:
    """Opportunity → how many open calls may go out for its open seats, so that more acceptances than seats stay as
    unlikely as the run asks, if those who are worth most are asked. `outstanding` are the chances of live calls."""
    limit = run.overbooking_ppm or 0
    seats = {pk: min(count, run.most_seats or count) for pk, count in open_seats.items()}
    return {pk: _call(pairings, pk, count, limit, outstanding.get(pk, ())).offers for pk, count in seats.items()}


def open_call(opportunity: Opportunity, limit_ppm: int, policy: RunPolicy, basics: Basics) -> Call:
    """What an open call for one opportunity could be now, under a policy."""
    found = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics)
    count = Seat.objects.open().filter(opportunity=opportunity).count()
    if not found or not count:
        return Call(call_size((), 0, limit_ppm=limit_ppm), count, 0)
    people = at_hand(found, basics)
    between = Between(list(found), people.ids.tolist(), policy.offers_at_once)
    outstanding = chances_of_open_calls(found, found, basics).get(opportunity.pk, [])
    pairings = pairings_of(found, people, between, policy, basics)
    return Call(_call(pairings, opportunity.pk, count, limit_ppm, outstanding), count, len(outstanding))


def _call(pairings: Pairings, pk: int, seats: int, limit_ppm: int, outstanding: Collection[int]) -> CallSize:
    of = _rows(pairings, pk)
    order = np.lexsort((pairings.candidate[of], -pairings.value[of]))
    return call_size(pairings.acceptance_ppm[of][order], seats, limit_ppm=limit_ppm, outstanding_ppm=list(outstanding))


def _rows(pairings: Pairings, pk: int) -> slice:
    return slice(*np.searchsorted(pairings.opportunity, [pk, pk + 1]).tolist())


def _best(fits: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """The highest so many, and those as high as the last of them: nobody is left out by the order of rows."""
    if len(fits) <= count:
        return np.ones(len(fits), np.bool_)
    return np.asarray(fits >= np.partition(fits, len(fits) - count)[len(fits) - count])


def _favourites(opportunities: Mapping[int, Scorable]) -> dict[int, set[int]]:
    """Organisation → who is on its list."""
    organisations = {organisation for one in opportunities.values() for organisation in one.organisations}
    rows = CandidateGroupMembership.objects.filter(
        group__kind=CandidateGroup.Kind.FAVOURITES, group__organisation__in=organisations
    )
    found: dict[int, set[int]] = {}
    for organisation, candidate in rows.order_by().values_list("group__organisation_id", "candidate_id"):
        found.setdefault(organisation, set()).add(candidate)
    return found
