"""The index: distinct criteria, and rules as counts over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from matching.core.attributes import Subject
from matching.core.facts import CandidateFacts, OpportunityFacts
from matching.core.inverse.attributes import Comparisons
from matching.core.inverse.columns import FALSE, MOST_PARTS, TRUE, UNKNOWN, Cells, Column, Numbers
from matching.core.inverse.structures import Languages, Overlaps, PayCeilings, Places, Skills
from matching.core.opportunity_attributes import DECLARED
from matching.core.rules.grammar import (
    Compare,
    Criterion,
    Disclosure,
    HasLanguage,
    HasSkill,
    HoursOverlap,
    LivesIn,
    RateWithinPay,
    Rule,
)
from matching.core.rules.normal import Literal, Normal, Quorum, normal
from matching.core.truth import criterion_truth

NEVER, ALWAYS = 0, 1
"""The cells that are false and true for everybody."""
SWEEP_AT = 1000  # rules let go of, at the least, before what they left behind is cleared away


class Judged(NamedTuple):
    """Keys of the rules that accept somebody, and of those of which a missing fact decides. Ascending."""

    accepting: Numbers
    unknown: Numbers


class _Kind(Protocol):
    def add(self, cell: int, criterion: Any) -> bool: ...

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None: ...


class _Others:
    """Criteria that have no vector form, or need none because there are few: judged one by one."""

    def __init__(self) -> None:
        self._criteria: list[tuple[int, Criterion]] = []

    def add(self, cell: int, criterion: Criterion) -> bool:
        self._criteria.append((cell, criterion))
        return True

    def judge(self, cells: Cells, facts: CandidateFacts, on: date) -> None:
        for cell, criterion in self._criteria:
            holds = criterion_truth(criterion, facts, on)
            cells[cell] = UNKNOWN if holds is None else TRUE if holds else FALSE


class _Level:
    """Quorums of one height: their cells, how many parts each needs, where its parts begin, and all parts' cells."""

    def __init__(self) -> None:
        self.cells, self.needed, self.starts, self.parts = (Column() for _ in range(4))

    def add(self, cell: int, needed: int, parts: list[int]) -> None:
        self.cells.append(cell)
        self.needed.append(needed)
        self.starts.append(len(self.parts))
        for part in parts:
            self.parts.append(part)

    def count(self, cells: Cells) -> None:
        if not len(self.cells):
            return
        sums = np.add.reduceat(cells[self.parts.values], self.starts.values)
        needed = self.needed.values
        holds, may_hold = (sums >> 16) >= needed, (sums & 0xFFFF) >= needed
        cells[self.cells.values] = np.where(holds, TRUE, np.where(may_hold, UNKNOWN, FALSE))

    def keep(self, used: Any) -> None:
        """Let go of the quorums whose cells are not used, and mark the parts of the others as used."""
        kept = used[self.cells.values]
        sizes = np.diff(self.starts.values, append=len(self.parts))
        parts = self.parts.values[np.repeat(kept, sizes)]
        used[parts] = True
        sizes = sizes[kept]
        self.cells, self.needed = Column(self.cells.values[kept]), Column(self.needed.values[kept])
        self.starts, self.parts = Column(np.cumsum(sizes) - sizes), Column(parts)


class RuleIndex:
    """Rules about one subject by key, ready to be judged all at once. Rules must be resolved; keys are whole numbers.

    Judging 100,000 rules of three to eight criteria takes some milliseconds and is the same, rule by rule, as
    `matching.core.truth.truth`. Putting a rule takes tens of microseconds. Not for several threads at once.

    Every distinct criterion has a cell, another where it is wanted not to hold, and every quorum has one. Judging
    fills the criteria's, kind by kind, then the quorums' from the lowest up.
    """

    def __init__(self, about: Subject = Subject.CANDIDATE) -> None:
        self._about = about
        self._begin()
        self._levels: list[_Level] = []
        self._row_of: dict[int, int] = {}
        self._keys, self._roots = Column(), Column()
        self._free: list[int] = []
        self._left_behind = 0

    def _begin(self) -> None:
        """No cells yet but the two that stand for everybody and nobody, and no criteria."""
        self._size = 2  # cells, the first two being NEVER and ALWAYS
        self._cell_of: dict[Criterion, int] = {}
        self._negation_of: dict[int, int] = {}
        self._negated, self._negations = Column(), Column()
        self._others = _Others()
        self._by_attribute = {name: Comparisons(attribute) for name, attribute in DECLARED[self._about].items()}
        self._by_type: dict[type, _Kind] = {}
        if self._about is Subject.CANDIDATE:
            self._by_type = {
                HasSkill: Skills(),
                HasLanguage: Languages(),
                LivesIn: Places(),
                HoursOverlap: Overlaps(),
                RateWithinPay: PayCeilings(),
            }

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, key: int) -> bool:
        return key in self._row_of

    def put(self, key: int, rule: Rule) -> None:
        """Take a rule in, in place of the one that the key had."""
        self.drop(key)
        root, _ = self._place(normal(rule))
        if self._free:
            row = self._free.pop()
            self._keys.values[row], self._roots.values[row] = key, root
        else:
            row = len(self._keys)
            self._keys.append(key)
            self._roots.append(root)
        self._row_of[key] = row

    def drop(self, key: int) -> None:
        """Let go of a rule, if the key has one."""
        row = self._row_of.pop(key, None)
        if row is None:
            return
        self._roots.values[row] = NEVER
        self._free.append(row)
        self._left_behind += 1
        if self._left_behind > max(SWEEP_AT, len(self)):
            self._sweep()

    def judge(self, facts: CandidateFacts | OpportunityFacts, *, on: date) -> Judged:
        """Which rules accept the candidate, or the opportunity, on that day, and which may."""
        cells: Cells = np.zeros(self._size, dtype=np.int32)
        cells[ALWAYS] = TRUE
        for kind in (*self._by_attribute.values(), *self._by_type.values(), self._others):
            kind.judge(cells, cast("Any", facts), on)  # those of the subject that the rules are about
        turned = cells[self._negated.values]
        cells[self._negations.values] = np.where(turned == UNKNOWN, UNKNOWN, TRUE - turned)
        for level in self._levels:
            level.count(cells)
        answers, keys = cells[self._roots.values], self._keys.values
        return Judged(np.sort(keys[answers == TRUE]), np.sort(keys[answers == UNKNOWN]))

    def _place(self, node: Normal) -> tuple[int, int]:
        """The cell of a part of a rule, and its height: 0 for a criterion."""
        if isinstance(node, Literal):
            cell = self._criterion(node.criterion)
            return (cell if node.wanted else self._negation(cell)), 0
        if not node.of:
            return (ALWAYS if node.n <= 0 else NEVER), 0
        return self._quorum(node)

    def _quorum(self, node: Quorum) -> tuple[int, int]:
        if len(node.of) > MOST_PARTS:
            raise ValueError(f"a rule counts over {len(node.of)} parts; at most {MOST_PARTS} can be counted")
        parts, heights = zip(*(self._place(part) for part in node.of), strict=True)
        height = max(heights)
        while len(self._levels) <= height:
            self._levels.append(_Level())
        cell = self._new_cell()
        self._levels[height].add(cell, node.n, list(parts))
        return cell, height + 1

    def _criterion(self, criterion: Criterion) -> int:
        if criterion.disclosure is not Disclosure.PUBLIC:  # to whom it is shown changes nothing
            criterion = replace(criterion, disclosure=Disclosure.PUBLIC)
        cell = self._cell_of.get(criterion)
        if cell is None:
            cell = self._cell_of[criterion] = self._new_cell()
            kind: _Kind | None = (
                self._by_attribute.get(criterion.name)
                if isinstance(criterion, Compare)
                else self._by_type.get(type(criterion))
            )
            if kind is None or not kind.add(cell, criterion):
                self._others.add(cell, criterion)
        return cell

    def _negation(self, cell: int) -> int:
        if cell not in self._negation_of:
            self._negation_of[cell] = self._new_cell()
            self._negated.append(cell)
            self._negations.append(self._negation_of[cell])
        return self._negation_of[cell]

    def _new_cell(self) -> int:
        self._size += 1
        return self._size - 1

    def _sweep(self) -> None:
        """Clear away the quorums and the criteria of rules that are gone; from the top, as what stands above holds on
        to what is below. Cells that are left move together."""
        used = np.zeros(self._size, dtype=bool)
        used[[NEVER, ALWAYS]] = True
        used[self._roots.values] = True
        for level in reversed(self._levels):
            level.keep(used)
        negations = [(cell, turned) for cell, turned in self._negation_of.items() if used[turned]]
        used[[cell for cell, _ in negations]] = True
        kept = [criterion for criterion, cell in self._cell_of.items() if used[cell]]
        old, size = self._cell_of, self._size
        self._begin()
        moved = np.zeros(size, dtype=np.int64)
        moved[ALWAYS] = ALWAYS
        for criterion in kept:
            moved[old[criterion]] = self._criterion(criterion)
        for cell, turned in negations:
            moved[turned] = self._negation(int(moved[cell]))
        for level in self._levels:
            moved[level.cells.values] = np.arange(self._size, self._size + len(level.cells))
            self._size += len(level.cells)
        for level in self._levels:
            level.cells, level.parts = Column(moved[level.cells.values]), Column(moved[level.parts.values])
        self._roots = Column(moved[self._roots.values])
        self._left_behind = 0
