"""Opportunities and their terms."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from django.db.models import Count
from strawberry.parent import StrawberryParent

from accounts.access import require_right
from accounts.api.columns import needs
from accounts.api.connections import AFTER, FIRST, Connection, nested_page
from accounts.api.context import Info
from accounts.api.fields import given, many, one
from accounts.api.nodes import Node, lazy, node_type, row_type
from accounts.api.peers import batched, related, related_list, together
from accounts.api.scalars import JSON
from accounts.api.types import OrganisationType, TransitionType, UserType, history_of
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.access import (
    access_opportunity,
    visible_applications,
    visible_invitations,
    visible_offers,
    visible_opportunities,
    visible_placements,
)
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import (
    ArrangementEnum,
    CommitmentEnum,
    LocationKind,
    OpportunityStateEnum,
    QuestionKind,
    SeatStateEnum,
    VisibilityEnum,
)
from marketplace.api.money import MoneyType, PayBandType
from marketplace.api.rules import rule_text, shown_rule, skills_in
from marketplace.api.taxonomy import OccupationType, SkillType
from marketplace.api.verdicts import skills_by_id
from marketplace.api.viewing import audience, is_inside
from marketplace.core.money import Money
from marketplace.core.workflow import SeatState
from marketplace.models import (
    CandidateGroup,
    EligibilityWaiver,
    Opportunity,
    OpportunityLocation,
    OpportunityMember,
    OpportunityRevision,
    OpportunitySkill,
    ScreeningQuestion,
    Seat,
    Skill,
)
from marketplace.queries.naming import names_of

INSIDE = " Null unless you belong to the organisation or are staff."


@row_type(OpportunityLocation, name="OpportunityLocation", description="A place where the person may, or may not, be.")
class OpportunityLocationType:
    kind: LocationKind = strawberry.field(description="Allowed or excluded.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code.")
    region = given("region", str, "ISO 3166-2 code.")
    city = given("city", str, "The city.")


@row_type(OpportunitySkill, name="OpportunitySkill", description="A skill that an opportunity asks for.")
class OpportunitySkillType:
    skill = one("skill", SkillType, "Which.")
    required: bool = strawberry.field(description="Whether it is required; otherwise it is preferred.")
    weight: int = strawberry.field(description="1 to 10, relative to the other skills.")
    min_level: int = strawberry.field(description="The level asked for, 1 to 5.")
    min_years: Decimal | None = strawberry.field(description="The years of practice asked for.")


@row_type(ScreeningQuestion, name="ScreeningQuestion", description="A question put to everybody who applies.")
class ScreeningQuestionType:
    key: str = strawberry.field(description="The name under which it is answered.")
    prompt: str = strawberry.field(description="The question.")
    kind: QuestionKind = strawberry.field(description="What answers it.")
    choices: list[str] = strawberry.field(description="The choices, where it has some.")
    required: bool = strawberry.field(description="Whether it must be answered.")


@row_type(OpportunityMember, name="Lead", description="Who looks after an opportunity, as candidates see them.")
class LeadType:
    title = given("public_title", str, "In what role.")
    link = given("public_link", str, "Where to read more of them.")

    @strawberry.field(description="Their name, where they gave one.")
    def name(root: strawberry.Parent[Any]) -> str | None:
        return related(root, "user").name or None

    @strawberry.field(description="Their login." + INSIDE)
    def user(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        return related(root, "user") if is_inside(info.context, root) else None


@strawberry.type(name="Seats", description="The seats of an opportunity, counted. Spent and retired ones do not count.")
class SeatsType:
    wanted: int = strawberry.field(description="Open, held and filled together.")
    open: int = strawberry.field(description="To be filled.")
    held: int = strawberry.field(description="Kept for reserved offers.")
    filled: int = strawberry.field(description="Taken by placements.")


@row_type(Seat, name="Seat", description="A place to fill.")
class SeatType:
    number: int = strawberry.field(description="1, 2, 3 … within the opportunity.")
    state: SeatStateEnum = strawberry.field(description="Where it stands.")
    opened_at: datetime = strawberry.field(description="Since when it is wanted.")
    filled_at: datetime | None = strawberry.field(description="When it was filled.")


def _access_revision(actor: Actor, revision_id: Any) -> OpportunityRevision:
    visible = visible_opportunities(actor).values("pk")
    revision = OpportunityRevision.objects.filter(public_id=revision_id, opportunity__in=visible).first()
    if revision is None:
        raise NotFound("revision")
    return revision


@node_type(
    OpportunityRevision,
    name="OpportunityRevision",
    description="The terms of an opportunity at one moment. Applications and offers name the one they were made under.",
    access=_access_revision,
)
class OpportunityRevisionType(Node):
    number: int = strawberry.field(description="1, 2, 3 … within the opportunity.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(
        description="The eligibility rule as JSON, skills by id; null also where it is open to all." + INSIDE
    )
    def rule(root: strawberry.Parent[Any], info: Info) -> JSON | None:
        if not root.rule or not is_inside(info.context, root):
            return None
        return shown_rule(root.rule, audience(info.context, root), _skills(root), _groups(root))

    @strawberry.field(description="The rule in words, as far as it is disclosed to you; null where nothing of it is.")
    def rule_text(root: strawberry.Parent[Any], info: Info) -> str | None:
        skills = {key: skill.name for key, skill in _skills(root).items()}
        lists = {key: group.name for key, group in _groups(root).items()} if is_inside(info.context, root) else {}
        return rule_text(root.rule, audience(info.context, root), names_of(skills, lists))


def _skills(revision: OpportunityRevision) -> dict[int, Skill]:
    """The skills that the rules of revisions name, of all that were loaded together."""

    def load(rows: list[OpportunityRevision]) -> dict[int, dict[int, Skill]]:
        skills = skills_by_id(skill for row in rows for skill in skills_in(row.rule))
        return {row.pk: skills for row in rows}

    return batched(revision, "skills of the rule", load, {})


def _groups(revision: OpportunityRevision) -> dict[int, CandidateGroup]:
    """The lists that the rules of revisions may name."""

    def load(rows: list[OpportunityRevision]) -> dict[int, dict[int, CandidateGroup]]:
        organisations = {related(row, "opportunity").posting_organisation_id for row in rows}
        groups = {group.pk: group for group in CandidateGroup.objects.filter(organisation_id__in=organisations)}
        return {row.pk: groups for row in rows}

    return batched(revision, "groups of the rule", load, {})


def _access_waiver(actor: Actor, waiver_id: Any) -> EligibilityWaiver:
    waiver = EligibilityWaiver.objects.select_related("opportunity").filter(public_id=waiver_id).first()
    if waiver is None:
        raise NotFound("waiver")
    require_right(actor, waiver.opportunity.posting_organisation_id, "read", kind="waiver")
    return waiver


@node_type(
    EligibilityWaiver,
    name="EligibilityWaiver",
    description="A person let in despite the rule. Only the organisation sees it.",
    access=_access_waiver,
)
class EligibilityWaiverType(Node):
    opportunity = one("opportunity", lazy("OpportunityType", "marketplace.api.opportunities"), "To what.")
    candidate = one("candidate", CandidateType, "Who.")
    granted_by = one("granted_by", UserType, "By whom.")
    reason: str = strawberry.field(description="Why.")
    until: datetime = strawberry.field(description="Until when.")
    revoked_at: datetime | None = strawberry.field(description="When it was taken back.")
    created_at: datetime = strawberry.field(description="When it was given.")


def _seats(root: Any) -> SeatsType:
    def load(rows: list[Opportunity]) -> dict[int, Counter]:
        found: dict[int, Counter] = {}
        counted = Seat.objects.filter(opportunity__in=rows).order_by().values_list("opportunity_id", "state")
        for opportunity_id, state, number in counted.annotate(number=Count("pk")):
            found.setdefault(opportunity_id, Counter())[state] = number
        return found

    counts = batched(root, "seats", load, Counter())
    open_, held, filled = (counts[state.value] for state in (SeatState.OPEN, SeatState.HELD, SeatState.FILLED))
    return SeatsType(wanted=open_ + held + filled, open=open_, held=held, filled=filled)


def _own(name: str, visible: Any, type_: str, module: str, description: str) -> Any:
    """One of the lists that hang on an opportunity, as far as the actor may see its rows."""

    def resolve(root, info, first=None, after=None):
        return nested_page(root, name, visible, info.context.actor, by="opportunity", first=first, after=after)

    connection: Any = Connection
    resolve.__annotations__ = {
        "root": Annotated[Any, StrawberryParent()],
        "info": Info,
        "first": Annotated[int | None, FIRST],
        "after": Annotated[str | None, AFTER],
        "return": connection[lazy(type_, module)],
    }
    return strawberry.field(resolver=resolve, description=description, metadata=needs())


@node_type(
    Opportunity,
    name="Opportunity",
    description="Work to be done: what it is, what it asks for, what it pays, how many it takes.",
    access=access_opportunity,
)
class OpportunityType(Node):
    reference: str = strawberry.field(description="A short name to read out.")
    title: str = strawberry.field(description="Its title.")
    description = given("description", str, "What the work is about.")
    state: OpportunityStateEnum = strawberry.field(description="Where it stands.")
    posting_organisation = one("posting_organisation", OrganisationType, "Who posted it.")
    hiring_organisation = one("hiring_organisation", OrganisationType, "Who the person will work for.")
    occupation = one("occupation", OccupationType, "The kind of work.", optional=True)
    commitment = given("commitment", CommitmentEnum, "The kind of engagement.")
    arrangement = given("arrangement", ArrangementEnum, "Where the work is done.")
    visibility: VisibilityEnum = strawberry.field(description="Who finds it once it is published.")
    weekly_hours: int | None = strawberry.field(description="Hours a week.")
    years_experience: Decimal | None = strawberry.field(description="Years of experience asked for.")
    timezone = given("timezone", str, "IANA name of the time zone worked in.")
    starts_on: date | None = strawberry.field(description="The first day of work.")
    ends_on: date | None = strawberry.field(description="The last day of work.")
    opens_at: datetime | None = strawberry.field(description="When applications open.")
    closes_at: datetime | None = strawberry.field(description="When applications close.")
    published_at: datetime | None = strawberry.field(description="When it was first published.")
    closed_at: datetime | None = strawberry.field(description="When it closed.")
    created_at: datetime = strawberry.field(description="When it was drafted.")
    pay_bands = many("pay_bands", PayBandType, "What it pays, and where.")
    locations = many("locations", OpportunityLocationType, "Where the person may, or may not, be.")
    skills = many("skill_terms", OpportunitySkillType, "The skills it asks for, required ones first.")
    questions = many("questions", ScreeningQuestionType, "What everybody is asked who applies.")
    pipeline: list[str] = strawberry.field(description="The stages that applications pass through.")
    replaces_ended_placements: bool = strawberry.field(
        description="Whether a seat is offered again whose placement ends early."
    )
    current_revision = one("current_revision", OpportunityRevisionType, "The terms in force.", optional=True)

    @strawberry.field(description="Its seats, counted.")
    def seats(root: strawberry.Parent[Any]) -> SeatsType:
        return _seats(root)

    @strawberry.field(description="Its seats one by one." + INSIDE)
    def seat_list(root: strawberry.Parent[Any], info: Info) -> list[SeatType] | None:
        if not is_inside(info.context, root):
            return None
        return sorted(related_list(root, "seats"), key=lambda seat: seat.number)

    @strawberry.field(description="What is paid for a referral that leads to a placement.")
    def referral_reward(root: strawberry.Parent[Any]) -> MoneyType | None:
        if root.referral_reward_amount is None:
            return None
        return Money(root.referral_reward_amount, root.referral_reward_currency)  # type: ignore[return-value]

    @strawberry.field(description="Who looks after it.")
    def lead(root: strawberry.Parent[Any]) -> LeadType | None:
        return next((m for m in related_list(root, "members") if m.role == OpportunityMember.Role.LEAD), None)

    @strawberry.field(description="The people let in despite the rule." + INSIDE)
    def waivers(root: strawberry.Parent[Any], info: Info) -> list[EligibilityWaiverType] | None:
        return related_list(root, "waivers") if is_inside(info.context, root) else None

    @strawberry.field(description="Every change of its state, oldest first." + INSIDE)
    def history(root: strawberry.Parent[Any], info: Info) -> list[TransitionType] | None:
        return history_of(root) if is_inside(info.context, root) else None  # type: ignore[return-value]

    @strawberry.field(description="Your live application to it, or your latest; null if you never applied.")
    def viewer_application(
        root: strawberry.Parent[Any], info: Info
    ) -> lazy("ApplicationType", "marketplace.api.applications") | None:  # type: ignore[valid-type]
        user_id = info.context.actor.user_id
        if user_id is None:
            return None

        def load(rows: list[Opportunity]) -> dict[int, Any]:
            mine = visible_applications(info.context.actor).filter(candidate__user_id=user_id, opportunity__in=rows)
            return {application.opportunity_id: application for application in together(mine.order_by("id"))}

        return batched(root, "mine", load, None)

    applications = _own(
        "applications",
        visible_applications,
        "ApplicationType",
        "marketplace.api.applications",
        "The applications to it that you may see, newest first.",
    )
    invitations = _own(
        "invitations",
        visible_invitations,
        "InvitationType",
        "marketplace.api.applications",
        "The invitations to it that you may see, newest first.",
    )
    offers = _own(
        "offers", visible_offers, "OfferType", "marketplace.api.offers", "Its offers that you may see, newest first."
    )
    placements = _own(
        "placements",
        visible_placements,
        "PlacementType",
        "marketplace.api.placements",
        "Its placements that you may see, newest first.",
    )
