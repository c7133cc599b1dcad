"""The people whom a market may be about, as columns that judge rules for all of them at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Exists, F, OuterRef, Q
from numpy.typing import NDArray

from marketplace.models import Application
from marketplace.queries.facts import facts_of
from matching.core.columns import Crowd
from matching.core.columns.bits import unpacked
from matching.core.columns.passing import accepted
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.core.rules import Rule, normal
from matching.core.rules.normal import Normal
from matching.models import CandidateProjection
from matching.queries.roster import crowd_of
from matching.queries.scorable import Basics

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
_READ = (
    "pk", "discoverable", "open_to_offers", "free_hours", "weekly_hours", "available_from", "revision", "now_at",
    "rate_set_id",
)  # fmt: skip
ANY_HOURS = int(np.iinfo(np.int64).max) // 2  # of who stated none


@dataclass(frozen=True, eq=False)
class AtHand:
    """Everybody present who applied to one of some opportunities or is open to offers: columns in the order of `ids`
    (inner, ascending). `behind` are those whose projection is older than their row: `facts` are theirs, and decide."""

    ids: Integers
    findable: Mask
    free_hours: Integers
    weekly_hours: Integers
    days_until_available: Integers
    revision: Integers
    behind: Mask
    crowd: Crowd
    facts: Mapping[int, CandidateFacts]
    on: date

    @property
    def people(self) -> int:
        return len(self.ids)

    def rows_of(self, candidate_ids: Collection[int]) -> NDArray[np.intp]:
        """The positions of those of these candidates who are at hand."""
        at, inside = self._places(candidate_ids)
        return at[inside]

    def accepted_by_copy(self, tree: Normal) -> Mask:
        """Whom a resolved rule in normal form surely accepts by what is projected of them."""
        return unpacked(accepted(tree, self.crowd, self.on), self.people).copy()

    def accepted(self, rule: Rule) -> Mask:
        """Whom a resolved rule surely accepts."""
        found = self.accepted_by_copy(normal(rule))
        for row in np.flatnonzero(self.behind).tolist():
            facts = self.facts.get(int(self.ids[row]))
            found[row] = facts is not None and truth(rule, facts, on=self.on) is True
        return found

    def hours_left(self, held: Mapping[int, int]) -> Integers:
        """Free hours less those that are held for something else, by candidate."""
        left = self.free_hours.copy()
        at, inside = self._places(held)
        left[at[inside]] -= np.array(list(held.values()), np.int64)[inside]
        return left

    def _places(self, candidate_ids: Collection[int]) -> tuple[NDArray[np.intp], Mask]:
        wanted = np.fromiter(candidate_ids, np.int64, len(candidate_ids))
        at = np.searchsorted(self.ids, wanted)
        inside = at < len(self.ids)
        inside[inside] = self.ids[at[inside]] == wanted[inside]
        return at, inside


def at_hand(opportunity_ids: Collection[int], basics: Basics) -> AtHand:
    """Whom these opportunities may be about. A constant number of statements.

    The projection may be behind by a moment in what does not count up a person's revision, such as the hours that a
    placement takes: whoever commits asks the tables again.
    """
    applied = Exists(Application.objects.live().filter(opportunity__in=opportunity_ids, candidate_id=OuterRef("pk")))
    rows = CandidateProjection.objects.filter(
        Q(discoverable=True, open_to_offers=True) | Q(applied),
        present=True,
        candidate__merged_into=None,
        candidate__suspended_at=None,
    ).order_by("pk")
    read = list(rows.annotate(now_at=F("candidate__revision")).values_list(*_READ, named=True))
    crowd = crowd_of([row.pk for row in read])
    there = set(crowd.parts[0].segment.ids.tolist())  # who left between the two statements is not at hand
    read = [row for row in read if row.pk in there]
    rates = basics.rates.pk if basics.rates else None
    behind = {row.pk for row in read if row.revision != row.now_at or row.rate_set_id != rates}
    facts = facts_of(sorted(behind), on=basics.on, rate_set=basics.rates) if behind else {}
    stated = [
        (known.free_hours, known.available_from, known.weekly_hours)
        for known in (facts.get(row.pk, row) for row in read)
    ]
    return AtHand(
        ids=np.array([row.pk for row in read], np.int64),
        findable=np.array([row.discoverable and row.open_to_offers for row in read], np.bool_),
        free_hours=np.array([ANY_HOURS if hours is None else hours for hours, _, _ in stated], np.int64),
        weekly_hours=np.array([ANY_HOURS if hours is None else hours for _, _, hours in stated], np.int64),
        days_until_available=np.array(
            [0 if day is None else max((day - basics.on).days, 0) for _, day, _ in stated], np.int64
        ),
        revision=np.array([row.now_at for row in read], np.int64),
        behind=np.array([row.pk in behind for row in read], np.bool_),
        crowd=crowd,
        facts=facts,
        on=basics.on,
    )
