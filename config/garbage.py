"""When a server process looks for garbage: seldom, and not in what it keeps for good."""

import gc

YOUNG = 50_000
"""Objects made since, after which the young ones are looked through. A page of a hundred matches makes as many."""


def settle() -> None:
    """Take all that the process has by now out of the collector's sight, as it will stay: full collections would walk
    the schema and the taxonomy again and again, in the midst of requests."""
    gc.set_threshold(YOUNG, 20, 20)
    gc.collect()
    gc.freeze()
