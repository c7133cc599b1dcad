"""What is left to decide once pins and exclusions are applied, in the order the solver sees it.

Rows are ordered by a salted hash of their keys: among equally good solutions a solver's choice follows the order of
its rows, and that order must neither depend on how rows were read nor favour whoever registered first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.problem import Integers, Problem


@dataclass(frozen=True, slots=True)
class OpenGraph:
    """`opportunity` and `candidate` are columns of edges in positions of this graph, sorted by both.

    `opportunity_keys[i]` and `candidate_keys[j]` name the rows; `seats[i]` are those not pinned; `pinned_value` is
    what the pinned pairs are worth. Pinned candidates remain as rows without edges.
    """

    opportunity_keys: Integers
    candidate_keys: Integers
    seats: Integers
    opportunity: Integers
    candidate: Integers
    value: Integers
    pinned_value: int


def open_graph(problem: Problem) -> OpenGraph:
    keys, people = problem.opportunity_keys(), problem.candidate_keys()
    edges = problem.edges
    seats, allowed, pinned_value = problem.seats(), problem.allowed(), 0
    if problem.pinned:
        pinned = pair_mask(problem, problem.pinned)
        pinned_value = int(sum(edges.value[pinned].tolist()))
        seats -= np.bincount(edges.opportunity[pinned], minlength=len(seats))
        held = np.zeros(len(people), dtype=bool)
        held[edges.candidate[pinned]] = True
        allowed &= ~held[edges.candidate]
    if problem.excluded:
        allowed &= ~pair_mask(problem, problem.excluded)
    order, person_order = salted_order(keys, problem.salt), salted_order(people, problem.salt)
    rank, person_rank = inverse(order), inverse(person_order)
    opportunity, candidate = rank[edges.opportunity[allowed]], person_rank[edges.candidate[allowed]]
    by_row = np.argsort(opportunity * max(len(people), 1) + candidate)
    return OpenGraph(
        opportunity_keys=keys[order],
        candidate_keys=people[person_order],
        seats=seats[order],
        opportunity=opportunity[by_row],
        candidate=candidate[by_row],
        value=edges.value[allowed][by_row],
        pinned_value=pinned_value,
    )


def pair_mask(problem: Problem, pairs: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Which edges join one of `pairs` (by keys); pairs without an edge are ignored."""
    keys, people = problem.opportunity_keys(), problem.candidate_keys()
    wanted = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    known = np.isin(wanted[:, 0], keys) & np.isin(wanted[:, 1], people)
    wanted = wanted[known]
    width = max(len(people), 1)
    codes = np.searchsorted(keys, wanted[:, 0]) * width + np.searchsorted(people, wanted[:, 1])
    return np.isin(problem.edges.opportunity * width + problem.edges.candidate, codes)


def salted_order(keys: Integers, salt: bytes) -> Integers:
    """Positions sorted by splitmix64 of key XOR salt: a bijection of 64-bit integers, so no two keys tie."""
    seed = np.frombuffer(blake2b(b"allocation order", digest_size=8, key=salt).digest(), dtype="<u8")[0]
    mixed = keys.astype(np.uint64) ^ np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(mixed ^ (mixed >> np.uint64(31))).astype(np.int64)


def inverse(order: Integers) -> Integers:
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank
