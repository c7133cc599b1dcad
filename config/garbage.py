"""When a process looks for garbage: seldom, and not in what it keeps for good."""

import gc

YOUNG = 50_000
"""Objects made since, after which the young ones are looked through. A page of a hundred matches makes as many."""


def look_seldom() -> None:
    """From the start on: a fifth of the time that imports take would go into looking for what they never leave."""
    gc.set_threshold(YOUNG, 20, 20)


def settle() -> None:
    """Take all that the process has by now out of the collector's sight, as it will stay: full collections would walk
    the schema and the taxonomy again and again, in the midst of requests."""
    gc.collect()
    gc.freeze()
