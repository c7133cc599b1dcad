"""Reads of the marketplace."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from accounts.access import organisations_of, require_user
from accounts.api.connections import AFTER, FIRST, Connection, Key, Order, page
from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, NotFound
from marketplace.access import (
    access_opportunity,
    own_candidate,
    visible_applications,
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
    InvitationStateEnum,
    OfferStateEnum,
    PlacementStateEnum,
)
from marketplace.api.money import ExchangeRateSetType
from marketplace.api.notifications import NotificationType
from marketplace.api.offers import OfferType
from marketplace.api.opportunities import OpportunityType
from marketplace.api.personal_reads import PersonalDataReadType
from marketplace.api.placements import PlacementType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import VerdictType, told
from marketplace.api.viewing import is_own, pair_asked_about
from marketplace.core.folding import fold
from marketplace.models import CandidateGroup, EligibilityRefusal, Notification, Skill, SkillLabel
from marketplace.queries.eligibility import judgement_at
from marketplace.queries.personal_reads import personal_reads_of
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


@strawberry.type
class MarketplaceQuery:
    @strawberry.field(description="Your profile as a candidate; null if you have none.")
    def viewer_candidate(self, info: Info) -> CandidateType | None:
        try:
            return own_candidate(info.context.actor)  # type: ignore[return-value]
        except NotFound:
            return None

    @strawberry.field(
        description=(
            "Who was shown your name, contacts, résumé or checks, latest first: every such read, but your own, is"
            " logged. For candidates."
        )
    )
    def personal_data_reads(
        self,
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[PersonalDataReadType]:
        return page(personal_reads_of(own_candidate(info.context.actor)), first=first, after=after)

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
        asked, person = pair_asked_about(info.context, opportunity, candidate)
        now = info.context.now
        judged = judgement_at(person, asked, at=at or now, now=now)
        if (
            is_own(info.context, person) and judged.facts.revision == person.revision
        ):  # what they were told of facts long gone binds nobody
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
