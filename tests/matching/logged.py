"""A log of a market whose truth is known, as real rows: who was shown, and who was invited or applied."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
from django.db import connection

from marketplace.models import Application, Candidate, Invitation, Opportunity
from matching.actions.models import live_model
from matching.core.features import FEATURES
from matching.core.learning import Examples
from matching.models import Decision, FeatureSet
from tests.marketplace.factories import NOW, a_candidate, a_published_opportunity, a_user, an_application
from tests.matching.core.simulated import shown

TRUTH = {"experience": 5.0, "required_skills": 2.0}
PAGES, PEOPLE = 120, 60
DAYS = 100  # from the first page to the last
START = NOW - timedelta(days=160)


def log(head: str, *, seed: int = 1, pages: int = PAGES, truth: dict[str, float] | None = None) -> Examples:
    """Pages of lists that hours decided more than skills, spread evenly over the days before NOW."""
    examples = shown(pages, seed=seed, weights=truth or TRUTH)
    opportunities, people = _copies(pages), _people()
    at = [START + timedelta(days=DAYS * int(group) / pages) for group in examples.groups]
    features, _ = FeatureSet.objects.get_or_create(names=list(FEATURES))
    viewer, model = a_user(), live_model()
    surface, capacity = ("matches", "member") if head == "fit" else ("recommendations", "candidate")
    matrix = np.column_stack([examples.values[name] for name in FEATURES]).tolist()
    Decision.objects.bulk_create(
        Decision(
            viewer=viewer, capacity=capacity, surface=surface, opportunity=opportunities[examples.groups[row]],
            candidate=people[examples.ranks[row]], model=model, rank=examples.ranks[row], propensity=1.0,
            feature_set=features, features=matrix[row], at=at[row],
        )
        for row in range(len(examples))
    )  # fmt: skip
    yes = [
        (opportunities[examples.groups[row]], people[examples.ranks[row]], at[row] + timedelta(days=1))
        for row in np.flatnonzero(examples.labels)
    ]
    if head == "fit":
        _invite(yes, viewer)
    else:
        _apply(yes)
    with connection.cursor() as cursor:  # as autovacuum does where rows stay; a plan for none takes seconds for these
        cursor.execute("ANALYZE matching_decision, marketplace_invitation, marketplace_application")
    return examples


def _invite(pairs: list[tuple[Opportunity, Candidate, datetime]], by) -> None:
    Invitation.objects.bulk_create(
        Invitation(
            opportunity=opportunity, candidate=candidate, invited_by=by, created_at=at,
            expires_at=at + timedelta(days=7), state="expired",
        )
        for opportunity, candidate, at in pairs
    )  # fmt: skip


def _apply(pairs: list[tuple[Opportunity, Candidate, datetime]]) -> None:
    pattern = an_application()
    Application.objects.bulk_create(
        _like(
            pattern, reference=Application.new_reference(), opportunity_id=opportunity.pk, candidate_id=candidate.pk,
            created_at=at,
        )
        for opportunity, candidate, at in pairs
    )  # fmt: skip


def _copies(number: int) -> list[Opportunity]:
    pattern = a_published_opportunity()
    return Opportunity.objects.bulk_create(
        _like(pattern, reference=Opportunity.new_reference(), current_revision_id=None, state="closed")
        for _ in range(number)
    )


def _people() -> list[Candidate]:
    pattern = a_candidate()
    return Candidate.objects.bulk_create(_like(pattern, user_id=None) for _ in range(PEOPLE + 1))


def _like(pattern: Any, **fields: Any) -> Any:
    """Another row, which differs in these columns."""
    columns = {field.attname: getattr(pattern, field.attname) for field in pattern._meta.concrete_fields}
    return type(pattern)(**{**columns, "id": None, "public_id": uuid4(), **fields})
