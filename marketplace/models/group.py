"""An organisation's own lists of people: favourites, do-not-rehire, past workers."""

from __future__ import annotations

import pghistory
from django.conf import settings
from django.db import models

from accounts.models import Organisation, PublicModel
from marketplace.models.candidate import FACTS_ARE_NEVER_REWRITTEN, Candidate


class CandidateGroup(PublicModel):
    class Kind(models.TextChoices):
        FAVOURITES = "favourites"
        DO_NOT_REHIRE = "do_not_rehire"
        PAST_WORKERS = "past_workers"
        CUSTOM = "custom"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="candidate_groups")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.CUSTOM)
    name = models.CharField(max_length=100)
    candidates = models.ManyToManyField(Candidate, through="CandidateGroupMembership", related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="candidate_group_name_is_unique"),
            models.UniqueConstraint(
                fields=["organisation", "kind"],
                condition=~models.Q(kind="custom"),
                name="one_candidate_group_of_each_standard_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["favourites", "do_not_rehire", "past_workers", "custom"]),
                name="candidate_group_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.DeleteEvent(),
    fields=["candidate", "group"],
    model_name="GroupFactEvent",
    meta={"triggers": [FACTS_ARE_NEVER_REWRITTEN]},
)
class CandidateGroupMembership(models.Model):
    group = models.ForeignKey(CandidateGroup, on_delete=models.CASCADE, related_name="memberships")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="group_memberships")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "candidate"], name="one_membership_per_group_and_candidate")
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} in {self.group_id}"
