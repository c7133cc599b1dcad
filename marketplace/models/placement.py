"""People at work."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import ReferencedModel
from marketplace.core.workflow import LIVE_PLACEMENT_STATES, PlacementState
from marketplace.models.candidate import Candidate
from marketplace.models.money import AMOUNT, Period
from marketplace.models.offer import Offer
from marketplace.models.opportunity import Opportunity
from marketplace.models.seat import Seat

_LIVE = ", ".join(f"'{state}'" for state in LIVE_PLACEMENT_STATES)


class PlacementQuerySet(models.QuerySet["Placement"]):
    def live(self) -> PlacementQuerySet:
        return self.filter(state__in=LIVE_PLACEMENT_STATES)


class Placement(ReferencedModel):
    """One accepted offer, from onboarding to its end. Its hours count against the candidate's while it is live."""

    reference_prefix = "PLC"

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="placement")
    seat = models.OneToOneField(Seat, on_delete=models.PROTECT, related_name="placement")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="placements")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="placements")
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in PlacementState], default="onboarding")
    weekly_hours = models.PositiveSmallIntegerField(help_text="of the terms in force")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = PlacementQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in PlacementState]), name="placement_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE_PLACEMENT_STATES, ended_at=None)
                | (~Q(state__in=LIVE_PLACEMENT_STATES) & Q(ended_at__isnull=False)),
                name="placement_ended_at_is_set_when_over",
            ),
            models.CheckConstraint(condition=Q(weekly_hours__range=(1, 168)), name="placement_hours_fit_a_week"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")), name="placement_ends_after_it_starts"
            ),
        ]
        indexes = [
            # What a candidate's live placements take of their hours; read by the trigger and by every verdict.
            models.Index(
                fields=["candidate"], condition=Q(state__in=LIVE_PLACEMENT_STATES), name="placement_live_hours_idx"
            ),
        ]
        triggers = [
            # Locks the candidate's row, so two acceptances at once are judged one after the other. A candidate who
            # stated no hours is not limited.
            pgtrigger.Trigger(
                name="placement_within_candidate_hours",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("weekly_hours", "state", "candidate_id"),
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__state__in=list(LIVE_PLACEMENT_STATES)),
                declare=[("wanted", "integer"), ("taken", "integer")],
                func=f"""
                    SELECT weekly_hours INTO wanted FROM marketplace_candidate
                        WHERE id = NEW.candidate_id FOR NO KEY UPDATE;
                    SELECT COALESCE(SUM(weekly_hours), 0) INTO taken FROM marketplace_placement
                        WHERE candidate_id = NEW.candidate_id AND state IN ({_LIVE}) AND id <> COALESCE(NEW.id, -1);
                    IF taken + NEW.weekly_hours > wanted THEN
                        RAISE EXCEPTION 'placements exceed the hours of the candidate' USING
                            ERRCODE = 'check_violation', CONSTRAINT = 'placement_within_candidate_hours';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return self.reference


class PlacementTerms(models.Model):
    """Hours and pay from a day on; the latest day reached is in force."""

    placement = models.ForeignKey(Placement, on_delete=models.CASCADE, related_name="terms")
    weekly_hours = models.PositiveSmallIntegerField()
    pay_amount = models.DecimalField(**AMOUNT)
    pay_currency = models.CharField(max_length=3)
    pay_period = models.CharField(max_length=10, choices=Period)
    from_on = models.DateField()

    class Meta:
        verbose_name_plural = "placement terms"
        ordering = ["-from_on"]
        constraints = [
            models.UniqueConstraint(fields=["placement", "from_on"], name="one_set_of_terms_per_placement_and_day"),
            models.CheckConstraint(condition=Q(weekly_hours__range=(1, 168)), name="placement_terms_fit_a_week"),
            models.CheckConstraint(condition=Q(pay_amount__gte=0), name="placement_pay_is_not_negative"),
            models.CheckConstraint(
                condition=Q(pay_currency__regex=r"^[A-Z]{3}$"), name="placement_pay_currency_is_a_code"
            ),
            models.CheckConstraint(condition=Q(pay_period__in=Period.values), name="placement_pay_period_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.weekly_hours} h from {self.from_on}"
