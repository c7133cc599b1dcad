"""Reads of deciding."""

from typing import Annotated, Any

import strawberry

from accounts.access import organisations_of
from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, page
from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.errors import NotFound, NotPermitted
from marketplace.access import access_opportunity, own_candidate
from marketplace.api.rules import RuleInput, stored_rule
from matching.access import access_run, visible_runs
from matching.api.allocation import HEAVY, AllocationRunType
from matching.api.enums import RunStateEnum
from matching.api.matches import MatchType
from matching.models import Mark
from matching.queries import freshness, matches_for, recommendations_for
from matching.queries.eligibility import preview

BY_FIT = Order("matches", (Key("fit", descending=True), Key("tie_break"), Key("candidate_id")))
BY_INTEREST = Order(
    "recommendations",
    (Key("interest", descending=True), Key("fit", descending=True), Key("tie_break"), Key("opportunity_id")),
)


@strawberry.type(name="CriterionPreview", description="What one criterion of a rule does.")
class CriterionPreviewType:
    path: str = strawberry.field(description="Its place in the rule.")
    sentence: str = strawberry.field(description="The criterion, for people.")
    fail: int = strawberry.field(description="How many surely fail it.")
    unknown: int = strawberry.field(description="Of how many it is not known.")
    alone: int = strawberry.field(description="How many only it keeps out.")
    gain: int = strawberry.field(description="How many more would be eligible without it.")


@strawberry.type(name="EligibilityPreview", description="What a rule would do to the people there are.")
class EligibilityPreviewType:
    eligible: int = strawberry.field(description="How many may be considered.")
    unknown: int = strawberry.field(description="Of how many a fact is missing.")
    ineligible: int = strawberry.field(description="How many may not.")
    per_criterion: list[CriterionPreviewType] = strawberry.field(description="Criterion by criterion.")
    binding: CriterionPreviewType | None = strawberry.field(description="The one whose loosening would gain most.")


@strawberry.type(name="ScoringFreshness", description="How far stored scores are behind what was changed.")
class ScoringFreshnessType:
    waiting: int = strawberry.field(description="Candidates and opportunities that wait to be scored again.")
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
        return ScoringFreshnessType(waiting=Mark.objects.count(), oldest_seconds=age)

    @strawberry.field(description="What a rule would do to the people you may find. For those who recruit.")
    def eligibility_preview(
        self,
        info: Info,
        rule: Annotated[RuleInput | None, strawberry.argument(description="The rule; null: open to all.")] = None,
    ) -> EligibilityPreviewType:
        actor = info.context.actor
        return preview(stored_rule(rule, actor), actor=actor, now=info.context.now)  # type: ignore[return-value]

    @strawberry.field(description="Who suits an opportunity best, best first. For its organisation.")
    def matches(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")],
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[MatchType]:
        uuid = public_id(opportunity, "Opportunity", field="opportunity")
        asked = access_opportunity(info.context.actor, uuid)
        if not info.context.reads(asked.posting_organisation_id):
            raise NotPermitted("see who suits this opportunity")
        return page(matches_for(asked).select_related(None), first=first, after=after, order=BY_FIT)

    @strawberry.field(description="What suits you best of what is open, best first. For candidates.")
    def recommendations(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[MatchType]:
        rows = recommendations_for(own_candidate(info.context.actor), info.context.now).select_related(None)
        return page(rows, first=first, after=after, order=BY_INTEREST)

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
