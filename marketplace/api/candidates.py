"""Candidates. Who they are stays closed to recruiters until they turn to them."""

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from accounts.access import organisations_of
from accounts.api.columns import needs
from accounts.api.connections import AFTER, FIRST, Connection, nested_page, page
from accounts.api.context import Info
from accounts.api.fields import given, one
from accounts.api.nodes import Node, lazy, node_type, row_type
from accounts.api.peers import batched, related, related_list
from accounts.api.types import OrganisationType
from accounts.core.actor import Actor
from accounts.errors import NotFound
from marketplace.access import access_candidate, visible_applications, visible_candidates
from marketplace.api.enums import CommitmentEnum, GroupKind, LanguageLevel, SkillSourceEnum, VettingCheck
from marketplace.api.money import PayType
from marketplace.api.taxonomy import OccupationType, SkillType
from marketplace.api.viewing import reads, sees_contacts
from marketplace.core.money import Pay
from marketplace.core.personal import PersonalField
from marketplace.models import (
    Candidate,
    CandidateGroup,
    CandidateLanguage,
    CandidateSkill,
    VettingResult,
    WorkAuthorisation,
    WorkExperience,
)
from marketplace.models.candidate import CefrLevel

CONTACT = " Null unless it is you, or you recruit for an organisation that the candidate turned to, or you are staff."


@row_type(CandidateSkill, name="CandidateSkill", description="A skill of a candidate.")
class CandidateSkillType:
    skill = one("skill", SkillType, "Which.")
    level: int = strawberry.field(description="1, beginner, to 5, expert.")
    years: Decimal | None = strawberry.field(description="Years of practice.")
    last_used_on: date | None = strawberry.field(description="When it was last used.")
    source: SkillSourceEnum = strawberry.field(description="How Muster knows.")


@row_type(CandidateLanguage, name="CandidateLanguage", description="A language that a candidate speaks.")
class CandidateLanguageType:
    language: str = strawberry.field(description="ISO 639-1 code, or 639-3 where there is none.")

    @strawberry.field(description="How well.")
    def level(root: strawberry.Parent[Any]) -> LanguageLevel:
        return CefrLevel(root.level).name


@row_type(WorkAuthorisation, name="WorkAuthorisation", description="Leave to work in a country.")
class WorkAuthorisationType:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code.")
    expires_on: date | None = strawberry.field(description="The last day; null: without an end.")


@row_type(VettingResult, name="VettingResult", description="How a check of a candidate came out. Staff record it.")
class VettingResultType:
    kind: VettingCheck = strawberry.field(description="Which check.")
    passed: bool = strawberry.field(description="Whether it was passed.")
    until: date | None = strawberry.field(description="The last day that a pass is good for; null: without an end.")
    recorded_at: datetime = strawberry.field(description="When it was recorded.")


@row_type(WorkExperience, name="WorkExperience", description="Work that a candidate has done.")
class WorkExperienceType:
    title: str = strawberry.field(description="As what.")
    employer = given("employer", str, "For whom.")
    occupation = one("occupation", OccupationType, "The occupation it stands for, where recognised.", optional=True)
    starts_on: date = strawberry.field(description="From.")
    ends_on: date | None = strawberry.field(description="Until; null: still.")
    description = given("description", str, "What it was about.")


def contact(attribute: str, field: PersonalField, description: str) -> Any:
    """A text that is open to those whom the candidate turned to."""

    def resolve(root: strawberry.Parent[Any], info: Info) -> str | None:
        return getattr(root, attribute) or None if reads(info.context, root, field) else None

    return strawberry.field(resolver=resolve, description=description + CONTACT, metadata=needs(attribute))


def pseudonym(candidate: Candidate) -> str:
    """A name to speak of somebody by who has not given theirs."""
    code = base64.b32encode(candidate.public_id.bytes[:5]).decode()
    return f"Candidate {code[:4]}-{code[4:]}"


def _read_candidate(actor: Actor, candidate_id: Any) -> Candidate:
    return access_candidate(actor, candidate_id, to="read")


@node_type(
    Candidate,
    name="Candidate",
    description=(
        "A person who may be placed. Headline, titles, skills and what they want is open to those who recruit, and what"
        " these find them by; name, contacts, résumé and experiences open when they turn to you."
    ),
    access=_read_candidate,
)
class CandidateType(Node):
    name = contact("name", PersonalField.NAME, "Their name.")
    phone = contact("phone", PersonalField.PHONE, "Their phone number.")
    linkedin = contact("linkedin", PersonalField.LINKEDIN, "The address of their LinkedIn profile.")
    resume_text = contact("resume_text", PersonalField.RESUME, "Their résumé as plain text.")
    headline = given("headline", str, "Who they are, in a line of their own.")
    country = given("country", str, "ISO 3166-1 alpha-2 code of where they live.")
    region = given("region", str, "ISO 3166-2 code of where they live.")
    timezone = given("timezone", str, "IANA name of the time zone they work in.")
    work_starts_minute: int | None = strawberry.field(description="When they start work: local minutes after midnight.")
    work_ends_minute: int | None = strawberry.field(description="When they end work: local minutes after midnight.")
    years_experience: Decimal | None = strawberry.field(description="Years of professional experience, in all.")
    weekly_hours: int | None = strawberry.field(description="Hours a week they want to work, in all.")
    commitments: list[CommitmentEnum] = strawberry.field(description="The kinds of engagement they want.")
    available_from: date | None = strawberry.field(description="The first day they could start.")
    discoverable: bool = strawberry.field(description="Whether recruiters may find them.")
    open_to_offers: bool = strawberry.field(description="Whether an allocation may offer to them unasked.")
    revision: int = strawberry.field(description="Grows with every change of their facts.")

    @strawberry.field(description="Their name where it is open to you, otherwise a pseudonym that stays the same.")
    def display_name(root: strawberry.Parent[Any], info: Info) -> str:
        return root.name if reads(info.context, root, PersonalField.NAME) else pseudonym(root)

    @strawberry.field(description="Whether name, contacts, résumé and experiences are open to you.")
    def contacts_open(root: strawberry.Parent[Any], info: Info) -> bool:
        return sees_contacts(info.context, root)

    @strawberry.field(description="Their e-mail address." + CONTACT)
    def email(root: strawberry.Parent[Any], info: Info) -> str | None:
        if not reads(info.context, root, PersonalField.EMAIL):
            return None
        if root.email:
            return root.email
        user = related(root, "user")
        return user.email if user else None

    @strawberry.field(description="Work they have done, latest first." + CONTACT)
    def experiences(root: strawberry.Parent[Any], info: Info) -> list[WorkExperienceType] | None:
        return related_list(root, "experiences") if reads(info.context, root, PersonalField.EXPERIENCES) else None

    @strawberry.field(
        description=(
            "What they have worked as, latest first, in their own words: searches look at it. For whom, when and what"
            " it was about stands in `experiences`."
        )
    )
    def titles(root: strawberry.Parent[Any]) -> list[str]:
        worked = sorted(related_list(root, "experiences"), key=lambda one: (one.starts_on, one.pk), reverse=True)
        return list(dict.fromkeys(one.title for one in worked))

    @strawberry.field(description="What they ask for.")
    def rate(root: strawberry.Parent[Any]) -> PayType | None:
        if root.rate_amount is None:
            return None
        return Pay(root.rate_amount, root.rate_currency, root.rate_period)  # type: ignore[return-value]

    @strawberry.field(description="Their skills, best first.")
    def skills(root: strawberry.Parent[Any]) -> list[CandidateSkillType]:
        return sorted(related_list(root, "skills"), key=lambda fact: (-fact.level, fact.pk))

    @strawberry.field(description="The languages they speak.")
    def languages(root: strawberry.Parent[Any]) -> list[CandidateLanguageType]:
        return sorted(related_list(root, "languages"), key=lambda fact: fact.language)

    @strawberry.field(description="Where they may work.")
    def work_authorisations(root: strawberry.Parent[Any]) -> list[WorkAuthorisationType]:
        return sorted(related_list(root, "work_authorisations"), key=lambda fact: fact.country)

    @strawberry.field(description="Results of checks of them." + CONTACT)
    def vetting(root: strawberry.Parent[Any], info: Info) -> list[VettingResultType] | None:
        if not reads(info.context, root, PersonalField.VETTING):
            return None
        return sorted(related_list(root, "vetting_results"), key=lambda result: result.kind)

    @strawberry.field(description="The organisations that do not find them; null unless it is you or you are staff.")
    def blocked_organisations(root: strawberry.Parent[Any], info: Info) -> list[OrganisationType] | None:
        actor = info.context.actor
        if not (actor.is_staff or (actor.user_id is not None and root.user_id == actor.user_id)):
            return None
        return related_list(root, "blocked_organisations")

    @strawberry.field(description="Their applications, as far as you may see them, newest first.")
    def applications(
        root: strawberry.Parent[Any],
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[lazy("ApplicationType", "marketplace.api.applications")]:  # type: ignore[valid-type]
        actor = info.context.actor
        return nested_page(root, "applications", visible_applications, actor, by="candidate", first=first, after=after)


def access_group(actor: Actor, group_id: Any) -> CandidateGroup:
    group = CandidateGroup.objects.filter(public_id=group_id, organisation__in=organisations_of(actor, "read")).first()
    if group is None:
        raise NotFound("list of candidates")
    return group


@node_type(
    CandidateGroup,
    name="CandidateGroup",
    description="An organisation's own list of people. Only its members see it.",
    access=access_group,
)
class CandidateGroupType(Node):
    name: str = strawberry.field(description="What it is called.")
    kind: GroupKind = strawberry.field(description="What it is for.")
    organisation = one("organisation", OrganisationType, "Whose it is.")

    @strawberry.field(description="The people on it that you may see, newest first.")
    def candidates(
        root: strawberry.Parent[Any],
        info: Info,
        first: Annotated[int | None, FIRST] = None,
        after: Annotated[str | None, AFTER] = None,
    ) -> Connection[CandidateType]:
        rows = visible_candidates(info.context.actor).filter(groups=root)
        return batched(
            root, ("candidates", first, after), lambda _: {root.pk: page(rows, first=first, after=after)}, None
        )
