"""An allocation problem as values: seats, people, what each pairing is worth, and what staff fixed beforehand.

A `Problem` that exists is valid and canonical: rows are sorted by key, so that the same market gives the same bytes,
the same digest and the same solution in whatever order its rows were read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.core.allocation.errors import (
    DuplicateEdge,
    DuplicateKey,
    InfeasiblePin,
    InvalidAllocation,
    MalformedSnapshot,
    NegativeNumber,
    NotAnInteger,
    RaggedEdges,
    UnknownIndex,
    ValuesTooLarge,
)
from matching.core.allocation.policy import Policy

SNAPSHOT_VERSION = 1
_LARGEST_SUM = 2**60  # value × (seats that can be filled + 1) × nodes stays below: room for the flow's scaled costs

Integers = NDArray[np.int64]
Pair = tuple[int, int]  # (opportunity key, candidate key)


class OpportunityNode(NamedTuple):
    """`seats`: how many people it may be given; 0 is allowed."""

    key: int
    seats: int


class CandidateNode(NamedTuple):
    """A person who takes at most one seat."""

    key: int


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs that may be matched, as three columns of equal length (int64).

    `opportunity` and `candidate` are positions in the problem's rows; `value` ≥ 0 is what the pairing is worth.
    """

    opportunity: Integers
    candidate: Integers
    value: Integers

    @classmethod
    def of(cls, triples: Iterable[tuple[int, int, int]]) -> Edges:
        """Edges from rows (opportunity position, candidate position, value)."""
        rows = list(triples)
        return cls(*(integers(name, [row[column] for row in rows]) for column, name in enumerate(_COLUMNS)))

    def __len__(self) -> int:
        return len(self.value)


_COLUMNS = ("edges.opportunity", "edges.candidate", "edges.value")


def integers(name: str, values: Any) -> Integers:
    """`values` as int64, refusing NaN, fractions, booleans and what needs more than 64 bits."""
    if isinstance(values, (list, tuple)) and any(type(value) is bool for value in values):
        raise NotAnInteger(field=name)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise NotAnInteger(field=name) from error
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise NotAnInteger(field=name)
    if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
        raise NotAnInteger(field=name)
    return array.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Give seats to people so that the sum of the values is greatest.

    Each opportunity takes at most `seats` people, each person at most one seat. `pinned` pairs (by keys) are forced,
    `excluded` pairs forbidden; an excluded pair without an edge is harmless, since people leave between plans.
    `salt` keys the order in which the solver sees rows, so that ties favour nobody for a low key.

    Raises the errors of `matching.core.allocation.errors`.
    """

    opportunities: tuple[OpportunityNode, ...]
    candidates: tuple[CandidateNode, ...]
    edges: Edges
    policy: Policy = field(default_factory=Policy)
    pinned: tuple[Pair, ...] = ()
    excluded: tuple[Pair, ...] = ()
    salt: bytes = b""

    def __post_init__(self) -> None:
        keys = integers("opportunities.key", [node.key for node in self.opportunities])
        seats = integers("opportunities.seats", [node.seats for node in self.opportunities])
        people = integers("candidates.key", [node.key for node in self.candidates])
        if (seats < 0).any():
            raise NegativeNumber(field="opportunities.seats", at=int(keys[int(np.argmax(seats < 0))]))
        if not isinstance(self.salt, bytes) or len(self.salt) > 64:
            raise MalformedSnapshot(problem="a salt is at most 64 bytes")
        _refuse_repeats("opportunities", keys)
        _refuse_repeats("candidates", people)
        by_key, by_person = np.argsort(keys), np.argsort(people)
        opportunities = tuple(self.opportunities[row] for row in by_key.tolist())
        candidates = tuple(self.candidates[row] for row in by_person.tolist())
        edges = _canonical_edges(self.edges, by_key, by_person, keys, people)
        _refuse_overflow(edges, seats, len(candidates))
        set_ = object.__setattr__  # frozen for everybody else
        set_(self, "opportunities", opportunities)
        set_(self, "candidates", candidates)
        set_(self, "edges", edges)
        set_(self, "pinned", _pairs("pinned", self.pinned))
        set_(self, "excluded", _pairs("excluded", self.excluded))
        self._refuse_infeasible_pins()

    def seats(self) -> Integers:
        return np.array([node.seats for node in self.opportunities], dtype=np.int64)

    def opportunity_keys(self) -> Integers:
        return np.array([node.key for node in self.opportunities], dtype=np.int64)

    def candidate_keys(self) -> Integers:
        return np.array([node.key for node in self.candidates], dtype=np.int64)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.digest())

    def to_json(self) -> bytes:
        """Canonical bytes: the same market gives the same bytes. Keys and numbers only, no personal data."""
        return canonical_json(
            {
                "version": SNAPSHOT_VERSION,
                "opportunities": [[node.key, node.seats] for node in self.opportunities],
                "candidates": [node.key for node in self.candidates],
                "edges": {
                    "opportunity": self.edges.opportunity.tolist(),
                    "candidate": self.edges.candidate.tolist(),
                    "value": self.edges.value.tolist(),
                },
                "policy": self.policy.to_data(),
                "pinned": [list(pair) for pair in self.pinned],
                "excluded": [list(pair) for pair in self.excluded],
                "salt": self.salt.hex(),
            }
        )

    @classmethod
    def from_json(cls, snapshot: bytes | str) -> Problem:
        """The problem a snapshot holds, checked as strictly as a new one. Raises `MalformedSnapshot` and the rest."""
        data = parse_json(snapshot)
        try:
            if data["version"] != SNAPSHOT_VERSION:
                raise MalformedSnapshot(problem=f"version {data['version']!r} is not known")
            columns = data["edges"]
            names = ("opportunity", "candidate", "value")
            return cls(
                opportunities=tuple(OpportunityNode(key, seats) for key, seats in data["opportunities"]),
                candidates=tuple(CandidateNode(key) for key in data["candidates"]),
                edges=Edges(*(integers(f"edges.{name}", columns[name]) for name in names)),
                policy=Policy(**data["policy"]),
                pinned=tuple((key, person) for key, person in data["pinned"]),
                excluded=tuple((key, person) for key, person in data["excluded"]),
                salt=bytes.fromhex(data["salt"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise MalformedSnapshot(problem=f"{type(error).__name__}: {error}") from error
        except InvalidAllocation:
            raise
        except ValueError as error:
            raise MalformedSnapshot(problem=str(error)) from error

    def digest(self) -> str:
        """blake2b of the canonical bytes, in hexadecimal."""
        return blake2b(self.to_json(), digest_size=32).hexdigest()

    def _refuse_infeasible_pins(self) -> None:
        if not self.pinned:
            return
        row_of = {node.key: row for row, node in enumerate(self.opportunities)}
        person_of = {node.key: row for row, node in enumerate(self.candidates)}
        codes = self.edges.opportunity * max(len(self.candidates), 1) + self.edges.candidate  # sorted
        taken: dict[int, int] = {}
        held: set[int] = set()
        forbidden = set(self.excluded)
        for key, person in self.pinned:

            def refuse(reason: str, key: int = key, person: int = person) -> InfeasiblePin:
                return InfeasiblePin(opportunity=key, candidate=person, reason=reason)

            if (key, person) in forbidden:
                raise refuse("excluded")
            if key not in row_of or person not in person_of:
                raise refuse("no_edge")
            code = row_of[key] * len(self.candidates) + person_of[person]
            at = int(np.searchsorted(codes, code))
            if at == len(codes) or codes[at] != code:
                raise refuse("no_edge")
            if person in held:
                raise refuse("candidate_pinned_twice")
            taken[key] = taken.get(key, 0) + 1
            if taken[key] > self.opportunities[row_of[key]].seats:
                raise refuse("no_seat")
            held.add(person)


def by_key(keys: Integers, prices: Integers) -> dict[int, int]:
    """Numbers by key, in the order of keys."""
    order = np.argsort(keys)
    return dict(zip(keys[order].tolist(), prices[order].tolist(), strict=True))


def canonical_json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse_json(snapshot: bytes | str) -> dict[str, Any]:
    try:
        data = json.loads(snapshot)
    except (ValueError, RecursionError) as error:
        raise MalformedSnapshot(problem=str(error)) from error
    if not isinstance(data, dict):
        raise MalformedSnapshot(problem="an object was expected")
    return data


def _refuse_repeats(name: str, keys: Integers) -> None:
    ordered = np.sort(keys)
    repeated = np.flatnonzero(ordered[1:] == ordered[:-1])
    if repeated.size:
        raise DuplicateKey(field=name, key=int(ordered[repeated[0]]))


def _pairs(name: str, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Sorted and distinct: pinning the same pair twice says no more than pinning it once."""
    rows = [tuple(pair) for pair in pairs]
    if any(len(row) != 2 or any(type(key) is not int for key in row) for row in rows):
        raise NotAnInteger(field=name)
    return tuple(sorted({(row[0], row[1]) for row in rows}))


def _canonical_edges(edges: Edges, by_key: Integers, by_person: Integers, keys: Integers, people: Integers) -> Edges:
    """The edges in terms of the sorted rows, themselves sorted by opportunity, then candidate; read-only."""
    columns = [
        integers(name, values)
        for name, values in zip(_COLUMNS, (edges.opportunity, edges.candidate, edges.value), strict=True)
    ]
    if len({len(column) for column in columns}) != 1:
        raise RaggedEdges(lengths=[len(column) for column in columns])
    for name, column, rows in zip(_COLUMNS, columns, (len(keys), len(people)), strict=False):
        outside = (column < 0) | (column >= rows)
        if outside.any():
            raise UnknownIndex(field=name, index=int(column[int(np.argmax(outside))]))
    opportunity, candidate, value = columns
    if (value < 0).any():
        raise NegativeNumber(field="edges.value", at=int(np.argmax(value < 0)))
    rank, person_rank = np.empty_like(by_key), np.empty_like(by_person)
    rank[by_key] = np.arange(len(keys))
    person_rank[by_person] = np.arange(len(people))
    codes = rank[opportunity] * max(len(people), 1) + person_rank[candidate]
    order = np.argsort(codes)
    codes = codes[order]
    repeated = np.flatnonzero(codes[1:] == codes[:-1])
    if repeated.size:
        row = order[repeated[0]]
        raise DuplicateEdge(opportunity=int(keys[opportunity[row]]), candidate=int(people[candidate[row]]))
    sorted_columns = (rank[opportunity][order], person_rank[candidate][order], value[order])
    for column in sorted_columns:
        column.flags.writeable = False
    return Edges(*sorted_columns)


def _refuse_overflow(edges: Edges, seats: Integers, people: int) -> None:
    if not len(edges):
        return
    fillable = min(sum(seats.tolist()), people)
    limit = _LARGEST_SUM // ((fillable + 1) * (len(seats) + people + 2))
    value = int(edges.value.max())
    if value > limit:
        raise ValuesTooLarge(value=value, limit=limit)
