"""Asking somebody to apply."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import PublicModel
from marketplace.core.workflow import InvitationState
from marketplace.models.candidate import Candidate
from marketplace.models.opportunity import Opportunity


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def live(self) -> InvitationQuerySet:
        return self.filter(state=InvitationState.SENT)


class Invitation(PublicModel):
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="invitations")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    message = models.TextField(blank=True, max_length=2000)
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in InvitationState], default="sent")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True, help_text="when the candidate accepted or declined")

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "candidate"], condition=Q(state="sent"), name="one_live_invitation_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in InvitationState]), name="invitation_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="invitation_expires_after_it_is_sent"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.candidate_id} to {self.opportunity_id}: {self.state}"
