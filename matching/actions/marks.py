"""Marking what has changed, so that it is scored again. A thousand edits of one subject make one mark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from marketplace.models import OpportunityRevision
from marketplace.queries.rates import current_rate_set
from marketplace.queries.rules import resolved_rules
from matching.actions import locks
from matching.actions.bells import Bell
from matching.compile_sql import compile_rule
from matching.models import CandidateProjection, Mark
from matching.queries.roster import keeper
from matching.queries.scorable import SCORED_STATES

bell = Bell("matching.tasks.drain_marks", gather_seconds=0.3)

# Always in order of ids, so that two who mark many do not wait for each other in a circle.
_NAMED = """
    INSERT INTO matching_mark (subject_type, subject_id, generation, since)
    SELECT %s, id, 1, %s FROM unnest(%s::bigint[]) AS id ORDER BY id
    ON CONFLICT ON CONSTRAINT one_mark_per_subject DO UPDATE
    SET generation = matching_mark.generation + 1, since = LEAST(matching_mark.since, excluded.since)
"""

# Who marks never waits for who is at work on a mark: such a one holds no lock of the row before its very end.
_SHADOWED = """
    INSERT INTO matching_shadowmark (opportunity_id, since)
    SELECT id, %s FROM unnest(%s::bigint[]) AS id
    WHERE EXISTS (SELECT FROM matching_scoringmodel WHERE state = 'shadow')
    ORDER BY id ON CONFLICT DO NOTHING
"""
_ALL_SHADOWED = """
    INSERT INTO matching_shadowmark (opportunity_id, since)
    SELECT id, %s FROM marketplace_opportunity WHERE state = ANY(%s) ORDER BY id ON CONFLICT DO NOTHING
"""

# Somebody whose own batch is at work may be projected as they were and judged by the rule as it was: they come along.
_PAIRS = """
    INSERT INTO matching_pairmark (opportunity_id, candidate_id, generation, since)
    SELECT %s, candidate_id, 1, %s FROM (
        {differing}
        UNION
        SELECT mark.subject_id FROM matching_mark mark JOIN marketplace_candidate candidate ON candidate.id = subject_id
        WHERE mark.subject_type = 'candidate' AND %s
    ) AS people (candidate_id)
    ORDER BY candidate_id
    ON CONFLICT ON CONSTRAINT one_mark_per_pair DO UPDATE
    SET generation = matching_pairmark.generation + 1, since = LEAST(matching_pairmark.since, excluded.since)
"""


def mark_candidates(candidate_ids: Iterable[int], since: datetime) -> None:
    _mark(_NAMED, [Mark.Subject.CANDIDATE.value, since, sorted(set(candidate_ids))])


def mark_opportunities(opportunity_ids: Iterable[int], since: datetime) -> None:
    _mark(_NAMED, [Mark.Subject.OPPORTUNITY.value, since, sorted(set(opportunity_ids))])


def mark_for_shadows(opportunity_ids: Iterable[int], since: datetime) -> None:
    """Have models in the shadow look at what the live ones have scored, when nothing else is to be done. Marks nothing
    where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(_SHADOWED, [since, sorted(set(opportunity_ids))])


def mark_all_for_shadows(since: datetime) -> None:
    """The same of every opportunity that has scores: a model has just come into the shadow."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL_SHADOWED, [since, list(SCORED_STATES)])
    transaction.on_commit(bell.ring, robust=True)


def mark_changed_rule(opportunity_id: int, number: int, since: datetime) -> None:
    """Mark the candidates for whom an opportunity's rule decides otherwise since its revision of that number, and
    nobody else. Where other terms changed with the rule, scores do too: then the opportunity, as a whole; and so where
    everybody is in memory: there all are scored sooner than those who differ are found in a table of so many."""
    revisions = {
        revision.number: revision
        for revision in OpportunityRevision.objects.filter(
            opportunity=opportunity_id, opportunity__state__in=SCORED_STATES, number__in=[number - 1, number]
        )
    }
    if number not in revisions:
        return
    is_other = number - 1 not in revisions or revisions[number - 1].terms != revisions[number].terms
    if is_other or keeper.is_for_so_many():
        mark_opportunities([opportunity_id], since)
        return
    on = since.astimezone(UTC).date()
    differing, values = _differing(revisions[number - 1], revisions[number], on)
    statement = _PAIRS.format(differing=differing)
    _mark(statement, [opportunity_id, since, *values, not locks.nobody_is_alone()])


def _differing(one: OpportunityRevision, other: OpportunityRevision, on: date) -> tuple[str, tuple[Any, ...]]:
    """Whom the rules of two revisions judge otherwise than each other, as a query."""
    rules = resolved_rules({one.pk: one, other.pk: other}, rate_set=current_rate_set(on=on))
    people = CandidateProjection.objects.filter(present=True).annotate(
        before=compile_rule(rules[one.pk], on=on).outcome, after=compile_rule(rules[other.pk], on=on).outcome
    )
    differing = people.exclude(before=F("after")).values("candidate_id")
    return differing.query.sql_with_params()


def _mark(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        marked = cursor.rowcount
    if marked:
        transaction.on_commit(bell.ring, robust=True)
