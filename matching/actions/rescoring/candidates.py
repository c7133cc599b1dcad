"""Scoring candidates against every open opportunity: do they enter, keep or leave its best?

The matches of an opportunity hold at least its true top K. One candidate's change keeps that true without looking at
anybody else, except where somebody leaves a full list or falls behind its K-th: who moves up is not known then, and
the opportunity is marked to be scored as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from django.db import connection
from django.db.models import Exists, OuterRef

from marketplace.models import Application, Opportunity
from marketplace.queries.facts import current_rate_set, facts_of
from matching.actions import marks, projection
from matching.actions.models import live_model
from matching.actions.rescoring.rows import Place, match_of, place_of, store
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts
from matching.models import CandidateProjection, Mark, Match
from matching.queries.scorable import SCORED_STATES, Scorable, basics_at, refused_pairs, scorables, top_k

_LAST_PLACES = """
    SELECT opportunity_id, -fit, tie_break, candidate_id FROM (
        SELECT *, row_number() OVER (PARTITION BY opportunity_id ORDER BY fit DESC, tie_break, candidate_id) AS place
        FROM matching_match WHERE opportunity_id = ANY(%s)
    ) ranked WHERE place = %s
"""
_BEYOND = """
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY opportunity_id ORDER BY fit DESC, tie_break, candidate_id) AS place
        FROM matching_match WHERE opportunity_id = ANY(%s)
    ) ranked WHERE place > %s
"""


def rescore(candidate_ids: list[int], now: datetime) -> None:
    """Bring projections and matches of these candidates (inner ids) up to date; the caller holds the lock alone.

    Opportunities that are marked themselves are left to their own turn, which cannot have begun.
    """
    on = now.astimezone(UTC).date()
    rates = current_rate_set(on=on)
    facts = facts_of(candidate_ids, on=on, rate_set=rates)
    projection.write(facts, rates, now)
    marked = Mark.objects.filter(subject_type=Mark.Subject.OPPORTUNITY).values("subject_id")
    open_ones = Opportunity.objects.filter(state__in=SCORED_STATES).exclude(pk__in=marked)
    if not facts or not open_ones.exists():
        return
    basics = basics_at(now, live_model())
    people = _People(list(facts))
    before = {
        (opportunity_id, candidate_id): (-fit, tie_break, candidate_id)
        for opportunity_id, candidate_id, fit, tie_break in Match.objects.filter(
            candidate__in=list(facts), opportunity__in=open_ones
        ).values_list("opportunity_id", "candidate_id", "fit", "tie_break")
    }
    scored = scorables(open_ones, basics)
    last_places = _last_places(list(scored))
    rows: list[Match] = []
    gone: list[tuple[int, int]] = []
    unsure: set[int] = set()
    for scorable in scored.values():
        last = last_places.get(scorable.pk)
        for fact in facts.values():
            pair = scorable.pk, fact.candidate_id
            place = None
            if people.may_be_matched(scorable, fact) and _passes(scorable, fact, basics.on):
                fit = basics.score_of("fit", fact, scorable.terms)
                place = place_of(fit, scorable, fact.candidate_id, basics.key)
            if pair in before and last is not None and before[pair] <= last and (place is None or place > last):
                unsure.add(scorable.pk)
            if place is not None and (last is None or place <= last or pair in people.applied):
                rows.append(match_of(fact, scorable, place, basics))
            elif pair in before:
                gone.append(pair)
    _delete(gone)
    store(rows)
    _trim({row.opportunity_id for row in rows})
    if unsure:
        marks.mark_opportunities(unsure, now)


class _People:
    """Who of a batch is present and to be found, whom they refuse or are refused by, what they applied to."""

    def __init__(self, candidate_ids: list[int]) -> None:
        self.found: Mapping[int, bool] = dict(
            CandidateProjection.objects.filter(pk__in=candidate_ids, present=True).values_list("pk", "discoverable")
        )
        self.refused = refused_pairs(candidate_ids)
        self.applied = set(
            Application.objects.live().filter(candidate__in=candidate_ids).values_list("opportunity_id", "candidate_id")
        )

    def may_be_matched(self, scorable: Scorable, facts: CandidateFacts) -> bool:
        """As `pool_of` has it, before the rule."""
        pk = facts.candidate_id
        if pk not in self.found:
            return False
        if (scorable.pk, pk) in self.applied:
            return True
        return self.found[pk] and self.refused.get(pk, set()).isdisjoint(scorable.organisations)


def _passes(scorable: Scorable, facts: CandidateFacts, on: date) -> bool:
    return facts.candidate_id in scorable.waived or truth(scorable.rule, facts, on=on) is not False


def _last_places(opportunity_ids: list[int]) -> dict[int, Place]:
    """The K-th place of each opportunity that has so many matches."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_PLACES, [opportunity_ids, top_k()])
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


def _trim(opportunity_ids: set[int]) -> None:
    """Let go of those beyond the K-th who did not apply. In two steps: as one statement it invites plans that rank
    everything anew for every row."""
    if not opportunity_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND, [sorted(opportunity_ids), top_k()])
        beyond = [row[0] for row in cursor.fetchall()]
    if beyond:
        applied = Application.objects.live().filter(
            opportunity_id=OuterRef("opportunity_id"), candidate_id=OuterRef("candidate_id")
        )
        Match.objects.filter(~Exists(applied), pk__in=beyond).delete()


def _delete(pairs: list[tuple[int, int]]) -> None:
    if pairs:
        opportunities, candidates = zip(*pairs, strict=True)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DELETE FROM matching_match
                USING unnest(%s::bigint[], %s::bigint[]) AS gone (opportunity_id, candidate_id)
                WHERE matching_match.opportunity_id = gone.opportunity_id
                  AND matching_match.candidate_id = gone.candidate_id
                """,
                [list(opportunities), list(candidates)],
            )
