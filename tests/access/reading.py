"""What somebody was answered, held against the matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import is_leaf_type

from tests.access.asking import FIRST, SCHEMA, is_connection, is_node, named
from tests.access.matrix import Access, Matrix
from tests.access.world import SECRET, Specimen, World

Row = Mapping[str, Any]


class Readings:
    """All that has been read, and which cells that was. Staff read first: what they find is what is there."""

    def __init__(self, world: World, matrix: Matrix) -> None:
        self.world, self.matrix = world, matrix
        self.there: dict[str, dict[str, Any]] = defaultdict(dict)  # by global id and field
        self.read: set[tuple[str, str]] = set()  # guarded fields that somebody read something in
        self.withheld: set[tuple[str, str]] = set()  # and that were withheld from somebody who had the row in hand

    def note(self, data: Any, *, is_whole: bool = True) -> None:
        """What staff were answered: of the row itself all, of those that hang on it a part."""
        if isinstance(data, list):
            for one in data:
                self.note(one, is_whole=is_whole)
        elif isinstance(data, dict):
            if data.get("id"):
                known = self.there[data["id"]]
                known |= data if is_whole else {key: one for key, one in data.items() if key not in known}
            for one in data.values():
                self.note(one, is_whole=False)

    def faults(
        self, principal: str, data: Row, specimen: Specimen, type_name: str = "", path: str = ""
    ) -> Iterator[str]:
        """Where an answer about a row, or about what has no id and hangs on it, is not as the matrix says."""
        name = type_name or specimen.type
        there = self.there[specimen.id] if not type_name else {}
        yield from self._fields(principal, data, specimen, name, path or str(specimen), there)

    def _fields(self, principal: str, data: Row, specimen: Specimen, name: str, path: str, there: Row) -> Iterator[str]:
        type_: Any = SCHEMA.get_type(name)
        for key, value in data.items():
            if key == "__typename":
                continue
            at, access = f"{path}.{key}", self.matrix.of(name, key)
            is_there, allowed = there.get(key), access.allows(principal, specimen)
            known = {**there}.get(key, _UNKNOWN)
            if allowed:
                if self.matrix.is_guarded(name, key) and not _is_nothing(value):
                    self.read.add((name, key))
                if known is not _UNKNOWN and access.allows("staff", specimen) and _said(value) != _said(known):
                    yield f"{principal} should read {at}, and reads {_said(value)!r} for {_said(known)!r}"
            else:
                is_something = not _is_nothing(known) or not access.allows("staff", specimen)
                if access.otherwise != "known" and is_something:
                    self.withheld.add((name, key))
                yield from self._withheld(principal, access.otherwise, value, is_there, at, name, key)
            yield from self._within(principal, value, named(type_.fields[key]), specimen, at, is_there)

    def _within(
        self, principal: str, value: Any, type_: Any, specimen: Specimen, path: str, there: Any
    ) -> Iterator[str]:
        if is_leaf_type(type_):
            return
        if isinstance(value, list):
            found = there if isinstance(there, list) and len(there) == len(value) else [None] * len(value)
            for at, (one, other) in enumerate(zip(value, found, strict=True)):
                yield from self._within(principal, one, type_, specimen, f"{path}[{at}]", other)
        elif isinstance(value, dict):
            if is_connection(type_):
                for key in value.keys() - {"totalCount", "nodes"}:
                    yield from self._within(
                        principal,
                        value[key],
                        named(type_.fields[key]),
                        specimen,
                        f"{path}.{key}",
                        (there or {}).get(key),
                    )
                yield from self._within(principal, value["nodes"], named(type_.fields["nodes"]), specimen, path, None)
            elif is_node(type_):
                row = self.world.specimens[value["id"]]
                if not self.matrix.hand[row.type].allows(principal, row):
                    yield f"{principal} has {row} in hand at {path}"
                yield from self._fields(principal, value, row, row.type, f"{path} = {row}", self.there[row.id])
            else:
                yield from self._fields(principal, value, specimen, type_.name, path, there or {})

    def _withheld(
        self, principal: str, otherwise: str, value: Any, there: Any, path: str, name: str, key: str
    ) -> Iterator[str]:
        if otherwise in ("known", "reached"):
            door = self.matrix.hand if otherwise == "known" else self.matrix.node
            shown = _ids(value)
            known = [one for one in _ids(there) if self._may_have(principal, one, door)]
            if shown:
                self.read.add((name, key))
            if len(known) < len(_ids(there)):
                self.withheld.add((name, key))
            if _is_whole(there) and shown != known:
                yield f"{principal} should find {len(known)} rows at {path}, and finds {len(shown)}"
            if any(not self._may_have(principal, one, door) for one in shown):
                yield f"{principal} has at {path} what is not theirs"
            if isinstance(value, dict) and not _is_whole(value) and len(shown) < FIRST:
                yield f"{principal} is told of {value['totalCount']} rows at {path}, and shown {len(shown)}"
        elif otherwise == "part":
            if value == there and not _is_nothing(there):
                yield f"{principal} should read only a part of {path}, and reads {there!r}"
            elif SECRET in str(value):
                yield f"{principal} reads a secret in {path}: {value!r}"
        elif otherwise == "null" and value is not None:
            yield f"{principal} should find nothing at {path}, and finds {_said(value)!r}"

    def _may_have(self, principal: str, key: str, door: Mapping[str, Access]) -> bool:
        row = self.world.specimens[key]
        return door[row.type].allows(principal, row)


_UNKNOWN = object()


def _is_nothing(value: Any) -> bool:
    if isinstance(value, dict) and "totalCount" in value:
        return not value["totalCount"]
    return value is _UNKNOWN or value in (None, "", [], {})


def _said(value: Any) -> Any:
    """What a value says, where rows are named by their ids alone; what parts say is compared part by part."""
    if isinstance(value, list):
        return [_said(one) for one in value]
    if isinstance(value, dict):
        if "id" in value:
            return value["id"]
        if "nodes" in value:
            return value["totalCount"], _said(value["nodes"])
        return value.get("__typename", value)
    return value


def _is_whole(value: Any) -> bool:
    """Whether a list is all there, and not just its first rows."""
    return value is not None and not ("totalCount" in value and value["totalCount"] > len(value["nodes"]))


def _ids(value: Any) -> list[str]:
    if isinstance(value, dict):
        return _ids(value["nodes"]) if "nodes" in value else [value["id"]] if "id" in value else []
    return [key for one in value for key in _ids(one)] if isinstance(value, list) else []
