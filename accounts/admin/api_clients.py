"""The programs that use the API: what they registered, and what they use that will go."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter

from accounts.admin.console import ReadOnlyAdmin
from accounts.models import DeprecatedUse, TrustedDocument


@admin.register(TrustedDocument)
class TrustedDocumentAdmin(ReadOnlyAdmin):
    list_display = ("name", "client", "hash", "registered_at")
    list_filter = ("client", ("registered_at", RangeDateTimeFilter))
    search_fields = ("=hash", "client", "name")
    ordering = ("client", "name", "hash")
    fields = ("client", "name", "hash", "registered_at", "text")


@admin.register(DeprecatedUse)
class DeprecatedUseAdmin(ReadOnlyAdmin):
    list_display = ("element", "client", "day", "uses")
    list_filter = ("client", ("day", RangeDateFilter))
    search_fields = ("element", "client")
    ordering = ("-day", "element", "client")
    fields = ("element", "client", "day", "uses")
