"""What has changed since it was last copied: into the projections, and from there into the search index."""

from __future__ import annotations

import pgtrigger
from django.db import models

from accounts.models.table_state import changes_of_some_renew_the_state


class CopyMark(models.Model):
    """One document to copy. A thousand edits make one mark.

    `urgent` marks stem from a change of the thing itself: until it is copied, the copy may not be trusted, and searches
    leave it out (`matching.queries.lagging`). The others renew what is merely somewhat old, such as pay at yesterday's
    rates. `generation` grows with each edit, so that a copier deletes only the mark it read, not a newer one.

    A document that the index does not admit keeps its mark, which is urgent then: searches ask Postgres about it. It is
    not tried again before the next edit.
    """

    class Stage(models.TextChoices):
        PROJECTION = "projection"  # the tables were changed: write the projection
        INDEX = "index"  # the projection was written or deleted: write the document

    class Subject(models.TextChoices):
        CANDIDATE = "candidate"
        OPPORTUNITY = "opportunity"

    stage = models.CharField(max_length=12, choices=Stage)
    subject_type = models.CharField(max_length=12, choices=Subject)
    subject_id = models.BigIntegerField()
    urgent = models.BooleanField(default=True)
    generation = models.PositiveIntegerField(default=1)
    since = models.DateTimeField(help_text="the oldest change not yet copied")
    refused_generation = models.PositiveIntegerField(null=True, help_text="the generation that the index did not admit")
    refusal = models.CharField(max_length=200, blank=True, db_default="", help_text="why")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "subject_type", "subject_id"], name="one_copy_mark_per_stage_and_subject"
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=["projection", "index"]), name="copy_mark_stage_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(subject_type__in=["candidate", "opportunity"]), name="copy_mark_subject_is_known"
            ),
        ]
        indexes = [
            # A copier's claim: what is urgent first, then the oldest.
            models.Index(fields=["stage", "subject_type", "-urgent", "since", "id"], name="copy_mark_claim_idx"),
            # What copies do not know yet: asked by every search.
            models.Index(
                fields=["subject_type", "subject_id"], condition=models.Q(urgent=True), name="copy_mark_urgent_idx"
            ),
        ]
        triggers = changes_of_some_renew_the_state("{row}.subject_type = 'opportunity'")

    def __str__(self) -> str:
        return f"{self.stage} of {self.subject_type} {self.subject_id}"


def deletions_are_marked(subject_type: str, key: str) -> pgtrigger.Trigger:
    """Marks a projection that is deleted, so that its document goes too, whoever deletes it."""
    return pgtrigger.Trigger(
        name="deletions_are_marked",
        operation=pgtrigger.Delete,
        when=pgtrigger.After,
        func=f"""
            INSERT INTO matching_copymark (stage, subject_type, subject_id, urgent, generation, since)
            VALUES ('index', '{subject_type}', OLD.{key}, true, 1, now())
            ON CONFLICT (stage, subject_type, subject_id) DO UPDATE
            SET urgent = true, generation = matching_copymark.generation + 1;
            RETURN OLD;
        """,
    )
