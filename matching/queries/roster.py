"""The roster: everybody who can be found, as columns in the memory of the process that answers.

It is a copy of the candidate projection that is brought up to date before every answer, so that an answer is never
staler than the database when it was asked for. What changed since is known by `changed_xid` (see
`accounts.models.changes`) and `Departure`; those people leave the large segment they are in and join a small one, and
small ones are joined as they grow. The first who asks has it built, in a thread of its own; until it stands, others
count in SQL.

Kept as long as the process lives, in about 200 bytes a person with ten skills; what scoring looks up (`Profiles`) takes
another 25 from the first time on that somebody is scored.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection, transaction

from matching.core.columns import COLUMNS, Column, Crowd, Form, Leaves, Segment, joined
from matching.core.columns.bits import Bits, packed
from matching.models import CandidateProjection

logger = logging.getLogger(__name__)

BLOCK = 32_768  # people read at a time
REBUILD_SHARE = 4  # rebuilt when every fourth person of the large segment has left it
MOST_NEWS = 100_000  # when more have changed, building anew is faster
RETRY_SECONDS = 600  # after a roster could not be built
OWN = -1  # stands for the number of the reader's own transaction


class TooLarge(Exception):
    """There are more people than the memory that a roster may take."""


class Outrun(Exception):
    """So much has changed that the roster has to be built anew."""


@dataclass(slots=True)
class _Part:
    """A segment, and which of its people are still as it says."""

    leaves: Leaves
    live: npt.NDArray[np.bool_]
    counted: Bits = field(init=False)  # the same
    people: int = field(init=False)

    def __post_init__(self) -> None:
        self.counted, self.people = packed(self.live), int(self.live.sum())

    def let_go(self, candidate_ids: npt.NDArray[np.int64]) -> None:
        """These are not as it says any more."""
        rows = self.leaves.segment.rows_of(candidate_ids)
        if len(rows):
            self.live[rows] = False
            self.counted, self.people = packed(self.live), int(self.live.sum())


class Roster:
    """The findable people of one database. Every method may be called from any thread."""

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._parts: list[_Part] = []
        self._horizon = 0  # every change that committed before is in: its transaction's number is below
        self._seen: set[tuple[int, bool, int]] = set()  # changes at the horizon or later that are in already

    def build(self) -> None:
        """Read everybody anew. Raises TooLarge."""
        with connection.cursor() as cursor:
            # Before any row is read: what commits meanwhile is read again.
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            horizon = cursor.fetchone()[0]
            segments: list[Segment] = []
            taken = 0
            for block in _blocks(cursor):
                segments.append(_segment(block))
                taken += segments[-1].nbytes
                if taken > self._most_bytes:
                    raise TooLarge(f"{sum(one.people for one in segments):,} people take {taken:,} bytes already")
        whole = joined(segments or [_segment(b"")])
        with self._lock:
            self._parts = [_Part(Leaves(whole), np.ones(whole.people, np.bool_))]
            self._horizon, self._seen = horizon, set()

    def crowd(self, without: Iterable[int] = ()) -> Crowd:
        """Everybody who can be found now, but for these candidates (inner ids). Raises Outrun."""
        with self._lock:
            self._follow()
            parts = [(part.leaves, part.counted) for part in self._parts]  # which is replaced, never changed
        counted = parts[0][1] if len(parts) == 1 else np.concatenate([counted for _, counted in parts])
        everybody = Crowd([leaves for leaves, _ in parts], counted)
        absent = frozenset(without)
        return Crowd(everybody.parts, everybody.counted & ~everybody.those(absent)) if absent else everybody

    @property
    def nbytes(self) -> int:
        """What the facts take; remembered criteria come on top."""
        return sum(part.leaves.segment.nbytes for part in self._parts)

    @property
    def is_worn(self) -> bool:
        """So many have left the large segment that it should be built anew."""
        whole = self._parts[0]
        return (len(whole.live) - whole.people) * REBUILD_SHARE > max(len(whole.live), BLOCK)

    def _follow(self) -> None:
        """Take in what has committed since. One statement where nothing has. Raises Outrun."""
        with connection.cursor() as cursor:
            cursor.execute(_CHANGES, {"horizon": self._horizon})
            rows = cursor.fetchall()
            horizon = rows[0][0]
            changes = {(person, is_gone, xid) for _, person, is_gone, xid in rows if person is not None}
            news = {person for person, _, xid in changes - self._seen}
            # A transaction may write again, and what it wrote may be rolled back: then nothing tells of it any more.
            news |= {person for person, _, xid in changes | self._seen if xid == OWN}
            if len(news) > MOST_NEWS:
                raise Outrun(f"{len(news):,} people have changed")
            if news:
                self._replace(np.array(sorted(news), np.int64), segment_of(news))
        self._horizon = horizon
        self._seen = {change for change in changes if change[2] >= horizon or change[2] == OWN}

    def _replace(self, gone: npt.NDArray[np.int64], fresh: Segment) -> None:
        for part in self._parts:
            part.let_go(gone)
        self._parts = [part for at, part in enumerate(self._parts) if at == 0 or part.people]
        added = _Part(Leaves(fresh), np.ones(fresh.people, np.bool_))
        # Each small segment is to be four times as large as the next, so that there are only ever a few.
        while len(self._parts) > 1 and self._parts[-1].people < 4 * added.people:
            last = self._parts.pop()
            both = joined([last.leaves.segment, added.leaves.segment], [last.live, added.live])
            added = _Part(Leaves(both), np.ones(both.people, np.bool_))
        if added.people:
            self._parts.append(added)


# Changes are told apart by person, kind and transaction: a transaction that began early and commits late may well write
# over what a later one wrote. What the reader's own transaction wrote is read each time, and once more by who asks
# next. Numbers that no transaction of this server has reached come from a dump of another server's; they say nothing.
_CHANGES = f"""
    WITH now AS MATERIALIZED (
        SELECT pg_snapshot_xmin(snapshot)::text::bigint AS xmin, pg_snapshot_xmax(snapshot)::text::bigint AS xmax,
            pg_current_xact_id_if_assigned()::text::bigint AS own
        FROM pg_current_snapshot() AS snapshot
    )
    SELECT now.xmin, changed.person, changed.is_gone, CASE WHEN changed.xid = now.own THEN {OWN} ELSE changed.xid END
    FROM now LEFT JOIN (
        SELECT candidate_id AS person, false AS is_gone, changed_xid AS xid
        FROM matching_candidateprojection WHERE changed_xid >= %(horizon)s
        UNION ALL
        SELECT candidate_id, true, changed_xid FROM matching_departure WHERE changed_xid >= %(horizon)s
    ) changed ON changed.xid < now.xmax OR changed.xid = now.own
"""

_FINDABLE = "present AND discoverable"


def _selected(column: Column) -> str:
    name = connection.ops.quote_name(column.name)
    return f"to_char({name}, 'YYYY-MM-DD')" if column.form is Form.DAY else name


def _query(where: str) -> str:
    table = connection.ops.quote_name(CandidateProjection._meta.db_table)
    selected = ", ".join(["candidate_id", *map(_selected, COLUMNS)])
    return f"COPY (SELECT {selected} FROM {table} WHERE {where}) TO STDOUT"


def segment_of(candidate_ids: Collection[int], where: str = _FINDABLE) -> Segment:
    """Those of these candidates who can be found."""
    listed = ",".join(str(int(candidate_id)) for candidate_id in candidate_ids)
    query = _query(f"{where} AND candidate_id = ANY ('{{{listed}}}'::bigint[])")
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return _segment(b"".join(map(bytes, copy)))


def crowd_of(candidate_ids: Collection[int]) -> Crowd:
    """These candidates as projected now, those present, whether they can be found or not: for who asks about a part of
    all people, and about each just once. One statement."""
    leaves = Leaves(segment_of(candidate_ids, "present"))
    return Crowd([leaves], packed(np.ones(leaves.segment.people, np.bool_)))


def _blocks(cursor: Any) -> Iterator[bytes]:
    """The lines of everybody who can be found, many at a time."""
    with cursor.copy(_query(_FINDABLE)) as copy:
        lines: list[bytes] = []
        for line in copy:
            lines.append(bytes(line))
            if len(lines) == BLOCK:
                yield b"".join(lines)
                lines = []
        if lines:
            yield b"".join(lines)


def _segment(block: bytes) -> Segment:
    from matching.core.columns.reading import segment_from  # numba takes a second to import: only who reads waits

    return segment_from(block)


class Keeper:
    """Has the one roster of a process built, once there are enough people for it, and anew when it is worn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._roster: Roster | None = None
        self._builder: threading.Thread | None = None
        self._not_before = 0.0

    def crowd(self, without: Iterable[int] = ()) -> Crowd | None:
        """Everybody who can be found now, but for these candidates (inner ids). None where no roster stands: it is
        being built, would take too much memory, or is not worth while for so few."""
        roster = self._roster
        if roster is None or roster.is_worn:
            self._start()
        if roster is None:
            return None
        try:
            return roster.crowd(without)
        except Outrun:
            self._roster = None
            self._start()
            return None

    def crowd_once_built(self, without: Iterable[int] = ()) -> Crowd | None:
        """The same, but while the roster is being built it is waited for: half a minute for a million people. For who
        would take much longer without."""
        found = self.crowd(without)
        if found is None:
            self.wait()
            found = self.crowd(without)
        return found

    def is_for_so_many(self) -> bool:
        """Whether there is a roster, here or in the process that will score: there are enough people for one, and no
        try to build it has failed."""
        if self._roster is not None:
            return True
        return settings.ROSTER_MEGABYTES > 0 and time.monotonic() >= self._not_before and _are_many()

    def wait(self) -> None:
        """Until whatever is being built stands."""
        builder = self._builder
        if builder is not None:
            builder.join()

    def forget(self) -> None:
        """Let go of the roster, as for another database."""
        self.wait()
        self._roster, self._not_before = None, 0.0

    def _start(self) -> None:
        if settings.ROSTER_MEGABYTES <= 0 or time.monotonic() < self._not_before or not _are_many():
            return
        with self._lock:
            if self._builder is None or not self._builder.is_alive():
                self._builder = threading.Thread(target=self._build, name="roster", daemon=True)
                self._builder.start()

    def _build(self) -> None:
        began = time.monotonic()
        roster = Roster(most_bytes=settings.ROSTER_MEGABYTES * 2**20)
        try:
            with transaction.atomic():
                # One long read: the web server's bound on statements is not meant for it.
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 0")
                roster.build()
        except Exception:
            self._not_before = time.monotonic() + RETRY_SECONDS
            logger.exception("The roster could not be built; rules are counted in SQL, and people scored one by one")
        else:
            self._roster = roster
            logger.info("Roster built in %.1f s: %.0f MB", time.monotonic() - began, roster.nbytes / 2**20)
        finally:
            connection.close()


def _are_many() -> bool:
    """Whether there are so many people that counting them in SQL takes too long."""
    some = CandidateProjection.objects.values_list("pk")[: settings.ROSTER_FROM_PEOPLE]
    return some.count() >= settings.ROSTER_FROM_PEOPLE


keeper = Keeper()
