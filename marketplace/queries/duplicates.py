"""What is compared to notice duplicates, and which of it shares a fingerprint: read for the actions and the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from accounts.models import User
from accounts.models.sealed import sealed_field
from marketplace.core import identity, similarity
from marketplace.core.workflow import OpportunityState
from marketplace.models import (
    Candidate,
    CandidateFingerprint,
    CandidateSkill,
    Opportunity,
    OpportunityFingerprint,
    OpportunityLocation,
    SuspectedDuplicate,
    WorkExperience,
)

MOST_COMPARED = 40
"""Postings that one posting is compared with, those first that share most fingerprints."""

# Of each fingerprint no more than it takes to see that too many have it.
_BEARERS = """
    SELECT sought.value, bearer.candidate_id FROM unnest(%s::bigint[]) AS sought (value) CROSS JOIN LATERAL (
        SELECT candidate_id FROM marketplace_candidatefingerprint
        WHERE value = sought.value ORDER BY candidate_id LIMIT %s
    ) AS bearer
"""


def compared_opportunities() -> QuerySet[Opportunity]:
    """All but closed ones: what is posted again once it is over is posted once. Suspended ones stay, so that staff see
    when the same is posted anew."""
    return Opportunity.objects.exclude(state=OpportunityState.CLOSED)


def compared_candidates() -> QuerySet[Candidate]:
    """Whoever was not merged into another; those who were suspended too, for they may come back as somebody else."""
    return Candidate.objects.filter(merged_into=None)


def postings(opportunity_ids: Iterable[int]) -> dict[int, similarity.Posting]:
    """What is compared of opportunities, by inner id. One query."""
    cities = OpportunityLocation.objects.filter(opportunity=OuterRef("pk")).exclude(city="").values("city")
    rows = compared_opportunities().filter(pk__in=opportunity_ids)
    return {
        pk: similarity.read_posting(title, description, organisation=organisation_id, cities=named)
        for pk, organisation_id, title, description, named in rows.values_list(
            "pk", "posting_organisation_id", "title", "description", ArraySubquery(cities)
        )
    }


def people(candidate_ids: Iterable[int]) -> dict[int, identity.Person]:
    """What is compared of candidates, by inner id. The login's address counts beside the contact's. One query."""
    experiences = WorkExperience.objects.filter(candidate=OuterRef("pk")).order_by("-starts_on", "id")
    skills = CandidateSkill.objects.filter(candidate=OuterRef("pk"))
    rows = compared_candidates().filter(pk__in=candidate_ids)
    contacts = {name: sealed_field(Candidate, name) for name in ("email", "phone", "linkedin")}
    return {
        row["pk"]: identity.read_person(
            name=row["name"],
            emails=[contacts["email"].opened(row), _login(row)],
            phone=contacts["phone"].opened(row),
            linkedin=contacts["linkedin"].opened(row),
            country=row["country"],
            region=row["region"],
            employers=row["employers"],
            titles=[row["headline"], *row["titles"]],
            skills=row["skill_ids"],
        )
        for row in rows.values(
            "pk", "public_id", "name", "email", "phone", "linkedin", "country", "region", "headline",
            login=F("user__email"), login_id=F("user__public_id"),
            employers=ArraySubquery(experiences.values("employer")),
            titles=ArraySubquery(experiences.values("title")),
            skill_ids=ArraySubquery(skills.values("skill_id")),
        )
    }  # fmt: skip


def _login(row: Mapping[str, Any]) -> str:
    """The address that somebody logs in with; "" for who does not."""
    return sealed_field(User, "email").opened({"email": row["login"], "public_id": row["login_id"]}) or ""


def nearest_postings(opportunity_id: int, values: Sequence[int]) -> list[int]:
    """Inner ids of those that share most of an opportunity's fingerprints."""
    sharing = OpportunityFingerprint.objects.filter(value__in=values).exclude(opportunity=opportunity_id)
    counted = sharing.values("opportunity").annotate(shared=Count("*")).order_by("-shared", "-opportunity")
    return list(counted.values_list("opportunity", flat=True)[:MOST_COMPARED])


def bearers(values: Iterable[int]) -> tuple[Counter[int], set[int]]:
    """How many candidates have each of the fingerprints, counted up to one more than may be compared; and the inner
    ids of those who have one that few have."""
    with connection.cursor() as cursor:
        cursor.execute(_BEARERS, [sorted(set(values)), identity.MOST_BEARERS + 1])
        found: list[tuple[int, int]] = cursor.fetchall()
    counted = Counter(value for value, _ in found)
    return counted, {pk for value, pk in found if counted[value] <= identity.MOST_BEARERS}


def open_suspicions(row: Opportunity | Candidate) -> QuerySet[SuspectedDuplicate]:
    """What staff have yet to decide about a row."""
    suspicions = SuspectedDuplicate.objects.open()
    if isinstance(row, Opportunity):
        return suspicions.of_opportunity(row.pk)
    return suspicions.of_candidate(row.pk)


def opportunities_to_notice(*, after: int, made_with: int | None) -> QuerySet[Opportunity]:
    """Those beyond an inner id, in its order: all, or those without fingerprints that were made with a method."""
    rows = compared_opportunities().filter(pk__gt=after).order_by("pk")
    if made_with is not None:
        rows = rows.filter(
            ~Exists(OpportunityFingerprint.objects.filter(opportunity=OuterRef("pk"), made_with=made_with))
        )
    return rows


def candidates_to_notice(*, after: int, made_with: int | None) -> QuerySet[Candidate]:
    """The same of candidates."""
    rows = compared_candidates().filter(pk__gt=after).order_by("pk")
    if made_with is not None:
        rows = rows.filter(~Exists(CandidateFingerprint.objects.filter(candidate=OuterRef("pk"), made_with=made_with)))
    return rows
