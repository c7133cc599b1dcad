"""The present best."""

from __future__ import annotations

from django.db import models

from accounts.models import PublicModel
from marketplace.models import Candidate, ExchangeRateSet, Opportunity, OpportunityRevision
from matching.models.model import ScoringModel


class Match(PublicModel):
    """How well one candidate suits one opportunity, as last computed, with all that it was computed from.

    Kept for the top K of each opportunity and for all its applicants. `fit`, `interest` and `acceptance` are integers
    in micro-units of log-odds; `contributions` holds the exact addends of each.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="matches")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="matches")
    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="matches")
    fit = models.BigIntegerField()
    interest = models.BigIntegerField()
    acceptance = models.BigIntegerField()
    contributions = models.JSONField(help_text="head → [{feature, value, weight, amount}]")
    outcome = models.CharField(max_length=12, help_text="eligible or unknown; the ineligible are not kept")
    verdict = models.JSONField()
    revision = models.ForeignKey(OpportunityRevision, on_delete=models.CASCADE, related_name="+")
    candidate_revision = models.PositiveIntegerField()
    rate_set = models.ForeignKey(ExchangeRateSet, on_delete=models.SET_NULL, null=True, related_name="+")
    tie_break = models.CharField(max_length=32, help_text="keyed hash of (opportunity, candidate), hexadecimal")
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "candidate", "model"], name="one_match_per_pair_and_model"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["eligible", "unknown"]), name="match_is_of_nobody_ineligible"
            ),
        ]
        indexes = [
            # The best for an opportunity, and the best for a candidate.
            models.Index(fields=["opportunity", "-fit", "tie_break"], name="match_opportunity_idx"),
            models.Index(fields=["candidate", "-fit", "tie_break"], name="match_candidate_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} for {self.opportunity_id}: {self.fit}"
