"""Registering as a candidate, and stating facts."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.inputs import each, maybe, plain
from accounts.api.nodes import public_id
from accounts.api.refusals import Keyed, mutation
from marketplace.access import own_candidate
from marketplace.actions import candidates, vetting
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import CommitmentEnum, LanguageLevel, PayPeriod, VettingCheck
from marketplace.core.money import Pay
from marketplace.models.candidate import CefrLevel


@strawberry.input(name="PayInput", description="Exact pay: so much for each period.")
class PayInput:
    amount: Decimal = strawberry.field(description="How much.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    period: PayPeriod = strawberry.field(description="For what.")


@strawberry.input(name="CandidateSkillInput", description="A skill of a candidate.")
class CandidateSkillInput:
    skill_id: strawberry.ID = strawberry.field(description="Which.")
    level: int = strawberry.field(description="1, beginner, to 5, expert.")
    years: Decimal | None = strawberry.field(default=None, description="Years of practice.")
    last_used_on: date | None = strawberry.field(default=None, description="When it was last used.")


@strawberry.input(name="CandidateLanguageInput", description="A language that a candidate speaks.")
class CandidateLanguageInput:
    language: str = strawberry.field(description="ISO 639-1 code, or 639-3 where there is none.")
    level: LanguageLevel = strawberry.field(description="How well.")


@strawberry.input(name="WorkAuthorisationInput", description="Leave to work in a country.")
class WorkAuthorisationInput:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code.")
    expires_on: date | None = strawberry.field(default=None, description="The last day; null: without an end.")


@strawberry.input(name="WorkExperienceInput", description="Work that a candidate has done.")
class WorkExperienceInput:
    title: str = strawberry.field(description="As what.")
    employer: str | None = strawberry.field(default=None, description="For whom.")
    starts_on: date = strawberry.field(description="From.")
    ends_on: date | None = strawberry.field(default=None, description="Until; null: still.")
    description: str | None = strawberry.field(default=None, description="What it was about.")


@strawberry.input(description="What a candidate says of themselves. Lists replace what was there; null clears.")
class CandidateFieldsInput(Keyed):
    name: str | None = maybe("Their name; the login's, if nothing is said on registering.")
    headline: str | None = maybe("Who they are, in a line.")
    phone: str | None = maybe("Their phone number.")
    linkedin: str | None = maybe("The address of their LinkedIn profile.")
    resume_text: str | None = maybe("Their résumé as plain text.")
    country: str | None = maybe("ISO 3166-1 alpha-2 code of where they live.")
    region: str | None = maybe("ISO 3166-2 code of where they live.")
    latitude: float | None = maybe("Degrees north; with the longitude.")
    longitude: float | None = maybe("Degrees east; with the latitude.")
    timezone: str | None = maybe("IANA name of the time zone they work in.")
    work_starts_minute: int | None = maybe("When they start work: local minutes after midnight.")
    work_ends_minute: int | None = maybe("When they end work: local minutes after midnight.")
    years_experience: Decimal | None = maybe("Years of professional experience, in all.")
    weekly_hours: int | None = maybe("Hours a week they want to work, in all.")
    rate: PayInput | None = maybe("What they ask for.")
    commitments: list[CommitmentEnum] | None = maybe("The kinds of engagement they want.")
    available_from: date | None = maybe("The first day they could start.")
    discoverable: bool | None = maybe("Whether recruiters may find them.")
    open_to_offers: bool | None = maybe("Whether an allocation may offer to them unasked.")
    blocked_organisation_ids: list[strawberry.ID] | None = maybe("The organisations that shall not find them.")
    skills: list[CandidateSkillInput] | None = maybe("Their skills.")
    languages: list[CandidateLanguageInput] | None = maybe("The languages they speak.")
    work_authorisations: list[WorkAuthorisationInput] | None = maybe("Where they may work.")
    experiences: list[WorkExperienceInput] | None = maybe("Work they have done.")


@strawberry.input(description="Registers the one who is logged in.")
class RegisterCandidateInput(CandidateFieldsInput):
    pass


@strawberry.input(description="Changes what is given; the rest stays as it is.")
class UpdateCandidateInput(CandidateFieldsInput):
    candidate_id: strawberry.ID | None = strawberry.field(default=None, description="Whose; yourself if not given.")


@strawberry.input(description="Records how a check of a candidate came out. For staff.")
class RecordVettingInput(Keyed):
    candidate_id: strawberry.ID = strawberry.field(description="Whose.")
    kind: VettingCheck = strawberry.field(description="Which check.")
    passed: bool = strawberry.field(description="Whether it was passed.")
    until: date | None = strawberry.field(
        default=None, description="The last day that a pass is good for; null: without an end."
    )


SIMPLE = [
    "name",
    "headline",
    "phone",
    "linkedin",
    "resume_text",
    "country",
    "region",
    "latitude",
    "longitude",
    "timezone",
    "work_starts_minute",
    "work_ends_minute",
    "years_experience",
    "weekly_hours",
    "commitments",
    "available_from",
    "discoverable",
    "open_to_offers",
]


def skill_of(one: CandidateSkillInput, path: str) -> candidates.SkillInput:
    return candidates.SkillInput(
        skill_id=public_id(one.skill_id, "Skill", field=f"{path}.skillId"),
        level=one.level,
        years=one.years,
        last_used_on=one.last_used_on,
    )


def pay_of(given: Any) -> Any:
    given = plain(given)
    return Pay(given.amount, given.currency, given.period.value) if isinstance(given, PayInput) else given


def _fields(given: CandidateFieldsInput) -> candidates.CandidateFields:
    return candidates.CandidateFields(
        **{name: plain(getattr(given, name)) for name in SIMPLE},
        rate=pay_of(given.rate),
        blocked_organisation_ids=each(
            given.blocked_organisation_ids,
            lambda one, at: public_id(one, "Organisation", field=f"blockedOrganisationIds[{at}]"),
        ),
        skills=each(given.skills, lambda one, at: skill_of(one, f"skills[{at}]")),
        languages=each(
            given.languages, lambda one, at: candidates.LanguageInput(one.language, CefrLevel[one.level.value].value)
        ),
        work_authorisations=each(
            given.work_authorisations, lambda one, at: candidates.AuthorisationInput(one.country, one.expires_on)
        ),
        experiences=each(
            given.experiences,
            lambda one, at: candidates.ExperienceInput(
                title=one.title,
                employer=one.employer or "",
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                description=one.description or "",
            ),
        ),
    )


@strawberry.type
class CandidateMutation:
    @mutation(CandidateType, "Become a candidate.")
    def register_candidate(*, info: Info, input: RegisterCandidateInput) -> Any:
        context = info.context
        return candidates.register_candidate(actor=context.actor, fields=_fields(input), now=context.now)

    @mutation(CandidateType, "Change what is known of a candidate: one's own profile; staff, any.")
    def update_candidate(*, info: Info, input: UpdateCandidateInput) -> Any:
        context = info.context
        if input.candidate_id is not None:
            candidate_id = public_id(input.candidate_id, "Candidate", field="candidateId")
        else:
            candidate_id = own_candidate(context.actor).public_id
        return candidates.update_candidate(
            actor=context.actor, candidate_id=candidate_id, fields=_fields(input), now=context.now
        )

    @mutation(CandidateType, "Record how a check of a candidate came out. For staff.")
    def record_vetting(*, info: Info, input: RecordVettingInput) -> Any:
        result = vetting.record_vetting(
            actor=info.context.actor,
            candidate_id=public_id(input.candidate_id, "Candidate", field="candidateId"),
            kind=input.kind.value,
            passed=input.passed,
            until=input.until,
            now=info.context.now,
        )
        return result.candidate
