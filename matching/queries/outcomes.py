"""What became of those who were shown: the labels that models learn from and are measured by.

Each head has its own labels, over the people who were exposed to the question that it answers:

- fit: candidates whom somebody of the organisation was shown. Yes if a person of it then invited them, moved their
  application beyond review, or sent an offer that no allocation had proposed; or if a placement was completed. No if
  nothing of that happened in time, and no again if the organisation ended the placement early or they did not turn up.
- interest: opportunities that a candidate was shown. Yes if they then applied, unasked, referred or invited.
- acceptance: offers. Yes if accepted, also if the seats had gone meanwhile; no if declined by the candidate or left to
  expire. What the organisation withdrew is neither.

A pair counts once: from when it was first shown in the time asked for. What had been settled before that is no outcome
of it. An outcome counts within `OUTCOME_DAYS` of the exposure; exposures that are younger than that at the moment of
asking are censored, that is left out, since a no of theirs may still become a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from matching.core.features import FEATURES, NEUTRAL
from matching.core.scoring import HEADS
from matching.models import FeatureSet, Segment

Times = NDArray[np.int64]
"""Microseconds since 1970 in UTC."""

NEVER = np.iinfo(np.int64).max
MOST_EXAMPLES = 200_000
READ_AT_ONCE = 10_000

# Of the rows of the log that answer one question, the first of each pair; if there are too many, of every n-th pair.
_FIRST_SHOWN = """
    SELECT DISTINCT ON (candidate_id, opportunity_id)
        id, candidate_id, opportunity_id, model_id, rank, propensity, feature_set_id, features, at
    FROM matching_decision
    WHERE at >= %(since)s AND at < %(until)s AND surface = ANY(%(surfaces)s) AND capacity = %(capacity)s
        AND (%(segment)s::bigint IS NULL OR model_id IN (
            SELECT id FROM matching_scoringmodel WHERE segment_id = %(segment)s
        ))
        AND (candidate_id * 7919 + opportunity_id * 104729) %% %(every)s = 0
    ORDER BY candidate_id, opportunity_id, at, id
"""

_COUNT = """
    SELECT count(*) FROM matching_decision
    WHERE at >= %(since)s AND at < %(until)s AND surface = ANY(%(surfaces)s) AND capacity = %(capacity)s
"""

_COLUMNS = """
    id, candidate_id, opportunity_id, model_id, rank, propensity, feature_set_id, features,
    (extract(epoch FROM at) * 1000000)::bigint, (extract(epoch FROM reached_at) * 1000000)::bigint,
    (extract(epoch FROM kept_at) * 1000000)::bigint, (extract(epoch FROM lost_at) * 1000000)::bigint
"""

# What people of the organisation did about a pair: `reached` is a yes, `settled` an earlier answer of either kind.
_FIT = f"""
    WITH shown AS MATERIALIZED ({_FIRST_SHOWN}),
    steps AS (
        SELECT candidate_id, opportunity_id, created_at AS at, 'reached' AS step
        FROM marketplace_invitation WHERE invited_by_id IS NOT NULL
        UNION ALL
        SELECT application.candidate_id, application.opportunity_id, event.at, 'reached'
        FROM accounts_event event
        JOIN marketplace_application application ON application.id = event.aggregate_id
        JOIN marketplace_opportunity opportunity ON opportunity.id = application.opportunity_id
        WHERE event.aggregate_type = 'application' AND event.name = 'ApplicationMoved'
            AND event.actor_kind IN ('member', 'staff')
            -- Pipelines are each opportunity's own: where there is no review, it is what comes second.
            AND array_position(opportunity.pipeline, (event.payload ->> 'to')::varchar) > least(
                coalesce(array_position(opportunity.pipeline, 'review'), 2), cardinality(opportunity.pipeline) - 1
            )
        UNION ALL
        SELECT offer.candidate_id, offer.opportunity_id, offer.created_at, 'reached'
        FROM marketplace_offer offer
        WHERE offer.sent_by_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM matching_proposal proposal WHERE proposal.offer_id = offer.id)
        UNION ALL
        SELECT application.candidate_id, application.opportunity_id, moved.at, 'settled'
        FROM accounts_transition moved
        JOIN marketplace_application application ON application.id = moved.subject_id
        WHERE moved.subject_type = 'application' AND moved.to_state IN ('rejected', 'hired')
        UNION ALL
        SELECT placement.candidate_id, placement.opportunity_id, moved.at,
            CASE moved.to_state WHEN 'completed' THEN 'kept' ELSE 'lost' END
        FROM accounts_transition moved
        JOIN marketplace_placement placement ON placement.id = moved.subject_id
        WHERE moved.subject_type = 'placement' AND (
            moved.to_state IN ('completed', 'no_show')
            OR moved.to_state = 'ended_early' AND moved.actor_kind IN ('member', 'staff')
        )
    ),
    answers AS (
        SELECT shown.id,
            min(steps.at) FILTER (WHERE step = 'reached') AS reached_at,
            min(steps.at) FILTER (WHERE step = 'kept') AS kept_at,
            min(steps.at) FILTER (WHERE step = 'lost') AS lost_at,
            coalesce(bool_or(steps.at <= shown.at), false) AS is_settled
        FROM shown JOIN steps USING (candidate_id, opportunity_id)
        WHERE steps.at <= %(now)s
        GROUP BY shown.id
    )
    SELECT {_COLUMNS} FROM shown LEFT JOIN answers USING (id)
    WHERE is_settled IS NOT TRUE
    ORDER BY at, id
"""

_INTEREST = f"""
    WITH shown AS MATERIALIZED ({_FIRST_SHOWN}),
    answers AS (
        SELECT shown.id, min(application.created_at) AS reached_at, NULL::timestamptz AS kept_at,
            NULL::timestamptz AS lost_at, bool_or(application.created_at <= shown.at) AS is_settled
        FROM shown JOIN marketplace_application application USING (candidate_id, opportunity_id)
        WHERE application.source <> 'allocation' AND application.created_at <= %(now)s
        GROUP BY shown.id
    )
    SELECT {_COLUMNS} FROM shown LEFT JOIN answers USING (id)
    WHERE is_settled IS NOT TRUE
    ORDER BY at, id
"""

# The features are those last logged before the offer went out, or as it did; the question was put when it did.
_ACCEPTANCE = f"""
    WITH offers AS (
        SELECT DISTINCT ON (candidate_id, opportunity_id) id AS offer_id, candidate_id, opportunity_id, created_at
        FROM marketplace_offer
        WHERE created_at >= %(since)s AND created_at < %(until)s
            AND (candidate_id * 7919 + opportunity_id * 104729) %% %(every)s = 0
        ORDER BY candidate_id, opportunity_id, created_at, id
    ),
    answers AS (
        SELECT offers.offer_id, min(moved.at) FILTER (WHERE moved.to_state IN ('accepted', 'overtaken')) AS reached_at,
            min(moved.at) FILTER (WHERE moved.to_state IN ('declined', 'expired')) AS lost_at
        FROM offers JOIN accounts_transition moved
            ON moved.subject_type = 'offer' AND moved.subject_id = offers.offer_id
        WHERE moved.at <= %(now)s AND (
            moved.to_state IN ('accepted', 'expired')
            OR moved.to_state IN ('declined', 'overtaken') AND moved.actor_kind = 'candidate'
        )
        GROUP BY offers.offer_id
    )
    SELECT {_COLUMNS}
    FROM (
        SELECT decision.id, offers.candidate_id, offers.opportunity_id, decision.model_id, 1 AS rank,
            1.0::float8 AS propensity, decision.feature_set_id, decision.features, offers.created_at AS at,
            answers.reached_at, NULL::timestamptz AS kept_at, answers.lost_at
        FROM offers
        JOIN answers USING (offer_id)
        CROSS JOIN LATERAL (
            SELECT * FROM matching_decision decision
            WHERE decision.candidate_id = offers.candidate_id AND decision.opportunity_id = offers.opportunity_id
                AND decision.at <= offers.created_at
            ORDER BY decision.at DESC, decision.id DESC LIMIT 1
        ) AS decision
        WHERE %(segment)s::bigint IS NULL OR decision.model_id IN (
            SELECT id FROM matching_scoringmodel WHERE segment_id = %(segment)s
        )
    ) AS shown
    ORDER BY at, id
"""

_STATEMENTS = {"fit": _FIT, "interest": _INTEREST, "acceptance": _ACCEPTANCE}
_EXPOSED: Mapping[str, tuple[list[str], str]] = {
    "fit": (["matches", "candidates"], "member"),
    "interest": (["recommendations", "opportunities"], "candidate"),
    "acceptance": (["offers"], "candidate"),
}


@dataclass(frozen=True)
class Outcomes:
    """Columns, one entry a pair, in the order in which they were shown.

    `values` holds all declared features as they were, in thousandths; what was not yet declared then is neutral.
    `reached_at` is the first yes, `lost_at` what takes it back, or a no, `kept_at` what settles it as a yes; `NEVER`
    where there is none by `known_at`.
    """

    head: str
    known_at: int
    window: int  # microseconds
    ids: NDArray[np.int64]  # of the rows of the log
    candidates: NDArray[np.int64]
    opportunities: NDArray[np.int64]
    models: NDArray[np.int64]
    ranks: NDArray[np.int64]
    propensities: NDArray[np.float64]
    shown_at: Times
    reached_at: Times
    kept_at: Times
    lost_at: Times
    values: Mapping[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> NDArray[np.int8]:
        """1 for yes, as far as it was known at `known_at`."""
        in_time = self.reached_at <= np.minimum(self.shown_at + self.window, self.known_at)
        kept, lost = self.kept_at <= self.known_at, self.lost_at <= self.known_at
        answer: NDArray[np.int8] = ((in_time | kept) & ~(lost & ~kept)).astype(np.int8)
        return answer

    def known_by(self, moment: int) -> Outcomes:
        """Those whose time for an outcome was over by then, with what was known then: nothing of what came later."""
        ripe = self.shown_at + self.window <= moment
        if self.head == "acceptance":  # an offer that nobody answered in its time tells nothing
            ripe &= np.minimum(self.reached_at, self.lost_at) <= self.shown_at + self.window
        return self._at(moment, ripe)

    def where(self, chosen: NDArray[np.bool_]) -> Outcomes:
        return self._at(self.known_at, chosen)

    def _at(self, moment: int, chosen: NDArray[np.bool_]) -> Outcomes:
        columns: dict[str, Any] = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        values = {name: column[chosen] for name, column in self.values.items()}
        return Outcomes(self.head, min(moment, self.known_at), self.window, values=values, **columns)


_ARRAYS = (
    "ids", "candidates", "opportunities", "models", "ranks", "propensities", "shown_at", "reached_at", "kept_at",
    "lost_at",
)  # fmt: skip


def outcomes_of(
    head: str, *, since: datetime, until: datetime, now: datetime, segment: Segment | None = None
) -> Outcomes:
    """What became, by `now`, of pairs that were first shown in [since, until), for the question of one head.

    `segment`: only what its models were shown by. Of more than `MOST_EXAMPLES` rows a sample is taken by pair, the same
    each time, of which yes and no are as likely as of all. Two statements, three if anything is found. ValueError for a
    head that there is not.
    """
    if head not in HEADS:
        raise ValueError(f"there is no head {head}")
    surfaces, capacity = _EXPOSED[head]
    window = timedelta(days=settings.OUTCOME_DAYS[head])
    asked: dict[str, Any] = {
        "since": since, "until": min(until, now), "now": now, "surfaces": surfaces, "capacity": capacity,
        "segment": segment.pk if segment is not None else None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, asked)
        asked["every"] = 1 + cursor.fetchone()[0] // MOST_EXAMPLES
        cursor.execute(_STATEMENTS[head], asked)
        found = _read(cursor)
    outcomes = Outcomes(head, microseconds(now), window // timedelta(microseconds=1), **found)
    return outcomes.known_by(microseconds(now))


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _read(cursor: Any) -> dict[str, Any]:
    """The columns, read a part at a time: hundreds of thousands of rows of Python's integers would take gigabytes."""
    parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
    sets: dict[int, list[str]] = {}
    while rows := cursor.fetchmany(READ_AT_ONCE):
        if not sets:
            sets = dict(FeatureSet.objects.values_list("pk", "names"))
        numbers = np.array(
            [[*row[:5], row[8], *(NEVER if at is None else at for at in row[9:12])] for row in rows], dtype=np.int64
        )
        parts.append((numbers, np.array([row[5] for row in rows]), _features(rows, sets)))
    if not parts:
        parts = [(np.empty((0, 9), np.int64), np.empty(0), np.empty((0, len(FEATURES)), np.int64))]
    numbers, propensities, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    names = ("ids", "candidates", "opportunities", "models", "ranks", "shown_at", "reached_at", "kept_at", "lost_at")
    columns: dict[str, Any] = {name: numbers[:, at] for at, name in enumerate(names)}
    values = {name: features[:, at] for at, name in enumerate(FEATURES)}
    return {**columns, "propensities": propensities, "values": values}


def _features(rows: list[Any], sets: Mapping[int, list[str]]) -> NDArray[np.int64]:
    """One row a pair, one column a declared feature."""
    found = np.full((len(rows), len(FEATURES)), NEUTRAL, dtype=np.int64)
    of = np.array([row[6] for row in rows])
    for key in np.unique(of):
        at = np.flatnonzero(of == key)
        logged = np.array([rows[one][7] for one in at], dtype=np.int64)
        for column, name in enumerate(FEATURES):
            if name in sets[key]:
                found[at, column] = logged[:, sets[key].index(name)]
    return found
