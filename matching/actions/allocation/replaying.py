"""Doing a stored run again, and checking it without doing it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matching.actions.allocation.solving import digest_of
from matching.core.allocation import (
    SOLVER,
    Arrival,
    Certificate,
    Problem,
    Solution,
    solve_again,
    solve_stable_again,
    verify,
)
from matching.core.allocation.arrival import ROUTER, answer
from matching.core.allocation.errors import (
    AnotherSolver,
    InputsNotStored,
    InvalidAllocation,
    MalformedSnapshot,
    NothingToReplay,
)
from matching.core.allocation.problem import Integers, canonical_json, integers, parse_json
from matching.core.published import Published, published
from matching.core.run_policy import Mechanism, RunPolicy
from matching.models import AllocationRun


@dataclass(frozen=True, slots=True)
class Replay:
    """`identical`: the same bytes came out. `differences` names the parts that did not. `not_replayable` says why a
    run cannot be done again, `code` for programs; then nothing was compared."""

    identical: bool
    differences: tuple[str, ...] = ()
    not_replayable: str | None = None
    code: str | None = None


def replay(run: AllocationRun) -> Replay:
    """Solve the stored problem, or route the stored person, again and compare, byte for byte. Nothing but what the run
    read then is read."""
    try:
        return _rerouted(run) if run.cause == AllocationRun.Cause.ROUTING else _solved_again(run)
    except InvalidAllocation as error:
        return Replay(False, not_replayable=str(error), code=error.code)


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


def _solved_again(run: AllocationRun) -> Replay:
    """By the mechanism of the run's policy, stopping where it stopped."""
    snapshot, stored = run.snapshot, run.solution
    if snapshot is None or stored is None:
        raise NothingToReplay(state=run.state)
    if digest_of(snapshot) != run.snapshot_digest:
        return Replay(False, ("snapshot",))
    problem, solution = _problem(run), Solution.from_json(canonical_json(stored))
    policy = RunPolicy.from_data(snapshot.get("policy", run.policy))
    if policy.mechanism is Mechanism.STABLE:
        again = solve_stable_again(problem, *orders(snapshot), solution)
    else:
        again = solve_again(problem, solution)
    if again is None:
        raise AnotherSolver(solver=stored.get("solver"), present=SOLVER)
    return _compared(stored, again.to_json())


def _rerouted(run: AllocationRun) -> Replay:
    """One that routed somebody. Its answer lies beside what it read: there is no assignment to prove."""
    if run.snapshot is None:
        raise NothingToReplay(state=run.state)
    read = dict(run.snapshot)
    stored = read.pop("route", None)
    if not isinstance(stored, dict) or "arrival" not in read:
        raise InputsNotStored
    if digest_of(read) != run.snapshot_digest:
        return Replay(False, ("snapshot",))
    if (router := stored.get("router")) != ROUTER:
        raise AnotherSolver(solver=router, present=ROUTER)
    return _compared(stored, canonical_json(answer(Arrival.from_json(canonical_json(read["arrival"])).route())))


def _compared(stored: Mapping[str, Any], again: bytes) -> Replay:
    if again == canonical_json(stored):
        return Replay(True)
    new = parse_json(again)
    names = sorted(new.keys() | stored.keys())
    return Replay(False, tuple(name for name in names if new.get(name) != stored.get(name)))


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
