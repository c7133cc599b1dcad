"""The audit log to look at: nothing in it can be changed."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.events import subject_link
from accounts.admin.rendering import NOTHING, as_json
from accounts.models import AuditEntry, AuditSeal


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Whether it still says what it said is for `manage.py audit verify` to tell."""

    list_display = ("at", "kind", "actor", "actor_kind", "subject", "organisation", "is_sealed", "request_id")
    list_select_related = ("actor", "organisation")
    list_filter = ("actor_kind", "subject_type", ("at", RangeDateTimeFilter))
    search_fields = ("=kind", "=request_id", "=subject_id", "=actor__email")
    ordering = ("-id",)
    fields = ("at", "kind", "actor", "actor_kind", "subject", "organisation", "what", "request_id", "seal")

    @display(description="About")
    def subject(self, entry: AuditEntry) -> str:
        return subject_link(entry.subject_type, entry.subject_id) if entry.subject_id is not None else NOTHING

    @display(description="Data")
    def what(self, entry: AuditEntry) -> str:
        return as_json(entry.data)

    @display(description="Sealed", boolean=True)
    def is_sealed(self, entry: AuditEntry) -> bool:
        return entry.seal_id is not None


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    list_display = ("number", "sealed_at", "size", "digest", "key_id")
    ordering = ("-number",)
    fields = ("number", "sealed_at", "size", "digest", "previous", "signature", "key_id")

    @display(description="Entries")
    def size(self, seal: AuditSeal) -> int:
        return len(seal.entry_ids)
