"""Scoring some candidates for some opportunities: do they enter, keep or leave its best?

The matches of an opportunity hold at least its true top K: all who stand at its edge or before it. One pair's change
keeps that true without looking at anybody else. Whoever leaves, or falls behind the edge, is let go of; where fewer
than K are left then, it is not known who moves up, and the opportunity is marked to be scored as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from marketplace.models import Application, Opportunity
from matching.actions import marks
from matching.actions.models import serving_now
from matching.actions.rescoring.ranking import Kept, explained, unscored_pair
from matching.actions.rescoring.rows import note, store
from matching.core.eligibility import truth
from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.scoring import UNSCORED, LinearModel
from matching.models import CandidateProjection, Mark, Match, ScoringModel, UnscoredPair
from matching.queries.matches import Place, place_of
from matching.queries.projection import projected_facts
from matching.queries.scorable import (
    SCORED_STATES,
    Basics,
    Scorable,
    basics_at,
    most_kept,
    refused_pairs,
    scorables,
    top_k,
)
from matching.queries.serving import Served
from matching.queries.totals import totals_of

AT_ONCE = 2000  # opportunities whose terms are held at a time

_MODELS = """
    SELECT one, (SELECT model_id FROM matching_match WHERE opportunity_id = one LIMIT 1)
    FROM unnest(%s::bigint[]) AS one
"""
# Who applied is kept wherever they rank: of those behind the K-th only who never did tells how far a list reaches.
# Lists are counted in the index, and looked at from their ends, so that a hundred of them take ten milliseconds.
_EDGES = """
    SELECT one.id, place, -fit, tie_break, candidate_id
    FROM unnest(%(opportunities)s::bigint[]) AS one (id)
    CROSS JOIN LATERAL (
        WITH last AS MATERIALIZED (
            SELECT fit, tie_break, candidate_id FROM matching_match
            WHERE opportunity_id = one.id AND NOT EXISTS (
                SELECT FROM marketplace_application application
                WHERE application.opportunity_id = matching_match.opportunity_id
                    AND application.candidate_id = matching_match.candidate_id
            )
            ORDER BY fit, tie_break DESC, candidate_id DESC LIMIT 1
        ), reached AS MATERIALIZED (
            SELECT (SELECT count(*) FROM matching_match WHERE opportunity_id = one.id) - (
                SELECT count(*) FROM matching_match behind
                WHERE opportunity_id = one.id AND behind.fit <= last.fit AND (
                    behind.fit < last.fit
                    OR (behind.tie_break, behind.candidate_id) > (last.tie_break, last.candidate_id)
                )
            ) AS place, last.*
            FROM last
        )
        SELECT * FROM reached WHERE place >= %(k)s
        UNION ALL
        (
            SELECT %(k)s, fit, tie_break, candidate_id FROM matching_match
            WHERE opportunity_id = one.id AND NOT EXISTS (SELECT FROM reached WHERE place >= %(k)s)
            ORDER BY fit DESC, tie_break, candidate_id OFFSET %(k)s - 1 LIMIT 1
        )
    ) edge
"""
_BEYOND = """
    SELECT beyond.id FROM unnest(%s::bigint[]) AS one (id)
    CROSS JOIN LATERAL (
        SELECT id FROM matching_match WHERE opportunity_id = one.id
        ORDER BY fit DESC, tie_break, candidate_id OFFSET %s
    ) beyond
"""


def rescore(pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """Bring the matches of these pairs of opportunity and candidate (inner ids) up to date, by the projection; the
    caller holds the lock alone."""
    chosen: dict[int, set[int]] = defaultdict(set)
    for opportunity_id, candidate_id in pairs:
        chosen[opportunity_id].add(candidate_id)
    facts = {one.candidate_id: one for one in projected_facts({candidate_id for _, candidate_id in pairs})}
    settle(chosen, facts, basics_at(now, serving_now()))


def settle(
    chosen: Mapping[int, set[int]],
    facts: Mapping[int, CandidateFacts],
    basics: Basics,
    terms: Mapping[int, OpportunityTerms] = MappingProxyType({}),
) -> None:
    """Make the matches of opportunities with the candidates chosen for each what they should be by these facts. `terms`
    are those that the caller has read already.

    Opportunities that are marked themselves are left to their own turn, which cannot have begun.
    """
    people = _People(list(facts))
    marked = Mark.objects.filter(subject_type=Mark.Subject.OPPORTUNITY).values("subject_id")
    ids = sorted(chosen)
    unsure: set[int] = set()
    for start in range(0, len(ids), AT_ONCE):
        rows = Opportunity.objects.filter(pk__in=ids[start : start + AT_ONCE], state__in=SCORED_STATES)
        scored = _as_listed(scorables(rows.exclude(pk__in=marked), basics, terms))
        if scored:
            unsure |= _settle(scored, chosen, facts, people, basics)
    if unsure:
        marks.mark_opportunities(unsure, basics.now)


def _as_listed(scored: Mapping[int, Scorable]) -> dict[int, Scorable]:
    """Each with the model that its matches are of: all have one, so one of them tells. Until an opportunity is scored
    as a whole by another model, those of one list stay comparable."""
    with connection.cursor() as cursor:
        cursor.execute(_MODELS, [list(scored)])
        models = {pk: model_id for pk, model_id in cursor.fetchall() if model_id not in (None, scored[pk].model.pk)}
    known = ScoringModel.objects.select_related("segment").in_bulk(set(models.values()))
    return {
        pk: replace(one, served=Served(one.served.segment, one.served.predicate, known[models[pk]]))
        if pk in models
        else one
        for pk, one in scored.items()
    }


def _settle(
    scored: Mapping[int, Scorable],
    chosen: Mapping[int, set[int]],
    facts: Mapping[int, CandidateFacts],
    people: _People,
    basics: Basics,
) -> set[int]:
    """The opportunities of which it is not known any more who is among the best."""
    before = _places(list(scored), list(facts))
    edges = _edges(list(scored))
    rows: list[Match] = []
    unscored: list[UnscoredPair] = []
    gone: list[tuple[int, int]] = []
    unsure: set[int] = set()
    fits = _fits(scored, chosen, facts, people, basics.on)
    for scorable in scored.values():
        edge, left = edges.get(scorable.pk), 0
        for candidate_id in sorted(chosen[scorable.pk] & facts.keys()):
            pair, fact = (scorable.pk, candidate_id), facts[candidate_id]
            place: Place | None = None
            matches: list[Match] = []
            if pair in fits and fits[pair] == UNSCORED:
                unscored.append(unscored_pair(scorable, fact, basics))
            elif pair in fits:
                place = place_of(fits[pair], scorable, candidate_id, basics.key)
            if place is not None and (_reaches(edge, place) or pair in people.applied):
                matches, without = explained(scorable, Kept([fact]), basics)
                rows += matches
                unscored += without
            if pair in before and not matches:
                gone.append(pair)
            left += (pair in before and _reaches(edge, before[pair])) - bool(matches and _reaches(edge, place))
        if edge is not None and left > 0 and edge.known - left < top_k():
            unsure.add(scorable.pk)
    _delete(gone)
    store(rows)
    _settle_unscored(scored, facts, unscored)
    _trim({row.opportunity_id for row in rows})
    marks.mark_for_shadows({row.opportunity_id for row in rows}, basics.now)
    return unsure


def _fits(
    scored: Mapping[int, Scorable],
    chosen: Mapping[int, set[int]],
    facts: Mapping[int, CandidateFacts],
    people: _People,
    on: date,
) -> dict[tuple[int, int], int]:
    """The fit of those of the pairs who may be matched, scored together."""
    pairs = [
        (scorable, facts[candidate_id])
        for scorable in scored.values()
        for candidate_id in sorted(chosen[scorable.pk] & facts.keys())
        if people.may_be_matched(scorable, facts[candidate_id]) and _passes(scorable, facts[candidate_id], on)
    ]
    fits = totals_of(pairs, "fit")["fit"].tolist()
    return {(scorable.pk, fact.candidate_id): fit for (scorable, fact), fit in zip(pairs, fits, strict=True)}


def _settle_unscored(
    scored: Mapping[int, Scorable], facts: Mapping[int, CandidateFacts], unscored: list[UnscoredPair]
) -> None:
    """Only a model that is not linear may have no number, and only what it did not have before may be noted."""
    odd = [scorable.pk for scorable in scored.values() if not isinstance(scorable.scorer, LinearModel)]
    if odd:
        UnscoredPair.objects.filter(opportunity__in=odd, candidate__in=list(facts)).delete()
        note(unscored)


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


def _places(opportunity_ids: list[int], candidate_ids: list[int]) -> dict[tuple[int, int], Place]:
    """Where these candidates stand now."""
    return {
        (opportunity_id, candidate_id): (-fit, tie_break, candidate_id)
        for opportunity_id, candidate_id, fit, tie_break in Match.objects.filter(
            candidate__in=candidate_ids, opportunity__in=opportunity_ids
        ).values_list("opportunity_id", "candidate_id", "fit", "tie_break")
    }


class _Edge(NamedTuple):
    """The last place up to which all are stored, and how many these are."""

    place: Place
    known: int


def _edges(opportunity_ids: list[int]) -> dict[int, _Edge]:
    """Of each opportunity that has K matches or more; of any other, all whom it may have are stored."""
    with connection.cursor() as cursor:
        cursor.execute(_EDGES, {"opportunities": opportunity_ids, "k": top_k()})
        return {row[0]: _Edge((row[2], row[3], row[4]), row[1]) for row in cursor.fetchall()}


def _reaches(edge: _Edge | None, place: Place | None) -> bool:
    """Whether a place is among those that are stored."""
    return place is not None and (edge is None or place <= edge.place)


def _trim(opportunity_ids: set[int]) -> None:
    """Let go of those beyond as many as are kept who did not apply. In two steps: as one statement it invites plans
    that rank everything anew for every row."""
    if not opportunity_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND, [sorted(opportunity_ids), most_kept()])
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
