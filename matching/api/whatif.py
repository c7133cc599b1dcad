"""What if somebody knew, wanted or asked something else: for one opportunity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from accounts.api.context import Context, Info
from accounts.api.inputs import maybe, plain
from accounts.api.nodes import public_id
from accounts.api.scalars import BigInt
from accounts.errors import InvalidInput
from marketplace.actions.candidates import CandidateFields
from marketplace.api.enums import CommitmentEnum
from marketplace.api.mutations.candidates import CandidateSkillInput, PayInput, pay_of, skill_of
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import VerdictType, skills_by_id
from marketplace.api.verdicts import told as told_verdict
from marketplace.api.viewing import audience, pair_asked_about
from marketplace.models import Candidate, Opportunity, Skill
from matching.actions.models import serving_now
from matching.actions.supposing import supposed_changes
from matching.api.matches import Scored, ScoreType, teller
from matching.core.scoring import HeadScore, probability_ppm
from matching.queries.scorable import basics_at
from matching.queries.whatif import Pair, Suggestion, Supposed, WhatIf, pair_of

MOST = 20  # suggestions
MILLION = 1_000_000
SIMPLE = (
    "country", "region", "timezone", "work_starts_minute", "work_ends_minute", "years_experience", "weekly_hours",
    "available_from",
)  # fmt: skip


@strawberry.input(
    name="WhatIfChanges",
    description="What is supposed of a candidate. What is not given stays as it is; null: it is not known.",
)
class WhatIfChanges:
    skills: list[CandidateSkillInput] | None = strawberry.field(
        default=None, description="Skills that they would have besides the others; what is not said of one stays."
    )
    without_skills: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Skills that they would not have, by id."
    )
    years_experience: Decimal | None = maybe("Years of professional experience, in all.")
    weekly_hours: int | None = maybe("Hours a week they want to work, in all.")
    rate: PayInput | None = maybe("What they ask for.")
    available_from: date | None = maybe("From when they are available.")
    country: str | None = maybe("ISO 3166-1 alpha-2 code of where they live.")
    region: str | None = maybe("ISO 3166-2 code of where they live.")
    timezone: str | None = maybe("IANA name of the time zone they work in.")
    work_starts_minute: int | None = maybe("When they start work: local minutes after midnight.")
    work_ends_minute: int | None = maybe("When they end work: local minutes after midnight.")
    commitments: list[CommitmentEnum] | None = maybe("The kinds of engagement they want.")


@strawberry.type(name="SupposedStanding", description="How a candidate stands for an opportunity, by some facts.")
class SupposedStandingType:
    verdict: VerdictType | None = strawberry.field(
        description="Eligibility; null for supposed facts where a criterion is hidden from you."
    )
    fit: ScoreType = strawberry.field(description="How well they suit what is asked.")
    interest: ScoreType = strawberry.field(description="How much they would want it.")
    acceptance: ScoreType = strawberry.field(description="How likely they are to accept an offer.")
    rank: int | None = strawberry.field(
        description=(
            "Their place by fit among all who may be matched, 1 for the best; null where they would not be considered,"
            " or where ranks are hidden."
        )
    )


@strawberry.type(name="WhatIf", description="What changes of a candidate's facts would do, for one opportunity.")
class WhatIfType:
    before: SupposedStandingType = strawberry.field(description="By the facts as they stand.")
    after: SupposedStandingType = strawberry.field(description="By the facts as they are supposed to be.")
    sentence: str = strawberry.field(
        description="The same for people, such as `With Kafka at level 3 the rank goes from 41 to 9.`"
    )
    ranks_hidden: bool = strawberry.field(
        description="Whether no rank is told, since there are fewer than ten others whom it would tell of."
    )
    is_near: bool = strawberry.field(
        description="Whether scores and ranks are those of the linear model that comes nearest to the one in use."
    )


@strawberry.type(name="WhatIfSuggestion", description="One skill as the opportunity asks for it, and what it would do.")
class WhatIfSuggestionType:
    skill: SkillType = strawberry.field(description="Which.")
    level: int = strawberry.field(description="At which level, from 1 to 5.")
    years: Decimal | None = strawberry.field(description="With so many years of practice.")
    required: bool = strawberry.field(description="Whether the opportunity requires it, or only prefers it.")
    fit: BigInt = strawberry.field(description="The fit with it, in millionths of log-odds.")
    probability: float = strawberry.field(description="What that stands for, from 0 to 1.")
    rank: int | None = strawberry.field(description="The rank with it; null as in `SupposedStanding`.")
    sentence: str = strawberry.field(description="The same for people.")


@dataclass(frozen=True)
class _Standing:
    context: Context
    supposed: Supposed
    found: WhatIf
    opportunity: Opportunity
    candidate: Candidate

    @property
    def rank(self) -> int | None:
        return self.supposed.rank

    @property
    def verdict(self) -> Any:
        if self.supposed.verdict is None:
            return None
        context = self.context
        return told_verdict(
            context, self.supposed.verdict, opportunity=self.opportunity, candidate=self.candidate, at=context.now
        )

    @property
    def fit(self) -> Scored:
        return self._shown(self.supposed.scored.fit)

    @property
    def interest(self) -> Scored:
        return self._shown(self.supposed.scored.interest)

    @property
    def acceptance(self) -> Scored:
        return self._shown(self.supposed.scored.acceptance)

    def _shown(self, head: HeadScore) -> Scored:
        tell = teller(self.supposed.facts, self.found.scorable.terms, self.found.names)
        return Scored(head.score, head.to_json()["contributions"], lambda: tell)


@dataclass(frozen=True)
class _Suggested:
    found: Suggestion
    skill: Skill

    @property
    def level(self) -> int:
        return self.found.fact.level

    @property
    def years(self) -> Decimal | None:
        return self.found.fact.years

    @property
    def probability(self) -> float:
        return probability_ppm(self.found.fit) / MILLION

    def __getattr__(self, name: str) -> Any:
        return getattr(self.found, name)


def _pair(context: Context, opportunity: str, candidate: str | None) -> tuple[Pair, Opportunity, Candidate]:
    asked, person = pair_asked_about(context, opportunity, candidate)
    pair = pair_of(person, asked, basics_at(context.now, serving_now()), audience(context, asked))
    if pair is None:
        raise InvalidInput("opportunity", "has no terms yet")
    return pair, asked, person


def _fields(given: WhatIfChanges) -> CandidateFields:
    simple: Mapping[str, Any] = {name: plain(getattr(given, name)) for name in (*SIMPLE, "commitments")}
    skills = [skill_of(one, f"skills[{at}]") for at, one in enumerate(given.skills or ())]
    return CandidateFields(**simple, rate=pay_of(given.rate), skills=skills)


OPPORTUNITY = strawberry.argument(description="For which opportunity, by id.")
CANDIDATE = strawberry.argument(description="Whom, by id; yourself, if nobody is named.")


@strawberry.type
class WhatIfQuery:
    @strawberry.field(
        description=(
            "How a candidate would stand for an opportunity if some of their facts were other than they are. For the"
            " candidate, those who recruit for it, and staff. Nothing is changed by it."
        )
    )
    def what_if(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, OPPORTUNITY],
        changes: Annotated[WhatIfChanges, strawberry.argument(description="What is supposed.")],
        candidate: Annotated[strawberry.ID | None, CANDIDATE] = None,
    ) -> WhatIfType:
        context = info.context
        pair, asked, person = _pair(context, opportunity, candidate)
        without = [
            public_id(one, "Skill", field=f"withoutSkills[{at}]") for at, one in enumerate(changes.without_skills or ())
        ]
        supposed = supposed_changes(person, pair.facts, _fields(changes), without_skills=without, basics=pair.basics)
        found = pair.what_if(supposed)
        return WhatIfType(
            before=_Standing(context, found.before, found, asked, person),  # type: ignore[arg-type]
            after=_Standing(context, found.after, found, asked, person),  # type: ignore[arg-type]
            sentence=found.sentence,
            ranks_hidden=found.ranks_hidden,
            is_near=found.is_near,
        )

    @strawberry.field(
        description=(
            "The skills that would raise a candidate's rank for an opportunity most, each by itself, as the opportunity"
            " asks for them. For the candidate, those who recruit for it, and staff."
        )
    )
    def what_if_suggestions(
        self,
        info: Info,
        opportunity: Annotated[strawberry.ID, OPPORTUNITY],
        candidate: Annotated[strawberry.ID | None, CANDIDATE] = None,
        most: Annotated[int, strawberry.argument(description="How many at most: 1 to 20.")] = 5,
    ) -> list[WhatIfSuggestionType]:
        if not 1 <= most <= MOST:
            raise InvalidInput("most", f"must be from 1 to {MOST}")
        pair, _, _ = _pair(info.context, opportunity, candidate)
        found = pair.suggestions(most)
        skills = skills_by_id(one.skill_id for one in found)
        return [_Suggested(one, skills[one.skill_id]) for one in found if one.skill_id in skills]  # type: ignore[misc]
