"""The evaluators of eligibility behind one face: given people, rules and a day, the outcome of each person.

A new evaluator joins `EVALUATORS` and has to pass the whole suite as it stands. One that needs a server which cannot
always be reached has tests of its own, over the same cases and the same generated rules and people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

import numpy as np
from django.utils import timezone

from marketplace.models import Candidate
from matching.compile_sql import with_outcome
from matching.core.columns import Crowd, JudgedRule, Leaves
from matching.core.columns.bits import packed, unpacked
from matching.core.eligibility import OUTCOMES
from matching.core.facts import CandidateFacts
from matching.core.rules import Rule, normal
from matching.core.truth import truth
from matching.models import CandidateProjection
from matching.queries.projection import columns_of
from matching.queries.roster import segment_of

People: TypeAlias = Sequence[CandidateFacts]
Outcomes: TypeAlias = Mapping[int, str]
Judge: TypeAlias = Callable[[Rule, date], Outcomes]


def stored(people: int, draw: Callable[[int], CandidateFacts]) -> list[CandidateFacts]:
    """Draws that many people and stores their projections, under the ids of real candidates."""
    rows = Candidate.objects.bulk_create(Candidate(name=f"Person {number}") for number in range(people))
    drawn = [draw(row.pk) for row in rows]
    CandidateProjection.objects.bulk_create(
        CandidateProjection(
            candidate_id=facts.candidate_id,
            **columns_of(facts),
            discoverable=True,
            open_to_offers=True,
            present=True,
            refreshed_at=timezone.now(),
        )
        for facts in drawn
    )
    return drawn


def python(people: People) -> Judge:
    """The specification."""
    return lambda rule, on: {facts.candidate_id: OUTCOMES[truth(rule, facts, on=on)].value for facts in people}


def sql(people: People) -> Judge:
    rows = CandidateProjection.objects.filter(candidate__in=[facts.candidate_id for facts in people])
    return lambda rule, on: dict(with_outcome(rows, rule, on=on).values_list("candidate_id", "outcome"))


def columns(people: People) -> Judge:
    segment = segment_of([facts.candidate_id for facts in people])
    crowd = Crowd([Leaves(segment)], packed(np.ones(segment.people, np.bool_)))

    def judge(rule: Rule, on: date) -> Outcomes:
        holds, fails = (unpacked(bits, segment.people) for bits in JudgedRule(normal(rule), crowd, on).whole)
        answers = (True if yes else False if no else None for yes, no in zip(holds, fails, strict=True))
        return {int(pk): OUTCOMES[answer].value for pk, answer in zip(segment.ids, answers, strict=True)}

    return judge


EVALUATORS: Mapping[str, Callable[[People], Judge]] = {"python": python, "sql": sql, "columns": columns}
