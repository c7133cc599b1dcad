"""Offers, and the line of those who came too late for one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import PublicModel, ReferencedModel
from marketplace.core.workflow import OfferState
from marketplace.models.application import Application
from marketplace.models.candidate import Candidate
from marketplace.models.money import AMOUNT, Period
from marketplace.models.opportunity import Opportunity
from marketplace.models.revision import OpportunityRevision
from marketplace.models.seat import Seat


class OfferQuerySet(models.QuerySet["Offer"]):
    def live(self) -> OfferQuerySet:
        return self.filter(state=OfferState.SENT)


class Offer(ReferencedModel):
    """Exact terms put to one applicant.

    A *reserved* offer holds a seat from the start. An *open call* goes to more people than there are seats, and takes
    a seat when it is accepted, first come, first served.
    """

    reference_prefix = "OFR"

    class Kind(models.TextChoices):
        RESERVED = "reserved"
        OPEN_CALL = "open_call"

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="offers")
    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="offers")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="offers")
    revision = models.ForeignKey(OpportunityRevision, on_delete=models.PROTECT, related_name="offers")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, null=True, blank=True, related_name="offers")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.RESERVED)
    pay_amount = models.DecimalField(**AMOUNT)
    pay_currency = models.CharField(max_length=3)
    pay_period = models.CharField(max_length=10, choices=Period)
    weekly_hours = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    message = models.TextField(blank=True, max_length=2000)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in OfferState], default="sent")
    decline_reason = models.CharField(max_length=200, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=[s.value for s in OfferState]), name="offer_state_is_known"),
            models.CheckConstraint(
                condition=Q(kind="reserved", state__in=["sent", "accepted"], seat__isnull=False)
                | Q(kind="open_call", state="accepted", seat__isnull=False)
                | Q(kind="open_call", seat=None) & ~Q(state="accepted")
                | Q(kind="reserved", seat=None) & ~Q(state__in=["sent", "accepted"]),
                name="offer_has_a_seat_exactly_when_it_holds_one",
            ),
            models.UniqueConstraint(fields=["seat"], name="seat_has_at_most_one_holder"),
            models.UniqueConstraint(
                fields=["application"], condition=Q(state="sent"), name="one_live_offer_per_application"
            ),
            models.CheckConstraint(condition=Q(pay_amount__gte=0), name="offer_pay_is_not_negative"),
            models.CheckConstraint(condition=Q(pay_currency__regex=r"^[A-Z]{3}$"), name="offer_pay_currency_is_a_code"),
            models.CheckConstraint(condition=Q(pay_period__in=Period.values), name="offer_pay_period_is_known"),
            models.CheckConstraint(condition=Q(weekly_hours__range=(1, 168)), name="offer_hours_fit_a_week"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")), name="offer_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="offer_expires_after_it_is_sent"
            ),
        ]
        indexes = [
            # A candidate's live offers, and an opportunity's: what an allocation must leave out.
            models.Index(fields=["candidate"], condition=Q(state="sent"), name="offer_live_candidate_idx"),
            models.Index(fields=["opportunity"], condition=Q(state="sent"), name="offer_live_opportunity_idx"),
        ]

    def __str__(self) -> str:
        return self.reference


class WaitlistEntry(PublicModel):
    """A place in the line for a seat that comes free. Lower `priority` is served first, then the earlier `since`."""

    OVERTAKEN_PRIORITY = 10  # accepted an open call, found it full: before those who merely wait
    WAITING_PRIORITY = 100

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="waitlist")
    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="waitlist_entries")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    priority = models.PositiveSmallIntegerField(default=WAITING_PRIORITY)
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "waitlist entries"
        ordering = ["opportunity_id", "priority", "since", "id"]
        constraints = [models.UniqueConstraint(fields=["opportunity", "candidate"], name="one_waitlist_entry_per_pair")]

    def __str__(self) -> str:
        return f"{self.candidate_id} waits for {self.opportunity_id}"
