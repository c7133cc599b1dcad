"""Whom a rule does not surely refuse: of all that `counting` tells, what ranking needs, and sooner."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_

from matching.core.columns.bits import Bits, Tally, none_of
from matching.core.columns.counting import Crowd
from matching.core.rules import Literal
from matching.core.rules.normal import Normal


def passing(tree: Normal, crowd: Crowd, on: date) -> Bits:
    """Those who count and whom the resolved rule, in normal form, accepts or cannot tell of."""
    return crowd.counted & ~_refused(tree, crowd, on)


def _refused(node: Normal, crowd: Crowd, on: date) -> Bits:
    if isinstance(node, Literal):
        leaf = crowd.judged(node.criterion, on)
        return leaf.fails if node.wanted else leaf.holds
    fatal = len(node.of) - node.n + 1  # so many that fail refuse
    if fatal > len(node.of):
        return none_of(len(crowd.counted))
    parts = [_refused(part, crowd, on) for part in node.of]
    if fatal == 1:
        return reduce(or_, parts)
    if fatal == len(parts):
        return reduce(and_, parts)
    tally = Tally(len(crowd.counted))
    for part in parts:
        tally.add(part)
    return tally.at_least(fatal)
