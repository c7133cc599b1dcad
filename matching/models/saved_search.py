"""Searches that candidates keep, what they found, and the mails that tell of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import PublicModel
from accounts.models.changes import changes_are_numbered
from marketplace.models import Candidate, Opportunity
from matching.core.search.digests import Frequency
from matching.core.search.saved import LONGEST_NAME

FREQUENCIES = [(one.value, one.value) for one in Frequency]


class SavedSearchQuerySet(models.QuerySet["SavedSearch"]):
    def followed(self) -> SavedSearchQuerySet:
        """Of people who are there: neither merged into another nor suspended, with a login that is open."""
        return self.filter(candidate__merged_into=None, candidate__suspended_at=None, candidate__user__is_active=True)

    def due(self, now) -> SavedSearchQuerySet:
        return self.filter(due_at__lte=now)


class SavedSearch(PublicModel):
    """`query` is as `matching.core.search.saved` writes it. With the frequency `none` it is followed in the app, and
    no mails are sent."""

    candidate = models.ForeignKey(Candidate, on_delete=models.CASCADE, related_name="saved_searches")
    name = models.CharField(max_length=LONGEST_NAME, help_text="given, or made from what it asks for")
    is_named = models.BooleanField(default=False, help_text="the name was given")
    query = models.JSONField()
    fingerprint = models.CharField(max_length=64, editable=False, help_text="equal for queries that ask for the same")
    frequency = models.CharField(max_length=12, choices=FREQUENCIES)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(help_text="when the query was last changed")
    due_at = models.DateTimeField(null=True, blank=True, help_text="when what waits goes out; null: nothing waits")
    unsubscribed_at = models.DateTimeField(null=True, blank=True, help_text="by the link in a mail")
    changed_xid = models.BigIntegerField(default=0, editable=False, help_text="transaction that last set the query")

    objects = SavedSearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["candidate", "fingerprint"], name="candidate_saves_a_search_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_search_has_a_name"),
            models.CheckConstraint(
                condition=Q(frequency__in=[one.value for one in Frequency]), name="saved_search_frequency_is_known"
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | ~Q(frequency=Frequency.NONE.value), name="search_without_mails_is_never_due"
            ),
            models.CheckConstraint(
                condition=Q(unsubscribed_at=None) | Q(frequency=Frequency.NONE.value),
                name="unsubscribed_search_sends_no_mails",
            ),
            models.CheckConstraint(
                condition=Q(asked_at__gte=F("created_at")), name="saved_search_asks_since_its_creation"
            ),
        ]
        indexes = [
            # Whose digests are to be made up.
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="saved_search_due_idx"),
            # What has changed since the index in memory was last brought up to date.
            models.Index(fields=["changed_xid"], name="saved_search_changed_idx"),
        ]
        triggers = [changes_are_numbered("query")]

    def __str__(self) -> str:
        return self.name


class DigestQuerySet(models.QuerySet["Digest"]):
    def due(self, now) -> DigestQuerySet:
        return self.filter(state=Digest.State.PENDING, due_at__lte=now)


class Digest(PublicModel):
    """One mail about one search. Its `public_id` is the mail's Message-ID, so a retry is recognised as the same."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        DROPPED = "dropped"  # when it was to go out, there was nothing left to tell, or nobody to be told
        FAILED = "failed"  # given up after `MAX_ATTEMPTS`; staff put it back to pending

    MAX_ATTEMPTS = 8

    search = models.ForeignKey(SavedSearch, on_delete=models.CASCADE, related_name="digests")
    frequency = models.CharField(max_length=12, choices=FREQUENCIES, help_text="of the search, when it was made up")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(help_text="not before; grows with each failed attempt")
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = DigestQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "sent", "dropped", "failed"]), name="digest_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="digest_sent_at_is_set_when_sent",
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=["immediately", "daily", "weekly"]), name="digest_is_of_a_search_with_mails"
            ),
        ]
        indexes = [
            # The sender's claim: oldest due first.
            models.Index(fields=["due_at", "id"], condition=Q(state="pending"), name="digest_claim_idx"),
            # What staff are shown to put right.
            models.Index(fields=["id"], condition=Q(state="failed"), name="digest_failed_idx"),
        ]

    def __str__(self) -> str:
        return f"digest {self.pk} of search {self.search_id}"


class FoundOpportunity(models.Model):
    """What a search has found: once, whatever happens to the opportunity afterwards.

    It `waits` for the next digest of the search, or is in one, or is only shown in the app.
    """

    search = models.ForeignKey(
        SavedSearch, on_delete=models.CASCADE, related_name="found", db_index=False
    )  # the indexes below begin with it
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="+")
    found_at = models.DateTimeField()
    waits = models.BooleanField()
    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, null=True, blank=True, related_name="found")

    class Meta:
        verbose_name_plural = "found opportunities"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["search", "opportunity"], name="search_finds_an_opportunity_once"),
            models.CheckConstraint(condition=Q(waits=False) | Q(digest=None), name="what_is_in_a_digest_waits_no_more"),
        ]
        indexes = [
            # What goes into the next digest of a search.
            models.Index(fields=["search", "id"], condition=Q(waits=True), name="found_waiting_idx"),
            # What a search has found, newest first.
            models.Index(fields=["search", "-id"], name="found_newest_idx"),
        ]

    def __str__(self) -> str:
        return f"opportunity {self.opportunity_id} for search {self.search_id}"
