"""Is a history of acceptances linearizable? Can each be put at one moment between its call and its answer, so that, one
after the other, they are what a single clerk with so many seats would have answered?

The clerk accepts whoever comes while a seat is free, and tells everybody after that that they were overtaken. So there
is such an order exactly if no more than `seats` were accepted; and, where anybody was overtaken, exactly `seats`
were, and nobody was called after somebody overtaken had their answer and was accepted still. (Put all that were
accepted first, each group by the time of its calls: that never contradicts who was answered before whom was called.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import permutations

ACCEPTED, OVERTAKEN = "accepted", "overtaken"


@dataclass(frozen=True, slots=True)
class Operation:
    """One acceptance: called and answered, on one clock, and the answer."""

    called: int
    answered: int
    answer: str


def faults(history: Collection[Operation], *, seats: int) -> list[str]:
    """Why no order explains a history; nothing where one does. In n log n at most, whoever overlaps."""
    found = [f"{one} ends before it begins" for one in history if one.answered < one.called]
    found += [f"{one.answer!r} is no answer" for one in history if one.answer not in (ACCEPTED, OVERTAKEN)]
    accepted = [one for one in history if one.answer == ACCEPTED]
    overtaken = [one for one in history if one.answer == OVERTAKEN]
    if len(accepted) > seats:
        found.append(f"{len(accepted)} were accepted for {seats} seats")
    if overtaken and len(accepted) < seats:
        found.append(f"{len(overtaken)} were overtaken though {seats - len(accepted)} seats were free in the end")
    first_overtaken = min((one.answered for one in overtaken), default=None)
    if first_overtaken is not None:
        late = sum(one.called > first_overtaken for one in accepted)
        if late:
            found.append(f"{late} were accepted who were called after somebody had been overtaken")
    return found


def is_explained(history: Collection[Operation], *, seats: int) -> bool:
    """The same by trying every order: what the word means. For a handful of operations."""
    return any(_is_told_by_a_clerk(order, seats) for order in permutations(history))


def _is_told_by_a_clerk(order: Iterable[Operation], seats: int) -> bool:
    latest_call = None
    free = seats
    for one in order:
        if latest_call is not None and one.answered < latest_call:
            return False  # it was over before one that the order puts ahead of it had begun
        latest_call = one.called if latest_call is None else max(latest_call, one.called)
        if one.answer != (ACCEPTED if free else OVERTAKEN):
            return False
        free -= free > 0
    return True
