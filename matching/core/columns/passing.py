"""Whom a rule does not surely refuse, and whom it surely accepts: of all that `counting` tells, what ranking and
allocating need, and sooner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import and_, or_

from matching.core.columns.bits import Bits, Tally, all_of, none_of
from matching.core.columns.counting import Crowd
from matching.core.rules import HasSkill, Literal, Quorum
from matching.core.rules.normal import Normal


def passing(tree: Normal, crowd: Crowd, on: date) -> Bits:
    """Those who count and whom the resolved rule, in normal form, accepts or cannot tell of."""
    if not isinstance(tree, Quorum) or not tree.is_conjunction:
        return crowd.counted & ~_refused(tree, crowd, on)
    left = crowd.counted
    for part in sorted(tree.of, key=_comes_later):  # whoever is refused already need not be looked at again
        left = left & ~_refused(part, crowd, on, left)
    return left


def _comes_later(part: Normal) -> bool:
    """Skills are told by lists of those who have them, and leave the fewest: they come first."""
    return not (isinstance(part, Literal) and part.wanted and isinstance(part.criterion, HasSkill))


def accepted(tree: Normal, crowd: Crowd, on: date) -> Bits:
    """Those who count and whom the resolved rule, in normal form, surely accepts."""
    return crowd.counted & _holding(tree, crowd, on)


def _holding(node: Normal, crowd: Crowd, on: date) -> Bits:
    if isinstance(node, Literal):
        leaf = crowd.judged(node.criterion, on)
        return leaf.holds if node.wanted else leaf.fails
    return _at_least(node.n, [_holding(part, crowd, on) for part in node.of], len(crowd.counted))


def _refused(node: Normal, crowd: Crowd, on: date, among: Bits | None = None) -> Bits:
    """Of those `among`, if given, and perhaps of others."""
    if isinstance(node, Literal):
        leaf = crowd.judged(node.criterion, on, among)
        return leaf.fails if node.wanted else leaf.holds
    fatal = len(node.of) - node.n + 1  # so many that fail refuse
    return _at_least(fatal, [_refused(part, crowd, on, among) for part in node.of], len(crowd.counted))


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
