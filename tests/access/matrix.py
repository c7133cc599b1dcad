"""The access matrix, read from `matrix.toml`: for any field, who reads it of whom, and what the others find."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.access.world import PRINCIPALS, Specimen

FILE = Path(__file__).with_name("matrix.toml")
OTHERWISE = ("null", "part", "known", "reached")


@dataclass(frozen=True)
class Access:
    """One class: who reads what is their own and what is another's, also where a row stands in another respect."""

    name: str
    cells: dict[str, dict[str, frozenset[str]]]  # by respect ("" for any other), by own or other
    otherwise: str

    def allows(self, principal: str, specimen: Specimen) -> bool:
        cells = self.cells.get(specimen.variant, self.cells[""])
        return principal in cells["own" if specimen.is_own(principal) else "other"]


class Matrix:
    """Raises ValueError for whatever in the file makes no sense."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.access = {name: self._access(name, one) for name, one in raw["access"].items()}
        self.node: dict[str, Access] = {}
        self.hand: dict[str, Access] = {}
        self.fields: dict[tuple[str, str], Access] = {}
        for name, told in raw["types"].items():
            self.node[name] = self.access[told["node"]]
            self.hand[name] = self.access[told.get("hand", told["node"])]
            self._classify(name, {key: one for key, one in told.items() if key not in ("node", "hand")})
        for name, fields in raw["parts"].items():
            self._classify(name, {"row": fields})
        for name, told in raw["guarded_parts"].items():
            self._classify(name, told)

    def of(self, type_name: str, field: str) -> Access:
        return self.fields[type_name, field]

    def is_guarded(self, type_name: str, field: str) -> bool:
        """Whether not everybody who has the row in hand reads it."""
        return self.fields[type_name, field].name != "row"

    def _classify(self, name: str, told: dict[str, str]) -> None:
        for access, fields in told.items():
            for field in fields.split():
                if (name, field) in self.fields:
                    raise ValueError(f"{name}.{field} is in two classes")
                self.fields[name, field] = self.access[access]

    def _access(self, name: str, raw: dict[str, Any]) -> Access:
        raw = dict(raw)
        otherwise = raw.pop("else", "null")
        if otherwise not in OTHERWISE:
            raise ValueError(f"{name}: {otherwise} is none of {', '.join(OTHERWISE)}")
        cells = {"": {side: self.names(raw.pop(side)) for side in ("own", "other")}}
        cells |= {respect: {side: self.names(one[side]) for side in ("own", "other")} for respect, one in raw.items()}
        return Access(name, cells, otherwise)

    def names(self, text: str) -> frozenset[str]:
        """Those who ask, by their names and by those of groups."""
        found: set[str] = set()
        for word in text.split():
            if word in self.raw["groups"]:
                found |= self.names(self.raw["groups"][word])
            elif word in PRINCIPALS:
                found.add(word)
            else:
                raise ValueError(f"{word} is nobody who asks")
        return frozenset(found)


@cache
def matrix() -> Matrix:
    return Matrix(tomllib.loads(FILE.read_text(encoding="utf-8")))
