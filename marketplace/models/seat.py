"""Places to fill."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import PublicModel
from accounts.models.table_state import changes_renew_the_state
from marketplace.core.workflow import SeatState
from marketplace.models.opportunity import Opportunity


class SeatQuerySet(models.QuerySet["Seat"]):
    def open(self) -> SeatQuerySet:
        return self.filter(state=SeatState.OPEN)

    def wanted(self) -> SeatQuerySet:
        """Open, held or filled: what the opportunity wants in all at present."""
        return self.filter(state__in=[SeatState.OPEN, SeatState.HELD, SeatState.FILLED])


class Seat(PublicModel):
    """One place of an opportunity. Who holds it is said by the offer or the placement that points here.

    A seat is filled once in its life: when its placement ends early, a new seat `replaces` it. So one unique
    placement per seat is enough to make overfilling impossible.
    """

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="seats")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the opportunity")
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in SeatState], default="open")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    opened_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True, blank=True)

    objects = SeatQuerySet.as_manager()

    class Meta:
        ordering = ["opportunity_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "number"], name="seat_number_is_unique_per_opportunity"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in SeatState]), name="seat_state_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=["filled", "spent"], filled_at__isnull=False)
                | (~Q(state__in=["filled", "spent"]) & Q(filled_at=None)),
                name="seat_filled_at_is_set_when_filled",
            ),
        ]
        indexes = [
            # Taking an open seat, lowest number first, skipping those that others are taking.
            models.Index(fields=["opportunity", "number"], condition=Q(state="open"), name="seat_take_idx"),
        ]
        triggers = changes_renew_the_state()

    def __str__(self) -> str:
        return f"seat {self.number} ({self.state})"
