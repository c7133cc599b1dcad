"""Reads of the marketplace."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts.access import organisations_of, require_user
from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, page
from accounts.api.context import Context, Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, NotFound, NotPermitted
from marketplace.access import (
    access_candidate,
    access_opportunity,
    own_candidate,
    visible_applications,
    visible_candidates,
    visible_invitations,
    visible_offers,
    visible_opportunities,
    visible_placements,
)
from marketplace.actions.refusals import record_refusal
from marketplace.api.applications import ApplicationType, InvitationType
from marketplace.api.candidates import CandidateGroupType, CandidateType
from marketplace.api.enums import (
    ApplicationStatusEnum,
    CommitmentEnum,
    InvitationStateEnum,
    OfferStateEnum,
    PlacementStateEnum,
)
from marketplace.api.explore import OpportunityExploration, OpportunityFilter, OpportunityOrder, explore
from marketplace.api.money import ExchangeRateSetType
from marketplace.api.notifications import NotificationType
from marketplace.api.offers import OfferType
from marketplace.api.opportunities import OpportunityType
from marketplace.api.placements import PlacementType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import VerdictType, told
from marketplace.core.folding import fold
from marketplace.models import CandidateGroup, CandidateSkill, EligibilityRefusal, Notification, Skill, SkillLabel
from marketplace.queries.eligibility import judgement_at
from marketplace.queries.rates import current_rate_set

OPPORTUNITY: Any = strawberry.argument(description="Only of this opportunity, by id.")
ORGANISATION: Any = strawberry.argument(description="Only of opportunities that this organisation posted, by id.")


def _narrowed(
    rows: QuerySet,
    *,
    opportunity: str | None,
    organisation: str | None,
    states: list[Any] | None,
    column: str = "state",
) -> QuerySet:
    """The filters that lists of what hangs on opportunities have in common. Raises InvalidInput."""
    if opportunity is not None:
        rows = rows.filter(opportunity__public_id=public_id(opportunity, "Opportunity", field="opportunity"))
    if organisation is not None:
        uuid = public_id(organisation, "Organisation", field="organisation")
        rows = rows.filter(opportunity__posting_organisation__public_id=uuid)
    if states is not None:
        rows = rows.filter(**{f"{column}__in": [state.value for state in states]})
    return rows


@strawberry.input(name="CandidateFilter", description="Which candidates. What is not given does not restrict.")
class CandidateFilter:
    countries: list[str] | None = strawberry.field(
        default=None, description="ISO 3166-1 alpha-2 codes of where they live."
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


def _found(context: Context, by: CandidateFilter | None, search: str | None) -> QuerySet:
    """Searched by headline and skills alone: a search by name would tell who hides behind a pseudonym."""
    rows = visible_candidates(context.actor)
    if by is not None:
        if by.countries is not None:
            codes = [clean_line(code, field="filter.countries", max_length=2) for code in by.countries[:20]]
            rows = rows.filter(country__in=codes)
        for skill in (by.skill_ids or [])[:20]:
            uuid = public_id(skill, "Skill", field="filter.skillIds")
            rows = rows.filter(pk__in=CandidateSkill.objects.filter(skill__public_id=uuid).values("candidate_id"))
        if by.commitments is not None:
            rows = rows.filter(commitments__overlap=[value.value for value in by.commitments])
        if by.min_weekly_hours is not None:
            if not 0 <= by.min_weekly_hours <= 168:
                raise InvalidInput("filter.minWeeklyHours", "must be from 0 to 168")
            rows = rows.filter(weekly_hours__gte=by.min_weekly_hours)
        if by.open_to_offers is not None:
            rows = rows.filter(open_to_offers=by.open_to_offers)
    for word in clean_line(search or "", field="search", max_length=200, required=False).split()[:8]:
        skilled = CandidateSkill.objects.filter(skill__name__icontains=word).values("candidate_id")
        rows = rows.filter(Q(headline__icontains=word) | Q(pk__in=skilled))
    return rows


@strawberry.type
class MarketplaceQuery:
    @strawberry.field(description="Your profile as a candidate; null if you have none.")
    def viewer_candidate(self, info: Info) -> CandidateType | None:
        try:
            return own_candidate(info.context.actor)  # type: ignore[return-value]
        except NotFound:
            return None

    @strawberry.field(description="The opportunities you may find: public ones, your own, those you were asked to.")
    def opportunities(
        self,
        info: Info,
        filter: Annotated[OpportunityFilter | None, strawberry.argument(description="Which.")] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Words that title, text or skills contain, all of them.")
        ] = None,
        order_by: Annotated[OpportunityOrder | None, strawberry.argument(description="How to sort; NEWEST.")] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> OpportunityExploration:
        return explore(info.context, filter=filter, search=search, order_by=order_by, first=first, after=after)

    @strawberry.field(description="One opportunity, by id or by reference; null if there is none that you may see.")
    def opportunity(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        reference: Annotated[
            str | None, strawberry.argument(description="Its reference, such as OPP-7H3K9Q2M.")
        ] = None,
    ) -> OpportunityType | None:
        if (id is None) == (reference is None):
            raise InvalidInput("id", "or the reference is needed, one of the two")
        actor = info.context.actor
        if id is not None:
            uuid = public_id(id, "Opportunity")
        else:
            text = clean_line(reference, field="reference", max_length=12).upper()
            found = visible_opportunities(actor).filter(reference=text).values_list("public_id", flat=True).first()
            if found is None:
                return None
            uuid = found
        try:
            return together([access_opportunity(actor, uuid)])[0]  # type: ignore[return-value]
        except NotFound:
            return None

    @strawberry.field(description="Candidates that you may find. For those who recruit.")
    def candidates(
        self,
        info: Info,
        filter: Annotated[CandidateFilter | None, strawberry.argument(description="Which.")] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Words that headline or skills contain, all of them.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[CandidateType]:
        require_user(info.context.actor)
        return page(_found(info.context, filter, search), first=first, after=after)

    @strawberry.field(description="The skills there are, those first whose label is closest to what is searched.")
    def skills(
        self,
        search: Annotated[str | None, strawberry.argument(description="A part of a label, in any case.")] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[SkillType]:
        rows = Skill.objects.current()
        text = fold(clean_line(search or "", field="search", max_length=100, required=False))
        closeness: Any = Value(0, output_field=IntegerField())
        if text:
            rows = rows.filter(Q(folded__contains=text) | Q(pk__in=_labelled(text)))
            closeness = Case(
                When(folded=text, then=0),
                When(pk__in=_labelled(text, exactly=True), then=1),
                When(folded__startswith=text, then=2),
                default=3,
                output_field=IntegerField(),
            )
        order = Order("skills", (Key("closeness", expression=closeness), Key("name"), Key("id")))
        return page(rows, first=first, after=after, order=order)

    @strawberry.field(
        description=(
            "Whether a candidate may be considered, why not, and what would change it: as things stand now. Without a"
            " candidate: yourself. That you were refused is remembered: facts that you change soon afterwards are shown"
            " to the organisation when you apply."
        )
    )
    def eligibility(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, strawberry.argument(description="For which opportunity, by id.")],
        candidate: Annotated[strawberry.ID | None, strawberry.argument(description="Whom, by id.")] = None,
        at: Annotated[
            datetime | None,
            strawberry.argument(
                description=(
                    "Judged as of this moment, by what was known then; a moment to come: by what is known now, on that"
                    " day. Now, if nothing is said."
                )
            ),
        ] = None,
    ) -> VerdictType:
        actor = info.context.actor
        asked = access_opportunity(actor, public_id(opportunity, "Opportunity", field="opportunity"))
        if candidate is None:
            person = own_candidate(actor)
        else:
            person = access_candidate(actor, public_id(candidate, "Candidate", field="candidate"))
        is_own = person.user_id is not None and person.user_id == actor.user_id
        if not is_own and not info.context.reads(asked.posting_organisation_id):
            # A recruiter could otherwise read facts off other organisations' rules.
            raise NotPermitted("judge candidates for this opportunity")
        now = info.context.now
        judged = judgement_at(person, asked, at=at or now, now=now)
        if is_own and judged.facts.revision == person.revision:  # what they were told of facts long gone binds nobody
            record_refusal(judged, EligibilityRefusal.Surface.VERDICT, now)
        return told(info.context, judged.verdict, opportunity=asked, candidate=person, at=at or now)  # type: ignore[return-value]

    @strawberry.field(description="Invitations: those you got, and those your organisations sent, newest first.")
    def invitations(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID | None, OPPORTUNITY] = None,
        organisation: Annotated[strawberry.ID | None, ORGANISATION] = None,
        states: Annotated[
            list[InvitationStateEnum] | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[InvitationType]:
        rows = visible_invitations(info.context.actor)
        rows = _narrowed(rows, opportunity=opportunity, organisation=organisation, states=states)
        return page(rows, first=first, after=after)

    @strawberry.field(description="Applications: those you made, and those your organisations got, newest first.")
    def applications(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID | None, OPPORTUNITY] = None,
        organisation: Annotated[strawberry.ID | None, ORGANISATION] = None,
        statuses: Annotated[
            list[ApplicationStatusEnum] | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        stage: Annotated[str | None, strawberry.argument(description="Only those at this stage.")] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[ApplicationType]:
        rows = visible_applications(info.context.actor)
        rows = _narrowed(rows, opportunity=opportunity, organisation=organisation, states=statuses, column="status")
        if stage is not None:
            rows = rows.filter(stage=clean_line(stage, field="stage", max_length=40))
        return page(rows, first=first, after=after)

    @strawberry.field(description="Offers: those you got, and those your organisations sent, newest first.")
    def offers(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID | None, OPPORTUNITY] = None,
        organisation: Annotated[strawberry.ID | None, ORGANISATION] = None,
        states: Annotated[
            list[OfferStateEnum] | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[OfferType]:
        rows = visible_offers(info.context.actor)
        rows = _narrowed(rows, opportunity=opportunity, organisation=organisation, states=states)
        return page(rows, first=first, after=after)

    @strawberry.field(description="Placements: your own, and those at your organisations, newest first.")
    def placements(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID | None, OPPORTUNITY] = None,
        organisation: Annotated[strawberry.ID | None, ORGANISATION] = None,
        states: Annotated[
            list[PlacementStateEnum] | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[PlacementType]:
        rows = visible_placements(info.context.actor)
        rows = _narrowed(rows, opportunity=opportunity, organisation=organisation, states=states)
        return page(rows, first=first, after=after)

    @strawberry.field(description="What you have been told, newest first.")
    def notifications(
        self,
        info: Info,
        unread: Annotated[bool | None, strawberry.argument(description="Only what you have not read.")] = None,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[NotificationType]:
        rows = Notification.objects.filter(user_id=require_user(info.context.actor))
        return page(rows.unread() if unread else rows, first=first, after=after)

    @strawberry.field(description="The lists of people that your organisations keep.")
    def candidate_groups(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[CandidateGroupType]:
        rows = CandidateGroup.objects.filter(organisation__in=organisations_of(info.context.actor, "read"))
        return page(rows, first=first, after=after)

    @strawberry.field(description="The exchange rates in force today.")
    def exchange_rates(self, info: Info) -> ExchangeRateSetType | None:
        return current_rate_set(on=info.context.now.date())  # type: ignore[return-value]


def _labelled(text: str, *, exactly: bool = False) -> Any:
    rows = SkillLabel.objects.filter(folded=text) if exactly else SkillLabel.objects.filter(folded__contains=text)
    return rows.values("skill_id")
