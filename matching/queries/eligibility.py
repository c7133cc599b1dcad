"""Rules counted over people in SQL: where there are too few people for a roster, or none stands yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Count, F, Func, QuerySet, TextField, Value

from accounts.access import organisations_of
from accounts.core.actor import Actor
from marketplace.models import Candidate, Skill
from marketplace.queries.naming import names_of
from matching.compile_sql import compile_normal
from matching.core.columns import COLUMNS, CriterionCounts, Form, JudgedRule, Split
from matching.core.eligibility import Outcome
from matching.core.names import Names
from matching.core.rules import Literal, Not, Quorum, Rule, literals, normal, skill_ids, text
from matching.core.rules.normal import ROOT, Normal
from matching.models import CandidateProjection

MOST_CRITERIA = 40  # that are told of


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
        self._by_code: dict[str, Answers] = {}

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
        without = _with(self._tree, Quorum(0, (), path))
        if column not in self._by_code:
            code: Any = F(column)
            if any(each.name == column and each.form is Form.MEMBERS for each in COLUMNS):
                code = Func(code, function="unnest")
            self._by_code[column] = Answers(self._people, [self._tree], self._on, code=code)
        found = self._by_code[column]
        gained = found.numbers * (found.truth(without)[0] & ~found.truth(self._tree)[0])
        codes: dict[str, int] = defaultdict(int)
        for one, number in zip(found.codes, gained.tolist(), strict=True):
            codes[one] += number
        return {one: number for one, number in codes.items() if one and number}

    def _splits(self, nodes: list[Normal]) -> list[Split]:
        """Of all these nodes, in one statement."""
        found = Answers(self._people, nodes, self._on)
        total = int(found.numbers.sum())
        both = [tuple(int(found.numbers[part].sum()) for part in found.truth(node)) for node in nodes]
        return [Split(holds, total - holds - fails, fails) for holds, fails in both]


class Answers:
    """How many people answer the criteria of some rules in which way. Each criterion is asked once, however many rules
    are made of it: what follows for a rule is reckoned here, for all who answer alike together.

    `numbers` are people by way of answering, and `codes` what they have for the `code` that is asked besides.
    """

    def __init__(
        self, people: QuerySet[CandidateProjection], nodes: Iterable[Normal], on: date, *, code: Any = None
    ) -> None:
        asked = dict.fromkeys(literal.criterion for node in nodes for literal in literals(node))
        self._places = {criterion: place for place, criterion in enumerate(asked)}
        columns: dict[str, Any] = {"code": Value(None, output_field=TextField()) if code is None else code}
        for criterion, place in self._places.items():
            columns[f"answer_{place}"] = compile_normal(Literal(criterion, True, ROOT), on=on).outcome
        ways = people.order_by().annotate(**columns).values_list(*columns).annotate(number=Count("pk"))
        rows = list(ways)
        self.codes = [row[0] for row in rows]
        self.numbers = np.array([row[-1] for row in rows], np.int64)
        answers = np.array([[_ANSWERS[answer] for answer in row[1:-1]] for row in rows], np.int8)
        self._answers = answers.reshape(len(rows), len(asked))

    def truth(self, node: Normal) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which ways of answering make the node hold, and which make it fail."""
        if isinstance(node, Literal):
            answers = self._answers[:, self._places[node.criterion]]
            holds, fails = answers == 1, answers == 0
            return (holds, fails) if node.wanted else (fails, holds)
        held, failed = np.zeros((2, len(self.numbers)), np.int32)
        for part in node.of:
            holds, fails = self.truth(part)
            held += holds
            failed += fails
        return held >= node.n, len(node.of) - failed < node.n


_ANSWERS = {Outcome.ELIGIBLE: 1, Outcome.INELIGIBLE: 0, Outcome.UNKNOWN: -1}


@dataclass(frozen=True, slots=True)
class Binding:
    """The criterion that keeps most people out: without it so many more would be eligible."""

    path: str
    sentence: str
    gain: int


def binding(rule: Rule, counted: JudgedRule | CountedRule) -> Binding | None:
    """Of a resolved rule, counted over some people; None where no single criterion keeps anybody out."""
    whole, criteria = counted.criteria(list(literals(normal(rule)))[:MOST_CRITERIA])
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
