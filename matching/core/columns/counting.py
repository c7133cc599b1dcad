"""A rule counted over all people: how many it accepts and refuses, what each criterion does, what a change would do.

A rule in normal form holds nothing negated, so it can only gain people when a part of it is loosened. For each part
two sets say whom the rest of the rule leaves to it: whom it would let in by holding, and whom it alone refuses by
failing. Every change of the part is then counted against these, without judging the rest again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from matching.core.columns.bits import Bits, Tally, all_of, none_of, of_few, size, unpacked
from matching.core.columns.leaves import Leaf, Leaves
from matching.core.rules import Criterion, Literal, Quorum
from matching.core.rules.normal import Normal


@dataclass(frozen=True, slots=True)
class Split:
    """How many people a rule, or a criterion, accepts, cannot tell of, and refuses."""

    eligible: int
    unknown: int
    ineligible: int

    @property
    def people(self) -> int:
        return self.eligible + self.unknown + self.ineligible


@dataclass(frozen=True, slots=True)
class CriterionCounts:
    """One criterion of a rule: how the people split by it alone, and how by the rule if everybody met it."""

    literal: Literal
    alone: Split
    without: Split


class Crowd:
    """People in segments, of whom those in `counted` count: as many words as the segments together."""

    def __init__(self, parts: Sequence[Leaves], counted: Bits) -> None:
        self.parts = parts
        self.counted = counted

    @property
    def people(self) -> int:
        return size(self.counted)

    def those(self, candidate_ids: Collection[int]) -> Bits:
        """Which of them count."""
        if not candidate_ids:
            return none_of(len(self.counted))
        ids = np.fromiter(candidate_ids, np.int64, len(candidate_ids))
        found = [of_few(part.segment.rows_of(ids), part.words) for part in self.parts]
        return np.concatenate(found) & self.counted

    def ids_of(self, people: Bits) -> list[int]:
        """The inner ids of few people."""
        found: list[int] = []
        first = 0
        for part in self.parts:
            rows = np.flatnonzero(unpacked(people[first : first + part.words], part.segment.people))
            found += part.segment.ids[rows].tolist()
            first += part.words
        return found

    def judged(self, criterion: Criterion, on: date, among: Bits | None = None) -> Leaf:
        """Of those `among`, if given, and perhaps of others."""
        found, first = [], 0
        for part in self.parts:
            theirs = among[first : first + part.words] if among is not None else None
            found.append(part.judged(criterion, on, theirs))
            first += part.words
        if len(found) == 1:
            return found[0]
        return Leaf(np.concatenate([leaf.holds for leaf in found]), np.concatenate([leaf.fails for leaf in found]))

    def codes_among(self, column: str, people: Bits) -> dict[str, int]:
        """How many of these people have each code, of a column of codes or of members."""
        total: dict[str, int] = {}
        first = 0
        for part in self.parts:
            mask = unpacked(people[first : first + part.words], part.segment.people)
            for code, count in part.codes_among(column, mask).items():
                total[code] = total.get(code, 0) + count
            first += part.words
        return total


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of the rule says, and whom the rest leaves to it: it lets in who is `wanted` as soon as it holds for
    them, and refuses who is `spared` as long as it fails for them."""

    node: Normal
    leaf: Leaf
    wanted: Bits
    spared: Bits


class JudgedRule:
    """A resolved rule in normal form, judged over a crowd."""

    def __init__(self, tree: Normal, crowd: Crowd, on: date) -> None:
        self._crowd, self._on = crowd, on
        self._words = len(crowd.counted)
        self._tallies: dict[str, tuple[Tally, Tally]] = {}
        self._leaves: dict[str, Leaf] = {}
        self._parts: dict[str, _Part] = {}
        self.whole = self._judge(tree)  # those whom the rule surely accepts, and those whom it refuses
        self._place(tree, all_of(self._words), all_of(self._words))

    def criteria(self, asked: Sequence[Literal]) -> tuple[Split, tuple[CriterionCounts, ...]]:
        """The split by the whole rule, and what these of its criteria do."""
        everybody = Leaf(all_of(self._words), none_of(self._words))
        return self._split(*self.whole), tuple(
            CriterionCounts(
                literal,
                self._split(*self._leaves[literal.path]),
                self._changed(self._parts[literal.path], everybody),
            )
            for literal in asked
        )

    def loosened(self, nodes: Sequence[Normal]) -> list[Split]:
        """For each of these nodes, the split if it stood at its path: it must accept whomever the present one accepts
        and refuse nobody else. A quorum keeps its parts."""
        return [self._changed(self._parts[node.path], self._loosened_leaf(node)) for node in nodes]

    def gained_codes(self, path: str, column: str) -> dict[str, int]:
        """How many people of each code would be gained if the criterion at a path held for them."""
        part = self._parts[path]
        return self._crowd.codes_among(column, self._crowd.counted & part.wanted & ~self.whole.holds)

    def _loosened_leaf(self, node: Normal) -> Leaf:
        if isinstance(node, Literal):
            return self._judge_literal(node)
        holding, failing = self._tallies[node.path]
        return Leaf(holding.at_least(node.n), failing.at_least(len(node.of) - node.n + 1))

    def _changed(self, part: _Part, leaf: Leaf) -> Split:
        holds = self.whole.holds | (part.wanted & leaf.holds)
        fails = self.whole.fails & ~(part.spared & ~leaf.fails)
        return self._split(holds, fails)

    def _split(self, holds: Bits, fails: Bits) -> Split:
        counted = self._crowd.counted
        eligible, ineligible = size(counted & holds), size(counted & fails)
        return Split(eligible, self._crowd.people - eligible - ineligible, ineligible)

    def _judge(self, node: Normal) -> Leaf:
        leaf = self._judge_literal(node) if isinstance(node, Literal) else self._judge_quorum(node)
        self._leaves[node.path] = leaf
        return leaf

    def _judge_literal(self, literal: Literal) -> Leaf:
        leaf = self._crowd.judged(literal.criterion, self._on)
        return leaf if literal.wanted else Leaf(leaf.fails, leaf.holds)

    def _judge_quorum(self, quorum: Quorum) -> Leaf:
        holding, failing = Tally(self._words), Tally(self._words)
        for part in quorum.of:
            leaf = self._judge(part)
            holding.add(leaf.holds)
            failing.add(leaf.fails)
        self._tallies[quorum.path] = holding, failing
        return Leaf(holding.at_least(quorum.n), failing.at_least(len(quorum.of) - quorum.n + 1))

    def _place(self, node: Normal, wanted: Bits, spared: Bits) -> None:
        self._parts[node.path] = _Part(node, self._leaves[node.path], wanted, spared)
        if isinstance(node, Literal):
            return
        holding, failing = self._tallies[node.path]
        fatal = len(node.of) - node.n + 1  # so many that fail refuse
        enough, nearly = holding.at_least(node.n), holding.at_least(node.n - 1)
        doomed, nearly_doomed = failing.at_least(fatal + 1), failing.at_least(fatal)
        for part in node.of:
            leaf = self._leaves[part.path]
            # Of the others enough hold but one; of the others fewer fail than would refuse on their own.
            others_hold = enough | (nearly & ~leaf.holds)
            others_fail = doomed | (nearly_doomed & ~leaf.fails)
            self._place(part, wanted & others_hold, spared & ~others_fail)
