"""What was shown to whom."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

from marketplace.models import Candidate, Opportunity
from matching.models.model import ScoringModel


class Decision(models.Model):
    """One pair, shown at one rank, once: what later learning may claim that somebody was exposed to. Append-only."""

    class Surface(models.TextChoices):
        MATCHES = "matches"
        RECOMMENDATIONS = "recommendations"

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    surface = models.CharField(max_length=20, choices=Surface)
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="+")
    rank = models.PositiveIntegerField()
    propensity = models.FloatField(help_text="chance of being shown at this rank: 1 under a deterministic order")
    features = models.JSONField(help_text="feature → value in thousandths, as they were")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["opportunity", "candidate", "at"], name="decision_pair_idx")]
        triggers = [
            pgtrigger.Protect(
                name="decisions_are_never_rewritten",
                operation=pgtrigger.UpdateOf(
                    "surface", "opportunity_id", "candidate_id", "model_id", "rank", "propensity", "features", "at"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.surface} #{self.rank}"
