"""Having it logged whose personal data staff look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.console import RecordedAdmin
from accounts.admin.steps import actor_of
from marketplace.actions.personal_reads import log_personal_reads
from marketplace.core.personal import PersonalField


class ReadsLogged(RecordedAdmin):
    """Candidates' pages: each logs whom it shows before it is sent, and is not sent where that fails."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and (listed := (response.context_data or {}).get("cl")):
            self._log(request, [row.pk for row in listed.result_list], [PersonalField.NAME], "list")
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if isinstance(response, TemplateResponse) and (row := (response.context_data or {}).get("original")):
            self._log(request, [row.pk], PersonalField, "page")
        return response

    def _log(
        self, request: HttpRequest, candidate_ids: Collection[int], fields: Iterable[PersonalField], page: str
    ) -> None:
        names = [field.value for field in fields]
        log_personal_reads(
            actor=actor_of(request),
            reads=dict.fromkeys(candidate_ids, (None, names)),
            through=[f"admin.{page}"],
            now=timezone.now(),
        )
