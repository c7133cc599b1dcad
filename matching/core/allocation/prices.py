"""Prices of seats and people, read off an optimal assignment by longest paths over its exchanges.

If opportunity a could take a person whom b holds, a seat of a is worth at least what that exchange gains plus a
seat of b. The least prices that satisfy all exchanges are optimal duals, and the same ones for every optimal
assignment: a seat's price is exactly what one more seat there would add to the total.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.graph import OpenGraph
from matching.core.allocation.problem import Integers

NOBODY = -1
UNREACHABLE = -(2**61)  # below any sum of values that a problem admits


class NotOptimal(RuntimeError):
    """The assignment can be improved along a cycle, so no prices support it: a fault of the solver."""


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Arcs `taker` → `giver`: the taker's best gain from taking over one person whom the giver holds.

    One arc per pair of opportunities, sorted by taker.
    """

    taker: Integers
    giver: Integers
    gain: Integers


def exchanges(graph: OpenGraph, holder: Integers) -> Exchanges:
    """`holder[j]` is the opportunity that holds candidate j, or NOBODY."""
    held_value = np.zeros(len(holder), dtype=np.int64)
    edge_holder = holder[graph.candidate]
    own = edge_holder == graph.opportunity
    held_value[graph.candidate[own]] = graph.value[own]
    usable = (edge_holder != NOBODY) & ~own
    taker, giver = graph.opportunity[usable], edge_holder[usable]
    gain = graph.value[usable] - held_value[graph.candidate[usable]]
    codes = taker * max(len(graph.seats), 1) + giver
    order = np.argsort(codes)
    codes, gain = codes[order], gain[order]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    if first.size:
        gain = np.maximum.reduceat(gain, first)
    return Exchanges(taker=taker[order][first], giver=giver[order][first], gain=gain)


def gains(graph: OpenGraph, holder: Integers, arcs: Exchanges, *, nothing: int) -> tuple[Integers, int]:
    """What one more seat at each opportunity adds at best, and how many arcs were looked at on the way.

    `nothing` is the gain where no exchange helps: 0 for prices (the seat just stays empty); UNREACHABLE asks what
    filling the seat would cost, negative where the total falls. Raises `NotOptimal`.
    """
    best = np.full(len(graph.seats), nothing, dtype=np.int64)
    free = holder[graph.candidate] == NOBODY
    np.maximum.at(best, graph.opportunity[free], graph.value[free])
    changed, work = best > UNREACHABLE, 0
    for _ in range(len(best) + 1):
        active = np.flatnonzero(changed[arcs.giver])
        if not active.size:
            return best, work
        work += int(active.size)
        previous = best.copy()
        np.maximum.at(best, arcs.taker[active], previous[arcs.giver[active]] + arcs.gain[active])
        changed = best > previous
    raise NotOptimal("an exchange of people along a cycle raises the total")


def reached(graph: OpenGraph, holder: Integers, arcs: Exchanges) -> NDArray[np.bool_]:
    """Which opportunities one more seat of could be filled, by somebody free or by moving people on to it."""
    found = np.zeros(len(graph.seats), dtype=bool)
    found[graph.opportunity[holder[graph.candidate] == NOBODY]] = True
    while not found[more := arcs.taker[found[arcs.giver]]].all():
        found[more] = True
    return found


def candidate_prices(graph: OpenGraph, seat_prices: Integers) -> Integers:
    """The least prices of people that cover every edge, given the seats' prices."""
    prices = np.zeros(len(graph.candidate_keys), dtype=np.int64)
    np.maximum.at(prices, graph.candidate, graph.value - seat_prices[graph.opportunity])
    return prices
