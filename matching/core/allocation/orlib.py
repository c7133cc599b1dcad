"""Outside instances: the assignment problems of OR-Library (J. E. Beasley).

A file holds one instance or several after each other: the size n, then an n × n matrix of costs, row by row, in free
layout. Every row is assigned to one column; the sum of the costs is to be least (or greatest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matching.core.allocation.errors import MalformedInstance
from matching.core.allocation.problem import CandidateNode, Edges, Integers, OpportunityNode, Problem

MAX_SIZE = 5_000


@dataclass(frozen=True, slots=True)
class AssignmentInstance:
    """`costs` is n × n. Costs become values ≥ 1, so that every optimal allocation assigns all rows: on a complete
    square, whoever is left out could still be paired with a column that is left out, and that would add value."""

    costs: Integers
    maximise: bool

    @property
    def size(self) -> int:
        return len(self.costs)

    def problem(self) -> Problem:
        rows = np.repeat(np.arange(self.size), self.size)
        columns = np.tile(np.arange(self.size), self.size)
        return Problem(
            opportunities=tuple(OpportunityNode(row, 1) for row in range(self.size)),
            candidates=tuple(CandidateNode(column) for column in range(self.size)),
            edges=Edges(rows, columns, self._values().ravel()),
        )

    def objective(self, value: int, assigned: int) -> int:
        """The sum of costs of so many rows that are worth `value` together; of all, it turns a bound on values into one
        on costs."""
        if self.maximise:
            return value + assigned * (int(self.costs.min(initial=0)) - 1)
        return assigned * (int(self.costs.max(initial=0)) + 1) - value

    def _values(self) -> Integers:
        if self.maximise:
            return self.costs - int(self.costs.min(initial=0)) + 1
        return int(self.costs.max(initial=0)) + 1 - self.costs


def read_assignments(text: str, *, maximise: bool = False) -> list[AssignmentInstance]:
    """All instances of a file. Raises `MalformedInstance` naming what was expected and where."""
    tokens = text.split()
    if not tokens:
        raise MalformedInstance(problem="the file is empty")
    instances, at = [], 0
    while at < len(tokens):
        size = _size(tokens[at], at)
        cells = tokens[at + 1 : at + 1 + size * size]
        if len(cells) < size * size:
            raise MalformedInstance(problem=f"{size * size} costs were expected, {len(cells)} found")
        try:
            costs = np.array([int(cell) for cell in cells], dtype=np.int64).reshape(size, size)
        except (ValueError, OverflowError) as error:
            raise MalformedInstance(problem=f"costs are integers of at most 64 bits: {error}") from error
        if np.abs(costs).max(initial=0) > 2**40 or costs.min(initial=0) < -(2**40):
            raise MalformedInstance(problem=f"a cost lies beyond ±{2**40}")
        instances.append(AssignmentInstance(costs=costs, maximise=maximise))
        at += 1 + size * size
    return instances


def _size(token: str, at: int) -> int:
    try:
        size = int(token)
    except ValueError:
        size = 0
    if not 1 <= size <= MAX_SIZE:
        raise MalformedInstance(problem=f"a size from 1 to {MAX_SIZE} was expected as number {at + 1}, {token!r} found")
    return size
