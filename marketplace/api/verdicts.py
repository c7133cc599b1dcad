"""Verdicts: may they, why not, and what would change it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import strawberry

from accounts.api.context import Context
from accounts.api.peers import batched, together
from accounts.api.types import UserType
from marketplace.api.enums import DisclosureEnum, OutcomeEnum
from marketplace.api.money import ExchangeRateSetType
from marketplace.api.taxonomy import SkillType
from marketplace.api.viewing import audience, is_inside
from marketplace.models import Candidate, EligibilityWaiver, ExchangeRateSet, Opportunity, Skill
from marketplace.queries import verdicts as queries
from marketplace.queries.naming import names_of
from marketplace.queries.shortfalls import has_and_needs
from marketplace.queries.verdicts import skill_of, skills_named
from marketplace.queries.waivers import waivers_of
from matching.core.eligibility import Verdict
from matching.core.names import Names

Skills = Mapping[int, Skill]

INSIDE = " Null unless you belong to the organisation or are staff."


def skills_by_id(skill_ids: Iterable[int]) -> dict[int, Skill]:
    """Skills by inner id, merged ones as what they became, loaded together."""
    found = queries.skills_by_id(skill_ids)
    together({skill.pk: skill for skill in found.values()}.values())
    return found


@dataclass(frozen=True)
class Told:
    """A part of a verdict with the skills that its sentences name."""

    value: Any
    skills: Skills

    @property
    def names(self) -> Names:
        return names_of({skill_id: skill.name for skill_id, skill in self.skills.items()})

    @property
    def sentence(self) -> str:
        text: str = self.value.sentence(self.names)
        return text

    @property
    def skill(self) -> Skill | None:
        skill_id = skill_of(self.value)
        return self.skills.get(skill_id) if skill_id is not None else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)


class ToldReason(Told):
    @property
    def has(self) -> str | None:
        return has_and_needs(self.value, self.names)[0]

    @property
    def needs(self) -> str:
        return has_and_needs(self.value, self.names)[1]


@dataclass(frozen=True)
class ToldVerdict(Told):
    """`is_inside` is whether the reader belongs to the organisation; the rest is looked up when it is asked for."""

    is_inside: bool
    find_waiver: Callable[[], EligibilityWaiver | None]
    find_rates: Callable[[], ExchangeRateSet | None]

    @property
    def reasons(self) -> list[Told]:
        return [ToldReason(reason, self.skills) for reason in self.value.failed]

    @property
    def questions(self) -> list[Told]:
        return [Told(question, self.skills) for question in self.value.unknown]

    @property
    def nearest_change(self) -> "ToldChange | None":
        return ToldChange(self.value.nearest, self.skills) if self.value.nearest else None

    @property
    def waiver(self) -> "ToldWaiver | None":
        found = self.find_waiver() if self.value.waived else None
        return ToldWaiver(found, self.is_inside) if found else None

    @property
    def basis(self) -> "ToldVerdict":
        return self


class ToldChange(Told):
    @property
    def changes(self) -> list[Told]:
        return [Told(change, self.skills) for change in self.value.changes]


@dataclass(frozen=True)
class ToldWaiver:
    """A waiver: candidates read until when it lets them in, and no more."""

    waiver: EligibilityWaiver
    is_inside: bool

    @property
    def until(self) -> datetime:
        return self.waiver.until

    @property
    def reason(self) -> str | None:
        return self.waiver.reason if self.is_inside else None

    @property
    def granted_by(self) -> Any:
        return self.waiver.granted_by if self.is_inside else None


@strawberry.type(name="Reason", description="A criterion that is not met.")
class ReasonType:
    sentence: str = strawberry.field(description="What is needed, and what there is, for people.")
    has: str | None = strawberry.field(description="What there is, such as `20 hours a week`; null for nothing.")
    needs: str = strawberry.field(description="What is needed, such as `at least 30 hours a week`.")
    path: str = strawberry.field(description="Where the criterion stands in the rule, as far as you may see that.")
    disclosure: DisclosureEnum = strawberry.field(description="To whom it is shown.")
    skill: SkillType | None = strawberry.field(description="The skill it is about, if it is about one.")

    @strawberry.field(description="What sort of shortfall it is, such as `SkillTooLow`.")
    def kind(root: strawberry.Parent[Any]) -> str:
        return type(root.value).__name__


@strawberry.type(name="Question", description="What must be known to settle the verdict.")
class QuestionType:
    subject: str = strawberry.field(description="The fact that is missing.")
    sentence: str = strawberry.field(description="The question, for people.")
    asked_of_candidate: bool = strawberry.field(
        description="Whether it is the candidate's to answer. If not, as with a check's result, nobody waits for them."
    )
    path: str = strawberry.field(description="Where in the rule the criterion stands; empty where you may not know.")
    skill: SkillType | None = strawberry.field(description="The skill it is about, if it is about one.")


@strawberry.type(name="FactChange", description="One fact that would have to be different.")
class FactChangeType:
    subject: str = strawberry.field(description="Which fact.")
    sentence: str = strawberry.field(description="What it would have to be, for people.")
    skill: SkillType | None = strawberry.field(description="The skill it is about, if it is about one.")


@strawberry.type(name="NearestChange", description="The smallest change that would turn a refusal round.")
class NearestChangeType:
    sentence: str = strawberry.field(description="All of it, for people.")
    settles: bool = strawberry.field(description="False where questions stay open even then.")
    changes: list[FactChangeType] = strawberry.field(description="Fact by fact.")


@strawberry.type(name="VerdictWaiver", description="That somebody was let in despite the rule.")
class VerdictWaiverType:
    until: datetime = strawberry.field(description="Until when.")
    reason: str | None = strawberry.field(description="Why." + INSIDE)
    granted_by: UserType | None = strawberry.field(description="By whom." + INSIDE)


@strawberry.type(name="VerdictBasis", description="What a verdict was judged by. Null where it was not said.")
class VerdictBasisType:
    @strawberry.field(description="The number of the opportunity's revision whose rule it was.")
    def rule_revision(root: strawberry.Parent[Any]) -> int | None:
        return root.value.basis.rule_revision

    @strawberry.field(description="The candidate's revision: which state of their facts.")
    def candidate_revision(root: strawberry.Parent[Any]) -> int | None:
        return root.value.basis.candidate_revision

    @strawberry.field(description="The revision of the taxonomy at which merged skills were followed.")
    def taxonomy_revision(root: strawberry.Parent[Any]) -> int | None:
        return root.value.basis.taxonomy_revision

    @strawberry.field(description="The exchange rates that turned what is asked and paid into euros.")
    def exchange_rates(root: strawberry.Parent[Any]) -> ExchangeRateSetType | None:
        return root.find_rates()


@strawberry.type(
    name="Verdict",
    description="Whether somebody may be considered, with the reasons as far as they are disclosed to you.",
)
class VerdictType:
    outcome: OutcomeEnum = strawberry.field(description="The answer.")
    on: date = strawberry.field(description="The day judged.")
    waived: bool = strawberry.field(description="Whether somebody let them in despite the rule.")
    waiver: VerdictWaiverType | None = strawberry.field(description="How they were let in despite the rule.")
    basis: VerdictBasisType = strawberry.field(description="What it was judged by.")
    reasons: list[ReasonType] = strawberry.field(description="The criteria that are not met.")
    questions: list[QuestionType] = strawberry.field(description="What must be known first.")
    nearest_change: NearestChangeType | None = strawberry.field(description="What would let them in.")


def told(
    context: Context, verdict: Verdict, *, opportunity: Opportunity, candidate: Candidate, at: datetime
) -> ToldVerdict:
    """A verdict between two at a moment, as far as the actor may see it."""
    between, rates = (opportunity.pk, candidate.pk, at), verdict.basis.exchange_rates
    disclosed = verdict.disclosed_to(audience(context, opportunity))
    return ToldVerdict(
        disclosed,
        skills_by_id(skills_named(disclosed)),
        is_inside(context, opportunity),
        lambda: waivers_of([between]).get(between),
        lambda: ExchangeRateSet.objects.in_bulk([rates]).get(rates) if rates is not None else None,
    )


def stored_verdict(context: Context, row: Any) -> ToldVerdict | None:
    """The verdict that a row keeps as JSON, as far as the actor may see it; for all peers in one statement."""

    def load(rows: list[Any]) -> dict[int, tuple[Verdict, Skills]]:
        verdicts = {one.pk: Verdict.from_json(one.verdict) for one in rows if one.verdict}
        skills = skills_by_id(skill for verdict in verdicts.values() for skill in skills_named(verdict))
        return {key: (verdict, skills) for key, verdict in verdicts.items()}

    kept = batched(row, "verdict", load, None)
    if kept is None:
        return None
    verdict, skills = kept
    return ToldVerdict(
        verdict.disclosed_to(audience(context, row)),
        skills,
        is_inside(context, row),
        lambda: batched(row, "waiver of the verdict", _waivers, None),
        lambda: batched(row, "rates of the verdict", _rates, None),
    )


def _waivers(rows: list[Any]) -> dict[int, EligibilityWaiver]:
    between = {row.pk: (row.opportunity_id, row.candidate_id, _given_at(row)) for row in rows if row.verdict}
    found = waivers_of(one for one in between.values())
    return {pk: found[one] for pk, one in between.items() if one in found}


def _given_at(row: Any) -> datetime:
    """When a verdict was given: with the application that it stands on, or when the match was computed."""
    at: datetime = row.computed_at if hasattr(row, "computed_at") else row.created_at
    return at


def _rates(rows: list[Any]) -> dict[int, ExchangeRateSet]:
    named = {row.pk: (row.verdict or {}).get("basis", {}).get("exchange_rates") for row in rows}
    sets = ExchangeRateSet.objects.in_bulk({pk for pk in named.values() if pk is not None})
    together(sets.values())
    return {pk: sets[rates] for pk, rates in named.items() if rates in sets}
