"""Verdicts: may they, why not, and what would change it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import strawberry

from accounts.api.context import Context
from accounts.api.peers import batched, together
from marketplace.api.enums import DisclosureEnum, OutcomeEnum
from marketplace.api.taxonomy import SkillType
from marketplace.api.viewing import audience
from marketplace.models import Skill
from marketplace.queries.verdicts import skill_of, skills_named
from matching.core.eligibility import Verdict

Skills = Mapping[int, Skill]


def skills_by_id(skill_ids: Iterable[int]) -> dict[int, Skill]:
    wanted = set(skill_ids)
    return {skill.pk: skill for skill in together(Skill.objects.filter(pk__in=wanted))} if wanted else {}


@dataclass(frozen=True)
class Told:
    """A part of a verdict with the skills that its sentences name."""

    value: Any
    skills: Skills

    @property
    def names(self) -> dict[int, str]:
        return {skill_id: skill.name for skill_id, skill in self.skills.items()}

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


class ToldVerdict(Told):
    @property
    def reasons(self) -> list[Told]:
        return [Told(reason, self.skills) for reason in self.value.failed]

    @property
    def questions(self) -> list[Told]:
        return [Told(question, self.skills) for question in self.value.unknown]

    @property
    def nearest_change(self) -> "ToldChange | None":
        return ToldChange(self.value.nearest, self.skills) if self.value.nearest else None


class ToldChange(Told):
    @property
    def changes(self) -> list[Told]:
        return [Told(change, self.skills) for change in self.value.changes]


@strawberry.type(name="Reason", description="A criterion that is not met.")
class ReasonType:
    sentence: str = strawberry.field(description="What is needed, and what there is, for people.")
    path: str = strawberry.field(description="Where in the rule the criterion stands.")
    disclosure: DisclosureEnum = strawberry.field(description="To whom it is shown.")
    skill: SkillType | None = strawberry.field(description="The skill it is about, if it is about one.")

    @strawberry.field(description="What sort of shortfall it is, such as `SkillTooLow`.")
    def kind(root: strawberry.Parent[Any]) -> str:
        return type(root.value).__name__


@strawberry.type(name="Question", description="What must be asked of the candidate to settle the verdict.")
class QuestionType:
    subject: str = strawberry.field(description="The fact that is missing.")
    sentence: str = strawberry.field(description="The question, for people.")
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


@strawberry.type(
    name="Verdict",
    description="Whether somebody may be considered, with the reasons as far as they are disclosed to you.",
)
class VerdictType:
    outcome: OutcomeEnum = strawberry.field(description="The answer.")
    on: date = strawberry.field(description="The day judged.")
    waived: bool = strawberry.field(description="Whether somebody let them in despite the rule.")
    reasons: list[ReasonType] = strawberry.field(description="The criteria that are not met.")
    questions: list[QuestionType] = strawberry.field(description="What must be asked first.")
    nearest_change: NearestChangeType | None = strawberry.field(description="What would let them in.")


def told(verdict: Verdict) -> ToldVerdict:
    """A verdict that has been disclosed already, ready to be read."""
    return ToldVerdict(verdict, skills_by_id(skills_named(verdict)))


def stored_verdict(context: Context, row: Any) -> ToldVerdict | None:
    """The verdict that a row keeps as JSON, as far as the actor may see it; for all peers in one statement."""

    def load(rows: list[Any]) -> dict[int, ToldVerdict]:
        verdicts = {one.pk: Verdict.from_json(one.verdict) for one in rows if one.verdict}
        skills = skills_by_id(skill for verdict in verdicts.values() for skill in skills_named(verdict))
        return {key: ToldVerdict(verdict, skills) for key, verdict in verdicts.items()}

    kept = batched(row, "verdict", load, None)
    return ToldVerdict(kept.value.disclosed_to(audience(context, row)), kept.skills) if kept else None
