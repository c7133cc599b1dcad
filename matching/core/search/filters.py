"""What people narrow a search of opportunities by, as rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from matching.core.attributes import Operator, Subject, Value
from matching.core.rules import OPEN_TO_ALL, All, Any, Compare, Not, Rule

ANYWHERE = "*"


def offered_in(codes: Collection[str]) -> Rule:
    """Offered in one of these countries (`DE`) and regions (`DE-BE`), and not kept out of just that one. What is
    offered somewhere in a country is offered in it; what is offered anywhere, everywhere."""
    return _one_of([_offered_at(code) for code in sorted(set(codes))])


def asks_for_skill(ids: Collection[int], *, or_narrower: bool = False) -> Rule:
    """Asks for each of these skills, or for a narrower kind of it. Inner ids of skills that are not merged."""
    name = "skill_families" if or_narrower else "skills"
    return _each_of([_compare(name, Operator.EQ, one) for one in sorted(set(ids))])


def commitment_in(codes: Collection[str]) -> Rule:
    return _listed("commitment", codes)


def arrangement_in(codes: Collection[str]) -> Rule:
    return _listed("arrangement", codes)


def posted_by(ids: Collection[int]) -> Rule:
    """Posted by one of these organisations, or for one of them. Inner ids."""
    return _listed("organisations", ids)


def _offered_at(code: str) -> Rule:
    country, is_region, _ = code.partition("-")
    near = (code, f"{country}-{ANYWHERE}") if is_region else (code,)
    return All((_listed("places", (ANYWHERE, *near)), Not(_listed("excluded_places", {code, country}))))


def _listed(name: str, values: Iterable[Value]) -> Rule:
    listed = tuple(sorted(set(values)))  # of one kind: codes, or ids
    return _compare(name, Operator.IN, listed) if listed else OPEN_TO_ALL


def _compare(name: str, op: Operator, value: Value | tuple[Value, ...]) -> Rule:
    return Compare(name, op, value, subject=Subject.OPPORTUNITY)


def _each_of(rules: list[Rule]) -> Rule:
    return rules[0] if len(rules) == 1 else All(tuple(rules))


def _one_of(rules: list[Rule]) -> Rule:
    """No rule at all asks for nothing."""
    return rules[0] if len(rules) == 1 else Any(tuple(rules)) if rules else OPEN_TO_ALL
