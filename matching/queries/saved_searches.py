"""All saved searches, held in memory: what is newly published is put to all of them.

Each process that alerts has one such index, built when it is first asked. Before every answer it is brought up to date
with what has committed, so it never answers by a query that was replaced. Searches that were deleted may still be
named: whoever tells somebody of what was found reads the rows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import Error as DatabaseFailure
from django.db import connection

from marketplace.models import ExchangeRateSet
from marketplace.queries.rates import rates_of
from marketplace.queries.skills import survivors
from matching.core.attributes import Subject
from matching.core.inverse import RuleIndex
from matching.core.search.query import OPENINGS, names, segments
from matching.core.search.saved import PayAsked, SavedQuery, UnreadableQuery, remainder
from matching.core.search.search import Opening, Search, found
from matching.core.search.texts import TextIndex
from matching.models import SavedSearch
from matching.queries.following import PRESENT, RECENT
from matching.queries.named_skills import skills_named

logger = logging.getLogger(__name__)

CHUNK = 5000  # searches that are loaded at once

OWN = -1  # stands for the number of the reader's own transaction

_CHANGES = f"""
    WITH {PRESENT}
    SELECT present.horizon, present.taxonomy, changed.id,
        CASE WHEN changed.changed_xid = present.own THEN {OWN} WHEN {RECENT} THEN changed.changed_xid END
    FROM present LEFT JOIN matching_savedsearch changed ON %s
"""
_ALL = _CHANGES % "true"
_SINCE = _CHANGES % f"changed.changed_xid >= %s AND {RECENT}"


class _Rest(NamedTuple):
    """What a search asks for besides its filters. Many people ask for the same, so it is numbered."""

    text: int
    pay: int


@dataclass
class _Known:
    """What an index holds, and by what it was made."""

    index: RuleIndex = field(default_factory=lambda: RuleIndex(Subject.OPPORTUNITY))
    rests: dict[int, _Rest] = field(default_factory=dict)  # by search
    texts: TextIndex = field(default_factory=TextIndex)
    text_of: dict[tuple[str, ...], int] = field(default_factory=dict)  # by words
    pay_of: dict[PayAsked | None, int] = field(default_factory=dict)
    outdated: set[int] = field(default_factory=set)  # searches that are still to be loaded
    horizon: int | None = None  # whatever has a lower number has been read
    seen: dict[int, int] = field(default_factory=dict)  # what was read at or above it: searches, and by whom written
    taxonomy: int | None = None


class SavedSearches:
    """The index, kept up to date as that of open rules is (`matching.queries.open_rules`). For any number of threads,
    one at a time. A new revision of the taxonomy has all searches read again: it may name what they ask for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _Known()

    def finding(
        self, openings: Iterable[Opening], *, on: date, rate_set: ExchangeRateSet | None
    ) -> list[frozenset[int]]:
        """Which searches (inner ids) find each of the opportunities, as `found` does."""
        rates = rates_of(rate_set)
        connection.ensure_connection()  # before the lock: who holds it must not wait for a connection
        with self._lock:
            self._refresh()
            return [self._finding(one, on, rates) for one in openings]

    def forget(self) -> None:
        """Have the index built anew by whoever asks next."""
        with self._lock:
            self._known = _Known()

    def _finding(self, opening: Opening, on: date, rates: Mapping[str, Decimal]) -> frozenset[int]:
        known = self._known
        accepting = known.index.judge(opening.facts, on=on).accepting.tolist()
        said = known.texts.answered_by(opening.text, OPENINGS)
        asked = [(pk, known.rests[pk].pay) for pk in accepting if known.rests[pk].text in said]
        pays = list(known.pay_of)
        paid = {pay for pay in {pay for _, pay in asked} if found(remainder((), pays[pay], rates), opening) is not None}
        return frozenset(pk for pk, pay in asked if pay in paid)

    def _refresh(self) -> None:
        """A lost connection leaves an index that is no further than it was, with a note of what it lacks."""
        rows = self._changes()
        try:
            self._note(rows)
            self._load()
        except DatabaseFailure:  # which only statements raise, never in the middle of a change
            raise
        except BaseException:  # such as a worker's time that is up, at any line: half a change of the index is none
            self._known = _Known()
            raise

    def _changes(self) -> list[tuple[Any, ...]]:
        horizon = self._known.horizon
        with connection.cursor() as cursor:
            cursor.execute(*((_ALL,) if horizon is None else (_SINCE, [horizon])))
            return cursor.fetchall()

    def _note(self, rows: list[tuple[Any, ...]]) -> None:
        """Which searches are to be read. What the reader's own transaction wrote is read each time, and once more by
        who asks next: it may be written again, or rolled back, and then nothing tells of it any more."""
        known = self._known
        horizon, taxonomy = rows[0][:2]
        writers = {pk: xid for _, _, pk, xid in rows if pk is not None}
        changed = {pk for pk, xid in writers.items() if xid in (None, OWN) or known.seen.get(pk) != xid}
        changed |= {pk for pk, xid in known.seen.items() if xid == OWN}
        if taxonomy != known.taxonomy or 2 * len(changed) > len(known.rests):  # quicker than one by one
            changed |= known.rests.keys()
            known.index, known.texts = RuleIndex(Subject.OPPORTUNITY), TextIndex()
            known.rests, known.text_of, known.pay_of = {}, {}, {}
        known.outdated |= changed
        known.horizon, known.taxonomy = horizon, taxonomy
        known.seen = {pk: xid for pk, xid in writers.items() if xid is not None and (xid == OWN or xid >= horizon)}

    def _load(self) -> None:
        known, ids = self._known, sorted(self._known.outdated)
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            queries = _queries(chunk)
            texts = {query.words for query in queries.values()} - known.text_of.keys()
            skills = skills_named({name for words in texts for name in names(words)})
            for words in texts:
                known.text_of[words] = known.texts.add(segments(words, skills, open_end=False))
            for pk in chunk:
                if pk in queries:
                    query = queries[pk]
                    known.index.put(pk, query.rule)
                    pay = known.pay_of.setdefault(query.pay, len(known.pay_of))
                    known.rests[pk] = _Rest(known.text_of[query.words], pay)
                else:
                    known.index.drop(pk)
                    known.rests.pop(pk, None)
            known.outdated.difference_update(chunk)


SAVED_SEARCHES = SavedSearches()


def _queries(search_ids: Sequence[int]) -> dict[int, SavedQuery]:
    """Queries by search, skills that were merged since replaced. One that cannot be read any more finds nothing, and
    holds up no other."""
    queries: dict[int, SavedQuery] = {}
    for pk, raw in SavedSearch.objects.filter(pk__in=search_ids).order_by().values_list("pk", "query"):
        try:
            queries[pk] = SavedQuery.from_json(raw)
        except UnreadableQuery:
            logger.exception("the query of saved search %s cannot be read: it finds nothing", pk)
    became = survivors(pk for query in queries.values() for pk in query.skill_ids)
    return {pk: query.resolved(became) if became else query for pk, query in queries.items()}


def search_of(query: SavedQuery, *, rate_set: ExchangeRateSet | None, on: date) -> Search:
    """What finds it on a day, for anybody. Four statements at most."""
    query = query.resolved(survivors(query.skill_ids))
    named = skills_named(names(query.words))
    return query.search(segments(query.words, named, open_end=False), rates=rates_of(rate_set), on=on)
