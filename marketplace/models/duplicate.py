"""Rows that look like one posted, or one person registered, twice; and the fingerprints by which they are found.

Only staff see any of it. Everything goes with the rows that it is about.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import PublicModel
from marketplace.core.workflow import SuspicionState
from marketplace.models.candidate import Candidate
from marketplace.models.opportunity import Opportunity


class OpportunityFingerprint(models.Model):
    """A hash of part of what an opportunity says, within its organisation. Two that share one are worth comparing.

    An opportunity has some as long as it is compared, or a single one without a value where it says too little.
    `made_with` tells by which method it was made.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="fingerprints")
    value = models.BigIntegerField(null=True)
    made_with = models.IntegerField()

    class Meta:
        constraints = [
            # Serves "which others have this fingerprint?".
            models.UniqueConstraint(
                fields=["value", "opportunity"], nulls_distinct=False, name="opportunity_has_a_fingerprint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.value} of opportunity {self.opportunity_id}"


class CandidateFingerprint(models.Model):
    """A keyed hash of a contact, or of the name together with another fact; else like those of opportunities.

    Without the key of the installation's indexes it tells nothing, and `made_with` tells the key too, so that all are
    made anew when it is replaced.
    """

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="fingerprints")
    value = models.BigIntegerField(null=True)
    made_with = models.IntegerField()

    class Meta:
        constraints = [
            # Serves "which others have this fingerprint?", and stops at the twentieth of them.
            models.UniqueConstraint(
                fields=["value", "candidate"], nulls_distinct=False, name="candidate_has_a_fingerprint_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.value} of candidate {self.candidate_id}"


class SuspectedDuplicateQuerySet(models.QuerySet["SuspectedDuplicate"]):
    def open(self) -> SuspectedDuplicateQuerySet:
        return self.filter(state=SuspicionState.OPEN)

    def of_opportunity(self, opportunity_id: int) -> SuspectedDuplicateQuerySet:
        return self.filter(Q(low_opportunity=opportunity_id) | Q(high_opportunity=opportunity_id))

    def of_candidate(self, candidate_id: int) -> SuspectedDuplicateQuerySet:
        return self.filter(Q(low_candidate=candidate_id) | Q(high_candidate=candidate_id))


class SuspectedDuplicate(PublicModel):
    """Two rows that are likely one: the older one is the low side. An open suspicion stands while it holds; what staff
    decided stays."""

    class Kind(models.TextChoices):
        OPPORTUNITY = "opportunity"
        CANDIDATE = "candidate"

    kind = models.CharField(max_length=12, choices=Kind)
    low_opportunity = models.ForeignKey(
        Opportunity, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    high_opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    low_candidate = models.ForeignKey(
        Candidate, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    high_candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    strength = models.PositiveSmallIntegerField(
        help_text="percent: of two texts what they share, of two profiles how probable it is that they are one person's"
    )
    reasons = ArrayField(models.CharField(max_length=20), help_text="what speaks for it, and what against it")
    low_sketch = models.BinaryField(default=bytes, help_text="MinHash of the text compared; empty for people")
    high_sketch = models.BinaryField(default=bytes)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in SuspicionState], default="open")
    found_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = SuspectedDuplicateQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                # Each part says that it is there: a comparison with null is unknown, and unknown passes a check.
                condition=Q(
                    kind="opportunity",
                    low_opportunity__isnull=False,
                    high_opportunity__isnull=False,
                    low_opportunity__lt=F("high_opportunity"),
                    low_candidate=None,
                    high_candidate=None,
                )
                | Q(
                    kind="candidate",
                    low_candidate__isnull=False,
                    high_candidate__isnull=False,
                    low_candidate__lt=F("high_candidate"),
                    low_opportunity=None,
                    high_opportunity=None,
                ),
                name="suspicion_is_of_two_of_a_kind_in_order",
            ),
            # These also serve "which suspicions are there of this row?", for the low side.
            models.UniqueConstraint(
                fields=["low_opportunity", "high_opportunity"], name="one_suspicion_per_two_opportunities"
            ),
            models.UniqueConstraint(
                fields=["low_candidate", "high_candidate"], name="one_suspicion_per_two_candidates"
            ),
            models.CheckConstraint(condition=Q(strength__range=(1, 100)), name="suspicion_strength_is_a_percentage"),
            models.CheckConstraint(condition=Q(reasons__len__gte=1), name="suspicion_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in SuspicionState]), name="suspicion_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None, decided_by=None)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="suspicion_is_decided_or_open",
            ),
        ]
        indexes = [
            # What waits for staff, and how much of it: among all that was decided, the few that are open.
            models.Index(fields=["-id"], condition=Q(state="open"), name="suspicion_open_idx"),
        ]

    def __str__(self) -> str:
        low, high = self.sides
        return f"{self.kind} {low} and {high}"

    @property
    def sides(self) -> tuple[int, int]:
        """Inner ids of the two, the lower first."""
        if self.kind == self.Kind.OPPORTUNITY:
            return self.low_opportunity_id or 0, self.high_opportunity_id or 0
        return self.low_candidate_id or 0, self.high_candidate_id or 0

    def other_than(self, subject_id: int) -> int:
        """Inner id of the side that is not the given one."""
        return next(pk for pk in self.sides if pk != subject_id)
