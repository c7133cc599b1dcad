"""The nearest change: the fewest things that a person can change so that a rule no longer refuses them.

Between the values that a rule names for a fact, its answer does not depend on the fact. So one value in every such
cell stands for all of them, and trying the cells of one fact, then of two, then of three finds the smallest set
whatever the shape of the rule. Every answer is checked with the evaluator itself. The search counts judgements, not
seconds, so it repeats exactly; a rule too tangled for the budget gets no answer rather than a wrong one.

Facts that nobody can change (country, experience) and facts that are missing (those are asked for) stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, combinations, product
from math import prod
from typing import Any

from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    ORDERED,
    SEVERAL,
    SKILL,
    Attribute,
    Kind,
    Operator,
    Value,
    cefr_level,
)
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.reasons import NO_NAMES, Names, typed
from matching.core.rules.grammar import Compare, Criterion, Disclosure, HasLanguage, HasSkill, Json, Rule, plain
from matching.core.rules.normal import literals, normal
from matching.core.rules.wording import skill_name, value_text, years
from matching.core.truth import literal_truth, truth

BUDGET = 4096
"""Judgements that one search may spend: some ten milliseconds."""

MAX_CHANGES = 6
MAX_CODES = 5
"""Codes of one fact up to which every combination is tried; beyond it, one code more or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact, as it is and as it would have to be. `subject` is an attribute's name, `skill` or `language`; `key`
    the skill or language. A skill's `has` and `becomes` are levels, its years stand beside them."""

    subject: str
    key: str | int | None = None
    has: Value | frozenset[str] | frozenset[int] | None
    becomes: Value | frozenset[str] | frozenset[int]
    has_years: Decimal | None = None
    becomes_years: Decimal | None = None
    disclosure: Disclosure = Disclosure.PUBLIC

    def sentence(self, names: Names = NO_NAMES) -> str:
        if self.subject == SKILL.name:
            line = f"{skill_name(int(str(self.key)), names)} at level {self.becomes}"
            more = self.becomes_years is not None and self.becomes_years > (self.has_years or 0)
            line += f" with {years(self.becomes_years)}" if more and self.becomes_years is not None else ""
            return line if self.has is None else f"{line} instead of level {self.has}"
        if self.subject == LANGUAGE.name:
            line = f"language {self.key} at {cefr_level(self.becomes)}"  # type: ignore[arg-type]
            return line if self.has is None else f"{line} instead of {cefr_level(self.has)}"  # type: ignore[arg-type]
        attribute = ATTRIBUTES.get(self.subject)
        label = attribute.label if attribute else self.subject
        unit = f" {attribute.unit}" if attribute and attribute.unit else ""
        return f"{label} {value_text(self.becomes)}{unit} instead of {value_text(self.has)}"

    def to_json(self) -> dict[str, Json]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping) -> Change:
        values = {**raw, "disclosure": Disclosure(raw["disclosure"])}
        for name in ("has_years", "becomes_years"):
            values[name] = Decimal(str(raw[name])) if raw[name] is not None else None
        for name in ("has", "becomes"):
            values[name] = typed(raw["subject"], raw[name], as_fact=True)
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestChange:
    """`settles` is false where questions stay open even then."""

    changes: tuple[Change, ...]
    settles: bool

    @property
    def disclosure(self) -> Disclosure:
        return max((change.disclosure for change in self.changes), key=lambda disclosure: disclosure.rank)

    def sentence(self, names: Names = NO_NAMES) -> str:
        return "; ".join(change.sentence(names) for change in self.changes)

    def to_json(self) -> dict[str, Json]:
        return {"changes": [change.to_json() for change in self.changes], "settles": self.settles}

    @classmethod
    def from_json(cls, raw: Mapping) -> NearestChange:
        return cls(changes=tuple(Change.from_json(change) for change in raw["changes"]), settles=raw["settles"])


def nearest_change(rule: Rule, facts: CandidateFacts, *, on: date) -> NearestChange | None:
    """The smallest set of changes that turns a refusal round; among equally small ones that which leaves no question
    open, then that which the rule names first, then that which moves the facts least. None if no change helps, or
    none is needed."""
    if truth(rule, facts, on=on) is not False:
        return None
    options = _options(rule, facts, on)
    spent = 0
    for size in range(1, min(len(options), MAX_CHANGES) + 1):
        best: tuple[tuple[bool, int, int], tuple[Change, ...], bool] | None = None
        for place, chosen in enumerate(combinations(options, size)):
            spent += prod(map(len, chosen))
            if spent > BUDGET:
                return None
            for ranked in product(*(enumerate(option) for option in chosen)):
                changed = facts
                for _, change in ranked:
                    changed = with_change(changed, change)
                answer = truth(rule, changed, on=on)
                cost = (answer is None, place, sum(rank for rank, _ in ranked))
                if answer is not False and (best is None or cost < best[0]):
                    best = (cost, tuple(change for _, change in ranked), answer is True)
        if best is not None:
            return NearestChange(changes=best[1], settles=best[2])
    return None


def with_change(facts: CandidateFacts, change: Change) -> CandidateFacts:
    """The facts as they would be."""
    key: Any = change.key
    becomes: Any = change.becomes
    if change.subject == SKILL.name:
        known = facts.skills.get(key)
        skill = SkillFact(becomes, change.becomes_years, known.last_used_on if known else None)
        return replace(facts, skills={**facts.skills, key: skill})
    if change.subject == LANGUAGE.name:
        return replace(facts, languages={**facts.languages, key: becomes})
    fact: dict[str, Any] = {ATTRIBUTES[change.subject].fact: becomes}
    return replace(facts, **fact)


def _options(rule: Rule, facts: CandidateFacts, on: date) -> list[list[Change]]:
    """For every fact that could help, what it could become, nearest first. A fact all of whose criteria hold cannot
    help: nothing above a criterion is negated in the normal form."""
    asked: dict[tuple[str, str | int | None], list[Criterion]] = {}
    helps: set[tuple[str, str | int | None]] = set()
    for literal in literals(normal(rule)):
        subject = _subject(literal.criterion)
        if subject is not None:
            asked.setdefault(subject, []).append(literal.criterion)
            if literal_truth(literal, facts, on) is False:
                helps.add(subject)
    options = [list(_changes(subject, asked[subject], facts)) for subject in asked if subject in helps]
    return [option for option in options if option]


def _subject(criterion: Criterion) -> tuple[str, str | int | None] | None:
    match criterion:
        case Compare(name) if criterion.attribute.changeable:
            return (name, None)
        case HasSkill(skill_id):
            return (SKILL.name, skill_id)
        case HasLanguage(language):
            return (LANGUAGE.name, language)
    return None


def _changes(subject: tuple[str, str | int | None], asked: list[Criterion], facts: CandidateFacts) -> Iterator[Change]:
    name, key = subject
    disclosure = max((criterion.disclosure for criterion in asked), key=lambda each: each.rank)
    if name == SKILL.name:
        yield from _skill_changes(key, asked, facts, disclosure)  # type: ignore[arg-type]
    elif name == LANGUAGE.name:
        spoken = facts.languages.get(key)  # type: ignore[arg-type]
        for rank in sorted({criterion.min_level for criterion in asked}):  # type: ignore[union-attr]
            if rank > (spoken or 0):
                yield Change(subject=name, key=key, has=spoken, becomes=rank, disclosure=disclosure)
    else:
        attribute = ATTRIBUTES[name]
        has = attribute.read(facts)
        if has is None:
            return
        values = list(chain.from_iterable(_named(criterion) for criterion in asked))  # type: ignore[arg-type]
        for value in _cells(attribute, has, values):
            yield Change(subject=name, has=has, becomes=value, disclosure=disclosure)


def _skill_changes(
    skill_id: int, asked: list[HasSkill], facts: CandidateFacts, disclosure: Disclosure
) -> Iterator[Change]:
    """Skills are learnt, never unlearnt: levels and years only grow."""
    known = facts.skills.get(skill_id)
    levels = {criterion.min_level for criterion in asked} | ({known.level} if known else set())
    wanted_years = {criterion.min_years for criterion in asked if criterion.min_years is not None}
    if known is None:
        all_years: set[Decimal | None] = {Decimal(0), *wanted_years}
    elif known.years is None:
        all_years = {None}
    else:
        all_years = {known.years, *(number for number in wanted_years if number > known.years)}
    pairs = [
        (level, number)
        for level in levels
        for number in all_years
        if known is None or (level >= known.level and (level, number) != (known.level, known.years))
    ]
    for level, number in sorted(pairs, key=lambda pair: (pair[0], pair[1] or 0)):
        yield Change(
            subject=SKILL.name,
            key=skill_id,
            has=known.level if known else None,
            becomes=level,
            has_years=known.years if known else None,
            becomes_years=number,
            disclosure=disclosure,
        )


def _named(criterion: Compare) -> tuple[Value, ...]:
    """The values of an attribute that a comparison names."""
    if criterion.op is Operator.EXISTS:
        return ()
    return criterion.value if isinstance(criterion.value, tuple) else (criterion.value,)


def _cells(attribute: Attribute, has: Any, named: list[Any]) -> list[Any]:
    """One value for each cell that the named values cut the fact's range into, nearest to what it is first."""
    if attribute.kind in SEVERAL:
        codes = sorted(set(named))
        rest = has - frozenset(codes)
        if len(codes) <= MAX_CODES:
            subsets = chain.from_iterable(combinations(codes, size) for size in range(len(codes) + 1))
            values = {rest | frozenset(subset) for subset in subsets}
        else:
            values = {has ^ {code} for code in codes}
        return sorted(values - {has, frozenset()}, key=lambda value: (len(value ^ has), sorted(value)))
    if attribute.kind not in ORDERED:
        return sorted(set(named) - {has})
    return sorted(
        {value for value in _around(attribute, set(named)) if value != has},
        key=lambda value: (abs(value - has), value),
    )


def _around(attribute: Attribute, named: set[Any]) -> Iterator[Any]:
    """The named values and their neighbours, as far as the fact can be such."""
    steps: dict[Kind, Any] = {Kind.DATE: timedelta(days=1), Kind.WHOLE: int(attribute.step)}
    step = steps.get(attribute.kind, attribute.step)
    for value in named:
        yield value
        for away in (-step, step):
            try:
                neighbour = value + away
            except OverflowError:  # the calendar's last day
                continue
            low, high = attribute.lowest, attribute.highest
            if (low is None or neighbour >= low) and (high is None or neighbour <= high):
                yield neighbour
