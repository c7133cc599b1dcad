"""Doing a stored run again, and checking it without doing it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matching.actions.allocation.solving import digest_of
from matching.core.allocation import (
    SOLVER,
    Certificate,
    Problem,
    Solution,
    solve_again,
    solve_stable_again,
    verify,
)
from matching.core.allocation.errors import InvalidAllocation, MalformedSnapshot
from matching.core.allocation.problem import Integers, canonical_json, integers, parse_json
from matching.core.published import Published, published
from matching.core.run_policy import Mechanism, RunPolicy
from matching.models import AllocationRun


@dataclass(frozen=True, slots=True)
class Replay:
    """`identical`: the same bytes came out. `differences` names the parts that did not. `not_replayable` says why a
    run cannot be done again; then nothing was compared."""

    identical: bool
    differences: tuple[str, ...] = ()
    not_replayable: str | None = None


def replay(run: AllocationRun) -> Replay:
    """Solve the stored problem again and compare, byte for byte. Nothing but the snapshot is read."""
    if run.snapshot is None or run.solution is None:
        return Replay(False, not_replayable=f"a run that is {run.state} has nothing to replay")
    if digest_of(run.snapshot) != run.snapshot_digest:
        return Replay(False, ("snapshot",))
    try:
        repeated = _solved_again(run, Solution.from_json(canonical_json(run.solution)))
    except InvalidAllocation as error:
        return Replay(False, not_replayable=str(error))
    if repeated is None:
        return Replay(False, not_replayable=f"it was solved by {run.solution.get('solver')}, this is {SOLVER}")
    again = repeated.to_json()
    if again == canonical_json(run.solution):
        return Replay(True)
    new = parse_json(again)
    return Replay(
        False,
        tuple(sorted(name for name in new.keys() | run.solution.keys() if new.get(name) != run.solution.get(name))),
    )


def verify_run(run: AllocationRun) -> Certificate:
    """Judge the stored solution in one pass over the edges, with none of the solver's code. Raises MalformedSnapshot
    for a run that has none."""
    if run.snapshot is None or run.solution is None:
        raise MalformedSnapshot(problem=f"a run that is {run.state} has no solution")
    return verify(_problem(run), Solution.from_json(canonical_json(run.solution)))


def publish_run(run: AllocationRun) -> Published:
    """Problem and solution of a solved run as they may be handed out. Raises MalformedSnapshot."""
    if run.snapshot is None or run.solution is None:
        raise MalformedSnapshot(problem=f"a run that is {run.state} has no solution")
    return published(_problem(run), Solution.from_json(canonical_json(run.solution)))


def _solved_again(run: AllocationRun, solution: Solution) -> Solution | None:
    """By the mechanism of the run's policy, stopping where it stopped."""
    snapshot, problem = run.snapshot or {}, _problem(run)
    policy = RunPolicy.from_data(snapshot.get("policy", run.policy))
    if policy.mechanism is not Mechanism.STABLE:
        return solve_again(problem, solution)
    return solve_stable_again(problem, *orders(snapshot), solution)


def orders(snapshot: Mapping[str, Any]) -> tuple[Integers, Integers]:
    """Of a stored problem's edges, how much the opportunity wants the person, and the person the opportunity. Raises
    MalformedSnapshot."""
    try:
        scores = snapshot["scores"]
        return integers("scores.fit", scores["fit"]), integers("scores.wants", scores["wants"])
    except (KeyError, TypeError) as error:
        raise MalformedSnapshot(problem=f"{type(error).__name__}: {error}") from error


def _problem(run: AllocationRun) -> Problem:
    return Problem.from_json(canonical_json((run.snapshot or {}).get("problem", {})))
