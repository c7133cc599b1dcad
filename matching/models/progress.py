"""How far workers have come with what they are at."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.core.actor import ActorKind
from matching.core.workflow import SolvingStage
from matching.models.allocation import AllocationRun


class AllocationProgress(models.Model):
    """How far the solving of a run has come, and whether somebody wants it to stop.

    Solving is one transaction, which shows nothing before it ends. So this is written beside it, on a connection of its
    own, and is about the attempt that began last: a worker that was killed leaves it behind until the next begins.
    """

    run = models.OneToOneField(AllocationRun, on_delete=models.CASCADE, primary_key=True, related_name="progress")
    stage = models.CharField(max_length=10, choices=[(s.value, s.value) for s in SolvingStage], blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    value = models.BigIntegerField(null=True, blank=True)
    bound = models.BigIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="empty: no worker has begun")
    updated_at = models.DateTimeField()
    stop_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stop_asked_as = models.CharField(
        max_length=10, choices=[(k.value, k.value) for k in ActorKind], blank=True, help_text="empty: nobody did"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=["", *[s.value for s in SolvingStage]]), name="solving_stage_is_known"
            ),
            models.CheckConstraint(
                condition=Q(stage="", started_at=None) | (~Q(stage="") & Q(started_at__isnull=False)),
                name="solving_stage_has_its_beginning",
            ),
            models.CheckConstraint(condition=Q(done__gte=0), name="solving_is_not_less_than_begun"),
        ]

    def __str__(self) -> str:
        return f"progress of run {self.run_id} ({self.stage or 'waiting'})"
