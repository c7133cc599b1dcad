"""What it costs a request that its principal's budget is asked for: one round trip to Valkey."""

from __future__ import annotations

import json
import time
from statistics import median

from django.test import override_settings

from config.bench import Measured, benchmark, own_copy, size

REPETITIONS = size("BUDGET_REPETITIONS", 400)
QUERY = "{ viewer { isStaff user { id } } }"
COUNTED = {"GRAPHQL_REQUESTS_PER_MINUTE": 10**9, "GRAPHQL_COST_PER_MINUTE": 10**12}  # never used up, but taken from
UNCOUNTED = {"GRAPHQL_REQUESTS_PER_MINUTE": 0, "GRAPHQL_COST_PER_MINUTE": 0}


@benchmark("api.budgets", unit="ms")
def budgets() -> Measured:
    """A request that asks for next to nothing, of somebody who is known: with budgets against without, by turns in one
    process, from the request that Django is given to the bytes of the answer."""
    from tests.config.graphql_client import Asker
    from tests.marketplace.factories import a_user

    ways = {"with budgets": COUNTED, "without": UNCOUNTED}
    with own_copy("budgets"):
        asker, body = Asker(a_user()), json.dumps({"query": QUERY})
        took: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(REPETITIONS + 20):
            for name, limits in ways.items():
                with override_settings(**limits):
                    began = time.perf_counter()
                    answer = asker.post(body).content
                    took[name] += [(time.perf_counter() - began) * 1e3] if turn >= 20 else []
                assert (b'"remainingCost"' in answer) is (limits is COUNTED), answer[:500]
    for name, each in took.items():
        print(f"  {name:<12} median {median(each):5.2f} ms, fastest {min(each):5.2f} ms", flush=True)
    return Measured(median(took["with budgets"]), median(took["without"]), "the same request, uncounted")
