"""A block of rows, as COPY writes them out, made a segment."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from matching.core.columns import scanning
from matching.core.columns.segments import COLUMNS, SCALE, Codes, Column, Form, Key, Lists, Numbers, Segment

LONGEST = 2_048  # bytes of a code, or of a word of a title
_TAB, _LINE = ord("\t"), ord("\n")


def segment_from(block: bytes, columns: tuple[Column, ...] = COLUMNS) -> Segment:
    """The people of a block of lines: a candidate's id and then these columns, parted by tabs, `\\N` for null. Each
    candidate has one line; lines come in any order."""
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero((text == _TAB) | (text == _LINE)).reshape(-1, len(columns) + 1)
    starts = np.concatenate([[0], ends.ravel()[:-1] + 1]).reshape(ends.shape) if len(ends) else ends
    ids = scanning.numbers(text, starts[:, 0].copy(), ends[:, 0].copy()) // SCALE
    order = np.argsort(ids, kind="stable")
    numbers: dict[str, Numbers] = {}
    codes: dict[str, Codes] = {}
    lists: dict[str, Lists] = {}
    for place, column in enumerate(columns, start=1):
        field = _Field(text, starts[order, place], ends[order, place])
        match column.form:
            case Form.NUMBER | Form.DAY:
                numbers[column.name] = Numbers.of(scanning.numbers(field.text, field.starts, field.ends))
            case Form.CODE:
                codes[column.name] = field.codes()
            case Form.MEMBERS | Form.ENTRIES:
                lists[column.name] = field.lists(column)
    return Segment(ids[order], numbers, codes, lists)


class _Field:
    """One column of the block: where each row has it."""

    def __init__(self, text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:
        self.text, self.starts, self.ends = text, starts, ends

    def codes(self) -> Codes:
        hashes, known = scanning.codes(self.text, self.starts, self.ends)
        _, first, which = np.unique(hashes[known], return_index=True, return_inverse=True)
        at = self.starts[known][first], self.ends[known][first]
        texts = [self.text[start:end].tobytes().decode() for start, end in zip(*at, strict=True)]
        rank = np.argsort(np.argsort(texts)) if texts else np.empty(0, np.intp)
        stored = np.zeros(len(hashes), np.uint16)
        stored[known] = rank[which] + 1
        return Codes(stored, tuple(sorted(texts)))

    def lists(self, column: Column) -> Lists:
        if column.form is Form.MEMBERS:
            total = int(scanning.sizes(self.text, self.starts, self.ends, ord(",")).sum()) + len(self.starts)
            keys, written, counts = scanning.members(self.text, self.starts, self.ends, column.by_id, total)
            values = np.empty((0, len(keys)), np.int64)
        else:
            total = int(scanning.sizes(self.text, self.starts, self.ends, ord(":")).sum())
            hashes = np.array([scanning.hash_of(name) for name in column.fields], np.int64)
            keys, written, counts, values = scanning.entries(
                self.text, self.starts, self.ends, column.by_id, hashes, total
            )
        rows = np.repeat(np.arange(len(self.starts), dtype=np.int32), counts)
        found, first, which = np.unique(keys, return_index=True, return_inverse=True)
        names: list[Key] = [int(key) for key in found] if column.by_id else [self.word(written[at]) for at in first]
        order = np.argsort(which.astype(np.min_scalar_type(len(found))), kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(found)))]).astype(np.int64)
        fields = {name: Numbers.of(values[at][order]) for at, name in enumerate(column.fields)}
        return Lists(len(self.starts), {name: slot for slot, name in enumerate(names)}, starts, rows[order], fields)

    def word(self, at: int) -> str:
        """The code that is written at a place."""
        rest = self.text[at : at + LONGEST].tobytes()
        return rest[: min(rest.find(mark) % (LONGEST + 1) for mark in (b'"', b",", b"}"))].decode()
