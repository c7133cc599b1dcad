"""How much of a score each feature accounts for, whatever the model is made of.

The game: a coalition of features has their values, all others are neutral; its worth is the score of that row. A
feature's Shapley value is what it adds on average over all orders in which features can join (Shapley 1953). The score
of the all-neutral row is where everybody starts, so that it and the values add up to the score.

Up to `EXACT_UP_TO` features that are not neutral the average is taken over all orders, by coalitions. Of more it is
estimated over sampled orders (Castro, Gómez & Tejada 2009: "Polynomial calculation of the Shapley value based on
sampling"), each taken forwards and backwards, which cancels much of the error (antithetic sampling: Mitchell, Cooper,
Frank & Holmes 2022, "Sampling permutations for Shapley value estimation"). Either way the average is a fraction of
integers whose sum is exact; it is rounded to integers by largest remainders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from matching.core.features import NEUTRAL
from matching.core.scoring import HEADS, INTERCEPT, UNSCORED, Contribution, HeadScore, NotScored

EXACT_UP_TO = 9  # features: 512 coalitions
ANTITHETIC_PAIRS = 16  # of orders, beyond that

Integers = NDArray[np.int64]
Model = Callable[[Integers], Mapping[str, Integers]]
"""(rows, features) in thousandths → head → a score in micro-log-odds for each row."""


def explain(model: Model, features: Sequence[str], row: Integers, *, seed: int) -> dict[str, HeadScore]:
    """By head, the score of a row of feature values with what each feature adds, the largest first.

    The same seed gives the same integers. Features that are neutral add nothing. A coalition without a number is worth
    what nobody is. Raises `NotScored` where it has none for the row itself.
    """
    active = np.flatnonzero(row != NEUTRAL)
    exact = len(active) <= EXACT_UP_TO
    coalitions = _all_coalitions(len(active)) if exact else _sampled(len(active), seed)
    rows = np.full((len(coalitions), len(features)), NEUTRAL, dtype=np.int64)
    rows[:, active] = np.where(coalitions, row[active], NEUTRAL)
    worths = model(rows)
    found = {}
    for head in HEADS:
        worth = np.asarray(worths[head], dtype=np.int64)
        if UNSCORED in (worth[0], worth[len(active) if not exact else -1]):
            raise NotScored("the model gives no number")
        worth = np.where(worth == UNSCORED, worth[0], worth)
        sums, parts = _over_coalitions(worth, len(active)) if exact else _over_orders(worth, coalitions)
        added = np.zeros(len(features), dtype=np.int64)
        added[active] = _apportioned(sums, parts)
        found[head] = _head_score(features, row, int(worth[0]), added)
    return found


def _head_score(features: Sequence[str], row: Integers, start: int, added: Integers) -> HeadScore:
    contributions = [Contribution(INTERCEPT, 1, start, start)]
    for name, value, amount in zip(features, row.tolist(), added.tolist(), strict=True):
        contributions.append(Contribution(name, value, None, amount))
    contributions.sort(key=lambda one: (-abs(one.amount), one.feature))
    return HeadScore(sum(one.amount for one in contributions), tuple(contributions))


# Exactly


@cache
def _all_coalitions(players: int) -> NDArray[np.bool_]:
    """(2^players, players): row n holds the players whose bit is set in n; the first is empty, the last is all."""
    numbers = np.arange(1 << players)[:, None]
    return np.asarray(numbers >> np.arange(players) & 1, dtype=np.bool_).reshape(1 << players, players)


def _over_coalitions(worth: Integers, players: int) -> tuple[Integers, int]:
    """For each player, players! times what they add on average over all orders; and players!.

    A coalition of s others is there before a player in s! (players − s − 1)! of the orders. With nine players and
    scores of at most 10⁹ no sum leaves 64 bits.
    """
    coalitions = _all_coalitions(players)
    sizes = coalitions.sum(axis=1)
    orders = np.array([factorial(size) * factorial(players - size - 1) for size in range(players)], dtype=np.int64)
    numbers = np.arange(len(coalitions))
    sums = np.zeros(players, dtype=np.int64)
    for player in range(players):
        without = numbers[~coalitions[:, player]]
        sums[player] = (orders[sizes[without]] * (worth[without | 1 << player] - worth[without])).sum()
    return sums, factorial(players)


# Sampled


def _orders(players: int, seed: int) -> Integers:
    """(orders, players): orders in which they join, each followed by its reverse."""
    draw = np.random.Generator(np.random.PCG64(seed))
    forwards = draw.permuted(np.tile(np.arange(players), (ANTITHETIC_PAIRS, 1)), axis=1)
    return np.stack([forwards, forwards[:, ::-1]], axis=1).reshape(2 * ANTITHETIC_PAIRS, players)


def _sampled(players: int, seed: int) -> NDArray[np.bool_]:
    """(1 + orders × players, players): nobody, then order by order who is there after each has joined."""
    orders = _orders(players, seed)
    joined_at = np.argsort(orders, axis=1)
    after = joined_at[:, None, :] <= np.arange(players)[None, :, None]
    return np.concatenate([np.zeros((1, players), dtype=np.bool_), after.reshape(-1, players)])


def _over_orders(worth: Integers, coalitions: NDArray[np.bool_]) -> tuple[Integers, int]:
    """For each player, the sum of what they add over the sampled orders; and how many orders these are."""
    players = coalitions.shape[1]
    after = worth[1:].reshape(-1, players)
    before = np.concatenate([np.full((len(after), 1), worth[0]), after[:, :-1]], axis=1)
    there = coalitions[1:].reshape(-1, players, players)
    was_there = np.concatenate([np.zeros((len(there), 1, players), dtype=np.bool_), there[:, :-1]], axis=1)
    joins = np.argmax(there & ~was_there, axis=2)
    sums = np.zeros(players, dtype=np.int64)
    np.add.at(sums, joins, after - before)
    return sums, len(after)


# Rounding


def _apportioned(sums: Integers, parts: int) -> Integers:
    """`sums` ÷ `parts`, rounded to integers whose total is that of the quotients, which must be whole: each is rounded
    down, and what is left goes to those with the largest remainders, the first of equals."""
    if not len(sums):
        return sums
    floors, remainders = np.divmod(sums, parts)
    left = int(remainders.sum()) // parts
    first = np.argsort(-remainders, kind="stable")[:left]
    floors[first] += 1
    return floors
