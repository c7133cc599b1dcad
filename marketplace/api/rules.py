"""Eligibility rules: typed input to the stored grammar and back, with global ids outside and row ids inside."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from typing import Any, Optional

import strawberry
from django.db.models import QuerySet

from accounts.access import organisations_of
from accounts.api.nodes import decode_id, global_id
from accounts.api.scalars import JSON
from accounts.core.actor import Actor
from marketplace.api.enums import DisclosureEnum, LanguageLevel, RuleOperator, VettingCheck
from marketplace.api.rule_paths import input_path
from marketplace.errors import RuleRefused
from marketplace.models import CandidateGroup, Skill
from matching.core.names import Names
from matching.core.rules import (
    MAX_CRITERIA,
    MAX_LISTED,
    Disclosure,
    InvalidRule,
    RuleFault,
    disclosed,
    dump,
    load,
    skill_ids,
    text,
)

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
    used_within_months: int | None = strawberry.field(
        default=None, description="Used within so many months before the day judged, 1 to 600."
    )
    narrower: bool = strawberry.field(default=False, description="Whether any narrower kind of it counts like itself.")
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


@strawberry.input(name="LivesInRuleInput", description="Residence in one of these places.")
class LivesInRuleInput:
    places: list[str] = strawberry.field(description="ISO 3166 codes of countries and regions, such as DE or US-CA.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(
    name="HoursOverlapRuleInput",
    description="Working hours that share so many minutes on end with a daily window. It may run over midnight.",
)
class HoursOverlapRuleInput:
    minutes: int = strawberry.field(description="How many, 1 to 1440.")
    timezone: str = strawberry.field(description="IANA name of the zone whose clock the window goes by.")
    from_: str = strawberry.field(name="from", description="When the window starts, such as 09:00.")
    to: str = strawberry.field(description="When it ends, such as 17:00; the start again: the whole day.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(
    name="RateWithinPayRuleInput",
    description="The rate asked is at most what the opportunity pays where the candidate lives.",
)
class RateWithinPayRuleInput:
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="VettedRuleInput", description="A check that was passed and has not run out on the day judged.")
class VettedRuleInput:
    check: VettingCheck = strawberry.field(description="Which.")
    disclosure: DisclosureEnum | None = strawberry.field(default=None, description="To whom it is shown; PUBLIC.")


@strawberry.input(name="AtLeastRuleInput", description="At least so many of several.")
class AtLeastRuleInput:
    n: int = strawberry.field(description="How many.")
    of: list["RuleInput"] = strawberry.field(description="Of which.")


@strawberry.input(
    name="RuleInput",
    description=(
        "An eligibility rule: a tree of criteria. Exactly one field is given at each node. The faults of a rule that is"
        " refused name their places in it: `rule.all[2].attribute.value`."
    ),
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
    lives_in: LivesInRuleInput | None = strawberry.field(default=strawberry.UNSET, description="Residence.")
    hours_overlap: HoursOverlapRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description="Working hours."
    )
    rate_within_pay: RateWithinPayRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description="The rate asked against the pay."
    )
    vetted: VettedRuleInput | None = strawberry.field(default=strawberry.UNSET, description="A check.")


@contextmanager
def written_rule(rule: RuleInput | None, actor: Actor) -> Iterator[dict[str, Any] | None]:
    """The rule as its stored JSON, for an action to judge. A refusal of it, here or inside, names the places of its
    faults in the input. Raises RuleRefused."""
    stored = stored_rule(rule, actor)
    try:
        yield stored
    except RuleRefused as refused:
        faults = [{**fault, "path": input_path(fault["path"], stored)} for fault in refused.data["faults"]]
        raise RuleRefused(faults) from refused


def stored_rule(rule: RuleInput | None, actor: Actor) -> dict[str, Any] | None:
    """The rule as its stored JSON, with row ids in place of global ones; all else is for the action to judge.

    Raises RuleRefused for ids that lead nowhere, and for more criteria than ids are looked up for.
    """
    if rule is None:
        return None
    reader = _Reader(rule, actor)
    stored = reader.node(rule, "rule")
    if reader.faults:
        raise RuleRefused([fault.to_json() for fault in reader.faults])
    return stored


class _Reader:
    """Reads one input, noting faults by their paths in it. Ids of a kind are looked up together."""

    def __init__(self, rule: RuleInput, actor: Actor) -> None:
        self.faults: list[RuleFault] = []
        leaves = list(islice(_leaves(rule, "rule"), MAX_CRITERIA + 1))
        if len(leaves) > MAX_CRITERIA:
            problem = f"a rule has at most {MAX_CRITERIA} criteria"
            raise RuleRefused([RuleFault(leaves[-1][1], "TOO_MANY_CRITERIA", problem).to_json()])
        skills = {str(one.skill.skill_id) for one, _ in leaves if one.skill}
        groups = {given for one, _ in leaves if one.attribute for given in _groups_in(one.attribute)}
        self.skills = rows_by_id(Skill.objects.all(), "Skill", skills)
        # Only lists that the actor may read: anybody else's would make the rule a spyhole.
        mine = CandidateGroup.objects.filter(organisation__in=organisations_of(actor, "read"))
        self.groups = rows_by_id(mine, "CandidateGroup", groups)

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
        criterion = self.criterion(rule, path)
        if criterion is not None:
            return criterion | _disclosure(rule)
        # An empty list of parts: the grammar's own fault, for the action to name.
        return {"all": []} if rule.all is not strawberry.UNSET else {"any": []}

    def criterion(self, rule: RuleInput, path: str) -> dict[str, Any] | None:
        if rule.attribute:
            return self.attribute(rule.attribute, f"{path}.attribute")
        if rule.skill:
            return self.skill(rule.skill, f"{path}.skill")
        if rule.language:
            return {"language": rule.language.language, "minLevel": rule.language.min_level.value}
        if rule.work_authorisation:
            return {"workAuthorisation": rule.work_authorisation.country}
        if rule.lives_in:
            return {"livesIn": rule.lives_in.places}
        if rule.hours_overlap:
            window = rule.hours_overlap
            hours = {"timezone": window.timezone, "from": window.from_, "to": window.to}
            return {"hoursOverlap": {"minutes": window.minutes, **hours}}
        if rule.rate_within_pay:
            return {"rateWithinPay": True}
        return {"vetted": rule.vetted.check.value} if rule.vetted else None

    def skill(self, rule: SkillRuleInput, path: str) -> dict[str, Any]:
        node: dict[str, Any] = {
            "skill": self.row(self.skills, rule.skill_id, "Skill", "UNKNOWN_SKILL", f"{path}.skillId"),
            "minLevel": rule.min_level,
        }
        if rule.min_years is not None:
            node["minYears"] = float(rule.min_years)
        if rule.used_within_months is not None:
            node["usedWithinMonths"] = rule.used_within_months
        return node | ({"narrower": True} if rule.narrower else {})

    def attribute(self, rule: AttributeRuleInput, path: str) -> dict[str, Any]:
        value: Any = rule.value
        if rule.name == GROUPS and rule.op.value in ("eq", "in"):
            listed = isinstance(value, list)
            ids = [
                self.row(self.groups, one, "CandidateGroup", "UNKNOWN_GROUP", f"{path}.value{f'[{at}]' * listed}")
                for at, one in enumerate((value if listed else [value])[: MAX_LISTED + 1])
            ]
            value = ids if listed else ids[0]
        return {"attribute": rule.name, "op": rule.op.value, "value": value}

    def row(self, found: Mapping[str, int], given: Any, kind: str, code: str, path: str) -> int | None:
        pk = found.get(given) if isinstance(given, str) else None
        if pk is None:
            self.faults.append(RuleFault(path, code, f"is not the id of a {kind}"))
        return pk


def _disclosure(rule: RuleInput) -> dict[str, Any]:
    """To whom a criterion is shown, where that is said."""
    given: Any = rule.attribute or rule.skill or rule.language or rule.work_authorisation
    given = given or rule.lives_in or rule.hours_overlap or rule.rate_within_pay or rule.vetted
    return {"disclosure": given.disclosure.value} if given and given.disclosure else {}


def _leaves(rule: RuleInput, path: str) -> Iterator[tuple[RuleInput, str]]:
    parts = rule.all or rule.any or (rule.at_least.of if rule.at_least else None)
    if parts:
        stem = "all" if rule.all else "any" if rule.any else "atLeast.of"
        for at, part in enumerate(parts):
            yield from _leaves(part, f"{path}.{stem}[{at}]")
    elif rule.not_:
        yield from _leaves(rule.not_, f"{path}.not")
    else:
        yield rule, path


def _groups_in(rule: AttributeRuleInput) -> list[str]:
    if rule.name != GROUPS:
        return []
    given: list[Any] = rule.value if isinstance(rule.value, list) else [rule.value]
    return [one for one in given[: MAX_LISTED + 1] if isinstance(one, str)]


def rows_by_id(rows: QuerySet[Any], kind: str, given: Iterable[str]) -> dict[str, int]:
    """Row ids by global id, of those that are ids of the kind and lead to a row. One query."""
    decoded = {one: found[1] for one in given if (found := decode_id(one)) and found[0] == kind}
    known = dict(rows.filter(public_id__in=set(decoded.values())).values_list("public_id", "pk")) if decoded else {}
    return {one: known[uuid] for one, uuid in decoded.items() if uuid in known}


def rule_text(raw: Any, audience: Disclosure, names: Names) -> str | None:
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


def shown_rule(
    raw: Any, audience: Disclosure, skills: Mapping[int, Skill], groups: Mapping[int, CandidateGroup]
) -> Any:
    """A stored rule as JSON with global ids in place of row ids, as far as an audience may see it. Merged skills, which
    `skills` gives as what they became, are shown as that."""
    try:
        rule = disclosed(load(raw), audience)
    except InvalidRule:
        return None
    return _with_global_ids(dump(rule), skills, groups) if rule is not None else None


def _with_global_ids(raw: Any, skills: Mapping[int, Skill], groups: Mapping[int, CandidateGroup]) -> Any:
    if isinstance(raw, list):
        return [_with_global_ids(part, skills, groups) for part in raw]
    if not isinstance(raw, dict):
        return raw
    shown = {key: _with_global_ids(value, skills, groups) for key, value in raw.items()}
    if "skill" in raw:
        skill = skills.get(raw["skill"])
        shown["skill"] = global_id(skill) if skill else None
    if raw.get("attribute") == GROUPS and raw.get("op") != "exists":
        values = raw["value"] if isinstance(raw["value"], list) else [raw["value"]]
        ids = [global_id(groups[value]) for value in values if value in groups]
        shown["value"] = ids if isinstance(raw["value"], list) else (ids[0] if ids else None)
    return shown
