"""Things that will happen at a moment: offers that expire, deadlines that pass."""

from __future__ import annotations

from django.db import models


class TimerQuerySet(models.QuerySet["Timer"]):
    def due(self, now) -> TimerQuerySet:
        return self.filter(fired_at=None, due_at__lte=now)


class Timer(models.Model):
    """A due time for one kind of thing and one subject. Setting it again moves it; firing it is final until set again.

    The truth is the subject's own state: a handler that finds nothing to do does nothing.
    """

    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects = TimerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="one_timer_per_kind_and_subject")]
        indexes = [
            # The claim: oldest due first, among those that have not fired.
            models.Index(fields=["due_at", "id"], condition=models.Q(fired_at=None), name="timer_claim_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} at {self.due_at:%Y-%m-%d %H:%M}"
