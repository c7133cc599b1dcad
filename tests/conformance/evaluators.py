"""The evaluators of eligibility behind one face: given people, rules and a day, the outcome of each person.

A new evaluator joins `EVALUATORS` and has to pass the whole suite as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.utils import timezone

from marketplace.models import Candidate
from matching.compile_sql import with_outcome
from matching.core.eligibility import evaluate
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import Rule
from matching.models import CandidateProjection

Outcomes = Mapping[int, str]
Judge = Callable[[Rule, date], Outcomes]


def stored(people: int, draw: Callable[[int], CandidateFacts]) -> list[CandidateFacts]:
    """Draws that many people and stores their projections, under the ids of real candidates."""
    rows = Candidate.objects.bulk_create(Candidate(name=f"Person {number}") for number in range(people))
    drawn = [draw(row.pk) for row in rows]
    CandidateProjection.objects.bulk_create(map(projection_of, drawn))
    return drawn


def projection_of(facts: CandidateFacts) -> CandidateProjection:
    return CandidateProjection(
        candidate_id=facts.candidate_id,
        revision=facts.revision,
        country=facts.country,
        region=facts.region,
        timezone=facts.timezone,
        utc_offset_minutes=facts.utc_offset_minutes,
        languages=dict(facts.languages),
        work_authorisations={
            country: day.isoformat() if day else None for country, day in facts.work_authorisations.items()
        },
        years_experience=facts.years_experience,
        weekly_hours=facts.weekly_hours,
        free_hours=facts.free_hours,
        hourly_rate=facts.hourly_rate,
        commitments=sorted(facts.commitments),
        available_from=facts.available_from,
        skill_ids=sorted(facts.skills),
        skills={str(skill_id): _skill(fact) for skill_id, fact in facts.skills.items()},
        groups=sorted(facts.groups),
        discoverable=True,
        open_to_offers=True,
        present=True,
        refreshed_at=timezone.now(),
    )


def _skill(fact: SkillFact) -> dict[str, object]:
    return {
        "level": fact.level,
        "years": None if fact.years is None else str(fact.years),
        "last_used": fact.last_used_on.isoformat() if fact.last_used_on else None,
    }


def python(people: Sequence[CandidateFacts]) -> Judge:
    return lambda rule, on: {facts.candidate_id: evaluate(rule, facts, on=on).outcome.value for facts in people}


def sql(people: Sequence[CandidateFacts]) -> Judge:
    rows = CandidateProjection.objects.filter(candidate__in=[facts.candidate_id for facts in people])
    return lambda rule, on: dict(with_outcome(rows, rule, on=on).values_list("candidate_id", "outcome"))


EVALUATORS: Mapping[str, Callable[[Sequence[CandidateFacts]], Judge]] = {"python": python, "sql": sql}
