"""Who has read what of somebody."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.core.audit import AuditKind
from accounts.models import AuditEntry
from marketplace.models import Candidate


def personal_reads_of(candidate: Candidate) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(
        kind=AuditKind.PERSONAL_DATA_READ, subject_type=Candidate._meta.model_name, subject_id=candidate.pk
    )
