"""What was shown to whom."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from accounts.core.actor import ActorKind
from marketplace.models import Candidate, Opportunity
from matching.models.model import ScoringModel


class FeatureSet(models.Model):
    """Names of features in the order in which decisions hold their values: written once for as long as it is in use."""

    names = ArrayField(models.CharField(max_length=60), unique=True)

    class Meta:
        triggers = [pgtrigger.Protect(name="feature_sets_are_never_rewritten", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{len(self.names)} features"


class Decision(models.Model):
    """One pair, shown at one rank, once: what later learning may claim that somebody was exposed to. Append-only.

    A row goes with its candidate, its opportunity, or when its time is over, and in no other way. `propensity` is the
    chance that the pair had of being shown at this rank: 1 under a deterministic order; an experiment that randomises
    writes what it drew with. That people look at the top more than at the rest is no part of it: how much training
    estimates from the log itself (`matching.core.learning.examination`).

    A million rows a day are expected, so a row is small: values stand in an array, whose names are kept once, and time
    has a BRIN index, of several intervals a block, because rows that are forgotten make room for new ones. There are
    no foreign keys to candidates and opportunities: to check them, a page that shows a hundred people would lock, and
    so rewrite, a hundred of their rows. Triggers on those tables delete what was logged of them.
    """

    class Surface(models.TextChoices):
        MATCHES = "matches", "who suits an opportunity"
        RECOMMENDATIONS = "recommendations", "what suits a candidate"
        OPPORTUNITIES = "opportunities", "opportunities by fit"
        CANDIDATES = "candidates", "candidates by fit"
        OFFERS = "offers", "an offer"
        PROPOSALS = "proposals", "what an allocation proposes"
        COMMITMENTS = "commitments", "what became offers of an allocation"

    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    capacity = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in ActorKind])
    surface = models.CharField(max_length=20, choices=Surface)
    opportunity = models.ForeignKey(
        Opportunity, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )  # fmt: skip
    candidate = models.ForeignKey(
        Candidate, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    model = models.ForeignKey(ScoringModel, on_delete=models.PROTECT, db_index=False, related_name="+")
    rank = models.PositiveIntegerField()
    propensity = models.FloatField(help_text="chance of being shown at this rank: 1 under a deterministic order")
    feature_set = models.ForeignKey(FeatureSet, on_delete=models.PROTECT, db_index=False, related_name="+")
    features = ArrayField(
        models.SmallIntegerField(), help_text="values in thousandths, as they were, in the set's order"
    )
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # Whether a page was only fetched again; what became of a pair; and what goes with a candidate.
            models.Index(fields=["candidate", "opportunity", "at"], name="decision_pair_idx"),
            # What was shown in a stretch of time, and what is to be forgotten.
            BrinIndex(
                fields=["at"],
                opclasses=["timestamptz_minmax_multi_ops"],
                pages_per_range=32,
                autosummarize=True,
                name="decision_at_idx",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(rank__gte=1), name="decision_rank_starts_at_one"),
            models.CheckConstraint(
                condition=Q(propensity__gt=0, propensity__lte=1), name="decision_propensity_is_a_chance"
            ),
            models.CheckConstraint(
                condition=Q(
                    surface__in=[
                        "matches",
                        "recommendations",
                        "opportunities",
                        "candidates",
                        "offers",
                        "proposals",
                        "commitments",
                    ]
                ),
                name="decision_surface_is_known",
            ),
            models.CheckConstraint(
                condition=Q(capacity__in=[kind.value for kind in ActorKind]), name="decision_capacity_is_known"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="decisions_are_never_rewritten",
                operation=pgtrigger.UpdateOf(
                    "capacity", "surface", "opportunity_id", "candidate_id", "model_id", "rank", "propensity",
                    "feature_set_id", "features", "at",
                ),
            ),
            pgtrigger.Protect(
                name="decisions_keep_their_viewer",  # or lose them, with the user
                operation=pgtrigger.UpdateOf("viewer_id"),
                condition=pgtrigger.Q(new__viewer__isnull=False),
            ),
            pgtrigger.Trigger(
                name="decisions_stay",
                operation=pgtrigger.Delete,
                when=pgtrigger.Before,
                func="""
                    -- Deeper than one: another row's deletion takes this one along.
                    IF pg_trigger_depth() > 1 OR current_setting('muster.forgetting', true) = 'decisions' THEN
                        RETURN OLD;
                    END IF;
                    RAISE EXCEPTION 'decisions are kept until their time is over'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'decisions_stay';
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.surface} #{self.rank}"

    def values(self) -> dict[str, int]:
        """Feature → value in thousandths, as they were."""
        return dict(zip(self.feature_set.names, self.features, strict=True))
