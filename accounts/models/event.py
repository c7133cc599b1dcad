"""What happened, who has been told, and how every state came about.

Events are the outbox. They are appended in the transaction of the action that they record, so an event exists if and
only if its change does. Payloads hold ids and names of changed fields: never names, contacts or free text.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.base import PublicModel
from accounts.models.table_state import changes_of_some_renew_the_state
from accounts.models.user import User


class AggregateSequence(models.Model):
    """The last sequence number given out per aggregate. Its row lock is what makes the numbers gapless."""

    aggregate_type = models.CharField(max_length=40)
    aggregate_id = models.BigIntegerField()
    last = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["aggregate_type", "aggregate_id"], name="one_sequence_per_aggregate")
        ]

    def __str__(self) -> str:
        return f"{self.aggregate_type} {self.aggregate_id} #{self.last}"


class Event(PublicModel):
    aggregate_type = models.CharField(max_length=40, help_text="model name, lower case")
    aggregate_id = models.BigIntegerField()
    sequence = models.PositiveBigIntegerField(help_text="1, 2, 3 … within the aggregate, without gaps")
    name = models.CharField(max_length=60, help_text="past tense: OfferAccepted")
    payload = models.JSONField(default=dict)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_kind = models.CharField(max_length=20)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_type", "aggregate_id", "sequence"], name="event_sequence_is_unique_per_aggregate"
            ),
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="event_sequence_starts_at_one"),
        ]
        triggers = [
            # Deleting stays possible for a purge; rewriting what happened does not. The actor may be unlinked.
            pgtrigger.Protect(
                name="events_are_never_rewritten",
                operation=pgtrigger.UpdateOf(
                    "aggregate_type", "aggregate_id", "sequence", "name", "payload", "at", "actor_kind"
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.aggregate_type} {self.aggregate_id} #{self.sequence})"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> DeliveryQuerySet:
        return self.filter(state=Delivery.State.PENDING)

    def due(self, now) -> DeliveryQuerySet:
        return self.pending().filter(due_at__lte=now)


class Delivery(models.Model):
    """One event for one subscribed consumer; the row is what makes its effect happen exactly once.

    pending → done, or → failed after `MAX_ATTEMPTS`; staff put a failed one back to pending.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    MAX_ATTEMPTS = 8

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    consumer = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="not before; grows with each failed attempt")
    last_error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "consumer"], name="one_delivery_per_event_and_consumer"),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "done", "failed"]), name="delivery_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="done", done_at__isnull=False)
                | (~models.Q(state="done") & models.Q(done_at=None)),
                name="delivery_done_at_is_set_when_done",
            ),
        ]
        indexes = [
            # The sweeper's and the worker's claim: oldest due first.
            models.Index(fields=["due_at", "id"], condition=models.Q(state="pending"), name="delivery_claim_idx"),
            # What a consumer has still to be told: asked by every search of what its copies lack.
            models.Index(fields=["consumer"], condition=~models.Q(state="done"), name="delivery_outstanding_idx"),
            # What staff are shown to put right: among millions that are done, the few that failed.
            models.Index(fields=["id"], condition=models.Q(state="failed"), name="delivery_failed_idx"),
        ]
        # What searches of opportunities ask for: what their copies lack.
        triggers = changes_of_some_renew_the_state(
            "{row}.consumer = 'copies'",
            also="EXISTS (SELECT FROM accounts_event WHERE id = {row}.event_id AND aggregate_type = 'opportunity')",
        )

    def __str__(self) -> str:
        return f"{self.event} → {self.consumer}: {self.state}"


class Transition(models.Model):
    """The log of state changes: one row, and one event, for each."""

    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    from_state = models.CharField(max_length=20)
    to_state = models.CharField(max_length=20)
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_kind = models.CharField(max_length=20)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="transition")

    class Meta:
        ordering = ["id"]
        indexes = [
            # "How did this row get here?": the history in the admin and in the API.
            models.Index(fields=["subject_type", "subject_id", "id"], name="transition_subject_idx"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="transitions_are_never_rewritten",
                operation=pgtrigger.UpdateOf(
                    "subject_type", "subject_id", "from_state", "to_state", "action", "actor_kind", "at"
                ),
            ),
            pgtrigger.Protect(
                name="transitions_keep_their_reason",  # or lose it, with the person
                operation=pgtrigger.UpdateOf("reason"),
                condition=pgtrigger.Q(new__reason__df=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject_id}: {self.from_state} → {self.to_state}"
