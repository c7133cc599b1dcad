"""A candidate flattened into one row: what retrieval and the SQL evaluator read."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.models.changes import changes_are_numbered
from marketplace.models import Candidate, ExchangeRateSet
from matching.models.copymark import deletions_are_marked


class CandidateProjection(models.Model):
    """A copy, kept fresh by the worker; nobody is admitted on its word: every write rechecks against the tables.

    Null means unknown. What an empty mapping or array means is each attribute's to declare
    (`matching.core.attributes`).
    """

    candidate = models.OneToOneField(Candidate, on_delete=models.CASCADE, primary_key=True, related_name="projection")
    revision = models.PositiveIntegerField()
    rate_set = models.ForeignKey(ExchangeRateSet, on_delete=models.SET_NULL, null=True, related_name="+")
    country = models.CharField(max_length=2, null=True)  # noqa: DJ001 - null is "unknown" to the evaluator
    region = models.CharField(max_length=6, null=True)  # noqa: DJ001
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    timezone = models.CharField(max_length=64, null=True)  # noqa: DJ001
    utc_offset_minutes = models.SmallIntegerField(null=True)
    work_starts_minute = models.SmallIntegerField(null=True)
    work_ends_minute = models.SmallIntegerField(null=True)
    work_starts_utc = models.SmallIntegerField(null=True, help_text="minutes after midnight UTC, 0–1439")
    work_minutes = models.SmallIntegerField(null=True, help_text="how long the working day is, 1–1440")
    languages = models.JSONField(default=dict, help_text='{"de": 4}: ISO 639 → CEFR rank')
    work_authorisations = models.JSONField(default=dict, help_text='{"DE": "2027-01-31", "FR": null}')
    years_experience = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    weekly_hours = models.SmallIntegerField(null=True)
    free_hours = models.SmallIntegerField(null=True)
    hourly_rate = models.DecimalField(max_digits=12, decimal_places=4, null=True, help_text="EUR")
    commitments = ArrayField(models.CharField(max_length=20), default=list)
    available_from = models.DateField(null=True)
    skill_ids = ArrayField(models.IntegerField(), default=list)
    skills = models.JSONField(default=dict, help_text='{"17": {"level": 3, "years": "2.5", "last_used": null}}')
    groups = ArrayField(models.IntegerField(), default=list)
    vetting = models.JSONField(default=dict, help_text='{"identity": {"passed": true, "until": "2027-01-31"}}')
    # What only scoring reads, named as in `CandidateFacts`.
    title_words = ArrayField(models.TextField(), default=list)
    occupations = ArrayField(models.IntegerField(), default=list)
    mentioned_skills = ArrayField(models.IntegerField(), default=list)
    worked_for = ArrayField(models.IntegerField(), default=list)
    invitations_answered = models.IntegerField(default=0)
    invitations_received = models.IntegerField(default=0)
    offers_accepted = models.IntegerField(default=0)
    offers_decided = models.IntegerField(default=0)
    placements_completed = models.IntegerField(default=0)
    placements_over = models.IntegerField(default=0)
    last_active_on = models.DateField(null=True)
    headline = models.CharField(max_length=200, blank=True)
    titles = ArrayField(models.CharField(max_length=200), default=list)
    words = SearchVectorField(default="", help_text="headline A, titles B, skills C: `matching.core.search.vectors`")
    blocked_organisations = ArrayField(models.IntegerField(), default=list, help_text="who do not find them")
    discoverable = models.BooleanField()
    open_to_offers = models.BooleanField()
    present = models.BooleanField(help_text="neither merged into another nor suspended")
    refreshed_at = models.DateTimeField()
    changed_xid = models.BigIntegerField(default=0, editable=False, help_text="transaction that last wrote the row")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(work_starts_utc=None, work_minutes=None)
                | models.Q(work_starts_utc__range=(0, 1439), work_minutes__range=(1, 1440)),
                name="projection_working_day_is_whole_or_absent",
            )
        ]
        indexes = [
            # Rules and searches that ask for skills: `skill_ids @> {…}`.
            GinIndex(fields=["skill_ids"], name="projection_skills_idx"),
            models.Index(fields=["country", "region"], name="projection_place_idx"),
            # Whatever recruiters type into the search for people.
            GinIndex(fields=["words"], name="projection_words_idx"),
            # What has changed since a copy in memory was last brought up to date.
            models.Index(fields=["changed_xid"], name="projection_changed_idx"),
        ]
        triggers = [
            changes_are_numbered(),
            deletions_are_marked("candidate", "candidate_id"),
            pgtrigger.Trigger(
                name="departures_are_recorded",
                operation=pgtrigger.Delete,
                when=pgtrigger.After,
                func="""
                    INSERT INTO matching_departure (candidate_id, changed_xid)
                    VALUES (OLD.candidate_id, pg_current_xact_id()::text::bigint)
                    ON CONFLICT (candidate_id) DO UPDATE SET changed_xid = excluded.changed_xid;
                    RETURN OLD;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"candidate {self.candidate_id} at revision {self.revision}"


class Departure(models.Model):
    """A projection that was deleted, by candidate: copies in memory drop it. Written by a trigger."""

    candidate_id = models.BigIntegerField(primary_key=True)
    changed_xid = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["changed_xid"], name="departure_changed_idx")]

    def __str__(self) -> str:
        return f"candidate {self.candidate_id}"
