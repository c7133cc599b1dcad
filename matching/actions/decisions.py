"""The log of what was shown to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.core.actor import Actor, ActorKind
from accounts.models import Event
from marketplace.models import Offer
from matching.actions import locks
from matching.actions.models import serving_now
from matching.core.features import FEATURES
from matching.core.scoring import INTERCEPT
from matching.core.workflow import ProposalState
from matching.models import AllocationRun, Decision, FeatureSet, ScoringModel
from matching.queries.exposure import values_of_pairs

FORGOTTEN_AT_ONCE = 20_000
LATE = timedelta(minutes=10)

_LOG = """
    INSERT INTO matching_decision (
        viewer_id, capacity, surface, opportunity_id, candidate_id, model_id, rank, propensity, feature_set_id,
        features, at
    )
    SELECT %(viewer)s, %(capacity)s, %(surface)s, shown.opportunity_id, shown.candidate_id, shown.model_id, shown.rank,
        shown.propensity, %(feature_set)s, shown.features::smallint[], %(now)s
    FROM unnest(
        %(opportunities)s::bigint[], %(candidates)s::bigint[], %(models)s::bigint[], %(ranks)s::int[],
        %(propensities)s::float8[], %(features)s::text[]
    ) AS shown (opportunity_id, candidate_id, model_id, rank, propensity, features)
    JOIN marketplace_opportunity opportunity ON opportunity.id = shown.opportunity_id
    JOIN marketplace_candidate candidate ON candidate.id = shown.candidate_id
    WHERE NOT EXISTS (
        SELECT FROM matching_decision earlier
        WHERE earlier.candidate_id = shown.candidate_id AND earlier.opportunity_id = shown.opportunity_id
            AND earlier.at > %(since)s AND earlier.viewer_id = %(viewer)s AND earlier.surface = %(surface)s
            AND earlier.model_id = shown.model_id
    )
    ORDER BY shown.rank
"""

_FEATURE_SET = """
    WITH known AS (SELECT id FROM matching_featureset WHERE names = %(names)s::varchar[]),
        new AS (
            INSERT INTO matching_featureset (names) SELECT %(names)s::varchar[] WHERE NOT EXISTS (SELECT FROM known)
            ON CONFLICT DO NOTHING RETURNING id
        )
    SELECT id FROM known UNION ALL SELECT id FROM new
"""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A pair on a page. `values` are those features that its score was made of, in thousandths, as they were then.

    `propensity` is the chance of being shown at this rank: who is ranked by a deterministic order was certain to be.
    """

    opportunity_id: int
    candidate_id: int
    model_id: int
    values: Mapping[str, int] = field(default_factory=dict)
    propensity: float = 1.0

    @property
    def pair(self) -> tuple[int, int]:
        return self.opportunity_id, self.candidate_id


def values_scored(contributions: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Feature → value in thousandths, of stored contributions: what a score was made of."""
    return {part["feature"]: part["value"] for part in contributions if part["feature"] != INTERCEPT}


def log_shown(
    *,
    actor: Actor,
    capacity: ActorKind,
    surface: Decision.Surface,
    ranked: Sequence[Ranked],
    first_rank: int = 1,
    now: datetime,
) -> int:
    """Record a page as it was shown, from `first_rank` on; how many rows are new. One statement writes them.

    All declared features are kept, not only those that a score was made of: the next model may weigh others. These are
    read now, which is a moment after the page was made; a pair whose facts or terms are gone is not recorded.

    What the same person was shown on the same surface under the same model within `DECISION_REPEAT_MINUTES` is the same
    exposure: somebody who reloads a page, or comes back to it, has not looked twice. Its first rank counts. Of two
    requests at once, the second sees what the first has written.
    """
    projected = surface in (Decision.Surface.MATCHES, Decision.Surface.CANDIDATES)
    return _log(
        list(enumerate(ranked, first_rank)),
        actor=actor,
        capacity=capacity,
        surface=surface,
        projected=projected,
        since=now - timedelta(minutes=settings.DECISION_REPEAT_MINUTES),
        now=now,
    )


def _log(
    ranked: Sequence[tuple[int, Ranked]],
    *,
    actor: Actor,
    capacity: ActorKind,
    surface: Decision.Surface,
    projected: bool,
    since: datetime,
    now: datetime,
) -> int:
    """Record pairs with their ranks. What was logged alike after `since` is not logged again."""
    found = values_of_pairs([one.pair for _, one in ranked], now, projected=projected) if ranked else {}
    placed = [(rank, one, {**found[one.pair], **one.values}) for rank, one in ranked if one.pair in found]
    if not placed:
        return 0
    names = list(FEATURES)
    with transaction.atomic():
        locks.logging_for(actor.user_id)
        feature_set = _feature_set(names)
        with connection.cursor() as cursor:
            cursor.execute(
                _LOG,
                {
                    "viewer": actor.user_id,
                    "capacity": capacity.value,
                    "surface": Decision.Surface(surface).value,
                    "feature_set": feature_set,
                    "now": now,
                    "since": since,
                    "opportunities": [one.opportunity_id for _, one, _ in placed],
                    "candidates": [one.candidate_id for _, one, _ in placed],
                    "models": [one.model_id for _, one, _ in placed],
                    "ranks": [rank for rank, _, _ in placed],
                    "propensities": [one.propensity for _, one, _ in placed],
                    "features": [f"{{{','.join(str(values[name]) for name in names)}}}" for *_, values in placed],
                },
            )
            return cursor.rowcount


def _feature_set(names: list[str]) -> int:
    """The key under which these names stand in this order."""
    with connection.cursor() as cursor:
        cursor.execute(_FEATURE_SET, {"names": names})
        found = cursor.fetchone()
    # Nothing where somebody else has written them at this very moment; then they are there by now.
    return found[0] if found else FeatureSet.objects.get(names=names).pk


def log_offer(offer_pk: int, now: datetime) -> int:
    """Record that an offer was shown to its candidate, however it came to be sent; 1, or 0 if nothing was recorded.

    Whoever hears of it too late records nothing: the features would be those of another time.
    """
    offer = Offer.objects.select_related("opportunity", "candidate").get(pk=offer_pk)
    if now - offer.created_at > LATE:
        return 0
    served = serving_now().of([offer.opportunity_id], on=offer.created_at.astimezone(UTC).date())
    return log_shown(
        actor=Actor(user_id=offer.candidate.user_id),
        capacity=ActorKind.CANDIDATE,
        surface=Decision.Surface.OFFERS,
        ranked=[Ranked(offer.opportunity_id, offer.candidate_id, one.model.pk) for one in served.values()],
        now=offer.created_at,
    )


def log_plan(event: Event, now: datetime) -> int:
    """Record what an allocation came to: once it is planned, all that it proposed, as shown to whoever asked for it;
    once it is committed, or a part of it, those of whom that made an offer, by whoever did. How many rows.

    Ranks are places in the plan, best first, and the model is the one that the plan was made by. Values that a score
    was made of are the proposal's own; the others are read now, and so nothing is recorded where this comes too late.
    Each plan is an exposure of its own: nothing counts as shown before.
    """
    if now - event.at > LATE:
        return 0
    run = AllocationRun.objects.select_related("created_by").get(pk=event.aggregate_id)
    committed = event.name != "AllocationPlanned"
    viewer = event.actor if committed else run.created_by
    staff = viewer is None or viewer.is_staff
    snapshot, solution = run.snapshot or {}, run.solution or {}
    versions = {pk: version for version, of in snapshot.get("models", {}).items() for pk in of}
    models = dict(ScoringModel.objects.filter(version__in=set(versions.values())).values_list("version", "pk"))
    proposed = {(opportunity, candidate) for opportunity, candidate in solution.get("assignment", ())}
    rows = run.proposals.order_by("-value", "pk")
    plan = [one for one in rows if (one.opportunity_id, one.candidate_id) in proposed]
    ranked = [
        (
            rank,
            Ranked(
                one.opportunity_id,
                one.candidate_id,
                models[versions[one.opportunity_id]],
                values_scored(one.contributions),
            ),
        )
        for rank, one in enumerate(plan, 1)
        if not committed or (one.state == ProposalState.SENT and one.settled_at == event.at)
    ]
    return _log(
        ranked,
        actor=Actor(user_id=viewer.pk if viewer else None),
        capacity=ActorKind.STAFF if staff else ActorKind.MEMBER,
        surface=Decision.Surface.COMMITMENTS if committed else Decision.Surface.PROPOSALS,
        projected=False,
        since=event.at,
        now=event.at,
    )


def forget_decisions(*, now: datetime) -> int:
    """Delete a batch of what is older than `DECISION_RETENTION_DAYS`; how many. 0 when nothing is left to forget."""
    before = now - timedelta(days=settings.DECISION_RETENTION_DAYS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('muster.forgetting', 'decisions', true)")
        cursor.execute(
            """
            DELETE FROM matching_decision WHERE id IN (
                SELECT id FROM matching_decision WHERE at < %s LIMIT %s FOR UPDATE SKIP LOCKED
            )
            """,
            [before, FORGOTTEN_AT_ONCE],
        )
        forgotten = cursor.rowcount
        cursor.execute("SELECT set_config('muster.forgetting', '', true)")
    return forgotten
