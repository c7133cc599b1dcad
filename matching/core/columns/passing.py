"""Whom a rule does not surely refuse, and whom it surely accepts: of all that `counting` tells, what ranking and
allocating need, and sooner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import and_, or_

from matching.core.columns.bits import Bits, Tally, all_of, none_of
from matching.core.columns.counting import Crowd
from matching.core.rules import Literal
from matching.core.rules.normal import Normal


def passing(tree: Normal, crowd: Crowd, on: date) -> Bits:
    """Those who count and whom the resolved rule, in normal form, accepts or cannot tell of."""
    return crowd.counted & ~_refused(tree, crowd, on)


def accepted(tree: Normal, crowd: Crowd, on: date) -> Bits:
    """Those who count and whom the resolved rule, in normal form, surely accepts."""
    return crowd.counted & _holding(tree, crowd, on)


def _holding(node: Normal, crowd: Crowd, on: date) -> Bits:
    if isinstance(node, Literal):
        leaf = crowd.judged(node.criterion, on)
        return leaf.holds if node.wanted else leaf.fails
    return _at_least(node.n, [_holding(part, crowd, on) for part in node.of], len(crowd.counted))


def _refused(node: Normal, crowd: Crowd, on: date) -> Bits:
    if isinstance(node, Literal):
        leaf = crowd.judged(node.criterion, on)
        return leaf.fails if node.wanted else leaf.holds
    fatal = len(node.of) - node.n + 1  # so many that fail refuse
    return _at_least(fatal, [_refused(part, crowd, on) for part in node.of], len(crowd.counted))


def _at_least(n: int, parts: Sequence[Bits], words: int) -> Bits:
    """Those who are in so many of these sets or more."""
    if n <= 0 or n > len(parts):
        return all_of(words) if n <= 0 else none_of(words)
    if n == 1:
        return reduce(or_, parts)
    if n == len(parts):
        return reduce(and_, parts)
    tally = Tally(words)
    for part in parts:
        tally.add(part)
    return tally.at_least(n)
