"""Eligibility rules: typed input to the stored grammar and back, with global ids outside and row ids inside."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Optional

import strawberry

from accounts.access import organisations_of
from accounts.api.nodes import global_id, public_id
from accounts.api.scalars import JSON
from accounts.core.actor import Actor
from accounts.errors import InvalidInput
from marketplace.api.enums import DisclosureEnum, LanguageLevel, RuleOperator
from marketplace.models import CandidateGroup, Skill
from matching.core.rules import MAX_CRITERIA, All, Disclosure, InvalidRule, Rule, criteria, load, skill_ids, text

GROUPS = "groups"


@strawberry.input(name="AttributeRuleInput", description="A fact against a value.")
class AttributeRuleInput:
    name: str = strawberry.field(description="A declared fact, such as `years_experience` or `country`.")
    op: RuleOperator = strawberry.field(description="How to compare.")
    value: JSON = strawberry.field(
        description="A value; a list for IN; [lowest, highest] for BETWEEN; true or false for EXISTS. Groups by id."
    )
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="SkillRuleInput", description="A skill.")
class SkillRuleInput:
    skill_id: strawberry.ID = strawberry.field(description="Which.")
    min_level: int = strawberry.field(default=1, description="The least level, 1 to 5.")
    min_years: Decimal | None = strawberry.field(default=None, description="The least years of practice.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="LanguageRuleInput", description="A language.")
class LanguageRuleInput:
    language: str = strawberry.field(description="ISO 639-1 code, or 639-3 where there is none.")
    min_level: LanguageLevel = strawberry.field(description="The least level.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="WorkAuthorisationRuleInput", description="Leave to work, valid on the day judged.")
class WorkAuthorisationRuleInput:
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="AtLeastRuleInput", description="At least so many of several.")
class AtLeastRuleInput:
    n: int = strawberry.field(description="How many.")
    of: list["RuleInput"] = strawberry.field(description="Of which.")


@strawberry.input(
    name="RuleInput",
    description="An eligibility rule: a tree of criteria. Exactly one field is given at each node.",
    one_of=True,
)
class RuleInput:
    all: Optional[list["RuleInput"]] = strawberry.field(  # noqa: UP045 - the name in quotes cannot be or-ed
        default=strawberry.UNSET, description="Every one of these."
    )
    any: Optional[list["RuleInput"]] = strawberry.field(  # noqa: UP045
        default=strawberry.UNSET, description="One of these."
    )
    not_: Optional["RuleInput"] = strawberry.field(name="not", default=strawberry.UNSET, description="Not this.")
    at_least: AtLeastRuleInput | None = strawberry.field(default=strawberry.UNSET, description="Some of these.")
    attribute: AttributeRuleInput | None = strawberry.field(default=strawberry.UNSET, description="A fact.")
    skill: SkillRuleInput | None = strawberry.field(default=strawberry.UNSET, description="A skill.")
    language: LanguageRuleInput | None = strawberry.field(default=strawberry.UNSET, description="A language.")
    work_authorisation: WorkAuthorisationRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description="Leave to work somewhere."
    )


def stored_rule(rule: RuleInput | None, actor: Actor) -> dict[str, Any] | None:
    """The rule as its stored JSON. Raises InvalidInput for ids that are none; all else is for the action to judge."""
    if rule is None:
        return None
    return _Reader(rule, actor).node(rule, "rule")


class _Reader:
    def __init__(self, rule: RuleInput, actor: Actor) -> None:
        self.actor = actor
        wanted = list(_skill_ids(rule))
        if len(wanted) > MAX_CRITERIA:
            raise InvalidInput("rule", f"has more than {MAX_CRITERIA} criteria")
        uuids = {public_id(given, "Skill", field=f"{path}.skillId") for path, given in wanted}
        self.skills = dict(Skill.objects.filter(public_id__in=uuids).values_list("public_id", "pk"))

    def node(self, rule: RuleInput, path: str) -> dict[str, Any]:
        if rule.all:
            return {"all": [self.node(part, f"{path}.all[{at}]") for at, part in enumerate(rule.all)]}
        if rule.any:
            return {"any": [self.node(part, f"{path}.any[{at}]") for at, part in enumerate(rule.any)]}
        if rule.not_:
            return {"not": self.node(rule.not_, f"{path}.not")}
        if rule.at_least:
            parts = [self.node(part, f"{path}.atLeast.of[{at}]") for at, part in enumerate(rule.at_least.of)]
            return {"atLeast": {"n": rule.at_least.n, "of": parts}}
        if rule.attribute:
            return self.attribute(rule.attribute, f"{path}.attribute")
        if rule.skill:
            skill = self.skills.get(public_id(rule.skill.skill_id, "Skill", field=f"{path}.skill.skillId"))
            if skill is None:
                raise InvalidInput(f"{path}.skill.skillId", "is not the id of a Skill")
            node: dict[str, Any] = {"skill": skill, "minLevel": rule.skill.min_level}
            if rule.skill.min_years is not None:
                node["minYears"] = float(rule.skill.min_years)
            return node | _disclosure(rule.skill.disclosure)
        if rule.language:
            node = {"language": rule.language.language, "minLevel": rule.language.min_level.value}
            return node | _disclosure(rule.language.disclosure)
        if rule.work_authorisation:
            country = rule.work_authorisation.country
            return {"workAuthorisation": country} | _disclosure(rule.work_authorisation.disclosure)
        # An empty list of parts: the grammar's own fault, for the action to name.
        return {"all": []} if rule.all is not strawberry.UNSET else {"any": []}

    def attribute(self, rule: AttributeRuleInput, path: str) -> dict[str, Any]:
        value: Any = rule.value
        if rule.name == GROUPS and rule.op.value in ("eq", "in"):
            value = self.groups(value, f"{path}.value")
        return {"attribute": rule.name, "op": rule.op.value, "value": value} | _disclosure(rule.disclosure)

    def groups(self, given: Any, path: str) -> Any:
        """Lists of candidates that the actor may read: anybody else's would make the rule a spyhole."""
        if isinstance(given, list):
            return [self.groups(item, f"{path}[{at}]") for at, item in enumerate(given[:MAX_CRITERIA])]
        uuid = public_id(given, "CandidateGroup", field=path) if isinstance(given, str) else None
        mine = organisations_of(self.actor, "read")
        found = CandidateGroup.objects.filter(public_id=uuid, organisation__in=mine).first() if uuid else None
        if found is None:
            raise InvalidInput(path, "is not the id of a CandidateGroup")
        return found.pk


def _skill_ids(rule: RuleInput, path: str = "rule") -> Any:
    if rule.skill:
        yield path, rule.skill.skill_id
    for name, parts in (
        ("all", rule.all or []),
        ("any", rule.any or []),
        ("atLeast.of", rule.at_least.of if rule.at_least else []),
        ("not", [rule.not_] if rule.not_ else []),
    ):
        for at, part in enumerate(parts):
            yield from _skill_ids(part, f"{path}.{name}[{at}]")


def _disclosure(disclosure: Any) -> dict[str, Any]:
    return {"disclosure": disclosure.value} if disclosure else {}


def disclosed(rule: Rule, audience: Disclosure) -> Rule | None:
    """The parts of a rule that an audience may see; None where nothing can be told without betraying the rest."""
    if all(criterion.disclosure.is_open_to(audience) for criterion in criteria(rule)):
        return rule
    if not isinstance(rule, All):
        return None
    parts = [part for part in rule.of if disclosed(part, audience) == part]
    return All(tuple(parts)) if parts else None


def rule_text(raw: Any, audience: Disclosure, names: Mapping[int, str]) -> str | None:
    """A stored rule in words, as far as an audience may see it."""
    try:
        rule = disclosed(load(raw), audience)
    except InvalidRule:
        return None
    return text(rule, names) if rule is not None else None


def skills_in(raw: Any) -> set[int]:
    """Every skill (inner id) that a stored rule names."""
    try:
        return set(skill_ids(load(raw)))
    except InvalidRule:
        return set()


def shown_rule(raw: Any, skills: Mapping[int, Skill], groups: Mapping[int, CandidateGroup]) -> Any:
    """A stored rule as JSON with global ids in place of row ids."""
    if isinstance(raw, list):
        return [shown_rule(part, skills, groups) for part in raw]
    if not isinstance(raw, dict):
        return raw
    shown = {key: shown_rule(value, skills, groups) for key, value in raw.items()}
    if "skill" in raw:
        skill = skills.get(raw["skill"])
        shown["skill"] = global_id(skill) if skill else None
    if raw.get("attribute") == GROUPS and raw.get("op") != "exists":
        values = raw["value"] if isinstance(raw["value"], list) else [raw["value"]]
        ids = [global_id(groups[value]) for value in values if value in groups]
        shown["value"] = ids if isinstance(raw["value"], list) else (ids[0] if ids else None)
    return shown
