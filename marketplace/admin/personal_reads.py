"""Having it logged whose personal data staff look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.console import RecordedAdmin
from accounts.admin.steps import actor_of
from marketplace.actions.personal_reads import log_personal_reads
from marketplace.core.personal import PersonalField
from marketplace.models import Candidate

NAME = (PersonalField.NAME,)


class ReadsLogged(RecordedAdmin):
    """Candidates' pages: each logs whom it shows before it is sent, and is not sent where that fails."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and (listed := (response.context_data or {}).get("cl")):
            _log(request, [row.pk for row in listed.result_list], NAME, "list")
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
            _log(request, [row.pk], PersonalField, "page")
        return response


class NamesLogged:
    """Of the console's other pages: a list names the people whom its rows are about, a page those of its row and of the
    rows within it, and a field in which somebody is chosen those whom it suggests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _page_of(request) == "autocomplete" and response.status_code == 200 and _chooses_people(request):
            _log(request, [int(one["id"]) for one in json.loads(response.content)["results"]], NAME, "choice")
        return response

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        if _page_of(request):
            shown = response.context_data or {}
            listed, original = shown.get("cl"), shown.get("original")
            if listed is not None and listed.model is not Candidate:
                _log(request, set(_people(listed.result_list)), NAME, "list")
            elif isinstance(original, models.Model) and not isinstance(original, Candidate):
                within = (one.formset.queryset for one in shown.get("inline_admin_formsets", ()))
                _log(request, set(_people([original, *(row for rows in within for row in rows)])), NAME, "page")
        return response


def _page_of(request: HttpRequest) -> str:
    """Its name, where it is one of the console's."""
    match = request.resolver_match
    return match.url_name or "" if match is not None and match.app_name == "admin" else ""


def _chooses_people(request: HttpRequest) -> bool:
    asked = request.GET
    model = apps.get_model(asked["app_label"], asked["model_name"])
    return model._meta.get_field(asked["field_name"]).related_model is Candidate


def _people(rows: Iterable[models.Model]) -> Iterator[int]:
    """The candidates (inner ids) whom rows refer to."""
    for row in rows:
        for field in row._meta.concrete_fields:
            if field.related_model is Candidate and (found := getattr(row, field.attname)) is not None:
                yield found


def _log(request: HttpRequest, candidate_ids: Collection[int], fields: Iterable[PersonalField], page: str) -> None:
    names = [field.value for field in fields]
    log_personal_reads(
        actor=actor_of(request),
        reads=dict.fromkeys(candidate_ids, (None, names)),
        through=[f"admin.{page}"],
        now=timezone.now(),
    )
