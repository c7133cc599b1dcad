"""Finding people by their contacts, which are sealed: by a whole one, through its fingerprint."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest

from marketplace.actions.duplicates import bearers_of_contact


class FoundByContact:
    """For pages of rows about a candidate, beside their `search_fields`."""

    whose: ClassVar[str] = "candidate"
    search_help_text = "Among others an e-mail address, or a telephone number with its country's code: the whole of it"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        bearers = bearers_of_contact(search_term)
        return (found | queryset.filter(**{f"{self.whose}__in": bearers}) if bearers else found), may_have_duplicates
