"""A rule's normal form: negation pushed to the leaves, every inner node a quorum.

`all` asks for every child, `any` for one, `atLeast` for n; not (n of k) is (k − n + 1 of the negated k), which also
holds in three-valued logic. So one case serves explanations, contradictions and SQL, and nothing above a leaf is
ever negated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from matching.core.rules.grammar import All, Any, AtLeast, Criterion, Not, Rule

ROOT = "$"


@dataclass(frozen=True, slots=True)
class Literal:
    """A criterion that must hold (`wanted`), or must not. `path` is its place in the rule's JSON."""

    criterion: Criterion
    wanted: bool
    path: str


@dataclass(frozen=True, slots=True)
class Quorum:
    """At least `n` of the parts."""

    n: int
    of: tuple[Normal, ...]
    path: str

    @property
    def is_conjunction(self) -> bool:
        return self.n == len(self.of)


Normal: TypeAlias = Literal | Quorum


@lru_cache(maxsize=4096)  # one rule judges many candidates
def normal(rule: Rule) -> Normal:
    """The rule's normal form. The empty rule is a quorum of none, which everybody meets."""
    return _normal(rule, True, ROOT)


def _normal(rule: Rule, wanted: bool, path: str) -> Normal:
    match rule:
        case All(of):
            return _quorum(len(of), of, wanted, f"{path}.all", path)
        case Any(of):
            return _quorum(1, of, wanted, f"{path}.any", path)
        case AtLeast(n, of):
            return _quorum(n, of, wanted, f"{path}.atLeast.of", path)
        case Not(inner):
            return _normal(inner, not wanted, f"{path}.not")
    return Literal(rule, wanted, path)


def _quorum(n: int, of: tuple[Rule, ...], wanted: bool, stem: str, path: str) -> Quorum:
    parts = tuple(_normal(child, wanted, f"{stem}[{place}]") for place, child in enumerate(of))
    return Quorum(n if wanted else len(of) - n + 1, parts, path)


def literals(node: Normal) -> Iterator[Literal]:
    if isinstance(node, Literal):
        yield node
    else:
        for part in node.of:
            yield from literals(part)
