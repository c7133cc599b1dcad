"""Seats that came free, and who decides on what becomes of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organisation, PublicModel
from marketplace.models import Opportunity, Seat
from matching.core.backfill import BackfillPolicy
from matching.models.allocation import AllocationRun

POLICIES = [(policy.value, policy.value.replace("_", " ")) for policy in BackfillPolicy]


class BackfillRule(PublicModel):
    """What becomes of seats that come free: of one opportunity, or of all of an organisation that say nothing else."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="backfill_rule"
    )
    opportunity = models.OneToOneField(
        Opportunity, on_delete=models.CASCADE, null=True, blank=True, related_name="backfill_rule"
    )
    policy = models.CharField(max_length=12, choices=POLICIES)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(organisation=None) ^ Q(opportunity=None), name="backfill_rule_is_about_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(policy__in=[policy.value for policy in BackfillPolicy]), name="backfill_policy_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opportunity or self.organisation}: {self.policy}"


class VacancyQuerySet(models.QuerySet["Vacancy"]):
    def open(self) -> VacancyQuerySet:
        return self.filter(closed_at=None)


class Vacancy(PublicModel):
    """A seat that came free and is to be filled again. Closed when a run takes it over, or nobody is looked for."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="vacancies")
    seat = models.ForeignKey(Seat, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    run = models.ForeignKey(
        AllocationRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="vacancies",
        help_text="the run that looks for somebody",
    )  # fmt: skip

    objects = VacancyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "vacancies"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["seat"], condition=Q(closed_at=None), name="one_open_vacancy_per_seat"),
            models.CheckConstraint(
                condition=Q(run=None) | Q(closed_at__isnull=False), name="vacancy_is_closed_by_its_run"
            ),
        ]
        indexes = [
            # What a backfill of one opportunity takes over.
            models.Index(fields=["opportunity"], condition=Q(closed_at=None), name="vacancy_open_idx"),
        ]

    def __str__(self) -> str:
        return f"seat {self.seat_id} of {self.opportunity_id} since {self.since:%Y-%m-%d %H:%M}"
