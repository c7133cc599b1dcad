"""Limits and shares where nobody takes more than one seat and no opportunity lies under two limits: still a flow.

From a source through limits, opportunities and, for people outside a share, the seats open to all, to people. Such a
network has integral optima, and its node potentials are prices of all these layers that prove them.
"""

from __future__ import annotations

import numpy as np
from ortools.graph.python import min_cost_flow

from matching.core.allocation.flow import FLOW
from matching.core.allocation.generalized import Packed, Packing, Prices
from matching.core.allocation.packing import NONE, SCALE
from matching.core.allocation.problem import Integers

LAYERED = f"layered-1/{FLOW}"


def is_layered(packing: Packing) -> bool:
    return bool((packing.most <= 1).all() and (np.diff(packing.limit_start) <= 1).all())


def solve_layers(packing: Packing) -> Packed | None:
    """The assignment of the greatest value and, among those, one that fills the most seats, with prices that prove it;
    None if they do not, which would be a fault."""
    layers = _Layers(packing)
    chosen, flow = layers.assigned()
    value = int(packing.value[chosen].sum())
    distance, looked = layers.potentials(flow)
    prices, bound = layers.prices(distance)
    if bound != value * SCALE:
        return None
    return Packed(chosen, value, prices, bound, len(packing.value) + looked, False)


def _joined(*columns: object) -> Integers:
    return np.concatenate([np.asarray(column, dtype=np.int64) for column in columns])


class _Layers:
    """Nodes: source, sink, limits, opportunities, the seats open to all of each share, people. The first arcs are the
    edges; those after them have capacities and cost nothing."""

    def __init__(self, packing: Packing) -> None:
        self._of = p = packing
        rows, people = len(p.seats), p.people
        self._limit, self._row = 2, 2 + len(p.limits)
        self._outside = self._row + rows
        self._person = self._outside + len(p.share_seats)
        self.nodes = self._person + people
        outside = p.share != NONE
        owner = np.repeat(np.arange(people), np.diff(p.start))
        row_of_share = np.full(len(p.share_seats), NONE, dtype=np.int64)
        row_of_share[p.share[outside]] = p.target[outside]
        used = np.flatnonzero(row_of_share != NONE)
        limited = np.diff(p.limit_start) == 1
        above = np.zeros(rows, dtype=np.int64)  # the source
        above[limited] = self._limit + p.limit_of[p.limit_start[:-1][limited]]
        self._above = above
        tails = np.where(outside, self._outside + p.share, self._row + p.target)
        self.tails = _joined(
            tails, np.zeros(len(p.limits)), above, self._row + row_of_share[used], self._person + np.arange(people), [0]
        )
        self.heads = _joined(
            self._person + owner, self._limit + np.arange(len(p.limits)), self._row + np.arange(rows),
            self._outside + used, np.ones(people), [1],
        )  # fmt: skip
        # One more than all people can always stay out, so that source and sink are worth the same.
        self.capacity = _joined(
            np.ones(len(tails)), p.limits, p.seats, p.share_seats[used], np.minimum(p.most, 1), [people + 1]
        )
        self.capacity = np.minimum(self.capacity, people + 1)

    def assigned(self) -> tuple[np.ndarray, Integers]:
        """Which edges, and the flow on all arcs."""
        p, edges = self._of, len(self._of.value)
        scale = min(int(np.minimum(p.seats, p.people).sum()), p.people) + 1  # the greatest value first, then most seats
        cost = np.zeros(len(self.tails), dtype=np.int64)
        cost[:edges] = -(p.value * scale + 1)
        network = min_cost_flow.SimpleMinCostFlow()
        arcs = network.add_arcs_with_capacity_and_unit_cost(self.tails, self.heads, self.capacity, cost)
        network.set_nodes_supplies(np.array([0, 1]), np.array([p.people + 1, -p.people - 1]))
        if network.solve() != network.OPTIMAL:
            return np.zeros(edges, dtype=np.bool_), np.zeros(len(self.tails), dtype=np.int64)
        flow = np.asarray(network.flows(arcs), dtype=np.int64)
        return flow[:edges] > 0, flow

    def potentials(self, flow: Integers) -> tuple[Integers, int]:
        """Shortest distances over what could still be moved, from anywhere (Bellman and Ford). A person takes one
        seat, so an edge needs no capacity of its own."""
        edges = len(self._of.value)
        cost = np.zeros(len(self.tails), dtype=np.int64)
        cost[:edges] = -self._of.value
        forward, back = flow < self.capacity, flow > 0
        forward[:edges] = True
        tails = np.concatenate([self.tails[forward], self.heads[back]])
        heads = np.concatenate([self.heads[forward], self.tails[back]])
        length = np.concatenate([cost[forward], -cost[back]])
        order = np.argsort(heads, kind="stable")
        tails, heads, length = tails[order], heads[order], length[order]
        first = np.flatnonzero(np.diff(heads, prepend=-1))
        distance, looked = np.zeros(self.nodes, dtype=np.int64), 0
        for _ in range(self.nodes):
            nearer = np.minimum.reduceat(distance[tails] + length, first)
            looked += len(tails)
            better = nearer < distance[heads[first]]
            if not better.any():
                break
            distance[heads[first][better]] = nearer[better]
        return distance, looked

    def prices(self, distance: Integers) -> tuple[Prices, int]:
        p = self._of
        limit = np.maximum(0, distance[self._limit : self._row] - distance[0])
        rows = distance[self._row : self._outside]
        seat = np.maximum(0, rows - distance[self._above])
        share = np.zeros(len(p.share_seats), dtype=np.int64)
        outside = p.share != NONE
        apart = distance[self._outside : self._person]
        share[p.share[outside]] = np.maximum(0, apart[p.share[outside]] - rows[p.target[outside]])
        asked = seat.copy()
        limited = np.diff(p.limit_start) == 1
        asked[limited] += limit[p.limit_of[p.limit_start[:-1][limited]]]
        left = p.value - asked[p.target]
        left[outside] -= share[p.share[outside]]
        beyond = np.zeros(p.people, dtype=np.int64)
        np.maximum.at(beyond, np.repeat(np.arange(p.people), np.diff(p.start)), left)
        total = int(beyond.sum())
        for counts, price in ((p.seats, seat), (p.share_seats, share), (p.limits, limit)):
            total += sum(one * each for one, each in zip(counts.tolist(), price.tolist(), strict=True) if each)
        scaled = (SCALE * each for each in (seat, share, limit, np.zeros_like(beyond), beyond))
        return Prices(*scaled), SCALE * total
