"""Finding people: search, filter, order, facets. For those who recruit."""

from dataclasses import replace
from datetime import UTC
from enum import StrEnum
from typing import Any

import strawberry

from accounts.access import require_user
from accounts.api.connections import PageInfo, page_size
from accounts.api.context import Context
from accounts.api.enums import described
from accounts.api.inputs import plain
from accounts.api.nodes import public_id
from accounts.api.peers import related, related_list
from accounts.errors import InvalidInput, NotPermitted
from marketplace.access import access_opportunity
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import CommitmentEnum
from marketplace.api.rule_paths import input_path
from marketplace.api.rules import RuleInput, stored_rule
from marketplace.errors import RuleRefused
from marketplace.models import Candidate, Opportunity
from marketplace.models.candidate import Commitment
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.rules import ceilings_of, resolved_draft
from matching.actions.asked import areas, choices, hours, skills
from matching.api.explore import SkillFacetType, skill_facets
from matching.api.fitting import fitting_people
from matching.api.searching import FacetType, SnippetType, finding_of, found_page, snippet, typed
from matching.core.attributes import Operator, Subject
from matching.core.rules import (
    OPEN_TO_ALL,
    All,
    Compare,
    Criterion,
    HasSkill,
    InvalidRule,
    LivesIn,
    RateWithinPay,
    Rule,
    RuleFault,
    Vetted,
    literals,
    load,
    normal,
)
from matching.core.search.query import Segment
from matching.core.search.search import FACETS, Facet, Search, Sort
from matching.core.search.snippets import has_mark, marked
from matching.errors import FilterRefused
from matching.queries.reach import reach_of

UNREADABLE = frozenset({"free_hours"})
"""Attributes that tell recruiters more than a candidate's profile does: how much somebody works elsewhere."""


class _OrderBy(StrEnum):
    RELEVANCE = "relevance"
    FIT = "fit"
    NEWEST = "newest"


CandidateOrder = described(
    _OrderBy,
    "CandidateOrder",
    "How candidates are sorted. Ties go to the newer one.",
    {
        "relevance": "Those first in whose headline, titles or skills the words searched for stand.",
        "fit": (
            "Those first who fit `fitFor` best; of more than 3,000 found, those with most of the skills that it asks"
            " for are ranked."
        ),
        "newest": "Who registered last first.",
    },
)


@strawberry.input(name="CandidateFilter", description="Which candidates. What is not given does not restrict.")
class CandidateFilter:
    countries: list[str] | None = strawberry.field(
        default=None, description="ISO 3166 codes of countries or regions: they live in one of these."
    )
    skill_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="They have all of these.")
    commitments: list[CommitmentEnum] | None = strawberry.field(
        default=None, description="They want one of these kinds of engagement."
    )
    min_weekly_hours: int | None = strawberry.field(
        default=None, description="They want at least so many hours a week."
    )
    open_to_offers: bool | None = strawberry.field(
        default=None, description="Whether an allocation may offer to them unasked."
    )
    where: RuleInput | None = strawberry.field(
        default=None,
        description=(
            "Anything else that an eligibility rule may ask, but for checks and free hours, which are not yours to"
            " read. Who may or may not meet it is not found. A rate within the pay is that of `fitFor`."
        ),
    )


@strawberry.type(
    name="CandidateFacets",
    description=(
        "How the candidates found are spread: the most frequent values, each counted under all filters but its own."
        " As somebody must have all skills chosen, skills are counted under theirs too."
    ),
)
class CandidateFacetsType:
    @strawberry.field(description="By kind of engagement wanted.")
    def commitments(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.codes(Facet.COMMITMENT)

    @strawberry.field(description="By country of residence.")
    def countries(root: strawberry.Parent[Any]) -> list[FacetType]:
        return root.codes(Facet.COUNTRY)

    @strawberry.field(description="By skill.")
    def skills(root: strawberry.Parent[Any]) -> list[SkillFacetType]:
        return skill_facets(root)


@strawberry.type(name="CandidateExplorationEdge", description="A row and its place in a list.")
class FoundCandidateEdge:
    node: CandidateType = strawberry.field(description="The row.")
    cursor: str = strawberry.field(description="The place, to go on from with `after`.")
    snippets: list[SnippetType] = strawberry.field(
        description="Where headline and skills show what was searched for; none where nothing was."
    )


@strawberry.type(name="CandidateExploration", description="One page of the candidates found, and their spread.")
class CandidateExploration:
    edges: list[FoundCandidateEdge] = strawberry.field(description="The rows with their places.")
    nodes: list[CandidateType] = strawberry.field(description="The rows alone.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    total_count: int = strawberry.field(description="The rows of the whole list, whatever the page.")
    facets: CandidateFacetsType = strawberry.field(description="How all that were found are spread.")


def find_people(
    context: Context,
    *,
    filter: CandidateFilter | None,
    search: str | None,
    order_by: Any,
    fit_for: strawberry.ID | None,
    first: int | None,
    after: str | None,
) -> Any:
    """Raises InvalidInput, FilterRefused, SearchSourceGone, LoginRequired, NotFound, NotPermitted."""
    require_user(context.actor)
    size = page_size(first)
    opportunity = _fit_for(fit_for, context)
    segments = typed(search, Subject.CANDIDATE)
    wanted = order_by.value if order_by else (Sort.NEWEST if segments == () else Sort.RELEVANCE)
    by_fit = wanted == _OrderBy.FIT
    if by_fit and opportunity is None:
        raise InvalidInput("fitFor", "is needed to sort by fit")
    asked = _asked(filter or CandidateFilter(), segments, opportunity, context)

    def show(row: Candidate) -> list[SnippetType]:
        return _snippets(row, asked.segments)

    if by_fit and opportunity is not None:
        return fitting_people(context, asked, opportunity, first=size, after=after, show=show)
    asked = replace(asked, sort=Sort(wanted))
    finding, place = finding_of(asked, after, context)
    return found_page(context, finding, first=size, after=place, show=show, faceted=FACETS[Subject.CANDIDATE])


def _fit_for(given: strawberry.ID | None, context: Context) -> Opportunity | None:
    """One of the actor's own: another's scores would tell what its organisation looks for."""
    if given is None:
        return None
    opportunity = access_opportunity(context.actor, public_id(given, "Opportunity", field="fitFor"))
    if not context.reads(opportunity.posting_organisation_id):
        raise NotPermitted("see who suits this opportunity")
    return opportunity


def _asked(
    by: CandidateFilter,
    segments: tuple[Segment, ...] | None,
    opportunity: Opportunity | None,
    context: Context,
) -> Search:
    return Search(
        about=Subject.CANDIDATE,
        segments=segments or (),
        nothing=segments is None,
        rule=_rule(by, opportunity, context),
        filters=_filters(by),
        open_to_offers=by.open_to_offers,
        reach=reach_of(context.actor),
        on=context.now.astimezone(UTC).date(),
    )


def _filters(by: CandidateFilter) -> dict[Facet, Rule]:
    """The filters that facets are counted without. Raises InvalidInput, NotFound."""
    filters: dict[Facet, Rule] = {}
    if by.commitments:
        wanted = choices(plain(by.commitments), field="filter.commitments", among=Commitment.values)
        filters[Facet.COMMITMENT] = Compare("commitments", Operator.IN, tuple(sorted(set(wanted))))
    if by.countries:
        filters[Facet.COUNTRY] = LivesIn(tuple(sorted(set(areas(by.countries, field="filter.countries")))))
    if by.skill_ids:
        named = [public_id(one, "Skill", field=f"filter.skillIds[{at}]") for at, one in enumerate(by.skill_ids)]
        filters[Facet.SKILL] = All(tuple(map(HasSkill, skills(named, field="filter.skillIds"))))
    return filters


def _rule(by: CandidateFilter, opportunity: Opportunity | None, context: Context) -> Rule:
    rules: list[Rule] = []
    if by.min_weekly_hours is not None:
        least = hours(by.min_weekly_hours, field="filter.minWeeklyHours")
        rules.append(Compare("weekly_hours", Operator.GTE, least))
    if by.where is not None:
        rules.append(_written(by.where, opportunity, context))
    return All(tuple(rules)) if rules else OPEN_TO_ALL


def _written(given: RuleInput, opportunity: Opportunity | None, context: Context) -> Rule:
    """The rule of an input, ready to be judged. Raises FilterRefused with every fault and its place in the input."""
    root = "filter.where"
    try:
        stored = stored_rule(given, context.actor)
    except RuleRefused as refused:
        faults = [{**one, "path": root + one["path"].removeprefix("rule")} for one in refused.data["faults"]]
        raise FilterRefused(faults) from refused
    try:
        rule = load(stored)
    except InvalidRule as refused:
        faults = [{**fault.to_json(), "path": input_path(fault.path, stored, root=root)} for fault in refused.faults]
        raise FilterRefused(faults) from refused
    faults = [
        RuleFault(input_path(literal.path, stored, root=root), "NOT_READABLE", problem).to_json()
        for literal in literals(normal(rule))
        if (problem := _unreadable(literal.criterion, opportunity, context))
    ]
    if faults:
        raise FilterRefused(faults)
    return resolved_draft(rule, _ceilings(opportunity, context))


def _unreadable(criterion: Criterion, opportunity: Opportunity | None, context: Context) -> str | None:
    """Why the actor may not filter by a criterion: a filter must not tell what a profile does not."""
    if isinstance(criterion, RateWithinPay) and opportunity is None:
        return "needs `fitFor`, whose pay it is"
    if context.actor.is_staff:
        return None
    hidden = isinstance(criterion, Vetted) or (isinstance(criterion, Compare) and _is_hidden(criterion))
    return "is not yours to read" if hidden else None


def _is_hidden(criterion: Compare) -> bool:
    """Whether it asks how much somebody works elsewhere, or whether any organisation has them on a list."""
    return criterion.name in UNREADABLE or (criterion.name == "groups" and criterion.op is Operator.EXISTS)


def _ceilings(opportunity: Opportunity | None, context: Context) -> Any:
    if opportunity is None or opportunity.current_revision is None:
        return () if opportunity is not None else None
    rates = rates_of(current_rate_set(on=context.now.astimezone(UTC).date()))
    return ceilings_of(opportunity.current_revision.terms, rates)


def _snippets(row: Candidate, segments: tuple[Segment, ...]) -> list[SnippetType]:
    if not segments:
        return []
    named = {skill_id for segment in segments for skill_id in segment.skills}
    headline = marked(row.headline, segments)
    shown = [snippet("headline", headline)] if has_mark(headline) else []
    for fact in related_list(row, "skills"):
        skill = related(fact, "skill")
        parts = marked(skill.name, segments, whole=skill.pk in named)
        if has_mark(parts):
            shown.append(snippet("skills", parts))
    return shown
