"""Scoring models and the segments they serve."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import PublicModel
from matching.core.workflow import ModelState


class Segment(PublicModel):
    """An ordered predicate over opportunities; the first that takes an opportunity and has a live model scores it.

    The last one has none, and takes all that is left: there is exactly one such segment, always.
    """

    LAST = 100  # its place

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField()
    rule = models.JSONField(null=True, blank=True, help_text="asks about opportunities; null takes all")

    class Meta:
        ordering = ["position"]
        constraints = [
            # At the end of the transaction: those that move change places with others.
            models.UniqueConstraint(
                fields=["position"], deferrable=models.Deferrable.DEFERRED, name="one_segment_per_position"
            ),
            models.CheckConstraint(
                condition=Q(rule__isnull=True, position=100) | Q(rule__isnull=False, position__lt=100),
                name="the_last_segment_and_no_other_takes_all",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="the_last_segment_is_never_deleted",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__rule__isnull=True),
            ),
            pgtrigger.Protect(
                name="the_last_segment_stays_the_last",
                operation=pgtrigger.UpdateOf("position", "rule"),
                condition=pgtrigger.Q(old__rule__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ScoringModel(PublicModel):
    """An immutable version: its weights, or its file, never change; only its state does."""

    class Kind(models.TextChoices):
        LINEAR = "linear"
        ONNX = "onnx"

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="models")
    version = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.LINEAR)
    definition = models.JSONField(
        help_text="heads with intercept and integer weights per feature; of a file: how it is fed, what it did"
    )
    training = models.JSONField(
        null=True, blank=True, editable=False, help_text="who had it trained when, from what, and how well it does"
    )
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in ModelState], default="draft")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["segment"], condition=Q(state="live"), name="one_live_model_per_segment"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in ModelState]), name="model_state_is_known"),
            models.CheckConstraint(condition=Q(kind__in=["linear", "onnx"]), name="model_kind_is_known"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="scoring_models_are_immutable",
                operation=pgtrigger.UpdateOf("version", "kind", "definition", "segment_id"),
            ),
            pgtrigger.Protect(name="what_models_were_trained_on_stands", operation=pgtrigger.UpdateOf("training")),
            # At the end of the transaction: the file's row refers to the version's, so it comes second.
            pgtrigger.Trigger(
                name="a_model_made_elsewhere_has_its_file",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__kind="onnx"),
                func="""
                    IF EXISTS (SELECT FROM matching_scoringmodel WHERE id = NEW.id)
                        AND NOT EXISTS (SELECT FROM matching_modelfile WHERE model_id = NEW.id)
                    THEN
                        RAISE EXCEPTION 'version % has no file', NEW.version USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.state})"
