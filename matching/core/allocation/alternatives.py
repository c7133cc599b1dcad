"""Per proposal the best alternative, on either side, and why it lost: read off the prices of the solution.

An edge that was not chosen is worth less than its seat and its person cost. What is missing, its reduced cost, is what
any assignment that contains it loses against the bound, by the same argument that proves the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.graph import inverse, pair_mask, salted_order
from matching.core.allocation.problem import Integers, Problem
from matching.core.allocation.solution import Solution


@dataclass(frozen=True, slots=True)
class Option:
    """A pair that was not chosen. `less`: by how much it is worth less than the one that was (negative: more).
    `loss`: what the total would lose by it at least, unless the solution's gap makes up for it. `at`: for another
    person, an opportunity where they are placed (of several the one worth most); None: nowhere."""

    opportunity: int
    candidate: int
    less: int
    loss: int
    at: int | None = None

    def to_data(self) -> dict[str, Any]:
        return {
            "opportunity": self.opportunity,
            "candidate": self.candidate,
            "less": self.less,
            "loss": self.loss,
            "at": self.at,
        }


@dataclass(frozen=True, slots=True)
class Alternatives:
    """For one proposal: who would come next for the seat, and where else the person would go. None where nobody or
    nothing is left."""

    runner_up: Option | None
    elsewhere: Option | None

    def to_data(self) -> dict[str, Any]:
        return {
            "runner_up": self.runner_up.to_data() if self.runner_up else None,
            "elsewhere": self.elsewhere.to_data() if self.elsewhere else None,
        }

    def sentence(self, titles: Mapping[int, str], people: Mapping[int, str]) -> str:
        """For staff. Maps keys to titles and names; a missing one is shown by its key."""
        said = ["Nobody else could take this seat."]
        if (one := self.runner_up) is not None:
            name = people.get(one.candidate, f"candidate {one.candidate}")
            said = [f"Next best for this seat: {name}, {_worth(one.less)}"]
            if one.at is not None:
                said[0] += f", but better placed at {titles.get(one.at, f'opportunity {one.at}')}"
            said[0] += _lost(one.loss)
        if (other := self.elsewhere) is None:
            said.append("The person could take no other.")
        else:
            title = titles.get(other.opportunity, f"opportunity {other.opportunity}")
            said.append(f"Their best other: {title}, {_worth(other.less)}{_lost(other.loss)}")
        return " ".join(said)


def told_alternatives(stored: Mapping[str, Any]) -> Alternatives:
    """From what `to_data` gave."""
    return Alternatives(*(Option(**one) if one else None for one in (stored["runner_up"], stored["elsewhere"])))


def alternatives(problem: Problem, solution: Solution) -> dict[tuple[int, int], Alternatives]:
    """By pair of keys, for each of the assignment but those that are pinned, which have none by wish.

    The best is that of the least loss; of equals the one worth most, then by the salted order of keys. What is
    excluded, pinned or lacks the hours is no alternative. One pass over the edges.
    """
    edges, keys, people = problem.edges, problem.opportunity_keys(), problem.candidate_keys()
    chosen, pinned = pair_mask(problem, solution.assignment), pair_mask(problem, problem.pinned)
    _, most = problem.rooms()
    fixed = np.bincount(edges.candidate[pinned], minlength=len(people)) >= most
    # Whoever is pinned to as much as they take has no choice.
    free = problem.allowed() & ~chosen & ~pair_mask(problem, problem.excluded) & ~fixed[edges.candidate]
    loss = _reduced_costs(problem, solution)

    at = np.flatnonzero(free)
    rank = inverse(salted_order(keys, problem.salt))[edges.opportunity[at]]
    person_rank = inverse(salted_order(people, problem.salt))[edges.candidate[at]]
    order = at[np.lexsort((person_rank, rank, -edges.value[at], loss[at]))]
    for_seat, for_person = _first(edges.opportunity[order], len(keys)), _first(edges.candidate[order], len(people))
    placed_at = np.full(len(people), -1, dtype=np.int64)
    held = np.flatnonzero(chosen)
    held = held[np.argsort(edges.value[held], kind="stable")]
    placed_at[edges.candidate[held]] = edges.opportunity[held]

    def option(than: int, first: int, *, where: bool) -> Option | None:
        if first < 0:
            return None
        other = int(order[first])
        row, person = int(edges.opportunity[other]), int(edges.candidate[other])
        there = int(placed_at[person]) if where else -1
        return Option(
            opportunity=int(keys[row]),
            candidate=int(people[person]),
            less=int(edges.value[than] - edges.value[other]),
            loss=int(loss[other]),
            at=int(keys[there]) if there >= 0 else None,
        )

    found = {}
    for edge in np.flatnonzero(chosen & ~pinned).tolist():
        row, person = int(edges.opportunity[edge]), int(edges.candidate[edge])
        found[int(keys[row]), int(people[person])] = Alternatives(
            runner_up=option(edge, int(for_seat[row]), where=True),
            elsewhere=option(edge, int(for_person[person]), where=False),
        )
    return found


def _reduced_costs(problem: Problem, solution: Solution) -> Integers:
    """What each edge is worth less than its prices, at least 0, in whole units rounded down. Of somebody who takes
    several seats only what the edge itself asks for counts, hours included."""
    edges, keys = problem.edges, problem.opportunity_keys()
    asked = _column(solution.seat_prices, keys)
    for limit in problem.limits:
        rows = np.searchsorted(keys, np.array(limit.opportunities, dtype=np.int64))
        asked[rows] += solution.limit_prices.get(limit.key, 0)
    people = problem.candidate_keys()
    missing = asked[edges.opportunity] - edges.value * solution.scale
    for share in problem.shares:
        row = int(np.searchsorted(keys, share.opportunity))
        span = slice(*np.searchsorted(edges.opportunity, [row, row + 1]).tolist())
        outside = ~np.isin(people[edges.candidate[span]], np.array(share.candidates, dtype=np.int64))
        missing[span] += np.where(outside, solution.share_prices.get(share.opportunity, 0), 0)
    _, most = problem.rooms()
    single: NDArray[np.bool_] = most[edges.candidate] <= 1
    beyond = _column(solution.candidate_prices, people)[edges.candidate]
    if edges.hours is not None and solution.hours_prices:
        hour = _column(solution.hours_prices, people)[edges.candidate]
        missing += np.where(single, beyond, hour * edges.hours)
    else:
        missing += np.where(single, beyond, 0)
    return np.asarray(np.maximum(missing, 0) // solution.scale, dtype=np.int64)


def _column(prices: Mapping[int, int], keys: Integers) -> Integers:
    return np.array([prices.get(key, 0) for key in keys.tolist()], dtype=np.int64)


def _worth(less: int) -> str:
    return f"worth {less} less" if less >= 0 else f"worth {-less} more"


def _lost(loss: int) -> str:
    return f"; the total would lose at least {loss}." if loss else "."


def _first(rows: Integers, count: int) -> Integers:
    """Where each row first occurs; −1 where it does not."""
    first = np.full(count, -1, dtype=np.int64)
    first[rows[::-1]] = np.arange(len(rows))[::-1]
    return first
