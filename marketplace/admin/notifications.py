"""What people were told, in the app and by mail."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.events import subject_link
from accounts.admin.rendering import link, state_column
from marketplace.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("kind", "user_link", "subject", "text", "mail_label", "mail_attempts", "read_at", "created_at")
    list_select_related = ("user",)
    list_filter = (
        "mail_state",
        "kind",
        ("user", AutocompleteSelectFilter),
        ("read_at", admin.EmptyFieldListFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("=user__email", "user__name", "=kind", "=subject_id")
    fields = (
        "user", "kind", "subject", "text", "event", "created_at", "read_at", "mail_state", "mail_attempts",
        "mail_due_at", "mail_error", "public_id",
    )  # fmt: skip
    mail_label = state_column("mail_state", "Mail")

    @display(description="To")
    def user_link(self, notification: Notification) -> str:
        return link(notification.user)

    @display(description="About")
    def subject(self, notification: Notification) -> str:
        return subject_link(notification.subject_type, notification.subject_id)
