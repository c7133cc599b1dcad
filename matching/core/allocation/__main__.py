"""Solve files of assignment problems and check the answers: `python -m matching.core.allocation FILE…`.

Needs no database. Exits with 1 if a file cannot be read or an answer does not verify.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matching.core.allocation.errors import InvalidAllocation, MalformedInstance
from matching.core.allocation.gap import GapInstance, read_gaps
from matching.core.allocation.orlib import AssignmentInstance, read_assignments
from matching.core.allocation.solve import solve
from matching.core.allocation.verify import verify

Instance = AssignmentInstance | GapInstance


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m matching.core.allocation", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--format", choices=["assignment", "gap"], default="assignment", help="OR-Library's layout of the files"
    )
    parser.add_argument("--maximise", action="store_true", help="the greatest sum instead of the least")
    parser.add_argument("--json", action="store_true", help="a list of objects instead of a table")
    parser.add_argument(
        "--time-limit", type=_seconds, metavar="S", help="seconds for each instance, then the best found so far"
    )
    parser.add_argument(
        "--capacities",
        choices=["before", "after"],
        help="gap: the costs, or the resources; else it is told by the file",
    )
    options = parser.parse_args(arguments)

    # Loads what is compiled, so that an instance's seconds are its own.
    solve(AssignmentInstance(np.ones((2, 2), dtype=np.int64), maximise=False).problem())
    if options.format == "gap":
        costs, resources = np.array([[5, 5, 7], [9, 1, 2]]), np.array([[5, 5, 2], [2, 5, 3]])
        solve(GapInstance(costs, resources, np.array([5, 5]), maximise=False).problem())
    results: list[dict[str, Any]] = []
    failed = False
    for path in options.files:
        try:
            for number, instance, alone in _read(path, options):
                name = path.name if alone else f"{path.name}#{number}"
                result, stopped_after = solved(instance, options.time_limit)
                failed |= not result["verified"]
                results.append({"name": name, **result})
                if stopped_after is not None:
                    print(f"{name}: stopped by the time limit after {stopped_after} units of work", file=sys.stderr)  # noqa: T201
                if not options.json:
                    print(_line(name, instance.size, result), flush=True)  # noqa: T201
        except InvalidAllocation as error:
            failed = True
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
    if options.json:
        print(json.dumps(results, indent=2))  # noqa: T201
    return int(failed)


def _read(path: Path, options: argparse.Namespace) -> list[tuple[int, Instance, bool]]:
    """The instances of a file, each with its number and whether it is alone."""
    text, instances = _text(path), list[Instance]()
    if options.format == "gap":
        instances += read_gaps(text, maximise=options.maximise, capacities=options.capacities)
    else:
        instances += read_assignments(text, maximise=options.maximise)
    return [(number, instance, len(instances) == 1) for number, instance in enumerate(instances, start=1)]


def solved(instance: Instance, time_limit: float | None = None) -> tuple[dict[str, Any], int | None]:
    """Figures of one instance, in the unit of its costs; and the work after which the time limit stopped it, if it did.
    `bound` is what no full assignment can beat, `gap` its distance from the objective, `seconds` covers solving and
    pricing; `verified`: the certificate is valid and everything is assigned."""
    problem = instance.problem()
    start = time.perf_counter()
    stop = None if time_limit is None else lambda: time.perf_counter() - start >= time_limit
    solution = solve(problem, stop=stop)
    seconds = time.perf_counter() - start
    certificate = verify(problem, solution)
    assigned = len(solution.assignment)
    objective = instance.objective(certificate.value, assigned)
    bound = None if certificate.bound is None else instance.objective(certificate.bound, instance.size)
    result = {
        "objective": objective,
        "bound": bound,
        "gap": None if bound is None else abs(objective - bound),
        "assigned": assigned,
        "seconds": round(seconds, 3),
        "verified": certificate.valid and assigned == instance.size,
    }
    return result, solution.work if solution.stopped else None


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError("seconds are at least 0")
    return seconds


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedInstance(problem=str(error)) from error


def _line(name: str, size: int, result: dict[str, Any]) -> str:
    return (
        f"{name}: objective {result['objective']}, bound {result['bound']}, gap {result['gap']},"
        f" assigned {result['assigned']} of {size}, {result['seconds']} s,"
        f" {'verified' if result['verified'] else 'NOT VERIFIED'}"
    )


if __name__ == "__main__":
    sys.exit(main())
