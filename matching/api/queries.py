"""Reads of deciding."""

from typing import Annotated, Any

import strawberry

from accounts.access import organisations_of
from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, page
from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.errors import NotFound, NotPermitted
from marketplace.access import access_opportunity, own_candidate
from marketplace.api.rules import RuleInput, written_rule
from matching.access import access_run, visible_runs
from matching.api.allocation import HEAVY, AllocationRunType
from matching.api.enums import RunStateEnum
from matching.api.matches import MatchType, recommended_page
from matching.api.preview import EligibilityPreviewType, shown_preview
from matching.queries import freshness, matches_for
from matching.queries.marks import waiting
from matching.queries.preview import preview

BY_FIT = Order("matches", (Key("fit", descending=True), Key("tie_break"), Key("candidate_id")))


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
        return recommended_page(info.context, own_candidate(info.context.actor), first=first, after=after)

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
