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
    MalformedSnapshot,
    NegativeNumber,
    NotAnInteger,
    RaggedEdges,
    ShareTooLarge,
    UnknownIndex,
    UnknownKey,
    ValueOutOfRange,
    ValuesTooLarge,
    well_formed,
)
from matching.core.allocation.policy import Policy

SNAPSHOT_VERSION = 2  # 1 where no hours, limits, shares or several placements are asked for: as before there were any
_LARGEST_SUM = 2**60  # value × (seats that can be filled + 1) × nodes stays below: room for the flow's scaled costs
MOST_HOURS = 10**9  # of one edge

Integers = NDArray[np.int64]
Pair = tuple[int, int]  # (opportunity key, candidate key)


class OpportunityNode(NamedTuple):
    """`seats`: how many people it may be given; 0 is allowed."""

    key: int
    seats: int


class CandidateNode(NamedTuple):
    """A person who takes at most `most` seats, of different opportunities, which together ask for at most `hours`;
    None: as many hours as it takes."""

    key: int
    hours: int | None = None
    most: int = 1


class Limit(NamedTuple):
    """These opportunities (by key) together give at most `most` seats: an organisation's limit, say."""

    key: int
    opportunities: tuple[int, ...]
    most: int


class Share(NamedTuple):
    """Of an opportunity's seats so many are only for these candidates (by key), who may take the others as well."""

    opportunity: int
    seats: int
    candidates: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs that may be matched, as three columns of equal length (int64).

    `opportunity` and `candidate` are positions in the problem's rows; `value` ≥ 0 is what the pairing is worth;
    `hours` ≥ 0 what it takes of the person's hours, nothing if None.
    """

    opportunity: Integers
    candidate: Integers
    value: Integers
    hours: Integers | None = None

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

    Each opportunity takes at most `seats` people, each person at most one seat, or as many as their node says and
    their hours allow; limits and shares restrict which. `pinned` pairs (by keys) are forced,
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
    limits: tuple[Limit, ...] = ()
    shares: tuple[Share, ...] = ()

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
        _refuse_odd_people(candidates)
        edges = _canonical_edges(self.edges, by_key, by_person, keys, people)
        limits, shares = _limits(self.limits, keys), _shares(self.shares, dict(zip(keys, seats, strict=True)), people)
        placements = len(candidates) if all(node.most == 1 for node in candidates) else len(edges)
        plain = placements == len(candidates) and not (limits or shares)
        _refuse_overflow(edges, seats, placements, len(seats) + len(candidates) + 2 if plain else 4096 + len(seats))
        set_ = object.__setattr__  # frozen for everybody else
        set_(self, "opportunities", opportunities)
        set_(self, "candidates", candidates)
        set_(self, "edges", edges)
        set_(self, "limits", limits)
        set_(self, "shares", shares)
        set_(self, "pinned", _pairs("pinned", self.pinned))
        set_(self, "excluded", _pairs("excluded", self.excluded))
        self._refuse_infeasible_pins()

    def seats(self) -> Integers:
        return np.array([node.seats for node in self.opportunities], dtype=np.int64)

    def opportunity_keys(self) -> Integers:
        return np.array([node.key for node in self.opportunities], dtype=np.int64)

    def candidate_keys(self) -> Integers:
        return np.array([node.key for node in self.candidates], dtype=np.int64)

    @property
    def plain(self) -> bool:
        """Whether it is an assignment problem: nobody takes several seats, and no limits or shares restrict them."""
        return not (self.limits or self.shares) and all(node.most <= 1 for node in self.candidates)

    def allowed(self) -> NDArray[np.bool_]:
        """Which edges their candidate has hours for, and may take any seat at all."""
        room, most = self.rooms()
        fits = most[self.edges.candidate] > 0
        if self.edges.hours is not None:
            fits &= self.edges.hours <= room[self.edges.candidate]
        return fits

    def rooms(self) -> tuple[Integers, Integers]:
        """Hours of each candidate (of those who have any number: more than all edges ask for), and seats at most."""
        total = int(self.edges.hours.sum()) if self.edges.hours is not None else 0
        hours = [total if node.hours is None else min(node.hours, total) for node in self.candidates]
        return np.array(hours, dtype=np.int64), np.array([node.most for node in self.candidates], dtype=np.int64)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problem) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.digest())

    def to_json(self) -> bytes:
        """Canonical bytes: the same market gives the same bytes. Keys and numbers only, no personal data."""
        extended = bool(
            self.limits
            or self.shares
            or self.edges.hours is not None
            or any(node.hours is not None or node.most != 1 for node in self.candidates)
        )
        edges: dict[str, list[int]] = {}
        more: dict[str, Any] = {}
        if extended:
            if self.edges.hours is not None:
                edges["hours"] = self.edges.hours.tolist()
            more = {
                "limits": [[limit.key, list(limit.opportunities), limit.most] for limit in self.limits],
                "shares": [[share.opportunity, share.seats, list(share.candidates)] for share in self.shares],
            }
        return canonical_json(
            {
                "version": SNAPSHOT_VERSION if extended else 1,
                "opportunities": [[node.key, node.seats] for node in self.opportunities],
                "candidates": [list(node) if extended else node.key for node in self.candidates],
                "edges": {
                    "opportunity": self.edges.opportunity.tolist(),
                    "candidate": self.edges.candidate.tolist(),
                    "value": self.edges.value.tolist(),
                    **edges,
                },
                "policy": self.policy.to_data(),
                "pinned": [list(pair) for pair in self.pinned],
                "excluded": [list(pair) for pair in self.excluded],
                "salt": self.salt.hex(),
                **more,
            }
        )

    @classmethod
    def from_json(cls, snapshot: bytes | str) -> Problem:
        """The problem a snapshot holds, checked as strictly as a new one. Raises `MalformedSnapshot` and the rest."""
        data = parse_json(snapshot)
        with well_formed():
            version = data["version"]
            if type(version) is not int or not 1 <= version <= SNAPSHOT_VERSION:
                raise MalformedSnapshot(problem=f"version {data['version']!r} is not known")
            columns = data["edges"]
            names = ("opportunity", "candidate", "value", "hours")
            return cls(
                opportunities=tuple(OpportunityNode(key, seats) for key, seats in data["opportunities"]),
                candidates=tuple(
                    CandidateNode(key) if version == 1 else CandidateNode(*key) for key in data["candidates"]
                ),
                edges=Edges(*(integers(f"edges.{name}", columns[name]) for name in names if name in columns)),
                policy=Policy(**data["policy"]),
                pinned=tuple((key, person) for key, person in data["pinned"]),
                excluded=tuple((key, person) for key, person in data["excluded"]),
                salt=bytes.fromhex(data["salt"]),
                limits=tuple(Limit(key, tuple(rows), most) for key, rows, most in data.get("limits", ())),
                shares=tuple(Share(key, seats, tuple(people)) for key, seats, people in data.get("shares", ())),
            )

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
        held: dict[int, int] = {}
        hours: dict[int, int] = {}
        outside: dict[int, int] = {}  # who is pinned to an opportunity without being of its share
        members = {share.opportunity: set(share.candidates) for share in self.shares}
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
            node = self.candidates[person_of[person]]
            held[person] = held.get(person, 0) + 1
            if held[person] > node.most:
                raise refuse("candidate_pinned_twice")
            hours[person] = hours.get(person, 0) + (int(self.edges.hours[at]) if self.edges.hours is not None else 0)
            if node.hours is not None and hours[person] > node.hours:
                raise refuse("hours")
            outside[key] = outside.get(key, 0) + (key in members and person not in members[key])
            taken[key] = taken.get(key, 0) + 1
            if taken[key] > self.opportunities[row_of[key]].seats:
                raise refuse("no_seat")
            for share in self.shares:
                if share.opportunity == key and outside[key] > self.opportunities[row_of[key]].seats - share.seats:
                    raise refuse("share")
            for limit in self.limits:
                if key in limit.opportunities and sum(taken.get(one, 0) for one in limit.opportunities) > limit.most:
                    raise refuse("limit")


def _refuse_odd_people(candidates: tuple[CandidateNode, ...]) -> None:
    most = integers("candidates.most", [node.most for node in candidates])
    hours = integers("candidates.hours", [0 if node.hours is None else node.hours for node in candidates])
    for name, column in (("candidates.most", most), ("candidates.hours", hours)):
        if (column < 0).any():
            raise NegativeNumber(field=name, at=candidates[int(np.argmax(column < 0))].key)


def _limits(limits: Iterable[Limit], keys: Integers) -> tuple[Limit, ...]:
    known, found = set(keys.tolist()), []
    for limit in limits:
        key, most = integers("limits", [limit.key, limit.most]).tolist()
        rows = integers("limits.opportunities", list(limit.opportunities)).tolist()
        if most < 0:
            raise NegativeNumber(field="limits.most", at=key)
        for row in rows:
            if row not in known:
                raise UnknownKey(field="limits.opportunities", key=row)
        found.append(Limit(key, tuple(sorted(set(rows))), most))
    _refuse_repeats("limits", integers("limits", [limit.key for limit in found]))
    return tuple(sorted(found))


def _shares(shares: Iterable[Share], seats_of: Mapping[int, int], people: Integers) -> tuple[Share, ...]:
    known, found = set(people.tolist()), []
    for share in shares:
        key, seats = integers("shares", [share.opportunity, share.seats]).tolist()
        members = integers("shares.candidates", list(share.candidates)).tolist()
        if key not in seats_of:
            raise UnknownKey(field="shares.opportunity", key=key)
        if seats < 0:
            raise NegativeNumber(field="shares.seats", at=key)
        if seats > seats_of[key]:
            raise ShareTooLarge(opportunity=key, share=seats, seats=int(seats_of[key]))
        for member in members:
            if member not in known:
                raise UnknownKey(field="shares.candidates", key=member)
        found.append(Share(key, seats, tuple(sorted(set(members)))))
    _refuse_repeats("shares", integers("shares", [share.opportunity for share in found]))
    return tuple(sorted(found))


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
    if edges.hours is not None:
        columns.append(integers("edges.hours", edges.hours))
        if (columns[-1] < 0).any():
            raise NegativeNumber(field="edges.hours", at=int(np.argmax(columns[-1] < 0)))
        if columns[-1].max(initial=0) > MOST_HOURS:
            raise ValueOutOfRange(field="edges.hours", limit=MOST_HOURS)
    if len({len(column) for column in columns}) != 1:
        raise RaggedEdges(lengths=[len(column) for column in columns])
    for name, column, rows in zip(_COLUMNS, columns, (len(keys), len(people)), strict=False):
        outside = (column < 0) | (column >= rows)
        if outside.any():
            raise UnknownIndex(field=name, index=int(column[int(np.argmax(outside))]))
    opportunity, candidate, value = columns[:3]
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
    sorted_columns = (
        rank[opportunity][order],
        person_rank[candidate][order],
        value[order],
        *(column[order] for column in columns[3:]),
    )
    for column in sorted_columns:
        column.flags.writeable = False
    return Edges(*sorted_columns)


def _refuse_overflow(edges: Edges, seats: Integers, placements: int, nodes: int) -> None:
    if not len(edges):
        return
    fillable = min(sum(seats.tolist()), placements)
    limit = _LARGEST_SUM // ((fillable + 1) * nodes)
    value = int(edges.value.max())
    if value > limit:
        raise ValuesTooLarge(value=value, limit=limit)
