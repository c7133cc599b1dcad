"""The list of opportunities: filter, search, order, facets."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import strawberry
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.access import organisations_of
from accounts.api.connections import Connection, Key, Order, Page, page
from accounts.api.context import Context
from accounts.api.enums import described
from accounts.api.nodes import public_id
from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from marketplace.access import visible_opportunities
from marketplace.api.enums import ArrangementEnum, CommitmentEnum, OpportunityStateEnum
from marketplace.api.opportunities import OpportunityType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import skills_by_id
from marketplace.models import Opportunity, OpportunityLocation, OpportunitySkill

MOST_WORDS = 8
MOST_FACETS = 20
_FAR = datetime(9999, 1, 1, tzinfo=UTC)


class _OrderBy(StrEnum):
    NEWEST = "newest"
    CLOSING = "closing"
    TITLE = "title"


OpportunityOrder = described(
    _OrderBy,
    "OpportunityOrder",
    "How opportunities are sorted. Ties go to the newer one.",
    {
        "newest": "The latest published first.",
        "closing": "Those that close next first.",
        "title": "By title.",
    },
)
ORDERS = {
    _OrderBy.NEWEST: Order(
        "opportunities newest",
        (
            Key("listed_at", descending=True, expression=Coalesce("published_at", "created_at"), is_instant=True),
            Key("id", descending=True),
        ),
    ),
    _OrderBy.CLOSING: Order(
        "opportunities closing",
        (
            Key("listed_until", expression=Coalesce("closes_at", Value(_FAR)), is_instant=True),
            Key("id", descending=True),
        ),
    ),
    _OrderBy.TITLE: Order("opportunities title", (Key("title"), Key("id", descending=True))),
}


@strawberry.input(name="OpportunityFilter", description="Which opportunities. What is not given does not restrict.")
class OpportunityFilter:
    states: list[OpportunityStateEnum] | None = strawberry.field(
        default=None, description="Where they stand. Nobody sees more than they may: drafts are their organisation's."
    )
    commitments: list[CommitmentEnum] | None = strawberry.field(default=None, description="The kind of engagement.")
    arrangements: list[ArrangementEnum] | None = strawberry.field(default=None, description="Where the work is done.")
    countries: list[str] | None = strawberry.field(
        default=None, description="ISO 3166-1 alpha-2 codes: one of these is allowed, or every place is."
    )
    skill_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="They ask for all of these.")
    organisation_id: strawberry.ID | None = strawberry.field(default=None, description="Who posted them.")
    min_weekly_hours: int | None = strawberry.field(default=None, description="At least so many hours a week.")
    max_weekly_hours: int | None = strawberry.field(default=None, description="At most so many hours a week.")
    mine: bool | None = strawberry.field(default=None, description="Only those of the organisations you belong to.")


@strawberry.type(name="Facet", description="A value, and how many of the opportunities found have it.")
class FacetType:
    value: str = strawberry.field(description="The value.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(name="SkillFacet", description="A skill, and how many of the opportunities found ask for it.")
class SkillFacetType:
    skill: SkillType = strawberry.field(description="The skill.")
    count: int = strawberry.field(description="How many.")


class Facets:
    """Counts over the opportunities found; each is looked up when it is asked for."""

    def __init__(self, found: QuerySet[Opportunity]) -> None:
        self.found = found.order_by()

    def by(self, column: str) -> list[FacetType]:
        rows = self.found.exclude(**{column: ""}).values_list(column).annotate(number=Count("pk"))
        return [FacetType(value=value, count=number) for value, number in sorted(rows, key=_most_first)]


def _most_first(row: tuple[Any, int]) -> tuple[int, Any]:
    return -row[1], row[0]


@strawberry.type(name="OpportunityFacets", description="How the opportunities found are spread.")
class FacetsType:
    @strawberry.field(description="By kind of engagement.")
    def commitments(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.by("commitment")

    @strawberry.field(description="By where the work is done.")
    def arrangements(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.by("arrangement")

    @strawberry.field(description="By country allowed, the most frequent ones.")
    def countries(root: strawberry.Parent[Any]) -> list[FacetType]:
        rows = (
            OpportunityLocation.objects.filter(opportunity__in=root.found, kind=OpportunityLocation.Kind.ALLOWED)
            .order_by()
            .values_list("country")
            .annotate(number=Count("opportunity", distinct=True))
        )
        listed = sorted(rows, key=_most_first)[:MOST_FACETS]
        return [FacetType(value=value, count=number) for value, number in listed]

    @strawberry.field(description="By skill asked for, the most frequent ones.")
    def skills(root: strawberry.Parent[Any]) -> list[SkillFacetType]:
        rows = list(
            OpportunitySkill.objects.filter(opportunity__in=root.found)
            .order_by()
            .values_list("skill_id")
            .annotate(number=Count("opportunity"))
            .order_by("-number", "skill_id")[:MOST_FACETS]
        )
        skills = skills_by_id(skill_id for skill_id, _ in rows)
        return [
            SkillFacetType(skill=skills[skill_id], count=number)  # type: ignore[arg-type]
            for skill_id, number in rows
        ]


@strawberry.type(name="OpportunityExploration", description="One page of the opportunities found, and their spread.")
class OpportunityExploration(Connection[OpportunityType]):
    facets: FacetsType = strawberry.field(description="How all that were found are spread, whatever the page.")


class Exploration(Page):
    @property
    def facets(self) -> Facets:
        if self.queryset is None:
            raise TypeError("an exploration is made from a queryset")
        return Facets(self.queryset)


def explore(
    context: Context,
    *,
    filter: OpportunityFilter | None,
    search: str | None,
    order_by: Any,
    first: int | None,
    after: str | None,
) -> Any:
    """Raises InvalidInput."""
    found = visible_opportunities(context.actor)
    if filter is not None:
        found = filtered(found, filter, context)
    if search is not None:
        for word in clean_line(search, field="search", max_length=200, required=False).split()[:MOST_WORDS]:
            # Skills by subquery: a join would count an opportunity once for each skill that matches.
            skilled = OpportunitySkill.objects.filter(skill__name__icontains=word).values("opportunity_id")
            found = found.filter(Q(title__icontains=word) | Q(description__icontains=word) | Q(pk__in=skilled))
    order = ORDERS[_OrderBy(order_by.value)] if order_by else ORDERS[_OrderBy.NEWEST]
    listed = page(found, first=first, after=after, order=order)
    return Exploration(**vars(listed))


def filtered(found: QuerySet[Opportunity], by: OpportunityFilter, context: Context) -> QuerySet[Opportunity]:
    if by.states is not None:
        found = found.filter(state__in=[state.value for state in by.states])
    if by.commitments is not None:
        found = found.filter(commitment__in=[value.value for value in by.commitments])
    if by.arrangements is not None:
        found = found.filter(arrangement__in=[value.value for value in by.arrangements])
    if by.countries is not None:
        codes = [clean_line(code, field="filter.countries", max_length=2) for code in _few(by.countries, "countries")]
        allowed = OpportunityLocation.objects.filter(kind=OpportunityLocation.Kind.ALLOWED)
        named = Q(pk__in=allowed.filter(country__in=codes).values("opportunity_id"))
        found = found.filter(named | ~Q(pk__in=allowed.values("opportunity_id")))
    for skill in _few(by.skill_ids or [], "skillIds"):
        uuid = public_id(skill, "Skill", field="filter.skillIds")
        found = found.filter(pk__in=OpportunitySkill.objects.filter(skill__public_id=uuid).values("opportunity_id"))
    if by.organisation_id is not None:
        uuid = public_id(by.organisation_id, "Organisation", field="filter.organisationId")
        found = found.filter(posting_organisation__public_id=uuid)
    if by.min_weekly_hours is not None:
        found = found.filter(weekly_hours__gte=_hours(by.min_weekly_hours, "minWeeklyHours"))
    if by.max_weekly_hours is not None:
        found = found.filter(weekly_hours__lte=_hours(by.max_weekly_hours, "maxWeeklyHours"))
    if by.mine and context.actor.user_id is not None:
        mine = organisations_of(context.actor, "read").filter(memberships__user_id=context.actor.user_id)
        found = found.filter(posting_organisation__in=mine)
    return found


def _few(values: list[Any], field: str) -> list[Any]:
    if len(values) > MOST_FACETS:
        raise InvalidInput(f"filter.{field}", f"must name at most {MOST_FACETS}")
    return values


def _hours(value: int, field: str) -> int:
    if not 0 <= value <= 168:
        raise InvalidInput(f"filter.{field}", "must be from 0 to 168")
    return value
