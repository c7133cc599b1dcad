"""Reads of deciding."""

from typing import Annotated, Any

import strawberry

from accounts.access import organisations_of
from accounts.api.connections import AFTER, FIRST, Connection, page
from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.errors import NotFound, NotPermitted
from marketplace.access import own_candidate
from marketplace.api.rules import RuleInput, written_rule
from matching.access import access_run, visible_runs
from matching.api.allocation import HEAVY, AllocationRunType
from matching.api.enums import RunStateEnum
from matching.api.explore import OpportunityExploration, OpportunityOrder, explore
from matching.api.matches import MatchType, matches_asked_for, matches_page, recommended_page
from matching.api.opportunity_filter import OpportunityFilter
from matching.api.people import CandidateExploration, CandidateFilter, CandidateOrder, find_people
from matching.api.preview import EligibilityPreviewType, shown_preview
from matching.api.saved_searches import SavedSearchType
from matching.models import SavedSearch
from matching.queries import freshness
from matching.queries.marks import waiting
from matching.queries.preview import preview

SEARCH = (
    "Words, all of which must be found: as they are, misspelt by a letter or two, or as a skill by any of its names or"
    " a narrower one. The last may be unfinished, unless something follows it."
)


@strawberry.type(name="ScoringFreshness", description="How far stored scores are behind what was changed.")
class ScoringFreshnessType:
    waiting: int = strawberry.field(
        description="Candidates, opportunities and pairs of them that wait to be scored again."
    )
    oldest_seconds: float = strawberry.field(
        description="The age of the oldest change not yet scored; 0 if there is none."
    )


@strawberry.type
class MatchingQuery:
    @strawberry.field(description="How far scores are behind. For those who recruit and for staff.")
    def scoring_freshness(self, info: Info) -> ScoringFreshnessType:
        if not organisations_of(info.context.actor, "read").exists():
            raise NotPermitted("see how matching is doing")
        age = freshness(info.context.now).total_seconds()
        return ScoringFreshnessType(waiting=waiting(), oldest_seconds=age)

    @strawberry.field(
        description=(
            "What a rule would do to the people you may find, counted now: for those who recruit, while they edit it."
            " Of fewer than ten people only staff are told how many."
        )
    )
    def eligibility_preview(
        self,
        info: Info,
        rule: Annotated[RuleInput | None, strawberry.argument(description="The rule; null: open to all.")] = None,
        opportunity: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="For which opportunity, by id. You must recruit for it. A rule about its pay needs it."
            ),
        ] = None,
    ) -> EligibilityPreviewType:
        actor = info.context.actor
        uuid = None if opportunity is None else public_id(opportunity, "Opportunity", field="opportunity")
        with written_rule(rule, actor) as stored:
            return shown_preview(preview(stored, actor=actor, now=info.context.now, opportunity_id=uuid))

    @strawberry.field(description="The opportunities you may find: public ones, your own, those you were asked to.")
    def opportunities(
        self,
        info: Info,
        filter: Annotated[OpportunityFilter | None, strawberry.argument(description="Which.")] = None,
        search: Annotated[str | None, strawberry.argument(description=SEARCH)] = None,
        order_by: Annotated[
            OpportunityOrder | None,
            strawberry.argument(description="How to sort; RELEVANCE where words are searched for, else NEWEST."),
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> OpportunityExploration:
        return explore(info.context, filter=filter, search=search, order_by=order_by, first=first, after=after)

    @strawberry.field(description="Candidates who let themselves be found. For those who recruit.")
    def candidates(
        self,
        info: Info,
        filter: Annotated[CandidateFilter | None, strawberry.argument(description="Which.")] = None,
        search: Annotated[str | None, strawberry.argument(description=SEARCH)] = None,
        order_by: Annotated[
            CandidateOrder | None,
            strawberry.argument(description="How to sort; RELEVANCE where words are searched for, else NEWEST."),
        ] = None,
        fit_for: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="An opportunity of your organisation's, by id, to sort by fit to."),
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> CandidateExploration:
        return find_people(
            info.context,
            filter=filter,
            search=search,
            order_by=order_by,
            fit_for=fit_for,
            first=first,
            after=after,
        )

    @strawberry.field(
        description=(
            "Who suits an opportunity best, best first: of everybody whom its rule lets in the first hundred, unless"
            " another number was set up, and after them whoever applied, however low they rank; `totalCount` counts"
            " both. For its organisation."
        )
    )
    def matches(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")],
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[MatchType]:
        asked = matches_asked_for(info.context, opportunity)
        return matches_page(info.context, asked, first=first, after=after)

    @strawberry.field(description="What suits you best of what is open, best first. For candidates.")
    def recommendations(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[MatchType]:
        return recommended_page(info.context, own_candidate(info.context.actor), first=first, after=after)

    @strawberry.field(description="The searches you keep, newest first. For candidates.")
    def saved_searches(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[SavedSearchType]:
        kept = SavedSearch.objects.filter(candidate=own_candidate(info.context.actor))
        return page(kept, first=first, after=after)

    @strawberry.field(description="An allocation run; null if there is none that you may see.")
    def allocation_run(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> AllocationRunType | None:
        try:
            return access_run(info.context.actor, public_id(id, "AllocationRun"))  # type: ignore[return-value]
        except NotFound:
            return None

    @strawberry.field(description="The allocation runs of your organisations, newest first; all for staff.")
    def allocation_runs(
        self,
        info: Info,
        organisation: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only of this organisation, by id.")
        ] = None,
        states: Annotated[
            list[RunStateEnum] | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[AllocationRunType]:
        rows: Any = visible_runs(info.context.actor).defer(*HEAVY)
        if organisation is not None:
            rows = rows.filter(organisation__public_id=public_id(organisation, "Organisation", field="organisation"))
        if states is not None:
            rows = rows.filter(state__in=[state.value for state in states])
        return page(rows, first=first, after=after)
