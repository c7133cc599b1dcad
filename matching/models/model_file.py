"""Files of models that were made elsewhere."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Func, Q

from matching.models.model import ScoringModel


class ModelFile(models.Model):
    """The bytes of one version, where the web server writes them and workers read them. They never change."""

    model = models.OneToOneField(ScoringModel, on_delete=models.CASCADE, primary_key=True, related_name="file")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="bytes")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(size=Func(F("content"), function="octet_length", output_field=models.IntegerField())),
                name="model_file_is_as_long_as_said",
            ),
            models.CheckConstraint(
                condition=Q(
                    sha256=Func(
                        F("content"),
                        template="encode(sha256(%(expressions)s), 'hex')",
                        output_field=models.CharField(),
                    )
                ),
                name="model_file_has_its_own_digest",
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="model_file_is_not_empty"),
        ]
        triggers = [pgtrigger.Protect(name="model_files_never_change", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size} bytes)"


class UnscoredPair(models.Model):
    """A pair that a model had no number for when it was last to be scored. It has no match, and no score anywhere."""

    model = models.ForeignKey(ScoringModel, on_delete=models.CASCADE, related_name="unscored")
    opportunity = models.ForeignKey("marketplace.Opportunity", on_delete=models.CASCADE, related_name="+")
    candidate = models.ForeignKey("marketplace.Candidate", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "opportunity", "candidate"], name="one_unscored_row_per_pair")
        ]
        indexes = [
            # Which of an opportunity's are scored after all.
            models.Index(fields=["opportunity", "candidate"], name="unscored_pair_idx"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.candidate_id} for opportunity {self.opportunity_id}: {self.reason}"
