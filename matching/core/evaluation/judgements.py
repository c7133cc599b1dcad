"""Reading judged pairs of texts: CSV with the columns `query_id,query_text,candidate_id,candidate_text,grade`.

The file is taken whole or not at all: whatever is wrong with it raises UnreadableJudgements with the line.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

COLUMNS = ("query_id", "query_text", "candidate_id", "candidate_text", "grade")
MOST_BYTES = 1 << 30
MOST_LETTERS = 20_000_000
"""Of one field."""
MOST_GRADE = 1e9
"""Sums of gains stay numbers."""
_SHOWN = 60  # letters of what is wrong


class UnreadableJudgements(ValueError):
    """`line` counts from 1, the header being line 1; None where the file as a whole is meant."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.line = reason, line
        super().__init__(reason if line is None else f"line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class Judgements:
    """Texts by id, in the order of the file, and the grade of each pair that was judged; grades are not negative."""

    queries: Mapping[str, str]
    candidates: Mapping[str, str]
    grades: Mapping[str, Mapping[str, float]]  # query → candidate → grade

    @property
    def pairs(self) -> int:
        return sum(map(len, self.grades.values()))

    @property
    def lowest_positive_grade(self) -> float | None:
        return min((grade for of in self.grades.values() for grade in of.values() if grade > 0), default=None)


def read_judgements(raw: bytes) -> Judgements:
    """A pair that is given twice with one grade counts once. A text may be left out where its id has it in another row;
    an id that never has one has an empty text. Other columns are not read."""
    if len(raw) > MOST_BYTES:
        raise UnreadableJudgements(f"the file has {len(raw):,} bytes; {MOST_BYTES:,} are the most")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableJudgements(f"not UTF-8 ({error.reason})", raw[: error.start].count(b"\n") + 1) from error
    queries: dict[str, _Told] = {}
    candidates: dict[str, _Told] = {}
    grades: dict[str, dict[str, tuple[float, int]]] = {}
    for line, row in _rows(text):
        query, candidate = (_id(row, column, line) for column in ("query_id", "candidate_id"))
        grade = _grade(row["grade"], line)
        _tell(queries, query, row["query_text"], "query", line)
        _tell(candidates, candidate, row["candidate_text"], "candidate", line)
        before = grades.setdefault(query, {}).setdefault(candidate, (grade, line))
        if before[0] != grade:
            raise UnreadableJudgements(
                f"query {_short(query)} and candidate {_short(candidate)} have grade {grade:g} here "
                f"and {before[0]:g} on line {before[1]}",
                line,
            )
    if not grades:
        raise UnreadableJudgements("there is no judged pair in the file")
    return Judgements(
        MappingProxyType({name: told.text for name, told in queries.items()}),
        MappingProxyType({name: told.text for name, told in candidates.items()}),
        MappingProxyType(
            {
                query: MappingProxyType({candidate: grade for candidate, (grade, _) in of.items()})
                for query, of in grades.items()
            }
        ),
    )


@dataclass(slots=True)
class _Told:
    text: str
    line: int


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the line that it begins on."""
    before = csv.field_size_limit(MOST_LETTERS)
    line = 1
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [column.strip() for column in next(reader, [])]
        if not header:
            raise UnreadableJudgements("the file is empty")
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            raise UnreadableJudgements(f"columns are missing: {', '.join(missing)}", 1)
        twice = [column for column in COLUMNS if header.count(column) > 1]
        if twice:
            raise UnreadableJudgements(f"columns are given twice: {', '.join(twice)}", 1)
        places = [(column, header.index(column)) for column in COLUMNS]
        line = reader.line_num + 1
        for record in reader:
            if record:  # an empty line is no row
                if len(record) != len(header):
                    raise UnreadableJudgements(f"{len(record)} columns instead of {len(header)}", line)
                yield line, {column: record[at] for column, at in places}
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableJudgements(f"not well-formed CSV ({error})", line) from error
    finally:
        csv.field_size_limit(before)


def _id(row: Mapping[str, str], column: str, line: int) -> str:
    found = row[column].strip()
    if not found:
        raise UnreadableJudgements(f"{column} is missing", line)
    return found


def _grade(written: str, line: int) -> float:
    try:
        grade = float(written)
    except ValueError:
        grade = math.nan
    if grade > MOST_GRADE and math.isfinite(grade):
        raise UnreadableJudgements(f"grade must be at most {MOST_GRADE:,.0f}, not {_short(written)}", line)
    if not math.isfinite(grade) or grade < 0 or "_" in written:
        raise UnreadableJudgements(f"grade must be a number of at least 0, not {_short(written)}", line)
    return grade


def _tell(known: dict[str, _Told], name: str, text: str, what: str, line: int) -> None:
    told = known.setdefault(name, _Told(text, line))
    if not told.text.strip():
        told.text, told.line = text, line
    elif text.strip() and text != told.text and text.split() != told.text.split():
        raise UnreadableJudgements(f"{what} {_short(name)} has another text here than on line {told.line}", line)


def _short(written: str) -> str:
    return repr(written if len(written) <= _SHOWN else written[:_SHOWN] + "…")
