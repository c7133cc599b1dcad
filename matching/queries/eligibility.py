"""Rules counted over people in SQL: where there are too few people for a roster, or none stands yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet

from accounts.access import organisations_of
from accounts.core.actor import Actor
from marketplace.models import Candidate, Skill
from marketplace.queries.naming import names_of
from matching.compile_sql import compile_normal
from matching.core.columns import COLUMNS, CriterionCounts, Form, Split
from matching.core.names import Names
from matching.core.rules import Literal, Not, Quorum, Rule, literals, normal, skill_ids, text
from matching.core.rules.normal import Normal
from matching.models import CandidateProjection

MOST_CRITERIA = 40  # of which each costs four counts


def found_by(actor: Actor) -> QuerySet[CandidateProjection]:
    """The people that an actor may find at all."""
    return CandidateProjection.objects.filter(present=True, discoverable=True).exclude(pk__in=hidden_from(actor))


def hidden_from(actor: Actor) -> QuerySet[Any]:
    """The candidates (inner ids) who blocked an organisation that the actor recruits for."""
    blocked = Candidate.blocked_organisations.through.objects.values_list("candidate_id", flat=True)
    if actor.is_staff or actor.is_system:
        return blocked.none()
    return blocked.filter(organisation__in=organisations_of(actor))


class CountedRule:
    """A resolved rule in normal form, counted over rows: what `matching.core.columns.JudgedRule` is over columns."""

    def __init__(self, tree: Normal, people: QuerySet[CandidateProjection], on: date) -> None:
        self._tree, self._people, self._on = tree, people, on

    def criteria(self, asked: Sequence[Literal]) -> tuple[Split, tuple[CriterionCounts, ...]]:
        nodes: list[Normal] = [self._tree]
        for literal in asked:
            nodes += [literal, _with(self._tree, Quorum(0, (), literal.path))]
        whole, *splits = self._splits(nodes)
        pairs = zip(asked, splits[::2], splits[1::2], strict=True)
        return whole, tuple(CriterionCounts(literal, alone, without) for literal, alone, without in pairs)

    def loosened(self, nodes: Sequence[Normal]) -> list[Split]:
        return self._splits([_with(self._tree, node) for node in nodes]) if nodes else []

    def gained_codes(self, path: str, column: str) -> dict[str, int]:
        holds = compile_normal(self._tree, on=self._on).is_true
        met = compile_normal(_with(self._tree, Quorum(0, (), path)), on=self._on).is_true
        code: Any = F(column)
        if any(each.name == column and each.form is Form.MEMBERS for each in COLUMNS):
            code = Func(code, function="unnest")
        rows = self._people.filter(met).exclude(holds).annotate(code=code).values_list("code").annotate(n=Count("pk"))
        return {code: n for code, n in rows if code}

    def _splits(self, nodes: Sequence[Normal]) -> list[Split]:
        """Of all these nodes, in one statement."""
        counts: dict[str, Count] = {"total": Count("pk")}
        for number, node in enumerate(nodes):
            compiled = compile_normal(node, on=self._on)
            counts[f"holds_{number}"] = _count(compiled.is_true)
            counts[f"fails_{number}"] = _count(compiled.is_false)
        found = self._people.aggregate(**counts)
        both = [(found[f"holds_{number}"], found[f"fails_{number}"]) for number in range(len(nodes))]
        return [Split(holds, found["total"] - holds - fails, fails) for holds, fails in both]


@dataclass(frozen=True, slots=True)
class Binding:
    """The criterion that keeps most people out: without it so many more would be eligible."""

    path: str
    sentence: str
    gain: int


def binding(rule: Rule, people: QuerySet[CandidateProjection], *, now: datetime) -> Binding | None:
    """Of a resolved rule; None where no single criterion keeps anybody out."""
    tree = normal(rule)
    counted = CountedRule(tree, people, now.astimezone(UTC).date())
    whole, criteria = counted.criteria(list(literals(tree))[:MOST_CRITERIA])
    best = max(criteria, key=lambda one: (_gain(one, whole), _alone(one, whole)), default=None)
    if best is None or _gain(best, whole) + _alone(best, whole) <= 0:
        return None
    names = names_of(dict(Skill.objects.filter(pk__in=skill_ids(rule)).values_list("pk", "name")))
    return Binding(best.literal.path, literal_text(best.literal, names), _gain(best, whole))


def literal_text(literal: Literal, names: Names) -> str:
    return text(literal.criterion if literal.wanted else Not(literal.criterion), names)


def _gain(one: CriterionCounts, whole: Split) -> int:
    return one.without.eligible - whole.eligible


def _alone(one: CriterionCounts, whole: Split) -> int:
    return whole.ineligible - one.without.ineligible


def _with(node: Normal, other: Normal) -> Normal:
    """The tree with another node at that one's path."""
    if node.path == other.path:
        return other
    if isinstance(node, Literal) or not other.path.startswith(node.path):
        return node
    return Quorum(node.n, tuple(_with(part, other) for part in node.of), node.path)


def _count(condition: Q) -> Count:
    return Count("pk", filter=condition)
