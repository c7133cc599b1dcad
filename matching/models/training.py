"""Trainings that staff asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import PublicModel
from matching.core.workflow import TrainingState
from matching.models.model import ScoringModel, Segment


class TrainingRun(PublicModel):
    """One training in the worker, with how far it is. What it found is the model's own `training`."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="trainings")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in TrainingState], default="queued")
    version = models.CharField(max_length=60, blank=True, help_text="empty: named by the day and the weights")
    since = models.DateTimeField(null=True, blank=True, help_text="empty: as long as the log is kept")
    until = models.DateTimeField(null=True, blank=True, help_text="empty: now")
    test_share = models.PositiveSmallIntegerField(help_text="thousandths of the examples, the latest ones")
    least = models.PositiveIntegerField(help_text="examples that a head needs to be trained")
    progress = models.CharField(max_length=120, blank=True, help_text="what is being done")
    error = models.TextField(blank=True, help_text="why it failed, without naming anybody")
    model = models.OneToOneField(ScoringModel, on_delete=models.SET_NULL, null=True, blank=True, related_name="run")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in TrainingState]), name="training_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "training"], finished_at=None)
                | Q(state__in=["trained", "failed"], finished_at__isnull=False),
                name="training_is_finished_when_it_is_over",
            ),
            # Whoever asks twice is told that it is under way.
            models.UniqueConstraint(
                fields=["segment"], condition=Q(state__in=["queued", "training"]), name="one_training_at_a_time"
            ),
        ]
        indexes = [
            # The worker's: what is to be done, oldest first.
            models.Index(fields=["id"], condition=Q(state__in=["queued", "training"]), name="training_to_do_idx"),
        ]

    def __str__(self) -> str:
        return f"training for {self.segment} ({self.state})"
