"""The present best, as last computed. A match may be a moment behind; every write rechecks against the truth."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from marketplace.models import Application, Candidate, Opportunity
from marketplace.queries.facts import facts_of
from matching.core.eligibility import Verdict, evaluate
from matching.core.facts import CandidateFacts, Reading
from matching.core.ranking import order_key
from matching.core.scoring import HEADS, Scored, Scorer, score
from matching.models import Match, Proposal
from matching.queries.scorable import Basics, Scorable, scorables, top_k

Place = tuple[int, str, int]
"""Where a pair stands among those of its opportunity, as the database orders them: −fit, tie-break, candidate."""


def place_of(fit: int, scorable: Scorable, candidate_id: int, key: bytes) -> Place:
    score, tie, _, _ = order_key(fit, opportunity_id=scorable.pk, candidate_id=candidate_id, key=key)
    return score, tie.hex(), candidate_id


def verdict_of(facts: CandidateFacts, scorable: Scorable, basics: Basics) -> Verdict:
    return evaluate(
        scorable.rule,
        facts,
        on=basics.on,
        waived=facts.candidate_id in scorable.waived,
        basis=scorable.basis(basics, facts),
        opened=scorable.openness,
    )


class Judged(NamedTuple):
    """One pair by what was gathered of it: three scores, each with the contributions that add up to it, the verdict,
    and where it stands among those of its opportunity."""

    facts: CandidateFacts
    scored: Scored
    verdict: Verdict
    place: Place


def judged(facts: CandidateFacts, scorable: Scorable, basics: Basics, *, scorer: Scorer | None = None) -> Judged:
    """By the opportunity's model, or a scorer in its place. Raises `NotScored`."""
    scored = score(facts, scorable.terms, model=scorer or scorable.scorer)
    place = place_of(scored.fit.score, scorable, facts.candidate_id, basics.key)
    return Judged(facts, scored, verdict_of(facts, scorable, basics), place)


def match_of(facts: CandidateFacts, scorable: Scorable, basics: Basics, *, scorer: Scorer | None = None) -> Match:
    """The match, not stored, with its explanation: contributions that add up, and the verdict. By the opportunity's
    model, or a scorer in its place. Raises `NotScored`."""
    revision = scorable.opportunity.current_revision
    assert revision is not None  # only published opportunities, which have one, are scored
    found = judged(facts, scorable, basics, scorer=scorer)
    scored = found.scored
    match = Match(
        opportunity_id=scorable.pk,
        candidate_id=facts.candidate_id,
        model_id=scorable.model.pk,
        fit=scored.fit.score,
        interest=scored.interest.score,
        acceptance=scored.acceptance.score,
        contributions={head: getattr(scored, head).to_json()["contributions"] for head in HEADS},
        outcome=found.verdict.outcome.value,
        verdict=found.verdict.to_json(),
        revision_id=revision.pk,
        candidate_revision=facts.revision,
        rate_set_id=None if basics.rates is None else basics.rates.pk,
        tie_break=found.place[1],
        computed_at=basics.now,
    )
    # What is at hand is never fetched. Assigning each would look again, for every pair, at what it may be related to.
    match._state.fields_cache.update(
        opportunity=scorable.opportunity, model=scorable.model, revision=revision, rate_set=basics.rates
    )
    return match


def matches_for(opportunity: Opportunity) -> QuerySet[Match]:
    """Who suits an opportunity best, best first, in a total order: K, and whoever applied, however low they rank.

    Those who have since left, been suspended, blocked the organisation or withdrawn from discovery without having
    applied are not among them, nor are those who are only kept to take their places. One statement tells where the K-th
    stands.
    """
    applied = Application.objects.live().filter(opportunity=opportunity, candidate_id=OuterRef("candidate_id"))
    blocked = Candidate.blocked_organisations.through.objects.filter(
        candidate_id=OuterRef("candidate_id"), organisation_id=opportunity.posting_organisation_id
    )
    rows = (
        Match.objects.filter(opportunity=opportunity, candidate__merged_into=None, candidate__suspended_at=None)
        .filter(Q(candidate__discoverable=True) | Exists(applied), ~Exists(blocked))
        .select_related("candidate", "model")
        .order_by("-fit", "tie_break", "candidate_id")
    )
    for fit, tie_break, candidate_id in rows.values_list("fit", "tie_break", "candidate_id")[top_k() - 1 : top_k()]:
        before = Q(fit__gt=fit) | Q(fit=fit, tie_break__lt=tie_break)
        rows = rows.filter(before | Q(fit=fit, tie_break=tie_break, candidate_id__lte=candidate_id) | Exists(applied))
    return rows


_HEADS = """
    SELECT asked.opportunity_id, asked.length, array(
        SELECT (one.candidate_id, one.model_id, one.fit, one.interest, one.acceptance, one.outcome,
            who.suspended_at IS NULL AND who.merged_into_id IS NULL, who.discoverable)::text
        FROM matching_match one
        JOIN marketplace_candidate who ON who.id = one.candidate_id
        WHERE one.opportunity_id = asked.opportunity_id
        ORDER BY one.fit DESC, one.tie_break, one.candidate_id
        LIMIT asked.length
    )
    FROM unnest(%s::bigint[], %s::int[]) AS asked (opportunity_id, length)
"""
_TO_SPARE = 10


def heads(asked: Collection[tuple[int, int]]) -> dict[tuple[int, int], Hashable]:
    """By opportunity (inner id) and a number of rows: what differs where the first so many of `matches_for`, or their
    scores, do; a few more are looked at for those who are left out there. One statement, whoever asks how often."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, [[pk for pk, _ in asked], [length + _TO_SPARE for _, length in asked]])
        return {(pk, length - _TO_SPARE): tuple(rows) for pk, length, rows in cursor.fetchall()}


@dataclass(frozen=True)
class Present:
    """What the tables say now of a pair that was matched."""

    facts: CandidateFacts
    scorable: Scorable
    verdict: Verdict


def rechecked(matches: Collection[Match], basics: Basics) -> dict[int, Present]:
    """By match (inner id), the pair by the facts and the rule as they stand: either may have changed since it was
    matched. Left out are those of whom nothing is there any more. Facts are those that the rule and what was weighed
    read. A constant number of statements."""
    scored = scorables(Opportunity.objects.filter(pk__in={one.opportunity_id for one in matches}), basics)
    weighed = set().union(*map(features_of, matches))
    reading = reduce(or_, (one.reading_for(weighed) for one in scored.values()), Reading(frozenset(), frozenset()))
    facts = facts_of({one.candidate_id for one in matches}, on=basics.on, rate_set=basics.rates, reading=reading)
    found: dict[int, Present] = {}
    for one in matches:
        person, scorable = facts.get(one.candidate_id), scored.get(one.opportunity_id)
        if person is not None and scorable is not None:
            found[one.pk] = Present(person, scorable, verdict_of(person, scorable, basics))
    return found


def features_of(row: Match | Proposal) -> set[str]:
    """What its scores were made of, by whichever model. A proposal has but one."""
    stored = row.contributions
    heads = stored.values() if isinstance(stored, dict) else (stored,)
    return {part["feature"] for parts in heads for part in parts}
