"""Matches as rows: making and storing them."""

from __future__ import annotations

from collections.abc import Iterable

from matching.core.eligibility import evaluate
from matching.core.facts import CandidateFacts
from matching.core.ranking import order_key
from matching.core.scoring import HEADS, score
from matching.models import Match
from matching.queries.scorable import Basics, Scorable

Place = tuple[int, str, int]
"""Where a pair stands among those of its opportunity, as the database orders them: −fit, tie-break, candidate."""

_REPLACED = [
    "fit",
    "interest",
    "acceptance",
    "contributions",
    "outcome",
    "verdict",
    "revision",
    "candidate_revision",
    "rate_set",
    "tie_break",
    "computed_at",
]


def place_of(fit: int, scorable: Scorable, candidate_id: int, key: bytes) -> Place:
    score, tie, _, _ = order_key(fit, opportunity_id=scorable.pk, candidate_id=candidate_id, key=key)
    return score, tie.hex(), candidate_id


def match_of(facts: CandidateFacts, scorable: Scorable, place: Place, basics: Basics) -> Match:
    """The match with its explanation: contributions that add up, and the verdict."""
    revision = scorable.opportunity.current_revision
    assert revision is not None  # only published opportunities, which have one, are scored
    scored = score(facts, scorable.terms, model=basics.weights)
    verdict = evaluate(
        scorable.rule,
        facts,
        on=basics.on,
        waived=facts.candidate_id in scorable.waived,
        basis=scorable.basis(basics, facts),
    )
    return Match(
        opportunity_id=scorable.pk,
        candidate_id=facts.candidate_id,
        model=basics.model,
        fit=scored.fit.score,
        interest=scored.interest.score,
        acceptance=scored.acceptance.score,
        contributions={head: getattr(scored, head).to_json()["contributions"] for head in HEADS},
        outcome=verdict.outcome.value,
        verdict=verdict.to_json(),
        revision=revision,
        candidate_revision=facts.revision,
        rate_set=basics.rates,
        tie_break=place[1],
        computed_at=basics.now,
    )


def store(matches: Iterable[Match]) -> None:
    Match.objects.bulk_create(
        matches,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["opportunity", "candidate", "model"],
        update_fields=_REPLACED,
    )
