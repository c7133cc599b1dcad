"""Outside instances of generalised assignment, as OR-Library has them (J. E. Beasley).

An instance is m agents, n jobs, costs (m rows of n), resources (m rows of n) and m capacities, in free layout; some
collections put the capacities before the costs. A file holds one instance or several, after their number or without.
Every job goes to one agent, whose jobs together need no more than its capacity; the sum of the costs is to be least
(or greatest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.errors import AmbiguousInstance, MalformedInstance
from matching.core.allocation.problem import CandidateNode, Edges, Integers, OpportunityNode, Problem

MOST_CELLS = 25_000_000
_USUAL = 0.8  # capacities together, in parts of what an average agent would need for all its share of the jobs
_CLEARLY = 2.0  # times nearer to the usual, to be believed


@dataclass(frozen=True, slots=True)
class GapInstance:
    """`costs` and `resources` are agents × jobs, `capacities` of the agents. A job assigned is worth more than any
    costs that it could cause elsewhere, so whoever can assign all, does."""

    costs: Integers
    resources: Integers
    capacities: Integers
    maximise: bool

    @property
    def size(self) -> int:
        return self.costs.shape[1]

    def problem(self) -> Problem:
        agents, jobs = self.costs.shape
        return Problem(
            opportunities=tuple(OpportunityNode(job, 1) for job in range(jobs)),
            candidates=tuple(CandidateNode(agent, int(self.capacities[agent]), jobs) for agent in range(agents)),
            edges=Edges(
                np.repeat(np.arange(jobs), agents),
                np.tile(np.arange(agents), jobs),
                self._values().T.ravel(),
                np.minimum(self.resources, int(self.capacities.max(initial=0)) + 1).T.ravel(),
            ),
        )

    def objective(self, value: int, assigned: int) -> int:
        """The sum of the costs of so many jobs that are worth `value` together."""
        if self.maximise:
            return value - assigned * (self._offset() - int(self.costs.min()))
        return assigned * (self._offset() + int(self.costs.max())) - value

    def _values(self) -> Integers:
        if self.maximise:
            return self.costs - int(self.costs.min()) + self._offset()
        return int(self.costs.max()) + self._offset() - self.costs

    def _offset(self) -> int:
        return (self.size + 1) * (int(self.costs.max()) - int(self.costs.min()) + 1)


def read_gaps(text: str, *, maximise: bool = False, capacities: str | None = None) -> list[GapInstance]:
    """All instances of a file. `capacities`: "before" the costs or "after" the resources; None tells by where lines
    end, or by which makes sense. Raises `MalformedInstance`, or `AmbiguousInstance` where both readings do."""
    tokens = text.split()
    if not tokens:
        raise MalformedInstance(problem="the file is empty")
    try:
        numbers = np.array([int(token) for token in tokens], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedInstance(problem=f"numbers are integers of at most 64 bits: {error}") from error
    if np.abs(numbers).max() > 2**40 or numbers.min() < -(2**40):
        raise MalformedInstance(problem=f"a number lies beyond ±{2**40}")
    counted, plain = _places(numbers, 1, int(numbers[0])), _places(numbers, 0, None)
    if counted and plain:
        raise AmbiguousInstance(problem="it can be read with and without a number of instances at its beginning")
    places = counted or plain
    if not places:
        raise MalformedInstance(
            problem=f"{len(numbers)} numbers are no sequence of instances of 2 + 2 · agents · jobs + agents each"
        )
    breaks = np.zeros(len(numbers) + 1, dtype=np.bool_)  # before which numbers a line begins
    breaks[np.cumsum([len(line.split()) for line in text.splitlines()])] = True
    return [_instance(numbers, at, breaks, maximise=maximise, capacities=capacities) for at in places]


def _places(numbers: Integers, at: int, count: int | None) -> list[int]:
    """Where instances begin if they follow each other from here to the very end; none if they do not."""
    places = []
    while at + 2 <= len(numbers):
        agents, jobs = int(numbers[at]), int(numbers[at + 1])
        if agents < 1 or jobs < 1 or agents * jobs > MOST_CELLS:
            return []
        places.append(at)
        at += 2 + 2 * agents * jobs + agents
    return places if at == len(numbers) and count in (None, len(places)) else []


def _instance(
    numbers: Integers, at: int, breaks: NDArray[np.bool_], *, maximise: bool, capacities: str | None
) -> GapInstance:
    agents, jobs = int(numbers[at]), int(numbers[at + 1])
    first, end = at + 2, at + 2 + 2 * agents * jobs + agents
    if capacities is None:
        before, after = bool(breaks[first + agents]), bool(breaks[end - agents])
        told = "before" if before else "after"
        capacities = told if before != after else _sensible(numbers[first:end], agents)
    body = numbers[first + agents : end] if capacities == "before" else numbers[first : end - agents]
    room = numbers[first : first + agents] if capacities == "before" else numbers[end - agents : end]
    costs, resources = body.reshape(2, agents, jobs)
    if resources.min() < 0 or room.min() < 0:
        raise MalformedInstance(problem="a resource or a capacity is negative")
    return GapInstance(costs, resources, room, maximise)


def _sensible(body: Integers, agents: int) -> str:
    """Where capacities are that are neither absurdly tight nor absurdly ample. Raises `AmbiguousInstance`."""
    far, cells = {}, (len(body) - agents) // 2
    for place, room, resources in (
        ("after", body[-agents:], body[cells:-agents]),
        ("before", body[:agents], body[agents + cells :]),
    ):
        tightness = float(room.sum()) * agents / max(float(resources.sum()), 1.0)
        possible = room.min() >= 0 and resources.min() >= 0 and tightness > 0
        far[place] = abs(float(np.log(tightness / _USUAL))) if possible else np.inf
    near = min(far, key=lambda place: far[place])
    other = "before" if near == "after" else "after"
    if not np.isfinite(far[near]) or far[other] - far[near] < float(np.log(_CLEARLY)):
        raise AmbiguousInstance(problem="capacities may stand before the costs or after the resources: say which")
    return near
