"""Who did what that somebody may have to answer for.

Entries are written by plain INSERTs that wait for nobody. One sealer chains them in batches afterwards: each seal
holds the digest of every entry of its batch, and its own digest covers the seal before it. An entry that commits late,
whatever its id, is in the next batch. Nothing here names a person: ids and names of fields, which erasure leaves.
"""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.core.audit import Entry
from accounts.models.organisation import Organisation
from accounts.models.user import User


def stays(what: str) -> list[pgtrigger.Trigger]:
    """Neither deleted nor emptied."""
    return [
        pgtrigger.Protect(name=f"{what}_stay", operation=pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{what}_stay_all",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'what is audited stays';",
        ),
    ]


class AuditSeal(models.Model):
    """A batch of entries, closed. `previous` is the digest of the seal before, empty for the first.

    `signature` is an HMAC of the digest with a key made from SECRET_KEY: whoever can write the database alone cannot
    make another chain that holds.
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3 … without gaps")
    entry_ids = ArrayField(models.BigIntegerField(), help_text="ascending")
    entry_digests = models.BinaryField(help_text="SHA-256 of each, end to end")
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16, help_text="which key signed it")
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        triggers = [
            pgtrigger.Protect(name="audit_seals_are_never_rewritten", operation=pgtrigger.Update),
            *stays("audit_seals"),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditEntry(models.Model):
    """One act. Users and organisations are named without a foreign key: an entry outlasts them, and locks nothing."""

    kind = models.CharField(max_length=60, help_text="past tense: LoggedIn, EligibilityWaived")
    actor = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    actor_kind = models.CharField(max_length=20)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    subject_type = models.CharField(max_length=40, blank=True, help_text="model name, lower case")
    subject_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict, help_text="ids and names of fields")
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, null=True, related_name="entries")

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["id"]
        indexes = [
            # What the sealer has still to do.
            models.Index(fields=["id"], condition=models.Q(seal=None), name="audit_unsealed_idx"),
            # What was done to somebody or something, and what somebody did.
            models.Index(fields=["subject_type", "subject_id", "id"], name="audit_subject_idx"),
            models.Index(fields=["actor", "id"], name="audit_actor_idx"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="audit_entries_are_only_sealed",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL
                        AND to_jsonb(OLD) - 'seal_id' = to_jsonb(NEW) - 'seal_id'
                    THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'audit entries are never rewritten'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_entries_are_only_sealed';
                """,
            ),
            *stays("audit_entries"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    def chained(self) -> Entry:
        return Entry(
            id=self.pk, kind=self.kind, actor_id=self.actor_id, actor_kind=self.actor_kind,
            organisation_id=self.organisation_id, subject_type=self.subject_type, subject_id=self.subject_id,
            data=self.data, request_id=self.request_id, at=self.at,
        )  # fmt: skip
