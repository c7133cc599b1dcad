"""Drafting opportunities and leading them through their life."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.inputs import each, maybe, plain
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from accounts.core.scopes import Scope
from accounts.core.unset import UNSET
from marketplace.actions import opportunities
from marketplace.api.enums import (
    ArrangementEnum,
    CommitmentEnum,
    LocationKind,
    PayPeriod,
    QuestionKind,
    VisibilityEnum,
)
from marketplace.api.opportunities import EligibilityWaiverType, OpportunityType
from marketplace.api.rules import RuleInput, written_rule
from marketplace.core.money import Money


@strawberry.input(name="MoneyInput", description="An amount of money.")
class MoneyInput:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="ISO 4217 code.")


@strawberry.input(name="PayBandInput", description="What is paid at some places.")
class PayBandInput:
    minimum: Decimal = strawberry.field(description="The least.")
    maximum: Decimal = strawberry.field(description="The most.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    period: PayPeriod = strawberry.field(description="For what.")
    places: list[str] | None = strawberry.field(
        default=None, description="ISO 3166 codes of countries and regions; none: everywhere that no other band names."
    )


@strawberry.input(name="LocationInput", description="A place where the person may, or may not, be.")
class LocationInput:
    kind: LocationKind = strawberry.field(description="Allowed or excluded.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code.")
    region: str | None = strawberry.field(default=None, description="ISO 3166-2 code.")
    city: str | None = strawberry.field(default=None, description="The city.")


@strawberry.input(name="OpportunitySkillInput", description="A skill asked for.")
class OpportunitySkillInput:
    skill_id: strawberry.ID = strawberry.field(description="Which.")
    required: bool = strawberry.field(default=True, description="Whether it is required; otherwise preferred.")
    weight: int = strawberry.field(default=1, description="1 to 10, relative to the other skills.")
    min_level: int = strawberry.field(default=1, description="The level asked for, 1 to 5.")
    min_years: Decimal | None = strawberry.field(default=None, description="The years of practice asked for.")


@strawberry.input(name="ScreeningQuestionInput", description="A question put to everybody who applies.")
class ScreeningQuestionInput:
    key: str = strawberry.field(description="The name under which it is answered: lower case, digits, hyphens.")
    prompt: str = strawberry.field(description="The question.")
    kind: QuestionKind = strawberry.field(description="What answers it.")
    choices: list[str] | None = strawberry.field(default=None, description="The choices, for a CHOICE.")
    required: bool = strawberry.field(default=True, description="Whether it must be answered.")


@strawberry.input(name="LeadInput", description="Who looks after an opportunity: a member of its organisation.")
class LeadInput:
    email: str = strawberry.field(description="Their login.")
    public_title: str | None = strawberry.field(default=None, description="In what role, as candidates read it.")
    public_link: str | None = strawberry.field(default=None, description="Where to read more of them.")


@strawberry.input(description="What an opportunity says. Lists replace what was there; null clears.")
class OpportunityFieldsInput(Keyed):
    title: str | None = maybe("Its title.")
    description: str | None = maybe("What the work is about.")
    hiring_organisation_id: strawberry.ID | None = maybe("Who the person will work for; the one that posts, if null.")
    occupation_id: strawberry.ID | None = maybe("The kind of work.")
    commitment: CommitmentEnum | None = maybe("The kind of engagement.")
    arrangement: ArrangementEnum | None = maybe("Where the work is done.")
    visibility: VisibilityEnum | None = maybe("Who finds it once it is published.")
    weekly_hours: int | None = maybe("Hours a week.")
    years_experience: Decimal | None = maybe("Years of experience asked for.")
    timezone: str | None = maybe("IANA name of the time zone worked in.")
    starts_on: date | None = maybe("The first day of work.")
    ends_on: date | None = maybe("The last day of work.")
    opens_at: datetime | None = maybe("When applications open.")
    closes_at: datetime | None = maybe("When applications close.")
    referral_reward: MoneyInput | None = maybe("What is paid for a referral that leads to a placement.")
    replaces_ended_placements: bool | None = maybe("Whether a seat is offered again whose placement ends early.")
    seats: int | None = maybe("How many people are wanted. For drafts; later, `changeSeats`.")
    pay_bands: list[PayBandInput] | None = maybe("What it pays, and where.")
    locations: list[LocationInput] | None = maybe("Where the person may, or may not, be.")
    skills: list[OpportunitySkillInput] | None = maybe("The skills it asks for.")
    questions: list[ScreeningQuestionInput] | None = maybe("What everybody is asked who applies.")
    lead: LeadInput | None = maybe("Who looks after it.")


@strawberry.input(description="Begins an opportunity. A title is all that it needs for now.")
class DraftOpportunityInput(OpportunityFieldsInput):
    organisation_id: strawberry.ID = strawberry.field(description="Who posts it.")


@strawberry.input(description="Changes what is given; the rest stays as it is.")
class UpdateOpportunityInput(OpportunityFieldsInput):
    opportunity_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Sets who may be considered.")
class SetEligibilityRuleInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="Of which opportunity.")
    rule: RuleInput | None = strawberry.field(default=None, description="The rule; null: open to all.")


@strawberry.input(description="Lets a person in despite the rule.")
class WaiveEligibilityInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="To what.")
    candidate_id: strawberry.ID = strawberry.field(description="Whom.")
    reason: str = strawberry.field(description="Why.")
    until: datetime = strawberry.field(description="Until when.")


@strawberry.input(description="Names an opportunity.")
class OpportunityIdInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Publishes a draft.")
class PublishOpportunityInput(OpportunityIdInput):
    pass


@strawberry.input(description="Stops applications and offers for a while.")
class PauseOpportunityInput(OpportunityIdInput):
    pass


@strawberry.input(description="Ends a pause.")
class ResumeOpportunityInput(OpportunityIdInput):
    pass


@strawberry.input(description="Closes an opportunity.")
class CloseOpportunityInput(OpportunityIdInput):
    pass


@strawberry.input(description="Opens a closed opportunity again.")
class ReopenOpportunityInput(OpportunityIdInput):
    closes_at: datetime | None = strawberry.field(default=None, description="When it closes again.")


@strawberry.input(description="Sets how many people are wanted in all.")
class ChangeSeatsInput(OpportunityIdInput):
    seats: int = strawberry.field(description="Open, held and filled ones together.")


SIMPLE = [
    "title",
    "description",
    "commitment",
    "arrangement",
    "visibility",
    "weekly_hours",
    "years_experience",
    "timezone",
    "starts_on",
    "ends_on",
    "opens_at",
    "closes_at",
    "replaces_ended_placements",
    "seats",
]


def _id(given: Any, kind: str, field: str) -> Any:
    given = plain(given)
    return given if given is None or given is UNSET else public_id(given, kind, field=field)


def _fields(given: OpportunityFieldsInput) -> opportunities.OpportunityFields:
    reward, lead = plain(given.referral_reward), plain(given.lead)
    if isinstance(reward, MoneyInput):
        reward = Money(reward.amount, reward.currency)
    if isinstance(lead, LeadInput):
        lead = opportunities.LeadInput(
            email=lead.email, public_title=lead.public_title or "", public_link=lead.public_link or ""
        )
    return opportunities.OpportunityFields(
        **{name: plain(getattr(given, name)) for name in SIMPLE},
        hiring_organisation_id=_id(given.hiring_organisation_id, "Organisation", "hiringOrganisationId"),
        occupation_id=_id(given.occupation_id, "Occupation", "occupationId"),
        referral_reward=reward,
        lead=lead,
        pay_bands=each(
            given.pay_bands,
            lambda one, at: opportunities.PayBandInput(
                minimum=one.minimum,
                maximum=one.maximum,
                currency=one.currency,
                period=one.period.value,
                places=one.places or (),
            ),
        ),
        locations=each(
            given.locations,
            lambda one, at: opportunities.LocationInput(
                kind=one.kind.value, country=one.country, region=one.region or "", city=one.city or ""
            ),
        ),
        skills=each(
            given.skills,
            lambda one, at: opportunities.SkillTermInput(
                skill_id=public_id(one.skill_id, "Skill", field=f"skills[{at}].skillId"),
                required=one.required,
                weight=one.weight,
                min_level=one.min_level,
                min_years=one.min_years,
            ),
        ),
        questions=each(
            given.questions,
            lambda one, at: opportunities.QuestionInput(
                key=one.key,
                prompt=one.prompt,
                kind=one.kind.value,
                choices=one.choices or (),
                required=one.required,
            ),
        ),
    )


def _named(info: Info, given: Any) -> dict[str, Any]:
    """What every action on an opportunity takes."""
    return {
        "actor": info.context.actor,
        "opportunity_id": public_id(given.opportunity_id, "Opportunity", field="opportunityId"),
        "now": info.context.now,
    }


@strawberry.type
class OpportunityMutation:
    @mutation(OpportunityType, "Begin an opportunity.", scope=Scope.OPPORTUNITIES)
    def draft_opportunity(*, info: Info, input: DraftOpportunityInput) -> Any:
        return opportunities.draft_opportunity(
            actor=info.context.actor,
            organisation_id=public_id(input.organisation_id, "Organisation", field="organisationId"),
            fields=_fields(input),
            now=info.context.now,
        )

    @mutation(
        OpportunityType,
        "Change an opportunity. Once published, other terms are a new revision.",
        scope=Scope.OPPORTUNITIES,
    )
    def update_opportunity(*, info: Info, input: UpdateOpportunityInput) -> Any:
        return opportunities.update_opportunity(**_named(info, input), fields=_fields(input))

    @mutation(OpportunityType, "Say who may be considered.", scope=Scope.OPPORTUNITIES)
    def set_eligibility_rule(*, info: Info, input: SetEligibilityRuleInput) -> Any:
        with written_rule(input.rule, info.context.actor) as rule:
            changed = opportunities.set_eligibility_rule(**_named(info, input), rule=rule)
        return getattr(changed, "opportunity", changed)

    @mutation(EligibilityWaiverType, "Let a person in despite the rule.", scope=Scope.OPPORTUNITIES)
    def waive_eligibility(*, info: Info, input: WaiveEligibilityInput) -> Any:
        return opportunities.waive_eligibility(
            **_named(info, input),
            candidate_id=public_id(input.candidate_id, "Candidate", field="candidateId"),
            reason=input.reason,
            until=input.until,
        )

    @mutation(OpportunityType, "Open a draft to applications and offers.", scope=Scope.OPPORTUNITIES)
    def publish_opportunity(*, info: Info, input: PublishOpportunityInput) -> Any:
        return opportunities.publish_opportunity(**_named(info, input))

    @mutation(OpportunityType, "Take no applications and offers for a while.", scope=Scope.OPPORTUNITIES)
    def pause_opportunity(*, info: Info, input: PauseOpportunityInput) -> Any:
        return opportunities.pause_opportunity(**_named(info, input))

    @mutation(OpportunityType, "End a pause.", scope=Scope.OPPORTUNITIES)
    def resume_opportunity(*, info: Info, input: ResumeOpportunityInput) -> Any:
        return opportunities.resume_opportunity(**_named(info, input))

    @mutation(
        OpportunityType,
        "Close an opportunity: live offers are withdrawn, live applications lapse.",
        scope=Scope.OPPORTUNITIES,
    )
    def close_opportunity(*, info: Info, input: CloseOpportunityInput) -> Any:
        return opportunities.close_opportunity(**_named(info, input))

    @mutation(OpportunityType, "Open a closed opportunity again.", scope=Scope.OPPORTUNITIES)
    def reopen_opportunity(*, info: Info, input: ReopenOpportunityInput) -> Any:
        return opportunities.reopen_opportunity(**_named(info, input), closes_at=input.closes_at)

    @mutation(
        OpportunityType,
        "Want more seats, or fewer: open ones go first, then held ones with their offers.",
        scope=Scope.OPPORTUNITIES,
    )
    def change_seats(*, info: Info, input: ChangeSeatsInput) -> Any:
        return opportunities.change_seats(**_named(info, input), seats=input.seats)
