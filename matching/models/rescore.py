"""Re-scoring at large: what a change of everything leaves to do, in chunks."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import PublicModel
from matching.core.workflow import RescoreState


class Rescore(PublicModel):
    """One mass change that scores have to follow: a model that went live, another taxonomy, new rates, a new day.

    `scopes` says what it is about, as `matching.actions.mass.scopes` reads it; a worker cuts that into chunks when it
    begins. A later change takes over what an unfinished one has left, so at most one is at work.
    """

    class Cause(models.TextChoices):
        MODEL = "model", "another live model"
        TAXONOMY = "taxonomy", "another taxonomy"
        RATES = "rates", "other exchange rates"
        DAY = "day", "a new day"
        ASKED = "asked", "asked for"

    cause = models.CharField(max_length=12, choices=Cause)
    scopes = models.JSONField(help_text="what is to be scored: [{kind, …}]")
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in RescoreState], default="queued")
    since = models.DateTimeField(help_text="the oldest of the changes")
    created_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True, help_text="when it was cut into chunks")
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0, help_text="subjects of all chunks")
    done = models.PositiveIntegerField(default=0, help_text="of an ended one; until then its chunks know")
    failed = models.PositiveIntegerField(default=0, help_text="those that could not be scored and were marked instead")
    error = models.TextField(blank=True, help_text="the last thing that went wrong")
    next_at = models.DateTimeField(null=True, help_text="when the next chunk may begin, by the workers' clock")
    heartbeat_at = models.DateTimeField(null=True, help_text="when a chunk was last done")
    seconds_each = models.FloatField(null=True, help_text="by the clock, pauses included, of late")
    superseded_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="superseded")

    class Meta:
        verbose_name = "re-scoring"
        verbose_name_plural = "re-scorings"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="one_rescoring_at_work"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in RescoreState]), name="rescoring_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="superseded") | Q(superseded_by=None), name="only_the_superseded_have_a_successor"
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="rescoring_next_idx")]

    def __str__(self) -> str:
        return f"re-scoring {self.pk}: {self.get_cause_display()}"


class RescoreChunk(models.Model):
    """Some subjects of a re-scoring (inner ids), taken by one worker at a time; the first `done` of them are done.

    A chunk's scores and its progress are one transaction.
    """

    class Phase(models.IntegerChoices):
        """In this order: the next begins when the one before is done."""

        PROJECT = 1, "people copied"  # their facts have changed; who is matched with them is scored later
        SETTLE = 2, "people scored"  # for all opportunities
        SCORE = 3, "opportunities scored"  # against all people

    rescore = models.ForeignKey(Rescore, on_delete=models.CASCADE, related_name="chunks")
    phase = models.PositiveSmallIntegerField(choices=Phase)
    ids = ArrayField(models.BigIntegerField())
    size = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("size")), name="chunk_is_done_at_most_once"),
            models.CheckConstraint(condition=Q(phase__in=[1, 2, 3]), name="chunk_phase_is_known"),
        ]
        indexes = [
            # The next one to take.
            models.Index(fields=["rescore", "phase", "id"], condition=Q(done__lt=F("size")), name="chunk_left_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.done} of {self.size} of re-scoring {self.rescore_id}"
