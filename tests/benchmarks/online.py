"""Sending people who come one after the other at once, by the last run's prices, on one core.

1,000 opportunities with seats for 98 % of the 10,000 people who come, 48 edges each. Prices are learnt from one draw of
arrivals, and tried on others: from the same market, and from one that becomes another until half of them have come.
"""

from functools import cache, partial

from config.bench import Measured, benchmark, size
from tests.matching.core.arriving import shares

DRIFTS = {"": 0.0, ".drifting": 0.3, ".another": 1.0}


@cache
def shared(drift: float) -> tuple[float, float]:
    return shares(1000, size("ARRIVALS", 10_000), 48, filled=0.98, drift=drift)


def _of_greedy(drift: float) -> Measured:
    """The part of the best assignment in hindsight."""
    routed, greedy = shared(drift)
    return Measured(routed, greedy, "greedy: where they are worth most")


def _of_hindsight(drift: float) -> Measured:
    routed, _ = shared(drift)
    return Measured(routed, 1.0, "the best assignment, had all been known")


for _name, _drift in DRIFTS.items():
    benchmark(f"allocation.online{_name}", unit="share")(partial(_of_greedy, _drift))
    benchmark(f"allocation.online{_name}.hindsight", unit="share")(partial(_of_hindsight, _drift))
