"""What another policy would bring: the curve of fill against quality around the one that was chosen.

Each point solves the same market with other weights. Of what an assignment is expected to bring, Σ acceptance,
Σ acceptance · fit and Σ acceptance · promptness, an optimal one for positive weights is beaten by no other in all
three: the points lie on the Pareto frontier (on its convex hull; the weighted-sum method, Geoffrion 1968).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from matching.core.allocation.errors import RaggedEdges
from matching.core.allocation.graph import pair_mask
from matching.core.allocation.policy import HALF_PROMPT_DAYS, MAX_DAYS, PPM, Policy, edge_values
from matching.core.allocation.problem import Edges, Integers, Problem, integers
from matching.core.allocation.solution import Solution
from matching.core.allocation.solve import solve

STEPS = 6  # points from all fill to all quality, beside the chosen one


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """What the values of a problem's edges were made of, in the order of `problem.edges`: probabilities in millionths,
    days until each could start, and the urgency of their opportunity in thousandths (see `edge_value`)."""

    fit_ppm: Integers
    acceptance_ppm: Integers
    days_to_start: Integers
    urgency: Integers

    def values(self, policy: Policy) -> Integers:
        """What the edges are worth under a policy. Raises `ValueOutOfRange`."""
        return edge_values(policy, self.fit_ppm, self.acceptance_ppm, self.days_to_start, self.urgency)


@dataclass(frozen=True, slots=True)
class Point:
    """What an assignment under one policy is expected to bring.

    `seats` filled if all accept, `placements_ppm` expected acceptances, in millionths of one; of these, `fit_ppm` and
    `prompt_ppm` are the mean probability of suiting and the mean promptness (weighted by acceptance), in millionths.
    `value`, `bound`: of the policy's own values, so not comparable between points.
    """

    policy: Policy
    chosen: bool
    seats: int
    placements_ppm: int
    fit_ppm: int
    prompt_ppm: int
    value: int
    bound: int

    def to_data(self) -> dict[str, Any]:
        return {
            "policy": self.policy.to_data(),
            "chosen": self.chosen,
            "seats": self.seats,
            "placements_ppm": self.placements_ppm,
            "fit_ppm": self.fit_ppm,
            "prompt_ppm": self.prompt_ppm,
            "value": self.value,
            "bound": self.bound,
        }


def dial(policy: Policy, steps: int = STEPS) -> tuple[Policy, ...]:
    """Policies from all fill to all quality that care as much for speed as the chosen one, which is among them."""
    rest = 1000 - policy.speed
    weights = {rest * step // max(steps - 1, 1) for step in range(steps)} | {policy.quality}
    return tuple(Policy(quality, rest - quality, policy.speed) for quality in sorted(weights))


def frontier(
    problem: Problem,
    solution: Solution,
    chances: Chances,
    *,
    policies: Sequence[Policy] | None = None,
    work_limit: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> tuple[Point, ...]:
    """The points of these policies (None: `dial` of the problem's), in their order.

    `solution` is the problem's, whose point is the chosen one and is not solved again. Each other is what `solve` gives
    from scratch, so that it is the same whatever was asked for beside it; `work_limit` and `stop` are its own. Raises
    `RaggedEdges`, `NotAnInteger`, `ValueOutOfRange`.
    """
    columns = [integers(name, getattr(chances, name)) for name in _COLUMNS]
    if any(len(column) != len(problem.edges) for column in columns):
        raise RaggedEdges(lengths=[len(problem.edges), *map(len, columns)])
    chances = Chances(*columns)
    points = []
    for policy in dial(problem.policy) if policies is None else policies:
        if policy == problem.policy:
            points.append(point(problem, solution, chances, chosen=True))
            continue
        edges = problem.edges
        other = replace(
            problem,
            policy=policy,
            edges=Edges(edges.opportunity, edges.candidate, chances.values(policy), edges.hours),
        )
        points.append(point(other, solve(other, work_limit=work_limit, stop=stop), chances))
    return tuple(points)


def point(problem: Problem, solution: Solution, chances: Chances, *, chosen: bool = False) -> Point:
    """What a solution is expected to bring."""
    held = pair_mask(problem, solution.assignment)
    acceptance = chances.acceptance_ppm[held]
    days = np.clip(chances.days_to_start[held], 0, MAX_DAYS)
    prompt = PPM * HALF_PROMPT_DAYS // (HALF_PROMPT_DAYS + days)
    placements = int(acceptance.sum())
    return Point(
        policy=problem.policy,
        chosen=chosen,
        seats=int(np.count_nonzero(held)),
        placements_ppm=placements,
        fit_ppm=int((acceptance * chances.fit_ppm[held]).sum()) // max(placements, 1),
        prompt_ppm=int((acceptance * prompt).sum()) // max(placements, 1),
        value=solution.value,
        bound=solution.bound,
    )


_COLUMNS = ("fit_ppm", "acceptance_ppm", "days_to_start", "urgency")
