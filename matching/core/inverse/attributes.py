"""All comparisons with one declared attribute, judged together. What is declared anew needs nothing here."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any, cast

import numpy as np

from matching.core.attributes import ORDERED, Attribute, Missing, Operator
from matching.core.facts import CandidateFacts, OpportunityFacts
from matching.core.inverse.columns import LEAST, MOST, TRUE, UNKNOWN, Cells, Column, measure_of, measured
from matching.core.rules.grammar import Compare


class Comparisons:
    """A bound becomes an interval of measures; a list of values, an entry under each of them; `exists`, one of two
    lists."""

    def __init__(self, attribute: Attribute) -> None:
        self._attribute = attribute
        self._asking = Column()  # cells of all that need the fact
        self._bounded, self._low, self._high = Column(), Column(), Column()
        self._listed: dict[Any, Column] = defaultdict(Column)
        self._known, self._missing = Column(), Column()

    def add(self, cell: int, criterion: Compare) -> bool:
        """Whether the comparison could be taken in."""
        op, value = criterion.op, cast("Any", criterion.value)
        if op is Operator.EXISTS:
            (self._known if value else self._missing).append(cell)
            return True
        if op is Operator.IN or (op is Operator.EQ and self._attribute.kind not in ORDERED):
            for one in value if op is Operator.IN else (value,):
                self._listed[one].append(cell)
        else:
            interval = _interval(op, value)
            if interval is None:
                return False
            self._bounded.append(cell)
            self._low.append(interval[0])
            self._high.append(interval[1])
        self._asking.append(cell)
        return True

    def judge(self, cells: Cells, facts: CandidateFacts | OpportunityFacts, on: date) -> None:
        has: Any = self._attribute.read(facts)
        cells[(self._missing if has is None else self._known).values] = TRUE
        if has is None:
            if self._attribute.missing is Missing.UNKNOWN:
                cells[self._asking.values] = UNKNOWN
            return
        if len(self._bounded):
            measure = measured(has)
            inside = (self._low.values <= measure) & (measure <= self._high.values)
            cells[self._bounded.values] = np.where(inside, TRUE, 0)
        for one in has if isinstance(has, frozenset) else (has,):
            if one in self._listed:
                cells[self._listed[one].values] = TRUE


def _interval(op: Operator, value: Any) -> tuple[int, int] | None:
    """The measures that satisfy a comparison, both ends included; None where the scale cannot tell them."""
    if op is Operator.BETWEEN:
        low, high = (measure_of(end) for end in value)
        return None if low is None or high is None else (low, high)
    measure = measure_of(value)
    if measure is None:
        return None
    return {
        Operator.EQ: (measure, measure),
        Operator.LT: (LEAST, measure - 1),
        Operator.LTE: (LEAST, measure),
        Operator.GT: (measure + 1, MOST),
        Operator.GTE: (measure, MOST),
    }[op]
