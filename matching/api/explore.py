"""Exploring opportunities: search, filter, order, facets."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import strawberry

from accounts.access import require_user
from accounts.api.connections import PageInfo, page_size
from accounts.api.context import Context
from accounts.api.enums import described
from accounts.api.peers import related, related_list
from accounts.api.types import OrganisationType
from marketplace.access import own_candidate
from marketplace.api.opportunities import OpportunityType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import skills_by_id
from marketplace.models import Opportunity
from marketplace.queries.rates import current_rate_set, rates_of
from matching.actions.asked import read_query
from matching.api.fitting import fitting_opportunities
from matching.api.opportunity_filter import OpportunityFilter, asked_for
from matching.api.searching import FacetType, SnippetType, finding_of, found_page, organisations_by_id, snippet, typed
from matching.core.attributes import Subject
from matching.core.rules import OPEN_TO_NOBODY, All, Rule
from matching.core.search.filters import posted_by
from matching.core.search.query import Segment
from matching.core.search.saved import SavedQuery
from matching.core.search.search import FACETS, Facet, Search, Sort
from matching.core.search.snippets import excerpt, has_mark, marked
from matching.queries.eligible import eligible_openings
from matching.queries.reach import memberships_of, reach_of

FIT = "fit"


class _OrderBy(StrEnum):
    RELEVANCE = "relevance"
    FIT = FIT
    NEWEST = "newest"
    PAY = "pay"
    CLOSING = "closing"
    TITLE = "title"


OpportunityOrder = described(
    _OrderBy,
    "OpportunityOrder",
    "How opportunities are sorted. Ties go to the newer one.",
    {
        "relevance": "Those first in whose title, skills or organisation the words searched for stand.",
        "fit": "Those first that you fit best. For candidates; of more than 3,000 found, the newest are ranked.",
        "newest": "The latest published first.",
        "pay": "The best paid first, by what their bands pay at most in a year; last those whose pay is not known.",
        "closing": "Those that close next first.",
        "title": "By title.",
    },
)


@strawberry.type(name="SkillFacet", description="A skill, and how many of those found ask for it, or have it.")
class SkillFacetType:
    skill: SkillType = strawberry.field(description="The skill.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(name="OrganisationFacet", description="An organisation, and how many of the opportunities are its.")
class OrganisationFacetType:
    organisation: OrganisationType = strawberry.field(description="The organisation.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(
    name="OpportunityFacets",
    description=(
        "How the opportunities found are spread: the most frequent values, each counted under all filters but its own."
        " As an opportunity must ask for all skills chosen, skills are counted under theirs too."
    ),
)
class OpportunityFacetsType:
    @strawberry.field(description="By kind of engagement.")
    def commitments(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.codes(Facet.COMMITMENT)

    @strawberry.field(description="By where the work is done.")
    def arrangements(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.codes(Facet.ARRANGEMENT)

    @strawberry.field(description="By country allowed; what is offered anywhere counts for none.")
    def countries(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.codes(Facet.COUNTRY)

    @strawberry.field(description="By skill asked for.")
    def skills(root: strawberry.Parent[Any]) -> list[SkillFacetType]:
        return skill_facets(root)

    @strawberry.field(description="By who posted them, and for whom.")
    def organisations(root: strawberry.Parent[Any]) -> list[OrganisationFacetType]:
        most = root.most(Facet.ORGANISATION)
        known = organisations_by_id([pk for pk, _ in most])
        return [
            OrganisationFacetType(organisation=known[pk], count=number)  # type: ignore[arg-type]
            for pk, number in most
            if pk in known
        ]


def skill_facets(page: Any) -> list[SkillFacetType]:
    most = page.most(Facet.SKILL)
    known = skills_by_id(pk for pk, _ in most)
    return [
        SkillFacetType(skill=known[pk], count=number)  # type: ignore[arg-type]
        for pk, number in most
        if pk in known
    ]


@strawberry.type(name="OpportunityExplorationEdge", description="A row and its place in a list.")
class FoundOpportunityEdge:
    node: OpportunityType = strawberry.field(description="The row.")
    cursor: str = strawberry.field(description="The place, to go on from with `after`.")
    snippets: list[SnippetType] = strawberry.field(
        description="Where title, organisation, skills and text show what was searched for; none where nothing was."
    )


@strawberry.type(name="OpportunityExploration", description="One page of the opportunities found, and their spread.")
class OpportunityExploration:
    edges: list[FoundOpportunityEdge] = strawberry.field(description="The rows with their places.")
    nodes: list[OpportunityType] = strawberry.field(description="The rows alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int = strawberry.field(description="The rows of the whole list, whatever the page.")
    facets: OpportunityFacetsType = strawberry.field(description="How all that were found are spread.")


def explore(
    context: Context,
    *,
    filter: OpportunityFilter | None,
    search: str | None,
    order_by: Any,
    first: int | None,
    after: str | None,
) -> Any:
    """Raises InvalidInput, FilterRefused, SearchSourceGone; LoginRequired, NotFound for what only candidates ask."""
    size = page_size(first)
    by = filter or OpportunityFilter()
    query = read_query(asked_for(by, search), context.now)
    segments = typed(search, Subject.OPPORTUNITY)
    wanted = order_by.value if order_by else (Sort.NEWEST if segments == () else Sort.RELEVANCE)
    sort = Sort.NEWEST if wanted == FIT else Sort(wanted)
    asked = _asked(by, query, segments, sort, context)

    def show(row: Opportunity) -> list[SnippetType]:
        return _snippets(row, asked.segments)

    if wanted == FIT:
        candidate = own_candidate(context.actor)
        return fitting_opportunities(context, asked, candidate, first=size, after=after, show=show)
    finding, place = finding_of(asked, after, context)
    return found_page(context, finding, first=size, after=place, show=show, faceted=FACETS[Subject.OPPORTUNITY])


def _asked(
    by: OpportunityFilter, query: SavedQuery, segments: tuple[Segment, ...] | None, sort: Sort, context: Context
) -> Search:
    """What is asked now: what may be kept, and what hangs on who asks."""
    on = context.now.astimezone(UTC).date()
    rates = rates_of(current_rate_set(on=on)) if query.pay is not None else {}
    search = query.search(segments or (), rates=rates, on=on)
    return replace(
        search,
        nothing=segments is None,
        rule=All((search.rule, _mine(context))) if by.mine else search.rule,
        states=frozenset(state.value for state in by.states) if by.states is not None else None,
        listed_since=_instant(by.posted_since),
        among=eligible_openings(own_candidate(context.actor), context.now) if query.eligible_only else None,
        reach=reach_of(context.actor),
        sort=sort,
    )


def _mine(context: Context) -> Rule:
    require_user(context.actor)
    mine = memberships_of(context.actor)
    return posted_by(mine) if mine else OPEN_TO_NOBODY


def _instant(given: datetime | None) -> datetime | None:
    """A time without a zone counts as UTC."""
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given


def _snippets(row: Opportunity, segments: tuple[Segment, ...]) -> list[SnippetType]:
    if not segments:
        return []
    named = {skill_id for segment in segments for skill_id in segment.skills}
    skills = [related(term, "skill") for term in related_list(row, "skill_terms")]
    shown = [snippet("title", parts) for parts in [marked(row.title, segments)] if has_mark(parts)]
    organisation = marked(related(row, "posting_organisation").name, segments)
    if has_mark(organisation):
        shown.append(snippet("postingOrganisation", organisation))
    for skill in skills:
        parts = marked(skill.name, segments, whole=skill.pk in named)
        if has_mark(parts):
            shown.append(snippet("skills", parts))
    text = excerpt(row.description, segments)
    return [*shown, *([snippet("description", text)] if text else [])]
