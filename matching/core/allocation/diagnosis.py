"""Why a seat stays empty: nobody passes, too few people for too many seats, or filling it would cost more than it adds.

By Hall's theorem a seat that no exchange of people can fill belongs to a set of opportunities that together have
more seats than there are people who could take them. That set is shown as small as it gets: leave any one of the
others out, and the rest no longer explains the empty seat (`shortage`; with several seats a person, limits or shares,
`restricted`). What keeps people from having an edge at all, whoever made the edges has to say: `KeptOut`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from matching.core.allocation.emptiness import GROUNDS, Cause, EmptySeats, KeptOut, loosenings
from matching.core.allocation.errors import RaggedEdges, UnknownKey
from matching.core.allocation.graph import pair_mask
from matching.core.allocation.problem import Integers, Problem, integers
from matching.core.allocation.restricted import diagnose_restricted
from matching.core.allocation.shortage import diagnose_plain
from matching.core.allocation.solution import Solution

WORK_LIMIT = 8_000_000  # edges looked at, and as much for building flows: about two seconds over all empty seats


def diagnose(
    problem: Problem,
    solution: Solution,
    *,
    kept_out: Mapping[int, KeptOut] | None = None,
    acceptance: Integers | None = None,
    work_limit: int = WORK_LIMIT,
) -> tuple[EmptySeats, ...]:
    """The causes of all seats that a solution leaves empty, sorted by opportunity key.

    Empty seats of one opportunity may have two causes: so many could be filled at a loss, the rest not at all. Each
    opportunity is looked at on its own, all others keeping what they have. `kept_out`, by opportunity, says whom one
    ground keeps from an edge; without it nobody is known of. `acceptance`, of each of the problem's edges in its order,
    is the probability of being accepted, in any unit: with it, seats whose people are mostly placed where they
    accept more probably are told from those that are merely not worth it. Raises `UnknownKey`,
    `RaggedEdges` and `NotAnInteger`.
    """
    known = {node.key for node in problem.opportunities}
    kept_out = kept_out or {}
    for key in kept_out:
        if key not in known:
            raise UnknownKey(field="kept_out", key=key)
    if acceptance is not None:
        acceptance = integers("acceptance", acceptance)
        if len(acceptance) != len(problem.edges):
            raise RaggedEdges(lengths=[len(problem.edges), len(acceptance)])
    found = (diagnose_plain if problem.plain else diagnose_restricted)(problem, solution, work_limit)
    sooner = _sooner_elsewhere(problem, solution, acceptance) if acceptance is not None else set()
    return tuple(_with_grounds(one, kept_out.get(one.opportunity, KeptOut()), sooner) for one in found)


def _with_grounds(found: EmptySeats, kept: KeptOut, sooner: set[int]) -> EmptySeats:
    """The same, knowing whom one ground alone keeps out and who would sooner accept elsewhere."""
    cause, candidates = found.cause, found.candidates
    if cause is Cause.NOBODY_PASSES:
        strongest = max(GROUNDS, key=lambda ground: len(kept.lacking(ground)))
        if kept.lacking(strongest):
            cause, candidates = strongest, len(kept.lacking(strongest))
    elif cause is Cause.NOT_WORTH_IT and found.loss is not None and found.opportunity in sooner:
        cause = Cause.ACCEPT_ELSEWHERE
    more = [one for ground in GROUNDS for one in loosenings(ground, kept.lacking(ground), found.empty)]
    return replace(found, cause=cause, candidates=candidates, loosened=(*found.loosened, *more))


def _sooner_elsewhere(problem: Problem, solution: Solution, acceptance: Integers) -> set[int]:
    """Opportunities of whose other people more than half are placed where they accept more probably."""
    edges = problem.edges
    held = pair_mask(problem, solution.assignment)
    there = np.full(len(problem.candidates), -1, dtype=np.int64)
    np.maximum.at(there, edges.candidate[held], acceptance[held])
    sooner = np.where(~held & (there[edges.candidate] > acceptance), 1, -1) * ~held
    rows = np.bincount(edges.opportunity, weights=sooner, minlength=len(problem.opportunities))
    return set(problem.opportunity_keys()[rows > 0].tolist())
