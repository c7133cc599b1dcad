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
from matching.core.allocation.orlib import AssignmentInstance, read_assignments
from matching.core.allocation.solve import solve
from matching.core.allocation.verify import verify


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m matching.core.allocation", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--format", choices=["assignment"], default="assignment", help="OR-Library's layout of the files"
    )
    parser.add_argument("--maximise", action="store_true", help="the greatest sum instead of the least")
    parser.add_argument("--json", action="store_true", help="a list of objects instead of a table")
    options = parser.parse_args(arguments)

    solve(AssignmentInstance(np.ones((1, 1), dtype=np.int64), maximise=False).problem())  # loads what is compiled
    results: list[dict[str, Any]] = []
    failed = False
    for path in options.files:
        try:
            instances = read_assignments(_text(path), maximise=options.maximise)
            for number, instance in enumerate(instances, start=1):
                name = path.name if len(instances) == 1 else f"{path.name}#{number}"
                result = {"name": name, "size": instance.size, **solved(instance)}
                failed |= not result["verified"]
                results.append(result)
                if not options.json:
                    print(_line(result), flush=True)  # noqa: T201
        except InvalidAllocation as error:
            failed = True
            print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
    if options.json:
        print(json.dumps(results, indent=2))  # noqa: T201
    return int(failed)


def solved(instance: AssignmentInstance) -> dict[str, Any]:
    """Figures of one instance, in the unit of its costs. `bound` is what no assignment can beat, `seconds` covers
    solving and pricing; `verified`: the certificate is valid and everything is assigned."""
    problem = instance.problem()
    start = time.perf_counter()
    solution = solve(problem)
    seconds = time.perf_counter() - start
    certificate = verify(problem, solution)
    bound = None if certificate.bound is None else instance.objective(certificate.bound)
    return {
        "objective": instance.objective(certificate.value),
        "bound": bound,
        "gap": certificate.gap,
        "assigned": len(solution.assignment),
        "seconds": round(seconds, 3),
        "verified": certificate.valid and len(solution.assignment) == instance.size,
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedInstance(problem=str(error)) from error


def _line(result: dict[str, Any]) -> str:
    return (
        f"{result['name']}: objective {result['objective']}, bound {result['bound']}, gap {result['gap']},"
        f" assigned {result['assigned']} of {result['size']}, {result['seconds']} s,"
        f" {'verified' if result['verified'] else 'NOT VERIFIED'}"
    )


if __name__ == "__main__":
    sys.exit(main())
