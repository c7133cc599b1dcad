"""One person who comes between runs, with all that routing them reads: stored, it routes them there again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from matching.core.allocation.errors import DuplicateKey, well_formed
from matching.core.allocation.online import Pace, Route, SeatPrice, route
from matching.core.allocation.problem import canonical_json, integers, parse_json

ROUTER = "bid-prices 1"  # changes whenever the same arrival may be routed otherwise


@dataclass(frozen=True, slots=True)
class Arrival:
    """`edges` are (opportunity key, value), sorted by key. `seats` says of each what is known, `pace` how the market
    does, None where nobody can tell. `salt` orders what is equal."""

    edges: tuple[tuple[int, int], ...]
    seats: Mapping[int, SeatPrice]
    pace: Pace | None = None
    salt: bytes = b""

    def route(self) -> Route | None:
        """Where they go, None: nowhere. Raises as `route` of `matching.core.allocation.online`."""
        return route(self.edges, self.seats, self.pace, salt=self.salt)

    def to_json(self) -> bytes:
        """Canonical bytes. A seat is (opportunity key, price, seats, expected, left)."""
        return canonical_json(
            {
                "edges": [list(edge) for edge in self.edges],
                "seats": [[key, *astuple(seat)] for key, seat in sorted(self.seats.items())],
                "pace": None if self.pace is None else asdict(self.pace),
                "salt": self.salt.hex(),
            }
        )

    @classmethod
    def from_json(cls, stored: bytes | str) -> Arrival:
        """Raises `MalformedSnapshot`, and what its numbers are refused with."""
        data = parse_json(stored)
        with well_formed():
            keys = integers("edges.opportunity", [key for key, _ in data["edges"]]).tolist()
            if len(set(keys)) != len(keys):
                raise DuplicateKey(field="edges.opportunity", key=max(keys, key=keys.count))
            return cls(
                edges=tuple((key, value) for key, value in data["edges"]),
                seats={key: SeatPrice(*seat) for key, *seat in data["seats"]},
                pace=None if data["pace"] is None else Pace(**data["pace"]),
                salt=bytes.fromhex(data["salt"]),
            )


def answer(found: Route | None) -> dict[str, Any]:
    """What is stored of a route: its numbers, and what found it."""
    return {"router": ROUTER, **(asdict(found) if found is not None else {})}
