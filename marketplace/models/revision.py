"""The terms of an opportunity at one moment, and exceptions from them."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models

from accounts.models import PublicModel
from accounts.models.table_state import changes_renew_the_state
from marketplace.models.candidate import Candidate
from marketplace.models.opportunity import Opportunity


class OpportunityRevision(PublicModel):
    """Immutable. Which one is current is the opportunity's to say; applications and offers pin theirs.

    `terms` is a snapshot as `marketplace.queries.terms` writes it; `rule` is the eligibility rule as JSON, null for
    open to all.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    terms = models.JSONField()
    rule = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "number"], name="opportunity_revision_number_is_unique")
        ]
        triggers = [
            *changes_renew_the_state(),
            pgtrigger.Protect(
                name="revisions_are_immutable",
                operation=pgtrigger.UpdateOf("opportunity_id", "number", "terms", "rule", "created_at"),
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class EligibilityWaiverQuerySet(models.QuerySet["EligibilityWaiver"]):
    def in_force(self, now) -> EligibilityWaiverQuerySet:
        return self.filter(revoked_at=None, until__gt=now)


class EligibilityWaiver(PublicModel):
    """A named person let in despite the rule: by whom, why, until when."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="waivers")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="waivers")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = EligibilityWaiverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "candidate"],
                condition=models.Q(revoked_at=None),
                name="one_standing_waiver_per_opportunity_and_candidate",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="waiver_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} for {self.opportunity_id} until {self.until:%Y-%m-%d}"


class EligibilityRefusal(models.Model):
    """A candidate was told that they are not eligible: by which rule, over which facts, for which criteria. What they
    change afterwards is held against it."""

    class Surface(models.TextChoices):
        APPLY = "apply", "they applied"
        VERDICT = "verdict", "they asked for the verdict"

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="refusals")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="refusals")
    revision = models.ForeignKey(OpportunityRevision, on_delete=models.CASCADE, related_name="refusals")
    candidate_revision = models.PositiveIntegerField()
    surface = models.CharField(max_length=10, choices=Surface)
    verdict = models.JSONField(help_text="the whole of it, what was not disclosed included")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "candidate", "revision", "candidate_revision"],
                name="one_refusal_per_rule_and_facts",
            ),
            models.CheckConstraint(
                condition=models.Q(surface__in=["apply", "verdict"]), name="refusal_surface_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} for {self.opportunity_id} at {self.at:%Y-%m-%d}"
