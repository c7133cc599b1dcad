"""How a feature is declared, and the integer arithmetic that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from matching.core.facts import CandidateFacts, OpportunityTerms

FULL = 1000
NEUTRAL = 500
MONTH_DAYS = 30

Names = Mapping[int, str]  # skill id → label

ALL_HEADS = frozenset({"fit", "interest", "acceptance"})
WISHES = frozenset({"interest", "acceptance"})
"""Of what a person wishes for nothing follows on how well they would do the work."""


@dataclass(frozen=True, slots=True)
class Feature:
    """`value` gives thousandths from `least` to `most`; `sentence` says the same for people, without a full stop. Of
    the facts that hang on a candidate (`matching.core.facts.HUNG`) both read no more than `reads`."""

    name: str
    heads: frozenset[str]  # the outputs of a model that may weigh it
    unit: str
    missing: str  # what an absent fact means
    value: Callable[[CandidateFacts, OpportunityTerms], int]
    sentence: Callable[[CandidateFacts, OpportunityTerms, Names], str]
    least: int = 0
    most: int = FULL
    reads: tuple[str, ...] = ()


@lru_cache(maxsize=4096)  # of years there are few different numbers
def thousandths(number: Decimal) -> int:
    """A decimal in whole thousandths, rounded towards zero."""
    return int(number * 1000)


def cents(amount: Decimal) -> int:
    """An amount in whole cents, rounded towards zero."""
    return int(amount * 100)


def share(has: int, asked: int) -> int:
    """`has` ÷ `asked` in thousandths, at most 1000; 1000 where nothing is asked."""
    if asked <= 0 or has >= asked:
        return FULL
    return max(has, 0) * FULL // asked


def months_since(day: date, on: date) -> int:
    """Whole months of 30 days from a day to another; 0 for days to come."""
    return max((on - day).days, 0) // MONTH_DAYS


@lru_cache(maxsize=4096)
def plain(number: Decimal) -> str:
    """A number for people: at most two decimals, no trailing zeros."""
    text = f"{number:.2f}"
    return text.rstrip("0").rstrip(".")


def named(skill_id: int, names: Names) -> str:
    name = names.get(skill_id)
    return f"skill {skill_id}" if name is None else name


def counted(count: int, noun: str) -> str:
    """`1 offer`, `2 offers`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
