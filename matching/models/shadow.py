"""What models in the shadow would have done: logged for comparison, never shown."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from marketplace.models import Opportunity
from matching.models.model import ScoringModel

_SCORES = ("fits", "live_fits", "interests", "live_interests", "acceptances", "live_acceptances")


class ShadowMark(models.Model):
    """An opportunity that the live model has scored and those in its shadow have not."""

    opportunity = models.OneToOneField(Opportunity, on_delete=models.CASCADE, primary_key=True, related_name="+")
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["since"], name="shadow_mark_oldest_idx")]

    def __str__(self) -> str:
        return f"opportunity {self.opportunity_id}"


class ShadowRanking(models.Model):
    """Whom a shadow model would have put first for an opportunity, beside whom the live one did. Append-only.

    One row for each opportunity, model and day (UTC): the first K of either model. `candidates` (inner ids) and the
    arrays beside it go together, entry by entry, best by the shadow first. Scores are micro-log-odds; a rank of 0 is
    one beyond the first K.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, db_index=False, related_name="+")
    live_model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    at = models.DateTimeField()
    candidates = ArrayField(models.BigIntegerField())
    ranks = ArrayField(models.SmallIntegerField())
    live_ranks = ArrayField(models.SmallIntegerField())
    fits = ArrayField(models.BigIntegerField())
    live_fits = ArrayField(models.BigIntegerField())
    interests = ArrayField(models.BigIntegerField())
    live_interests = ArrayField(models.BigIntegerField())
    acceptances = ArrayField(models.BigIntegerField())
    live_acceptances = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [
            # Also what a comparison reads: one model's rankings, by day.
            models.UniqueConstraint(fields=["model", "day", "opportunity"], name="one_shadow_ranking_per_day"),
            models.CheckConstraint(
                condition=Q(**{f"{name}__len": F("candidates__len") for name in ("ranks", "live_ranks", *_SCORES)}),
                name="shadow_ranking_tells_of_each_candidate",
            ),
            models.CheckConstraint(condition=~Q(model=F("live_model")), name="no_model_is_its_own_shadow"),
        ]
        indexes = [models.Index(fields=["day"], name="shadow_ranking_oldest_idx")]
        triggers = [pgtrigger.Protect(name="shadow_rankings_are_never_rewritten", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.model_id} for opportunity {self.opportunity_id} on {self.day}"


class ShadowFailure(models.Model):
    """How often a model failed in the shadow on a day (UTC), and how it did last. What is live stood all the same."""

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="shadow_failures")
    day = models.DateField()
    times = models.PositiveIntegerField(default=1)
    error = models.CharField(max_length=300, help_text="the last one; names nobody")
    at = models.DateTimeField(help_text="when it failed last")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "day"], name="one_shadow_failure_per_model_and_day")]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.day}: {self.error}"
