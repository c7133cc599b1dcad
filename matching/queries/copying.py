"""The copies that searches read: what they are copies of, and how far behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from django.db.models import Count, F, Min, Q

from marketplace.models import Candidate, Opportunity
from matching.core.attributes import Subject
from matching.models import CandidateProjection, CopyMark, OpportunityProjection

TABLES: Mapping[Subject, type[Candidate] | type[Opportunity]] = MappingProxyType(
    {Subject.CANDIDATE: Candidate, Subject.OPPORTUNITY: Opportunity}
)
PROJECTIONS: Mapping[Subject, type[CandidateProjection] | type[OpportunityProjection]] = MappingProxyType(
    {Subject.CANDIDATE: CandidateProjection, Subject.OPPORTUNITY: OpportunityProjection}
)

_REFUSED = Q(refused_generation=F("generation"))


class Waiting(NamedTuple):
    """Marks of one stage and subject. `refused` ones are not worked on before their subjects change."""

    stage: str
    subject: Subject
    marks: int = 0
    urgent: int = 0
    refused: int = 0
    since: datetime | None = None  # the oldest change that is still worked on

    def seconds(self, now: datetime) -> float:
        """The age of the oldest change not yet copied."""
        return max((now - self.since).total_seconds(), 0.0) if self.since else 0.0


def waiting() -> list[Waiting]:
    """One for each stage and subject, in the order of copying."""
    found = {
        (row["stage"], row["subject_type"]): row
        for row in CopyMark.objects.values("stage", "subject_type").annotate(
            marks=Count("id"),
            urgent=Count("id", filter=Q(urgent=True)),
            refused=Count("id", filter=_REFUSED),
            since=Min("since", filter=~_REFUSED | Q(refused_generation=None)),
        )
    }
    return [
        Waiting(stage.value, subject, *(row[name] for name in ("marks", "urgent", "refused", "since")))
        if (row := found.get((stage.value, subject.value)))
        else Waiting(stage.value, subject)
        for stage in CopyMark.Stage
        for subject in Subject
    ]


def refusals(subject: Subject, limit: int) -> list[tuple[int, str]]:
    """Some of those whose documents the index does not admit, by inner id, and why."""
    marks = CopyMark.objects.filter(_REFUSED, stage=CopyMark.Stage.INDEX, subject_type=subject.value)
    return list(marks.order_by("subject_id").values_list("subject_id", "refusal")[:limit])


def marked(stage: CopyMark.Stage, subject: Subject, ids: Collection[int]) -> set[int]:
    """Those of the ids that are being worked on, or will be."""
    marks = CopyMark.objects.filter(stage=stage, subject_type=subject.value, subject_id__in=ids)
    return set(marks.exclude(_REFUSED).values_list("subject_id", flat=True))
