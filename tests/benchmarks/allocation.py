"""Allocation and scoring on one core: time, and value against giving each best pair its seat first.

Markets are drawn from a seed: 48 edges a candidate, seats for 98 % of the candidates (tight), values up to a million
or in ten levels (tied). Baselines see the same arrays.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from time import perf_counter

import numpy as np
from scipy.optimize import linear_sum_assignment

from config.bench import Measured, benchmark, size
from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Problem, Solution, diagnose, solve, verify
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.scoring import DEFAULT_MODEL, score

DEGREE = 48


@cache
def market(opportunities: int, people: int, levels: int, filled_percent: int = 98) -> Problem:
    rng = np.random.default_rng(opportunities * 7 + people)
    degree = min(DEGREE, opportunities)
    rows = np.argsort(rng.random((people, opportunities)), axis=1)[:, :degree].ravel()
    each, more = divmod(people * filled_percent // 100, opportunities)
    return Problem(
        opportunities=tuple(OpportunityNode(row, each + (row < more)) for row in range(opportunities)),
        candidates=tuple(CandidateNode(person) for person in range(people)),
        edges=Edges(rows, np.repeat(np.arange(people), degree), rng.integers(1, levels + 1, len(rows))),
    )


@cache
def solved(opportunities: int, people: int, levels: int) -> tuple[Solution, float]:
    """The solution, and the best of three times in seconds."""
    problem, times = market(opportunities, people, levels), []
    for _ in range(3):
        start = perf_counter()
        solution = solve(problem)
        times.append(perf_counter() - start)
    return solution, min(times)


def dense_seconds(problem: Problem) -> tuple[float, int]:
    """scipy's dense assignment with a row for every seat, worth 0 where there is no edge."""
    start = perf_counter()
    values = np.zeros((len(problem.opportunities), len(problem.candidates)), dtype=np.int64)
    values[problem.edges.opportunity, problem.edges.candidate] = problem.edges.value
    per_seat = np.repeat(values, problem.seats(), axis=0)
    chosen = per_seat[linear_sum_assignment(per_seat, maximize=True)].sum()
    return perf_counter() - start, int(chosen)


def greedy_value(problem: Problem) -> int:
    """The best pair first, as long as it has a seat and the person is free."""
    seats, taken, value = problem.seats().tolist(), set(), 0
    edges = problem.edges
    for at in np.argsort(-edges.value, kind="stable").tolist():
        row, person = int(edges.opportunity[at]), int(edges.candidate[at])
        if seats[row] and person not in taken:
            seats[row] -= 1
            taken.add(person)
            value += int(edges.value[at])
    return value


def _time_against_scipy(opportunities: int, people: int, levels: int) -> Measured:
    solution, seconds = solved(opportunities, people, levels)
    baseline, value = dense_seconds(market(opportunities, people, levels))
    assert solution.value == value
    return Measured(seconds, baseline, "scipy.optimize.linear_sum_assignment, a row a seat")


def _value_against_greedy(opportunities: int, people: int, levels: int) -> Measured:
    problem = market(opportunities, people, levels)
    solution, _ = solved(opportunities, people, levels)
    assert verify(problem, solution).optimal
    return Measured(solution.value, greedy_value(problem), "greedy: the best pair first")


@benchmark("allocation.100x1k.tight.time", unit="s")
def small_time() -> Measured:
    return _time_against_scipy(100, 1000, 1_000_000)


@benchmark("allocation.100x1k.tied.time", unit="s")
def small_tied_time() -> Measured:
    return _time_against_scipy(100, 1000, 10)


@benchmark("allocation.100x1k.tight.value", unit="value")
def small_value() -> Measured:
    return _value_against_greedy(100, 1000, 1_000_000)


@benchmark("allocation.1kx10k.tight.time", unit="s")
def large_time() -> Measured:
    """With its prices. Absolute: a dense baseline of this size takes most of a gigabyte."""
    return Measured(solved(1000, size("ALLOCATION_CANDIDATES", 10_000), 1_000_000)[1])


@benchmark("allocation.1kx10k.tight.value", unit="value")
def large_value() -> Measured:
    return _value_against_greedy(1000, size("ALLOCATION_CANDIDATES", 10_000), 1_000_000)


@benchmark("allocation.1kx10k.verify", unit="s")
def verify_time() -> Measured:
    people = size("ALLOCATION_CANDIDATES", 10_000)
    problem, (solution, seconds) = market(1000, people, 1_000_000), solved(1000, people, 1_000_000)
    start = perf_counter()
    assert verify(problem, solution).optimal
    return Measured(perf_counter() - start, seconds, "solving it")


@benchmark("allocation.1kx10k.diagnose", unit="s")
def diagnose_time() -> Measured:
    """A market short of people everywhere, the worst case: the search ends at its work limit."""
    problem = market(1000, size("ALLOCATION_CANDIDATES", 10_000), 1_000_000, filled_percent=120)
    solution = solve(problem)
    start = perf_counter()
    diagnose(problem, solution)
    return Measured(perf_counter() - start)


@benchmark("scoring.python", unit="µs a pair")
def scoring_in_python() -> Measured:
    """Three scores with all contributions, 12 skills a candidate, 8 asked."""
    candidate = CandidateFacts(
        1, country="DE", utc_offset_minutes=60, years_experience=Decimal("4.5"), weekly_hours=40, free_hours=30,
        hourly_rate=Decimal(48), commitments=frozenset({"full_time"}), available_from=date(2030, 1, 10),
        skills={skill: SkillFact(level=1 + skill % 5, years=Decimal(skill)) for skill in range(12)},
    )  # fmt: skip
    terms = OpportunityTerms(
        1, commitment="full_time", arrangement="remote", weekly_hours=35, years_experience=Decimal(5),
        starts_on=date(2030, 1, 1), utc_offset_minutes=0, allowed_places=frozenset({"DE", "FR"}),
        max_hourly_pay=Decimal(45),
        skills=tuple(SkillTerm(skill * 2, required=skill < 5, min_level=3) for skill in range(8)),
    )  # fmt: skip
    pairs = 5000
    start = perf_counter()
    for _ in range(pairs):
        score(candidate, terms, model=DEFAULT_MODEL)
    return Measured((perf_counter() - start) / pairs * 1e6)
