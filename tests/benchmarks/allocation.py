"""Allocation and scoring on one core.

Markets are drawn from a seed: 48 edges a candidate; seats for 150 % of the candidates (loose) or 98 % (tight); values
up to a million or in ten levels (tied). Baselines see the same arrays; what is compared runs in processes of its own.
"""

import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from functools import cache, partial
from itertools import product
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from config.bench import ROOT, Measured, benchmark, size
from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Problem, Solution, diagnose, solve, verify
from matching.core.allocation.flow import solve_by_flow
from matching.core.allocation.gap import GapInstance
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.scoring import DEFAULT_MODEL, score
from tests.matching.core.gaps import drawn

DEGREE = 48


SIZES = {"100x1k": (100, 1000), "1kx10k": (1000, 10_000), "1kx100k": (1000, 100_000)}
KINDS = {"loose": (150, 1_000_000), "tight": (98, 1_000_000), "tied": (98, 10)}  # seats in % of candidates; levels


def columns(opportunities: int, people: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges (opportunity, candidate, value), sorted by both."""
    rng = np.random.default_rng(opportunities * 7 + people)
    degree = min(DEGREE, opportunities)
    rows = np.concatenate(
        [
            np.argpartition(rng.random((min(5000, people - at), opportunities)), degree - 1, axis=1)[:, :degree].ravel()
            for at in range(0, people, 5000)
        ]
    )
    of = np.repeat(np.arange(people), degree)
    order = np.argsort(rows * people + of)
    return rows[order], of[order], rng.integers(1, levels + 1, len(rows))


def seats_for(opportunities: int, people: int, filled_percent: int) -> np.ndarray:
    each, more = divmod(people * filled_percent // 100, opportunities)
    return np.full(opportunities, each) + (np.arange(opportunities) < more)


@cache
def market(opportunities: int, people: int, levels: int, filled_percent: int = 98) -> Problem:
    seats = seats_for(opportunities, people, filled_percent)
    return Problem(
        opportunities=tuple(OpportunityNode(row, count) for row, count in enumerate(seats.tolist())),
        candidates=tuple(CandidateNode(person) for person in range(people)),
        edges=Edges(*columns(opportunities, people, levels)),
    )


@cache
def assigned(size_name: str, kind: str) -> dict[str, dict[str, float]]:
    """What each solver makes of one market: value, seconds, growth of the peak of memory."""
    (opportunities, people), (filled, levels) = SIZES[size_name], KINDS[kind]
    opportunity, candidate, value = columns(opportunities, people, levels)
    with TemporaryDirectory() as folder:
        file = f"{folder}/market.npz"
        seats = seats_for(opportunities, people, filled)
        np.savez(file, seats=seats, people=people, opportunity=opportunity, candidate=candidate, value=value)
        return {solver: _in_process(solver, file, repetitions=200_000 // people) for solver in ("auction", "flow")}


def _in_process(solver: str, file: str, *, repetitions: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.assigning", solver, file, str(repetitions)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return found


def _assigning(size_name: str, kind: str, figure: str) -> Measured:
    found = assigned(size_name, kind)
    return Measured(found["auction"][figure], found["flow"][figure], "OR-tools' SimpleMinCostFlow, without prices")


for _size, _kind in product(SIZES, KINDS):
    benchmark(f"allocation.{_size}.{_kind}.value", unit="value")(partial(_assigning, _size, _kind, "value"))
    benchmark(f"allocation.{_size}.{_kind}.time", unit="s")(partial(_assigning, _size, _kind, "seconds"))
    benchmark(f"allocation.{_size}.{_kind}.memory", unit="bytes")(partial(_assigning, _size, _kind, "growth"))


@cache
def solved(opportunities: int, people: int, levels: int) -> tuple[Solution, float]:
    """The solution, and the best of three times in seconds."""
    problem, times = market(opportunities, people, levels), []
    for _ in range(3):
        start = perf_counter()
        solution = solve(problem)
        times.append(perf_counter() - start)
    return solution, min(times)


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


@benchmark("allocation.1kx10k.solve", unit="s")
def solve_time() -> Measured:
    """From a problem to a solution by keys; against min-cost flow with the prices found from its assignment."""
    problem = market(1000, size("ALLOCATION_CANDIDATES", 10_000), 1_000_000)
    solution, seconds = solved(1000, len(problem.candidates), 1_000_000)
    start = perf_counter()
    assert solve_by_flow(problem).value == solution.value
    return Measured(seconds, perf_counter() - start, "OR-tools' SimpleMinCostFlow, prices in numpy")


@benchmark("allocation.1kx10k.greedy", unit="value")
def greedy() -> Measured:
    problem = market(1000, size("ALLOCATION_CANDIDATES", 10_000), 1_000_000)
    solution, _ = solved(1000, len(problem.candidates), 1_000_000)
    assert verify(problem, solution).optimal
    return Measured(solution.value, greedy_value(problem), "greedy: the best pair first")


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


def _generalised(kind: str) -> Measured:
    """The distance of the assignment found from the bound, in % of the bound: 20 agents, 200 jobs, all assigned."""
    instance = GapInstance(*drawn(kind, 20, 200), maximise=False)
    problem = instance.problem()
    solution = solve(problem)
    certificate = verify(problem, solution)
    assert certificate.valid
    assert len(solution.assignment) == instance.size
    bound = instance.objective(certificate.bound or 0, instance.size)
    return Measured((instance.objective(solution.value, instance.size) - bound) / bound * 100)


for _kind in "ABCDE":
    benchmark(f"allocation.generalised.{_kind}.gap", unit="%")(partial(_generalised, _kind))


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
