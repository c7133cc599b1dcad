"""What is left to decide once pins and exclusions are applied, laid out for solving.

Rows are ordered by a salted hash of their keys: among equally good solutions a solver's choice follows the order of
its rows, and that order must neither depend on how rows were read nor favour whoever registered first. Edges are kept
twice, by person and by opportunity, in 32 bits where values fit: a market of five million edges takes 80 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation import kernels
from matching.core.allocation.graph import inverse, pair_mask, salted_order
from matching.core.allocation.problem import Integers, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """`seats` are those not pinned. Edges of person i: positions start[i] … start[i + 1] − 1 of `target` and `value`,
    targets ascending; of opportunity o: offset[o] … offset[o + 1] − 1 of `person` and `worth`."""

    seats: Integers
    start: Integers
    target: NDArray[np.int32]
    value: NDArray[Any]
    offset: Integers
    person: NDArray[np.int32]
    worth: NDArray[Any]

    @property
    def people(self) -> int:
        return len(self.start) - 1

    def degrees(self) -> Integers:
        return np.diff(self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A problem's network, and whom its rows stand for. `pinned_value`: what the pinned pairs are worth."""

    network: Network
    opportunity_keys: Integers
    candidate_keys: Integers
    pinned_value: int


def lay_out(problem: Problem) -> Laid:
    keys, people, edges = problem.opportunity_keys(), problem.candidate_keys(), problem.edges
    seats, allowed, pinned_value = problem.seats(), problem.allowed(), 0
    if problem.pinned:
        pinned = pair_mask(problem, problem.pinned)
        pinned_value = int(sum(edges.value[pinned].tolist()))
        seats -= np.bincount(edges.opportunity[pinned], minlength=len(seats))
        held = np.zeros(len(people), dtype=np.bool_)
        held[edges.candidate[pinned]] = True
        allowed &= ~held[edges.candidate]
    if problem.excluded:
        allowed &= ~pair_mask(problem, problem.excluded)
    order, person_order = salted_order(keys, problem.salt), salted_order(people, problem.salt)
    network = network_of(
        seats[order],
        len(people),
        (edges.opportunity, edges.candidate, edges.value),
        allowed=allowed,
        order=order,
        person_rank=inverse(person_order),
    )
    return Laid(network, keys[order], people[person_order], pinned_value)


def network_of(
    seats: Integers,
    people: int,
    columns: tuple[Integers, Integers, Integers],
    *,
    allowed: NDArray[np.bool_] | None = None,
    order: Integers | None = None,
    person_rank: Integers | None = None,
) -> Network:
    """A network of edges (opportunity, candidate, value) sorted by opportunity, then candidate. `order` lists the
    columns' opportunities in the order that `seats` has them, `person_rank` gives the candidates' new places."""
    opportunity, candidate, value = columns
    if allowed is None:
        allowed = np.ones(len(value), dtype=np.bool_)
    if order is None:
        order = np.arange(len(seats))
    if person_rank is None:
        person_rank = np.arange(people)
    count = int(np.count_nonzero(allowed))
    narrow = np.int32 if int(value.max(initial=0)) < 2**31 else np.int64
    start, offset = np.zeros(people + 1, dtype=np.int64), np.zeros(len(seats) + 1, dtype=np.int64)
    target, person = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    sorted_value, worth = np.empty(count, dtype=narrow), np.empty(count, dtype=narrow)
    first = np.searchsorted(opportunity, np.arange(len(seats) + 1)).astype(np.int64)
    kernels.by_person(candidate, value, allowed, person_rank, order, first, start, target, sorted_value)
    kernels.by_opportunity(start, target, sorted_value, offset, person, worth)
    return Network(seats, start, target, sorted_value, offset, person, worth)
