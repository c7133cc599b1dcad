"""Instances of generalised assignment by the generators that the literature measures itself on."""

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(kind: str, agents: int, jobs: int, seed: int = 0) -> Arrays:
    """Costs, resources and capacities by the generators of Chu and Beasley (1997: A to D) and Yagiura et al. (E)."""
    rng = np.random.default_rng(seed)
    shape = agents, jobs
    if kind in "ABC":
        resources, costs = rng.integers(5, 26, shape), rng.integers(10, 51, shape)
    elif kind == "D":
        resources = rng.integers(1, 101, shape)
        costs = 111 - resources + rng.integers(-10, 11, shape)
    else:
        resources = np.ceil(1 - 10 * np.log(1 - rng.random(shape))).astype(np.int64)
        costs = np.rint(1000 / resources - 10 * (1 - rng.random(shape))).astype(np.int64)
    if kind in "AB":
        cheapest = np.argmin(costs, axis=0)
        loads = np.bincount(cheapest, weights=resources[cheapest, np.arange(jobs)], minlength=agents)
        room = int(0.6 * (jobs / agents) * 15 + 0.4 * loads.max())
        return costs, resources, np.full(agents, room if kind == "A" else room * 7 // 10)
    return costs, resources, resources.sum(axis=1) * 8 // 10 // agents
