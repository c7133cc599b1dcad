"""What models in the shadow would have done with what the live ones have just scored.

It is done when no live scores are waiting, an opportunity at a time, and at most once a day for each opportunity and
model. What fails is noted with the model, and touches nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from accounts.errors import DomainError
from marketplace.models import Opportunity
from matching.actions import locks
from matching.actions.models.serving import serving_now
from matching.actions.rescoring.opportunities import kept
from matching.core.facts import CandidateFacts
from matching.core.scoring import HEADS, UNSCORED, InvalidModel, NotScored, PairValues, Scorer
from matching.core.workflow import ModelState
from matching.models import Match, ScoringModel, ShadowFailure, ShadowMark, ShadowRanking
from matching.queries.matches import place_of
from matching.queries.projection import projected_facts
from matching.queries.scorable import SCORED_STATES, Basics, Scorable, basics_at, scorables, top_k
from matching.queries.serving import beside

logger = logging.getLogger(__name__)

AT_ONCE = 20  # opportunities before whoever waits for live scores gets a turn
TURN_SECONDS = 0.25
FORGOTTEN_AT_ONCE = 5000


def shadow_top_k() -> int:
    """How many of either model's best are logged."""
    return min(int(settings.SHADOW_TOP_K), top_k())


def score_marked(now: datetime) -> int:
    """Have the models in the shadow score some of the opportunities that are marked for them; how many were done."""
    until = time.monotonic() + TURN_SECONDS
    shadows: list[ScoringModel] | None = None
    done = 0
    for _ in range(AT_ONCE):
        with transaction.atomic():
            marked = locks.claim_shadow_marks(1)
            if marked:
                shadows = in_the_shadow() if shadows is None else shadows
                score(marked, shadows, now)
                ShadowMark.objects.filter(pk__in=marked).delete()
        done += len(marked)
        if not marked or time.monotonic() > until:
            break
    return done


def in_the_shadow() -> list[ScoringModel]:
    return list(ScoringModel.objects.filter(state=ModelState.SHADOW).select_related("segment").order_by("pk"))


def score(opportunity_ids: Collection[int], shadows: Sequence[ScoringModel], now: datetime) -> None:
    """Log what each of these models makes of those of the opportunities (inner ids) that it would serve."""
    if not shadows or not opportunity_ids:
        return
    on = now.astimezone(UTC).date()
    rows = Opportunity.objects.filter(pk__in=opportunity_ids, state__in=SCORED_STATES)
    logged = set(
        ShadowRanking.objects.filter(opportunity__in=opportunity_ids, day=on).values_list("model_id", "opportunity_id")
    )
    basics = basics_at(now, serving_now())
    scored = scorables(rows, basics)
    for shadow in shadows:
        try:
            with transaction.atomic():
                served = beside(basics.serving, shadow).of(list(scored), on=basics.on)
                theirs = {
                    pk: replace(scorable, served=served[pk])
                    for pk, scorable in scored.items()
                    if pk in served and served[pk].model.pk == shadow.pk and (shadow.pk, pk) not in logged
                }
                _log(theirs, scored, basics)
        except Exception as error:
            logger.exception("the model %s failed in the shadow", shadow.version)
            _note_failure(shadow, error, on, now)


def forget(*, now: datetime) -> int:
    """Delete a batch of rankings and failures that are older than `SHADOW_RETENTION_DAYS`; how many."""
    before = now.astimezone(UTC).date() - timedelta(days=settings.SHADOW_RETENTION_DAYS)
    old = ShadowRanking.objects.filter(day__lt=before).order_by("day").values("pk")[:FORGOTTEN_AT_ONCE]
    forgotten, _ = ShadowRanking.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    failures, _ = ShadowFailure.objects.filter(day__lt=before).delete()
    return forgotten + failures


@dataclass(frozen=True)
class _Scores:
    """Head → scores of some candidates, by one model."""

    by_head: Mapping[str, NDArray[np.int64]]

    def usable(self) -> NDArray[np.bool_]:
        """Where there is a score in every head."""
        found: NDArray[np.bool_] = np.all([self.by_head[head] != UNSCORED for head in HEADS], axis=0)
        return found


def _log(theirs: Mapping[int, Scorable], scored: Mapping[int, Scorable], basics: Basics) -> None:
    known: dict[int, CandidateFacts] = {}
    rankings = []
    for scorable, best in kept(theirs, basics, known):
        live = scored[scorable.pk]
        if live.model.pk == scorable.model.pk:
            continue
        ranking = _ranking(scorable, live, best.people, basics)
        if ranking is not None:
            rankings.append(ranking)
    ShadowRanking.objects.bulk_create(rankings, ignore_conflicts=True)  # another worker may have come first


def _ranking(shadow: Scorable, live: Scorable, best: Sequence[CandidateFacts], basics: Basics) -> ShadowRanking | None:
    """The first K of the shadow, of whom `best` holds at least these, and the first K of the live one as stored."""
    k = shadow_top_k()
    stored = list(
        Match.objects.filter(opportunity=live.pk, model=live.model)
        .order_by("-fit", "tie_break", "candidate_id")
        .values_list("candidate_id", flat=True)[:k]
    )
    if not stored:  # nobody; or its list is of the model before, and is marked again when that has changed
        return None
    facts = {one.candidate_id: one for one in best}
    facts |= {one.candidate_id: one for one in projected_facts(set(stored) - facts.keys())}
    people = list(facts.values())
    values = [PairValues(one, shadow.terms) for one in people]
    theirs, its = _scores(shadow.scorer, values), _scores(live.scorer, values)
    usable = theirs.usable() & its.usable()
    fits = theirs.by_head["fit"].tolist()
    order = sorted(
        np.flatnonzero(usable).tolist(),
        key=lambda row: place_of(fits[row], shadow, people[row].candidate_id, basics.key),
    )
    live_rank = {candidate_id: rank for rank, candidate_id in enumerate(stored, 1)}
    shown = [row for rank, row in enumerate(order) if rank < k or people[row].candidate_id in live_rank]
    if not shown:
        return None
    ids = [people[row].candidate_id for row in shown]
    first = {people[row].candidate_id: rank for rank, row in enumerate(order[:k], 1)}
    columns = {}
    for head, name in (("fit", "fits"), ("interest", "interests"), ("acceptance", "acceptances")):
        columns[name] = theirs.by_head[head][shown].tolist()
        columns[f"live_{name}"] = its.by_head[head][shown].tolist()
    return ShadowRanking(
        opportunity_id=shadow.pk,
        model=shadow.model,
        live_model=live.model,
        day=basics.on,
        at=basics.now,
        candidates=ids,
        ranks=[first.get(pk, 0) for pk in ids],
        live_ranks=[live_rank.get(pk, 0) for pk in ids],
        **columns,
    )


def _scores(scorer: Scorer, values: Sequence[PairValues]) -> _Scores:
    columns = {name: np.array([one[name] for one in values], dtype=np.int64) for name in sorted(scorer.features)}
    if not columns:  # a model of intercepts alone
        columns = {"": np.zeros(len(values), dtype=np.int64)}
    return _Scores(scorer.totals_many(columns))


def _note_failure(shadow: ScoringModel, error: Exception, on: date, now: datetime) -> None:
    """Only our own errors' words are kept: those of others may quote a row."""
    known = isinstance(error, DomainError | InvalidModel | NotScored)
    told = (f"{type(error).__name__}: {error}" if known else type(error).__name__)[:300]
    failure, is_new = ShadowFailure.objects.get_or_create(model=shadow, day=on, defaults={"error": told, "at": now})
    if not is_new:
        ShadowFailure.objects.filter(pk=failure.pk).update(times=F("times") + 1, error=told, at=now)
