"""People who come one after the other, and what becomes of them by different rules."""

from dataclasses import replace

import numpy as np

from matching.core.allocation import (
    CandidateNode,
    Edges,
    OpportunityNode,
    Pace,
    Problem,
    SeatPrice,
    Solution,
    route,
    seat_prices,
    solve,
)

MILLION = 1_000_000


class Arrivals:
    """`people` who each could take `degree` of the opportunities, which differ in how many want them and what a pair is
    worth there. With `drift` both change until half of them have come: 1 is another market altogether by then."""

    def __init__(self, opportunities: int, people: int, degree: int, seed: int, drift: float = 0.0) -> None:
        market, rng = np.random.default_rng(5), np.random.default_rng(seed)
        worth, other_worth = market.random((2, opportunities))
        wanted, other_wanted = market.gamma(2.0, 1.0, (2, opportunities))
        self.opportunities, self.people, self.degree = opportunities, people, degree
        self.rows = np.empty((people, degree), dtype=np.int64)
        self.values = np.empty((people, degree), dtype=np.int64)
        for one in range(people):
            part = drift * min(1, 2 * one / people)
            far = rng.exponential(1.0, opportunities) / ((1 - part) * wanted + part * other_wanted)
            self.rows[one] = np.argpartition(far, degree - 1)[:degree]
            here = ((1 - part) * worth + part * other_worth)[self.rows[one]]
            self.values[one] = 1 + MILLION * (0.4 * here + 0.6 * rng.random(degree))

    def seats(self, filled: float) -> np.ndarray:
        """At least one each, for so many of the people."""
        rest = int(self.people * filled) - self.opportunities
        even = np.full(self.opportunities, 1 / self.opportunities)
        return 1 + np.random.default_rng(9).multinomial(rest, even)

    def problem(self, seats: np.ndarray) -> Problem:
        return Problem(
            tuple(OpportunityNode(key, count) for key, count in enumerate(seats.tolist())),
            tuple(CandidateNode(key) for key in range(self.people)),
            Edges(self.rows.ravel(), np.repeat(np.arange(self.people), self.degree), self.values.ravel()),
        )

    def routed(self, learnt: Problem, solution: Solution) -> int:
        """The value of sending each where `route` says, by the prices of another run."""
        board = seat_prices(learnt, solution)
        seats, expected = sum(one.seats for one in board.values()), len(solution.assignment)
        left, value = seats, 0
        for one in range(self.people):
            pace = Pace(one * MILLION // self.people, seats, expected, left, solution.value // max(expected, 1))
            edges = zip(self.rows[one].tolist(), self.values[one].tolist(), strict=True)
            found = route(edges, board, pace)
            if found is not None:
                board[found.opportunity] = taken(board[found.opportunity])
                left, value = left - 1, value + found.value
        return value

    def greedy(self, seats: np.ndarray) -> int:
        """The value of sending each where they are worth most, as long as there are seats."""
        left, value = seats.copy(), 0
        for rows, values in zip(self.rows, self.values, strict=True):
            at = int(np.argmax(np.where(left[rows] > 0, values, -1)))
            if left[rows[at]] > 0:
                left[rows[at]] -= 1
                value += int(values[at])
        return value

    def best(self, seats: np.ndarray) -> int:
        """The value of the best assignment, had all been known."""
        return solve(self.problem(seats)).value


def taken(seat: SeatPrice) -> SeatPrice:
    return replace(seat, left=seat.left - 1)


def shares(opportunities: int, people: int, degree: int, *, filled: float, drift: float) -> tuple[float, float]:
    """Parts of the best in hindsight that routing and greedy reach on fresh arrivals."""
    learnt = Arrivals(opportunities, people, degree, seed=1)
    fresh = Arrivals(opportunities, people, degree, seed=2, drift=drift)
    seats = learnt.seats(filled)
    problem, best = learnt.problem(seats), fresh.best(seats)
    return fresh.routed(problem, solve(problem)) / best, fresh.greedy(seats) / best
