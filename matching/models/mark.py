"""What has changed since it was last scored."""

from __future__ import annotations

from django.db import models

from marketplace.models import Candidate, Opportunity


class Mark(models.Model):
    """One subject to re-score. A thousand edits make one mark: that is what coalesces them.

    `generation` grows with each edit, so that a drain deletes only the mark it read, not a newer one.
    """

    class Subject(models.TextChoices):
        CANDIDATE = "candidate"
        OPPORTUNITY = "opportunity"

    subject_type = models.CharField(max_length=12, choices=Subject)
    subject_id = models.BigIntegerField()
    generation = models.PositiveIntegerField(default=1)
    since = models.DateTimeField(help_text="the oldest change not yet scored: freshness is measured from here")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id"], name="one_mark_per_subject"),
            models.CheckConstraint(
                condition=models.Q(subject_type__in=["candidate", "opportunity"]), name="mark_subject_is_known"
            ),
        ]
        indexes = [models.Index(fields=["since"], name="mark_oldest_idx")]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id}"


class PairMark(models.Model):
    """One pair to re-score: its verdict may have changed, and nothing else of either side has."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField(default=1)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["opportunity", "candidate"], name="one_mark_per_pair")]
        indexes = [models.Index(fields=["since"], name="pair_mark_oldest_idx")]

    def __str__(self) -> str:
        return f"candidate {self.candidate_id} for opportunity {self.opportunity_id}"
