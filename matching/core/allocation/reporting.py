"""How far a solver has come, for those who wait."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[int, int | None, int | None], None]
"""Told a few times a second: the work done, and value and bound of the best found so far, None before there is any.
Pinned pairs are in neither. What it raises ends the solving."""


def quietly(work: int, value: int | None, bound: int | None) -> None:
    """Nobody waits."""
