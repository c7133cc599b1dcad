"""What is done at the console: in Django's log, which the pages show, and in the audit log, which is chained.

Neither says what a row is called. Django's own log keeps that for ever, and rows are called by people's names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db import models, transaction
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from accounts.actions.audit import record_many
from accounts.admin.steps import actor_of
from accounts.core.audit import AuditKind

_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
KINDS = {
    ADDITION: AuditKind.CONSOLE_ADDED,
    CHANGE: AuditKind.CONSOLE_CHANGED,
    DELETION: AuditKind.CONSOLE_DELETED,
}


class LoggedAdmin(ModelAdmin):
    def construct_change_message(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseInlineFormSet], add: bool = False
    ) -> Any:
        messages = super().construct_change_message(request, form, formsets, add)
        for message in messages if isinstance(messages, list) else ():
            for told in message.values():
                if "object" in told:  # an inner row, by its name
                    told["object"] = "…"
        return messages

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        return _log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        return _log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[models.Model]) -> Any:
        return _log(request, list(queryset), DELETION, [])


def _log(request: HttpRequest, rows: list[Any], flag: int, message: Any) -> list[LogEntry]:
    actor = actor_of(request)
    fields = _fields(message) if isinstance(message, list) else []
    with transaction.atomic():
        record_many(
            KINDS[flag], actor=actor, now=timezone.now(), subjects=rows,
            data={"fields": fields} if fields else {},
        )  # fmt: skip
        return LogEntry.objects.bulk_create(
            LogEntry(
                user_id=int(actor.user_id or 0),
                content_type_id=get_content_type_for_model(row).pk,
                object_id=row.pk,
                object_repr=f"{row._meta.verbose_name} {row.pk}",
                action_flag=flag,
                change_message=json.dumps(message) if isinstance(message, list) else message,
            )
            for row in rows
        )


def _fields(message: list[Any]) -> list[str]:
    """Names of the fields that a form changed, its inner rows' among them."""
    labels = {str(label) for one in message for told in one.values() for label in told.get("fields", ())}
    return sorted(_NO_NAME.sub("_", label)[:64] for label in labels)
