"""Asking to be considered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import ReferencedModel
from marketplace.core.workflow import ApplicationStatus
from marketplace.models.candidate import Candidate
from marketplace.models.invitation import Invitation
from marketplace.models.opportunity import Opportunity
from marketplace.models.revision import OpportunityRevision


class ApplicationQuerySet(models.QuerySet["Application"]):
    def live(self) -> ApplicationQuerySet:
        return self.filter(status=ApplicationStatus.ACTIVE)


class Application(ReferencedModel):
    """A candidate's standing with one opportunity, under the revision that was current when it was made."""

    reference_prefix = "APP"

    class Source(models.TextChoices):
        ORGANIC = "organic"
        INVITATION = "invitation"
        REFERRAL = "referral"
        ALLOCATION = "allocation"

    class Rejection(models.TextChoices):
        """What the candidate reads."""

        REQUIREMENTS = "requirements", "Other applicants meet the requirements more closely."
        EXPERIENCE = "experience", "We look for other experience."
        AVAILABILITY = "availability", "Hours or dates do not fit."
        PAY = "pay", "Expectations of pay are too far apart."
        FILLED = "filled", "All seats have been filled."
        OTHER = "other", "We decided otherwise."

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="applications")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="applications")
    revision = models.ForeignKey(OpportunityRevision, on_delete=models.PROTECT, related_name="applications")
    invitation = models.OneToOneField(Invitation, on_delete=models.PROTECT, null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source, default=Source.ORGANIC)
    answers = models.JSONField(default=dict, blank=True, help_text="screening question key → answer")
    verdict = models.JSONField(help_text="eligibility as judged when applying")
    changed_after_refusal = models.JSONField(
        default=list, blank=True, help_text="facts that the candidate changed soon after they were refused for them"
    )
    status = models.CharField(max_length=20, choices=[(s.value, s.value) for s in ApplicationStatus], default="active")
    stage = models.CharField(max_length=40, default="applied", help_text="a step of the opportunity's pipeline")
    preference_rank = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1: their first choice")
    rejection_reason = models.CharField(max_length=20, choices=Rejection, blank=True)
    rejection_note = models.TextField(blank=True, help_text="internal; the candidate never sees it")
    created_at = models.DateTimeField()

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "opportunity"], condition=Q(status="active"), name="one_live_application_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in ApplicationStatus]), name="application_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=["organic", "invitation", "referral", "allocation"]),
                name="application_source_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(rejection_reason=""), name="rejection_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(preference_rank=None) | Q(preference_rank__gte=1), name="preference_rank_starts_at_one"
            ),
        ]
        indexes = [
            # The pipeline of one opportunity, stage by stage.
            models.Index(fields=["opportunity", "status", "stage", "-id"], name="application_pipeline_idx"),
        ]

    def __str__(self) -> str:
        return self.reference
