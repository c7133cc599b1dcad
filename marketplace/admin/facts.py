"""The history of candidates' facts: append-only, one page for each kind."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from accounts.admin.console import ReadOnlyAdmin
from accounts.admin.rendering import NOTHING, link_to
from marketplace.models import Candidate, Skill

HISTORIES = (
    "CandidateFactEvent",
    "CandidateSkillFactEvent",
    "CandidateLanguageFactEvent",
    "AuthorisationFactEvent",
    "VettingFactEvent",
    "GroupFactEvent",
)


class FactEventAdmin(ReadOnlyAdmin):
    """Rows are shown by their keys alone: what they point to may have changed or gone since."""

    list_filter = ("pgh_label", ("pgh_created_at", RangeDateTimeFilter))
    ordering = ("-pgh_id",)

    @display(description="Candidate")
    def candidate_link(self, fact: Any) -> str:
        pk = getattr(fact, "candidate_id", None) or fact.pgh_obj_id
        return link_to(Candidate, pk, f"candidate {pk}") if pk else NOTHING

    @display(description="Skill")
    def skill_link(self, fact: Any) -> str:
        return link_to(Skill, fact.skill_id, f"skill {fact.skill_id}")


def _register(name: str) -> None:
    model = apps.get_model("marketplace", name)
    columns = [field.name for field in model._meta.concrete_fields if not field.name.startswith("pgh_")]
    shown = [name for name in columns if name not in {"id", "candidate", "skill", "merged_into"}]
    leading = ["candidate_link", *(["skill_link"] if "skill" in columns else [])]
    page = type(
        f"{name}Admin",
        (FactEventAdmin,),
        {
            "list_display": ("pgh_created_at", "pgh_label", *leading, *shown[:8]),
            "search_fields": ("=candidate__id",) if "candidate" in columns else ("=pgh_obj__id",),
            "fields": ("pgh_created_at", "pgh_label", *leading, *shown),
        },
    )
    admin.site.register(model, page)


for _name in HISTORIES:
    _register(_name)
