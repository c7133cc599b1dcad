"""Which people may be offered which opportunity, and what each pair is worth: for a whole market at once.

Two kinds of pairs are scored one by one, by the same specification as columns: of people whose projection is behind
their row, and of models that columns cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from marketplace.models import Opportunity
from marketplace.queries.facts import facts_of
from matching.core.allocation import edge_values
from matching.core.columns.bits import packed
from matching.core.columns.scoring import scored_by_columns, scores
from matching.core.facts import CandidateFacts
from matching.core.run_policy import RunPolicy
from matching.core.scoring import UNSCORED, LinearModel
from matching.queries.between import Between, Pair
from matching.queries.candidates_at_hand import AtHand, Mask
from matching.queries.scorable import Basics, Scorable
from matching.queries.totals import totals_of

Integers = NDArray[np.int64]
HEADS = ("fit", "acceptance", "interest")
FIRST_CHOICE = 2**60  # above any score: what somebody ranked they want more than what they did not


@dataclass(frozen=True, slots=True)
class Edge:
    """One pair that may be matched. Scores in micro-units of log-odds."""

    fit: int
    acceptance: int
    value: int


@dataclass(frozen=True, eq=False)
class Pairings:
    """Pairs that may be matched, in columns of equal length (int64), by opportunity, then candidate (inner ids).

    `fit`, `acceptance` and `interest` are scores in micro-units of log-odds, the first two besides as probabilities in
    millionths; `days` until the person could start; `urgency` in thousandths; `hours` a week, 0 where none are stated;
    `wants` orders opportunities for a candidate, more is better; `value` is what the pair is worth under the policy.
    """

    opportunity: Integers
    candidate: Integers
    fit: Integers
    acceptance: Integers
    interest: Integers
    fit_ppm: Integers
    acceptance_ppm: Integers
    days: Integers
    urgency: Integers
    hours: Integers
    wants: Integers
    value: Integers

    def __len__(self) -> int:
        return len(self.value)

    def at(self, pair: Pair) -> int | None:
        """Its position."""
        low, high = np.searchsorted(self.opportunity, [pair[0], pair[0] + 1]).tolist()
        at = low + int(np.searchsorted(self.candidate[low:high], pair[1]))
        return at if at < high and self.candidate[at] == pair[1] else None

    def edge(self, pair: Pair) -> Edge | None:
        at = self.at(pair)
        return None if at is None else Edge(int(self.fit[at]), int(self.acceptance[at]), int(self.value[at]))

    def kept(self, which: Mask | Integers) -> Pairings:
        return Pairings(*(getattr(self, column.name)[which] for column in fields(self)))


def pairings_of(
    opportunities: Mapping[int, Scorable],
    at_hand: AtHand,
    between: Between,
    policy: RunPolicy,
    basics: Basics,
    told: Callable[[int], None] = lambda done: None,
) -> Pairings:
    """All pairs of these opportunities and people that an offer may be made to: surely eligible, with the hours to
    spare, not set aside, and no worse than the least fit. Those whom the model has no number for are left out. `told`
    hears of how many opportunities are done."""
    rows: dict[int, NDArray[np.intp]] = {}
    for pk, one in sorted(opportunities.items()):
        rows[pk] = np.flatnonzero(_suited(one, at_hand, between))
        told(len(rows))
    found = scored_pairings(opportunities, rows, at_hand, policy, basics)
    found = found.kept(found.fit_ppm >= policy.min_fit_ppm)
    for (opportunity_id, candidate_id), rank in between.ranks.items():
        position = found.at((opportunity_id, candidate_id))
        if position is not None:
            found.wants[position] = FIRST_CHOICE - rank
    worth = edge_values(policy.weights, found.fit_ppm, found.acceptance_ppm, found.days, found.urgency)
    return replace(found, value=worth)


def scored_pairings(
    opportunities: Mapping[int, Scorable],
    rows: Mapping[int, NDArray[np.intp]],
    at_hand: AtHand,
    policy: RunPolicy,
    basics: Basics,
) -> Pairings:
    """Of each opportunity, in ascending order, these rows of people, with probabilities but not yet valued. Those whom
    the model has no number for are left out."""
    found = _unvalued(opportunities, rows, at_hand, policy, basics)
    found = found.kept((found.fit != UNSCORED) & (found.acceptance != UNSCORED))
    for pk in rows:
        scorer, at = opportunities[pk].scorer, slice(*np.searchsorted(found.opportunity, [pk, pk + 1]).tolist())
        found.fit_ppm[at] = scorer.probabilities_ppm("fit", found.fit[at])
        found.acceptance_ppm[at] = scorer.probabilities_ppm("acceptance", found.acceptance[at])
    return found


def deadline_of(one: Scorable) -> date | None:
    """The day by which the opportunity's seats should be filled: it closes, or work begins."""
    closes_at = one.opportunity.closes_at
    days = [day for day in (closes_at.date() if closes_at else None, one.terms.starts_on) if day is not None]
    return min(days, default=None)


def reachable(one: Scorable, at_hand: AtHand, between: Between) -> Mask:
    """Who may be offered a seat at all: live applicants; where the opportunity is not for the invited alone, also those
    open to offers."""
    invited_only = one.opportunity.visibility == Opportunity.Visibility.INVITED
    found = np.zeros(at_hand.people, np.bool_) if invited_only else at_hand.findable.copy()
    found[at_hand.rows_of(between.applicants.get(one.pk, ()))] = True
    return found


def passing(one: Scorable, at_hand: AtHand) -> Mask:
    """Whom the rule surely accepts, or a waiver lets in."""
    found = at_hand.accepted(one.rule)
    found[at_hand.rows_of(one.waived)] = True
    return found


def without_hours(one: Scorable, at_hand: AtHand, between: Between) -> Mask:
    """Who surely lacks the hours. What offers from allocations ask for counts where several may be held at once."""
    asked = one.terms.weekly_hours
    if asked is None:
        return np.zeros(at_hand.people, np.bool_)
    free = at_hand.free_hours if between.limit == 1 else at_hand.hours_left(between.hours)
    return np.asarray(free < asked)


def _suited(one: Scorable, at_hand: AtHand, between: Between) -> Mask:
    found = passing(one, at_hand) & reachable(one, at_hand, between) & ~without_hours(one, at_hand, between)
    found[at_hand.rows_of(between.set_aside(one) | between.engaged())] = False
    return found


def _unvalued(
    opportunities: Mapping[int, Scorable],
    rows: Mapping[int, NDArray[np.intp]],
    at_hand: AtHand,
    policy: RunPolicy,
    basics: Basics,
) -> Pairings:
    """The pairs with scores and all else that needs no score."""
    sizes = [len(rows[pk]) for pk in rows]
    everybody = np.concatenate([np.empty(0, np.intp), *rows.values()])
    keys = np.repeat(np.array(list(rows), np.int64), sizes)
    heads = {head: np.full(len(keys), UNSCORED, np.int64) for head in HEADS}
    one_by_one: list[int] = []
    end = 0
    for (pk, theirs), size in zip(rows.items(), sizes, strict=True):
        one, start, end = opportunities[pk], end, end + size
        if _told_by_columns(one):
            of = packed(_mask(theirs, at_hand.people))
            for head in HEADS:
                told = scores(at_hand.crowd, of, one.terms, one.linear.heads[head])
                heads[head][start:end] = told.scores[np.argsort(told.ids, kind="stable")]
            one_by_one += (start + np.flatnonzero(at_hand.behind[theirs])).tolist()
        else:
            one_by_one += range(start, end)
    people = at_hand.ids[everybody]
    facts = _facts(np.unique(people[one_by_one]).tolist(), at_hand, basics)
    pairs = [(opportunities[int(keys[at])], facts.get(int(people[at]))) for at in one_by_one]
    known = [(at, (one, fact)) for at, (one, fact) in zip(one_by_one, pairs, strict=True) if fact is not None]
    told_singly = totals_of([pair for _, pair in known], *HEADS)
    for head in HEADS:
        heads[head][one_by_one] = UNSCORED
        heads[head][[at for at, _ in known]] = told_singly[head]
    each = [opportunities[pk] for pk in rows]
    starts = [max(((one.terms.starts_on or basics.on) - basics.on).days, 0) for one in each]
    return Pairings(
        opportunity=keys,
        candidate=people,
        **heads,
        fit_ppm=np.zeros(len(keys), np.int64),
        acceptance_ppm=np.zeros(len(keys), np.int64),
        days=np.maximum(np.repeat(np.array(starts, np.int64), sizes), at_hand.days_until_available[everybody]),
        urgency=np.repeat(np.array([policy.urgency(deadline_of(one), basics.on) for one in each], np.int64), sizes),
        hours=np.repeat(np.array([one.terms.weekly_hours or 0 for one in each], np.int64), sizes),
        wants=heads["interest"].copy(),
        value=np.zeros(len(keys), np.int64),
    )


def _told_by_columns(one: Scorable) -> bool:
    return isinstance(one.scorer, LinearModel) and all(scored_by_columns(one.linear.heads[head]) for head in HEADS)


def _facts(candidate_ids: Sequence[int], at_hand: AtHand, basics: Basics) -> dict[int, CandidateFacts]:
    missing = [pk for pk in candidate_ids if pk not in at_hand.facts]
    return {**at_hand.facts, **(facts_of(missing, on=basics.on, rate_set=basics.rates) if missing else {})}


def _mask(rows: NDArray[np.intp], people: int) -> Mask:
    mask = np.zeros(people, np.bool_)
    mask[rows] = True
    return mask
