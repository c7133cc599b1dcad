"""The rules of all opportunities that are scored, held in memory: who is new or has changed is put to all of them.

Each process has one such index, built when it is first asked. Before every answer it is brought up to date with what
has committed, so it never answers by a rule that was replaced.

For 100,000 rules of three to eight criteria it takes some hundred megabytes and half a millisecond a rule to build,
most of it spent reading JSON; 3 ms to find that nothing has changed, 10 to take in one rule, 0.1 s for a thousand.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.expressions import RawSQL

from marketplace.models import ExchangeRateSet, Opportunity, OpportunityRevision
from marketplace.queries.rules import resolved_rules
from matching.core.eligibility import OUTCOMES, Outcome
from matching.core.facts import CandidateFacts
from matching.core.inverse import Judged, RuleIndex
from matching.core.rules import HasSkill, RateWithinPay, Rule, criteria
from matching.core.truth import truth
from matching.queries.scorable import SCORED_STATES

CHUNK = 5000  # rules that are loaded at once

# What has changed, and the moment up to which all is known, in one statement and so of one snapshot.
_CHANGES = """
    SELECT present.horizon, present.taxonomy,
        changed.id, changed.current_revision_id, changed.state, changed.changed_xid
    FROM (
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
            (SELECT id FROM marketplace_taxonomyrevision ORDER BY number DESC LIMIT 1) AS taxonomy
    ) present
    LEFT JOIN marketplace_opportunity changed ON {changed}
"""
_ALL = _CHANGES.format(changed="changed.state = ANY(%s) OR changed.changed_xid >= present.horizon")
_SINCE = _CHANGES.format(changed="changed.changed_xid >= %s OR changed.id = ANY(%s)")


@dataclass
class _Known:
    """What an index holds, and by what it was made."""

    index: RuleIndex = field(default_factory=RuleIndex)
    revisions: dict[int, int] = field(default_factory=dict)  # opportunity → revision whose rule is indexed
    about_skills: set[int] = field(default_factory=set)  # opportunities whose rules hang on the taxonomy
    about_pay: set[int] = field(default_factory=set)  # and on exchange rates
    horizon: int | None = None  # whatever has a lower number has been read
    unsettled: set[int] = field(default_factory=set)  # read at or above it: it may yet be rolled back
    taxonomy: int | None = None
    rates: int | None = None


class OpenRules:
    """The index, kept up to date. For any number of threads, one at a time.

    A refresh reads the opportunities whose state or revision was written by a transaction that had not ended when the
    last one was made (`accounts.models.changes`), so none is missed in whatever order they commit. What the caller's
    own transaction has written counts, and is taken back if it is rolled back. New revisions of the taxonomy have all
    rules that name skills resolved again, new exchange rates all that compare pay.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _Known()

    def judge(
        self, people: Iterable[CandidateFacts], *, on: date, rate_set: ExchangeRateSet | None
    ) -> tuple[list[Judged], Mapping[int, int]]:
        """Which opportunities' rules accept each of the people, and which may, by inner id; and the revision by which
        each of those was judged."""
        connection.ensure_connection()  # before the lock: who holds it must not wait for a connection
        with self._lock:
            self._refresh(rate_set)
            answers = [self._known.index.judge(facts, on=on) for facts in people]
            revisions = self._known.revisions
            return answers, {pk: revisions[pk] for one in answers for keys in one for pk in keys.tolist()}

    def forget(self) -> None:
        """Have the index built anew by whoever asks next."""
        with self._lock:
            self._known = _Known()

    def _refresh(self, rate_set: ExchangeRateSet | None) -> None:
        known = self._known
        try:
            outdated, taxonomy = self._changed()
            rates = rate_set.pk if rate_set else None
            if taxonomy != known.taxonomy:
                outdated |= known.about_skills
            if rates != known.rates:
                outdated |= known.about_pay
            if outdated and 2 * len(outdated) > len(known.index):  # quicker than replacing one by one
                known.index, outdated = RuleIndex(), set(known.revisions)
            self._load(outdated, rate_set)
            known.taxonomy, known.rates = taxonomy, rates
        except BaseException:
            self._known = _Known()  # half a refresh is none
            raise

    def _changed(self) -> tuple[set[int], int | None]:
        """Note which revisions hold by now; which opportunities' rules are to be loaded, and the present taxonomy."""
        known = self._known
        with connection.cursor() as cursor:
            if known.horizon is None:
                cursor.execute(_ALL, [list(SCORED_STATES)])
            else:
                cursor.execute(_SINCE, [known.horizon, list(known.unsettled)])
            rows = cursor.fetchall()
        horizon, taxonomy = rows[0][:2]
        found = {pk: (revision, state, xid) for _, _, pk, revision, state, xid in rows if pk is not None}
        outdated: set[int] = set()
        for pk in found.keys() | known.unsettled:
            revision, state, _ = found.get(pk, (None, None, None))
            if revision is None or state not in SCORED_STATES:
                self._drop(pk)
            elif known.revisions.get(pk) != revision:
                known.revisions[pk] = revision
                outdated.add(pk)
        known.horizon = horizon
        known.unsettled = {pk for pk, (_, _, xid) in found.items() if xid >= horizon}
        return outdated, taxonomy

    def _load(self, opportunity_ids: Collection[int], rate_set: ExchangeRateSet | None) -> None:
        known, ids = self._known, sorted(opportunity_ids)
        for start in range(0, len(ids), CHUNK):
            wanted = {known.revisions[pk]: pk for pk in ids[start : start + CHUNK]}
            for revision_id, rule in _rules(wanted, rate_set).items():
                pk = wanted[revision_id]
                kinds = {type(criterion) for criterion in criteria(rule)}
                known.index.put(pk, rule)
                (known.about_skills.add if HasSkill in kinds else known.about_skills.discard)(pk)
                (known.about_pay.add if RateWithinPay in kinds else known.about_pay.discard)(pk)

    def _drop(self, opportunity_id: int) -> None:
        known = self._known
        known.index.drop(opportunity_id)
        known.revisions.pop(opportunity_id, None)
        known.about_skills.discard(opportunity_id)
        known.about_pay.discard(opportunity_id)


OPEN_RULES = OpenRules()


def accepting(facts: CandidateFacts, *, now: datetime, rate_set: ExchangeRateSet | None) -> dict[int, Outcome]:
    """Every opportunity (inner id) that is open and public now and whose rule accepts the candidate, or may: with the
    outcome, waivers apart. Two statements, and those of a refresh that has rules to load."""
    on = now.astimezone(UTC).date()
    [judged], revisions = OPEN_RULES.judge([facts], on=on, rate_set=rate_set)
    outcomes = dict.fromkeys(judged.accepting.tolist(), Outcome.ELIGIBLE)
    outcomes |= dict.fromkeys(judged.unknown.tolist(), Outcome.UNKNOWN)
    present = dict(
        Opportunity.objects.public()
        .open_at(now)
        .filter(pk__in=_listed(outcomes), current_revision__isnull=False)
        .values_list("pk", "current_revision_id")
    )
    outcomes = {pk: outcomes[pk] for pk in sorted(present)}
    changed = {revision: pk for pk, revision in present.items() if revisions[pk] != revision}
    for revision, rule in (_rules(changed, rate_set) if changed else {}).items():  # while this was being answered
        outcomes[changed[revision]] = OUTCOMES[truth(rule, facts, on=on)]
    return {pk: outcome for pk, outcome in outcomes.items() if outcome is not Outcome.INELIGIBLE}


def _listed(ids: Iterable[int]) -> RawSQL:
    """Many ids as one value of a statement, which is then quicker to write, to send and to read."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


class _Stated(NamedTuple):
    """Of the terms, which may be long, only the pay is read."""

    rule: dict[str, Any] | None
    terms: dict[str, Any]


def _rules(revision_ids: Iterable[int], rate_set: ExchangeRateSet | None) -> dict[int, Rule]:
    """Rules by revision, ready to be judged."""
    rows = OpportunityRevision.objects.filter(pk__in=_listed(revision_ids)).values_list("pk", "rule", "terms__pay")
    return resolved_rules({pk: _Stated(rule, {"pay": pay or []}) for pk, rule, pay in rows}, rate_set=rate_set)
