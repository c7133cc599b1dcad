"""Saved searches, and what they have found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

import strawberry
from django.db.models import F, QuerySet

from accounts.api.connections import AFTER, FIRST, Connection, Page, nested_page
from accounts.api.context import Info
from accounts.api.nodes import Node, node_type
from accounts.api.peers import batched, related, together
from accounts.api.types import OrganisationType
from accounts.core.actor import Actor
from accounts.models import Organisation
from marketplace.access import visible_opportunities
from marketplace.api.enums import ArrangementEnum, CommitmentEnum
from marketplace.api.money import MoneyType
from marketplace.api.opportunities import OpportunityType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import skills_by_id
from marketplace.core.money import Money
from matching.access import access_saved_search
from matching.api.enums import AlertFrequencyEnum
from matching.core.search.saved import SavedQuery
from matching.core.search.search import Facet
from matching.models import FoundOpportunity, SavedSearch


class Asked:
    """What a saved search asks for; skills and organisations are looked up for all that were loaded together."""

    def __init__(self, row: SavedSearch) -> None:
        self.row = row

    @cached_property
    def query(self) -> SavedQuery:
        return SavedQuery.from_json(self.row.query)

    def named(self, facet: Facet, load: Callable[[set[int]], Mapping[int, Any]]) -> list[Any]:
        """The rows that the filter by a facet names; those that are gone are left out."""

        def by_search(rows: list[SavedSearch]) -> dict[int, list[Any]]:
            chosen = {row.pk: SavedQuery.from_json(row.query).chosen(facet) for row in rows}
            found = load({pk for ids in chosen.values() for pk in ids})
            return {pk: [found[one] for one in ids if one in found] for pk, ids in chosen.items()}

        answer: list[Any] = batched(self.row, ("asked", facet), by_search, [])
        return answer


def _organisations(ids: set[int]) -> dict[int, Organisation]:
    return {row.pk: row for row in together(Organisation.objects.filter(pk__in=ids))}


@strawberry.type(name="SavedQuery", description="What a saved search asks opportunities for: all of it.")
class SavedQueryType:
    @strawberry.field(description="Words, as typed.")
    def search(root: strawberry.Parent[Any]) -> str | None:
        return root.query.text or None

    @strawberry.field(description="One of these kinds of engagement; empty: any.")
    def commitments(root: strawberry.Parent[Any]) -> list[CommitmentEnum]:
        return list(root.query.chosen(Facet.COMMITMENT))

    @strawberry.field(description="One of these places of work; empty: any.")
    def arrangements(root: strawberry.Parent[Any]) -> list[ArrangementEnum]:
        return list(root.query.chosen(Facet.ARRANGEMENT))

    @strawberry.field(description="Open to people in one of these countries, by ISO 3166-1 alpha-2 code; empty: any.")
    def countries(root: strawberry.Parent[Any]) -> list[str]:
        return list(root.query.chosen(Facet.COUNTRY))

    @strawberry.field(description="Asking for all of these skills, or for narrower kinds of them.")
    def skills(root: strawberry.Parent[Any]) -> list[SkillType]:
        return root.named(Facet.SKILL, skills_by_id)

    @strawberry.field(description="Posted by this organisation, or for it.")
    def organisation(root: strawberry.Parent[Any]) -> OrganisationType | None:
        found = root.named(Facet.ORGANISATION, _organisations)
        return found[0] if found else None

    @strawberry.field(description="Paying at least so much a year.")
    def min_pay(root: strawberry.Parent[Any]) -> MoneyType | None:
        pay = root.query.pay
        return None if pay is None or pay.least is None else Money(pay.least, pay.currency)  # type: ignore[return-value]

    @strawberry.field(description="Paying at most so much a year.")
    def max_pay(root: strawberry.Parent[Any]) -> MoneyType | None:
        pay = root.query.pay
        return None if pay is None or pay.most is None else Money(pay.most, pay.currency)  # type: ignore[return-value]

    @strawberry.field(description="Only what you are eligible for, by all that is known of you.")
    def eligible_only(root: strawberry.Parent[Any]) -> bool:
        return root.query.eligible_only


@dataclass
class FoundPage(Page):
    """A page of what was found, as the opportunities: their places are those of the finds."""

    @property
    def nodes(self) -> list[Any]:
        return [related(row, "opportunity") for row in self.rows]

    @cached_property
    def edges(self) -> list[Any]:
        return [_Edge(related(row, "opportunity"), self.order.cursor(row)) for row in self.rows]


@dataclass
class _Edge:
    node: Any
    cursor: str


def _newly_found(actor: Actor) -> QuerySet[FoundOpportunity]:
    rows = FoundOpportunity.objects.filter(found_at__gte=F("search__asked_at"))
    return rows.filter(opportunity__in=visible_opportunities(actor))


@node_type(
    SavedSearch,
    name="SavedSearch",
    description="A search that a candidate keeps. They are told of what is newly open to everybody and found by it.",
    access=access_saved_search,
)
class SavedSearchType(Node):
    name: str = strawberry.field(description="What it is called; made from what it asks for where nobody named it.")
    frequency: AlertFrequencyEnum = strawberry.field(description="How often mails tell of what was found.")
    created_at: datetime = strawberry.field(description="When it was saved.")
    unsubscribed_at: datetime | None = strawberry.field(
        description="When the link in a mail stopped the mails; null where mails are sent, or were never wanted."
    )

    @strawberry.field(description="What it asks for.")
    def query(root: strawberry.Parent[Any]) -> SavedQueryType:
        return Asked(root)  # type: ignore[return-value]

    @strawberry.field(
        description=(
            "What it has found since it was saved, or last changed: those that you may still see, latest found first."
            " Each once, however often it is opened again."
        )
    )
    def new_opportunities(
        root: strawberry.Parent[Any],
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[OpportunityType]:
        actor = info.context.actor
        listed = nested_page(root, "new_opportunities", _newly_found, actor, by="search", first=first, after=after)
        return FoundPage(**vars(listed))  # type: ignore[return-value]


@strawberry.type(name="SavedSearchDeleted", description="What is left of a saved search.")
class SavedSearchDeleted:
    saved_search_id: strawberry.ID = strawberry.field(description="The id that it had.")
