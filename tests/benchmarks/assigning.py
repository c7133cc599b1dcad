"""One market assigned by one solver in a process of its own, so that its peak of memory is its own:

    python -m tests.benchmarks.assigning SOLVER FILE REPETITIONS

SOLVER is `auction` or `flow`, FILE an npz of the market's arrays (see `allocation.market_file`). Prints JSON: value,
seconds (the best of the repetitions, from the arrays to the assignment; the auction's with the prices that prove it),
and growth, of the peak of resident memory in bytes since the arrays were loaded and everything compiled.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from ortools.graph.python import min_cost_flow

from matching.core.allocation.auction import Auction
from matching.core.allocation.network import network_of
from matching.core.allocation.proof import least_proof


def by_auction(seats: np.ndarray, people: int, columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
    network = network_of(seats, people, columns)
    outcome = Auction(network).run()
    prices, beyond = least_proof(network, outcome)
    assert int((seats * prices).sum()) + int(beyond.sum()) == outcome.value == outcome.bound
    return outcome.value


def by_flow(seats: np.ndarray, people: int, columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
    opportunity, candidate, value = columns
    rows, nobody = len(seats), len(seats) + people
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(opportunity, rows + candidate, np.ones_like(candidate), -value)
    nothing, one = np.zeros(people, dtype=np.int64), np.ones(people, dtype=np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(np.arange(rows), np.full(rows, nobody), seats, np.zeros_like(seats))
    flow.add_arcs_with_capacity_and_unit_cost(np.full(people, nobody), rows + np.arange(people), one, nothing)
    flow.set_nodes_supplies(
        np.arange(nobody + 1), np.concatenate([seats, -one, [people - int(seats.sum())]]).astype(np.int64)
    )
    assert flow.solve() == flow.OPTIMAL
    return int(value[flow.flows(arcs) > 0].sum())


SOLVERS = {"auction": by_auction, "flow": by_flow}


def peak() -> int:
    """Bytes; the high-water mark since it was last reset."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def main(solver: str, file: str, repetitions: int) -> None:
    assign = SOLVERS[solver]
    few = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3), np.arange(12) % 7 + 1
    assign(np.ones(3, dtype=np.int64), 4, few)  # compiles
    with np.load(file) as market:
        seats, columns = market["seats"], (market["opportunity"], market["candidate"], market["value"])
        people = int(market["people"])
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, seconds, value = peak(), [], 0
    for _ in range(repetitions):
        start = perf_counter()
        value = assign(seats, people, columns)
        seconds.append(perf_counter() - start)
    print(json.dumps({"value": value, "seconds": min(seconds), "growth": peak() - before}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
