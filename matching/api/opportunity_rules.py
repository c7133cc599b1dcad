"""Filters of opportunities: the grammar of eligibility rules, asked of opportunities."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Optional

import strawberry

from accounts.api.scalars import JSON
from accounts.models import Organisation
from marketplace.api.enums import RuleOperator
from marketplace.api.rules import rows_by_id
from marketplace.models import Skill
from marketplace.queries.skills import survivors
from matching.core.attributes import PLACE_PATTERN, BadValue, Subject, code_from
from matching.core.rules import MAX_CRITERIA, MAX_LEVELS, All, Any, AtLeast, InvalidRule, Not, Rule, RuleFault, load
from matching.core.search.filters import asks_for_skill, offered_in, posted_by
from matching.errors import FilterRefused

STATED = (
    "commitment",
    "arrangement",
    "weekly_hours",
    "years_experience",
    "starts_on",
    "ends_on",
    "published_on",
    "closes_on",
)
"""The attributes asked by name. The others hold ids and codes of Muster's own, and have fields of their own."""


@strawberry.input(name="OpportunityAttributeInput", description="A fact of an opportunity against a value.")
class OpportunityAttributeInput:
    name: str = strawberry.field(description=f"One of: {', '.join(STATED)}.")
    op: RuleOperator = strawberry.field(description="How to compare.")
    value: JSON = strawberry.field(
        description="A value; a list for IN; [lowest, highest] for BETWEEN; true or false for EXISTS."
    )


@strawberry.input(name="AskedSkillInput", description="A skill that an opportunity asks for.")
class AskedSkillInput:
    skill_id: strawberry.ID = strawberry.field(description="Which.")
    narrower: bool = strawberry.field(default=False, description="Whether any narrower kind of it counts like itself.")


@strawberry.input(name="AtLeastOpportunityRuleInput", description="At least so many of several.")
class AtLeastOpportunityRuleInput:
    n: int = strawberry.field(description="How many.")
    of: list["OpportunityRuleInput"] = strawberry.field(description="Of which.")


@strawberry.input(
    name="OpportunityRuleInput",
    description=(
        "What is asked of an opportunity: a tree of criteria, as in eligibility rules. Exactly one field is given at"
        " each node. What an opportunity does not state meets neither a criterion nor its negation."
    ),
    one_of=True,
)
class OpportunityRuleInput:
    all: Optional[list["OpportunityRuleInput"]] = strawberry.field(  # noqa: UP045 - a quoted name cannot be or-ed
        default=strawberry.UNSET, description="Every one of these."
    )
    any: Optional[list["OpportunityRuleInput"]] = strawberry.field(  # noqa: UP045
        default=strawberry.UNSET, description="One of these."
    )
    not_: Optional["OpportunityRuleInput"] = strawberry.field(
        name="not", default=strawberry.UNSET, description="Not this."
    )
    at_least: AtLeastOpportunityRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description="Some of these."
    )
    attribute: OpportunityAttributeInput | None = strawberry.field(default=strawberry.UNSET, description="A fact.")
    skill: AskedSkillInput | None = strawberry.field(default=strawberry.UNSET, description="A skill asked for.")
    offered_in: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="ISO 3166 codes: offered in one of these countries and regions, or anywhere, and not kept out.",
    )
    posted_by: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Posted by this organisation, or for it."
    )


def read_rule(given: OpportunityRuleInput, path: str) -> Rule:
    """The rule that an input states. Raises FilterRefused with every fault and its place in the input."""
    reader = _Reader(given, path)
    rule = reader.node(given, path, 1)
    if reader.faults:
        raise FilterRefused([fault.to_json() for fault in reader.faults])
    return rule


@dataclass
class _Reader:
    """Reads one input, noting faults. Ids of a kind are looked up together."""

    given: OpportunityRuleInput
    path: str
    faults: list[RuleFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        leaves = []
        for leaf, path in _leaves(self.given, self.path):
            leaves.append(leaf)
            if len(leaves) > MAX_CRITERIA:
                problem = f"a filter has at most {MAX_CRITERIA} criteria"
                raise FilterRefused([RuleFault(path, "TOO_MANY_CRITERIA", problem).to_json()])
        self.skills = _skill_rows([leaf.skill.skill_id for leaf in leaves if leaf.skill])
        self.organisations = rows_by_id(
            Organisation.objects.all(), "Organisation", [leaf.posted_by for leaf in leaves if leaf.posted_by]
        )

    def node(self, given: OpportunityRuleInput, path: str, level: int) -> Rule:
        if level > MAX_LEVELS:
            self.fault(path, "TOO_DEEP", f"a filter has at most {MAX_LEVELS} levels")
        elif given.not_:
            return Not(self.node(given.not_, f"{path}.not", level + 1))
        elif given.at_least:
            parts = self.parts(given.at_least.of, f"{path}.atLeast.of", level)
            if not 1 <= given.at_least.n <= len(given.at_least.of):
                self.fault(f"{path}.atLeast.n", "BAD_COUNT", f"must be from 1 to {len(given.at_least.of)}")
            return AtLeast(given.at_least.n, parts)
        elif isinstance(given.all, list):
            return All(self.parts(given.all, f"{path}.all", level))
        elif isinstance(given.any, list):
            return Any(self.parts(given.any, f"{path}.any", level))
        else:
            return self.criterion(given, path)
        return All(())

    def parts(self, given: list[OpportunityRuleInput], path: str, level: int) -> tuple[Rule, ...]:
        if not given:
            self.fault(path, "EMPTY_GROUP", "must hold at least one criterion")
        return tuple(self.node(part, f"{path}[{at}]", level + 1) for at, part in enumerate(given))

    def criterion(self, given: OpportunityRuleInput, path: str) -> Rule:
        if given.skill:
            found = self.row(self.skills, given.skill.skill_id, "Skill", f"{path}.skill.skillId")
            return asks_for_skill(found, or_narrower=given.skill.narrower)
        if given.posted_by:
            return posted_by(self.row(self.organisations, given.posted_by, "Organisation", f"{path}.postedBy"))
        if given.attribute:
            return self.attribute(given.attribute, f"{path}.attribute")
        return offered_in(self.places(given.offered_in or [], f"{path}.offeredIn"))

    def places(self, codes: list[str], path: str) -> list[str]:
        if not codes:
            self.fault(path, "EMPTY_LIST", "must hold at least one value")
        for at, code in enumerate(codes):
            try:
                code_from(code, PLACE_PATTERN, "country or region")
            except BadValue as bad:
                self.fault(f"{path}[{at}]", bad.code, bad.problem)
        return codes

    def attribute(self, given: OpportunityAttributeInput, path: str) -> Rule:
        if given.name not in STATED:
            self.fault(f"{path}.name", "UNDECLARED_ATTRIBUTE", f"must be one of: {', '.join(STATED)}")
            return All(())
        raw = {"attribute": given.name, "op": given.op.value, "value": given.value}
        try:
            return load(raw, about=Subject.OPPORTUNITY)
        except InvalidRule as refused:
            for fault in refused.faults:
                self.fault(path + fault.path.removeprefix("$"), fault.code, fault.problem)
            return All(())

    def row(self, found: dict[str, int], given: str, kind: str, path: str) -> list[int]:
        if given not in found:
            self.fault(path, f"UNKNOWN_{kind.upper()}", f"is not the id of a {kind}")
        return [found[given]] if given in found else []

    def fault(self, path: str, code: str, problem: str) -> None:
        self.faults.append(RuleFault(path, code, problem))


def _skill_rows(given: list[strawberry.ID]) -> dict[str, int]:
    """Inner ids of skills by global id, merged ones as what they became; those that lead nowhere are left out."""
    rows = rows_by_id(Skill.objects.all(), "Skill", given)
    became = survivors(rows.values())
    return {one: became.get(pk, pk) for one, pk in rows.items()}


def _leaves(given: OpportunityRuleInput, path: str) -> Iterator[tuple[OpportunityRuleInput, str]]:
    parts = given.all or given.any or (given.at_least.of if given.at_least else None)
    if parts:
        stem = "all" if given.all else "any" if given.any else "atLeast.of"
        for at, part in enumerate(parts):
            yield from _leaves(part, f"{path}.{stem}[{at}]")
    elif given.not_:
        yield from _leaves(given.not_, f"{path}.not")
    else:
        yield given, path
