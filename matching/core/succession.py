"""Which model a segment goes back to, read off the log of its models' states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from matching.core.workflow import ModelState


class LoggedMove(NamedTuple):
    """One change of a model's state (its inner id), as it was logged."""

    model: int
    source: str
    target: str
    action: str


def model_before(log: Iterable[LoggedMove], live: int | None) -> int | None:
    """The model that was live before the one that is, or the last one that was where none is; None if there was none.

    `log` holds the moves of all models of one segment, oldest first. Going back undoes a promotion: what was taken back
    is forgotten, so that going back again leads further back, and never forth to it. Whatever is live without the log
    telling so, as is the first model of a new database, was live before all else.
    """
    stood: list[int] = []
    for move in log:
        if move.source == ModelState.LIVE and stood[-1:] != [move.model]:
            stood.append(move.model)
        if move.target == ModelState.LIVE:
            if move.action == "restore" and move.model in stood:
                while stood[-1] != move.model:
                    stood.pop()
            else:
                stood.append(move.model)
    if live is None:
        return stood[-1] if stood else None
    while stood and stood[-1] == live:
        stood.pop()
    return stood[-1] if stood else None
