"""Facts as they were: read from the history that the database keeps of every change."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import Q, Sum

from marketplace.models import ExchangeRateSet, Placement
from marketplace.queries.facts import free_hours, merged_skill_facts, own_facts
from marketplace.queries.rates import rates_of
from marketplace.queries.skills import survivors
from matching.core.facts import CandidateFacts, SkillFact, VettingFact


def facts_as_of(
    candidate_id: int, *, at: datetime, on: date, rate_set: ExchangeRateSet | None
) -> CandidateFacts | None:
    """What was known of a candidate (inner id) at a moment; None if they were not known yet. Placements count with the
    hours they have now. What only scoring reads is not kept: no rule may ask for it."""
    history = _model("CandidateFactEvent").objects.filter(pgh_obj_id=candidate_id, pgh_created_at__lte=at)
    row = history.order_by("-pgh_id").first()
    if row is None:
        return None
    skills = _rows_as_of("CandidateSkillFactEvent", candidate_id, at)
    became = survivors(skill.skill_id for skill in skills)
    stated = [(skill.skill_id, SkillFact(skill.level, skill.years, skill.last_used_on)) for skill in skills]
    groups = _rows_as_of("GroupFactEvent", candidate_id, at)
    taken = (
        Placement.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at), candidate_id=candidate_id, created_at__lte=at)
        .order_by()
        .aggregate(hours=Sum("weekly_hours"))["hours"]
    )
    languages = _rows_as_of("CandidateLanguageFactEvent", candidate_id, at)
    authorisations = _rows_as_of("AuthorisationFactEvent", candidate_id, at)
    vetting = _rows_as_of("VettingFactEvent", candidate_id, at)
    return CandidateFacts(
        candidate_id,
        **own_facts(row, on=on, rates=rates_of(rate_set)),
        languages={one.language: one.level for one in sorted(languages, key=lambda one: one.language)},
        work_authorisations={
            one.country: one.expires_on for one in sorted(authorisations, key=lambda one: one.country)
        },
        free_hours=free_hours(row.weekly_hours, taken),
        skills=merged_skill_facts(stated, became),
        groups=frozenset(one.group_id for one in groups),
        vetting={one.kind: VettingFact(one.passed, one.until) for one in sorted(vetting, key=lambda one: one.kind)},
    )


def _rows_as_of(model: str, candidate_id: int, at: datetime) -> list[Any]:
    """The last of each row's events until a moment, without those that deleted the row."""
    events = _model(model).objects.filter(candidate_id=candidate_id, pgh_created_at__lte=at)
    latest = events.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    return [event for event in latest if event.pgh_label != "delete"]


def _model(name: str) -> Any:
    """History models are made by `pghistory.track` and stand in no module."""
    return apps.get_model("marketplace", name)
