"""What free texts mention, as it was read last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import F, Q

from accounts.models.sealed import sealed_field
from marketplace.models import Candidate, OpportunityMentions, WorkExperience


def described_by(opportunity_ids: Collection[int]) -> dict[int, list[int]]:
    """Skills by opportunity (inner ids), merges not followed. One statement."""
    rows = OpportunityMentions.objects.filter(pk__in=opportunity_ids).exclude(skill_ids=[])
    return dict(rows.values_list("pk", "skill_ids"))


def unread_candidates(candidate_ids: Collection[int], *, taxonomy: int) -> list[int]:
    """Those whose texts may say something else than what was read, or were read with another taxonomy."""
    unread = Q(mentions=None) | ~Q(mentions__taxonomy=taxonomy) | Q(mentions__revision__lt=F("revision"))
    return list(Candidate.objects.filter(unread, pk__in=candidate_ids).order_by("pk").values_list("pk", flat=True))


def texts_of_candidates(candidate_ids: Collection[int]) -> dict[int, tuple[int, list[str], list[str]]]:
    """Revision, texts and titles by candidate (inner ids): texts are résumé, headline, titles and descriptions of
    experiences, titles the headline and those of experiences."""
    found: dict[int, tuple[int, str, str]] = {}
    experiences: dict[int, list[str]] = defaultdict(list)
    rows = WorkExperience.objects.filter(candidate_id__in=candidate_ids).order_by("candidate_id", "-starts_on", "id")
    candidates = Candidate.objects.filter(pk__in=candidate_ids).order_by("pk")
    resume, description = sealed_field(Candidate, "resume_text"), sealed_field(WorkExperience, "description")
    for row in candidates.values("pk", "public_id", "revision", "headline", "resume_text"):
        found[row["pk"]] = (row["revision"], row["headline"], resume.opened(row))
    for work in rows.values("candidate_id", "title", "description"):
        experiences[work["candidate_id"]] += [work["title"], description.opened(work)]
    return {
        pk: (revision, [headline, text, *experiences[pk]], [headline, *experiences[pk][::2]])
        for pk, (revision, headline, text) in found.items()
    }
