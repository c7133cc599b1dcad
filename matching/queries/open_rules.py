"""The rules of all opportunities that are scored, held in memory: who is new or has changed is put to all of them.

Each process has one such index, built when it is first asked. Before every answer it is brought up to date with what
has committed, so it never answers by a rule that was replaced.

For 100,000 rules of three to eight criteria it takes some hundred megabytes and half a millisecond a rule to build,
most of it spent reading JSON; 1 ms to find that nothing has changed, 4 to take in one rule, 0.1 s for a thousand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.models import BooleanField, Model
from django.db.models.expressions import RawSQL

from accounts.models import Organisation
from marketplace.models import ExchangeRateSet, OpportunityRevision
from marketplace.queries.rules import resolved_rules
from matching.core.eligibility import Outcome
from matching.core.facts import CandidateFacts
from matching.core.inverse import Judged, RuleIndex
from matching.core.rules import HasSkill, RateWithinPay, Rule, criteria
from matching.queries.following import PRESENT, RECENT
from matching.queries.scorable import SCORED_STATES

CHUNK = 5000  # rules that are loaded at once

# What has changed, and the moment up to which all is known, in one statement and so of one snapshot.
_CHANGES = f"""
    WITH {PRESENT}
    SELECT present.horizon, present.taxonomy, changed.id, changed.current_revision_id, changed.state,
        changed.changed_xid >= present.horizon AND {RECENT},
        changed.state = 'published' AND changed.visibility = 'public', changed.opens_at, changed.closes_at,
        changed.posting_organisation_id
    FROM present LEFT JOIN marketplace_opportunity changed ON %s
"""
_ALL = _CHANGES % f"changed.state = ANY(%s) OR (changed.changed_xid >= present.horizon AND {RECENT})"
_SINCE = _CHANGES % f"changed.id = ANY(%s) OR (changed.changed_xid >= %s AND {RECENT})"


class Opening(NamedTuple):
    """When an opportunity can be found by anybody, whoever posted it not being suspended; and the revision whose rule
    is indexed."""

    revision: int
    is_public: bool  # and published
    opens_at: datetime | None
    closes_at: datetime | None
    organisation: int

    def is_open_at(self, now: datetime) -> bool:
        opened = self.opens_at is None or self.opens_at <= now
        return self.is_public and opened and (self.closes_at is None or self.closes_at > now)


@dataclass
class _Known:
    """What an index holds, and by what it was made."""

    index: RuleIndex = field(default_factory=RuleIndex)
    openings: dict[int, Opening] = field(default_factory=dict)  # by opportunity
    about_skills: set[int] = field(default_factory=set)  # opportunities whose rules hang on the taxonomy
    about_pay: set[int] = field(default_factory=set)  # and on exchange rates
    outdated: set[int] = field(default_factory=set)  # opportunities whose present rules are still to be loaded
    horizon: int | None = None  # whatever has a lower number has been read
    unsettled: set[int] = field(default_factory=set)  # read at or above it: it may yet be rolled back
    taxonomy: int | None = None
    rates: int | None = None


class OpenRules:
    """The index, kept up to date. For any number of threads, one at a time.

    A refresh reads the opportunities whose state, opening times or revision were written by a transaction that had not
    ended when the last one was made (`accounts.models.changes`), so none is missed in whatever order they commit. What
    the caller's own transaction has written counts, and is taken back if it is rolled back. New revisions of the
    taxonomy have all rules that name skills resolved again, new exchange rates all that compare pay.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _Known()

    def judge(
        self, people: Iterable[CandidateFacts], *, on: date, rate_set: ExchangeRateSet | None
    ) -> tuple[list[Judged], Mapping[int, Opening]]:
        """Which opportunities' rules accept each of the people, and which may, by inner id; and when each of those is
        open."""
        connection.ensure_connection()  # before the lock: who holds it must not wait for a connection
        with self._lock:
            self._refresh(rate_set)
            answers = [self._known.index.judge(facts, on=on) for facts in people]
            openings = self._known.openings
            return answers, {pk: openings[pk] for one in answers for keys in one for pk in keys.tolist()}

    def forget(self) -> None:
        """Have the index built anew by whoever asks next."""
        with self._lock:
            self._known = _Known()

    def _refresh(self, rate_set: ExchangeRateSet | None) -> None:
        """A lost connection, or a statement that took too long, leaves an index that is no further than it was, with a
        note of what it lacks: the next who asks goes on from there."""
        rows = self._changes()
        try:
            self._note(rows, rate_set.pk if rate_set else None)
            self._load(rate_set)
        except DatabaseFailure:  # which only statements raise, never in the middle of a change
            raise
        except BaseException:  # such as a worker's time that is up, at any line: half a change of the index is none
            self._known = _Known()
            raise

    def _changes(self) -> list[tuple[Any, ...]]:
        known = self._known
        with connection.cursor() as cursor:
            if known.horizon is None:
                cursor.execute(_ALL, [list(SCORED_STATES)])
            else:
                cursor.execute(_SINCE, [list(known.unsettled), known.horizon])
            return cursor.fetchall()

    def _note(self, rows: list[tuple[Any, ...]], rates: int | None) -> None:
        """Which revisions hold by now, and which opportunities' rules are to be loaded."""
        known = self._known
        horizon, taxonomy = rows[0][:2]
        found = {pk: row for _, _, pk, *row in rows if pk is not None}
        for pk in found.keys() | known.unsettled:
            revision, state, _, *opening = found.get(pk, (None, None, None))
            if revision is None or state not in SCORED_STATES:
                self._drop(pk)
                continue
            if pk not in known.openings or known.openings[pk].revision != revision:
                known.outdated.add(pk)
            known.openings[pk] = Opening(revision, *opening)
        if taxonomy != known.taxonomy:
            known.outdated |= known.about_skills
        if rates != known.rates:
            known.outdated |= known.about_pay
        if 2 * sum(pk in known.index for pk in known.outdated) > len(known.index):  # quicker than one by one
            known.index, known.outdated = RuleIndex(), set(known.openings)
        known.horizon, known.taxonomy, known.rates = horizon, taxonomy, rates
        known.unsettled = {pk for pk, (_, _, is_recent, *_) in found.items() if is_recent}

    def _load(self, rate_set: ExchangeRateSet | None) -> None:
        known, ids = self._known, sorted(self._known.outdated)
        for start in range(0, len(ids), CHUNK):
            wanted = {known.openings[pk].revision: pk for pk in ids[start : start + CHUNK]}
            rules = _rules(wanted, rate_set)
            for revision_id, pk in wanted.items():
                if revision_id in rules:
                    self._put(pk, rules[revision_id])
                else:  # gone meanwhile, or not there yet for a reader whose transaction began long ago
                    self._drop(pk)
            known.outdated.difference_update(wanted.values())

    def _put(self, opportunity_id: int, rule: Rule) -> None:
        known = self._known
        kinds = {type(criterion) for criterion in criteria(rule)}
        known.index.put(opportunity_id, rule)
        (known.about_skills.add if HasSkill in kinds else known.about_skills.discard)(opportunity_id)
        (known.about_pay.add if RateWithinPay in kinds else known.about_pay.discard)(opportunity_id)

    def _drop(self, opportunity_id: int) -> None:
        known = self._known
        known.index.drop(opportunity_id)
        known.openings.pop(opportunity_id, None)
        known.outdated.discard(opportunity_id)
        known.about_skills.discard(opportunity_id)
        known.about_pay.discard(opportunity_id)


OPEN_RULES = OpenRules()


def accepting(facts: CandidateFacts, *, now: datetime, rate_set: ExchangeRateSet | None) -> dict[int, Outcome]:
    """Every opportunity (inner id, ascending) that anybody can find now and whose rule accepts the candidate, or may:
    with the outcome, waivers apart. Two statements, and those of a refresh that has rules to load. One whose row was
    deleted, which no action does, is still named: whoever shows what they lead to reads the rows."""
    [judged], openings = OPEN_RULES.judge([facts], on=now.astimezone(UTC).date(), rate_set=rate_set)
    outcomes = dict.fromkeys(judged.accepting.tolist(), Outcome.ELIGIBLE)
    outcomes |= dict.fromkeys(judged.unknown.tolist(), Outcome.UNKNOWN)
    suspended = set(Organisation.objects.filter(suspended_at__isnull=False).values_list("pk", flat=True))
    return {
        pk: outcomes[pk]
        for pk, opening in sorted(openings.items())
        if opening.is_open_at(now) and opening.organisation not in suspended
    }


def _is_among(model: type[Model], ids: Iterable[int]) -> RawSQL:
    """Whether a row has one of many ids, which are one value of the statement: `IN` with each written out takes longer
    to write, to send and to plan, a subquery over them has them sorted out first, and a list is adapted one by one."""
    table, listed = connection.ops.quote_name(model._meta.db_table), ",".join(map(str, ids))
    return RawSQL(f"{table}.id = ANY(%s::bigint[])", [f"{{{listed}}}"], output_field=BooleanField())


class _Stated(NamedTuple):
    """Of the terms, which may be long, only the pay is read."""

    rule: dict[str, Any] | None
    terms: dict[str, Any]


def _rules(revision_ids: Iterable[int], rate_set: ExchangeRateSet | None) -> dict[int, Rule]:
    """Rules by revision, ready to be judged."""
    rows = OpportunityRevision.objects.filter(_is_among(OpportunityRevision, revision_ids)).values_list(
        "pk", "rule", "terms__pay"
    )
    return resolved_rules({pk: _Stated(rule, {"pay": pay or []}) for pk, rule, pay in rows}, rate_set=rate_set)
