"""Training a model: its heads, each from its own labels, measured on what came later, and kept as a draft."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from accounts.access import require_staff
from accounts.core.actor import Actor
from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from matching.actions import locks
from matching.actions.models.registering import keep, named_segment
from matching.actions.models.serving import live_model
from matching.core.learning import Examples, Plan, TrainedHead, report_on, train_head
from matching.core.learning.training import CALIBRATION_SHARE, problem_with
from matching.core.scoring import HEADS, Head, LinearModel, Scorer
from matching.core.scoring.linear import MAX_INTERCEPT
from matching.core.workflow import ModelState
from matching.errors import NothingLearned, TrainingRunning, VersionTaken
from matching.models import ScoringModel, Segment
from matching.queries.outcomes import Outcomes, outcomes_of
from matching.queries.scorers import linear_of, scorer_of

Progress = Callable[[str], None]
"""Told what is being done."""

LEAST_EXAMPLES = 500
TEST_SHARE = 200  # thousandths
MICRO = 1_000_000


def quietly(what: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Split:
    """Three parts, one after the other. What comes before the test is labelled by what was known when it began."""

    fitting: Outcomes
    calibrating: Outcomes
    testing: Outcomes

    @classmethod
    def of(cls, outcomes: Outcomes, test_share: int) -> Split:
        """`test_share` in thousandths, of the examples. Those shown so shortly before the test that their outcome was
        open when it began are in no part: to know it would have been to see the future."""
        begins = _moment(outcomes, len(outcomes) * (1000 - test_share) // 1000)
        before = outcomes.known_by(begins)
        turn = _moment(before, int(len(before) * (1 - CALIBRATION_SHARE)))
        return cls(
            fitting=before.where(before.shown_at < turn),
            calibrating=before.where(before.shown_at >= turn),
            testing=outcomes.where(outcomes.shown_at >= begins),
        )


def train_model(
    *,
    actor: Actor,
    segment_id: UUID | None = None,
    version: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    test_share: int = TEST_SHARE,
    least: int = LEAST_EXAMPLES,
    now: datetime,
    progress: Progress = quietly,
) -> ScoringModel:
    """Fit a segment's heads to outcomes of what was shown in [since, until), and keep the model as a draft with its
    report. A head with too little to learn from keeps the live model's weights, and the report says so.

    Without a version, the name is made of the day and of the weights: the same log gives the same model, which is then
    refused as one that is there already. Staff only; raises NotPermitted, NotFound, InvalidInput, VersionTaken,
    TrainingRunning, and NothingLearned where no head could be trained. Nothing is kept then.
    """
    require_staff(actor)
    segment = named_segment(segment_id, now)
    since, until = checked(since, until, test_share, least, now)
    version = free(version)
    with _alone(segment), _one_thread():
        live = segment.models.filter(state=ModelState.LIVE).first() or live_model()
        scorer = scorer_of(live)
        known: dict[str, Head] = dict(linear_of(scorer).heads)
        trained, reports = dict(known), {}
        for head in HEADS:
            progress(f"{head}: reading what was shown")
            outcomes = outcomes_of(head, since=since, until=until, now=now, segment=segment)
            split = Split.of(outcomes, test_share)
            progress(f"{head}: fitting to {len(split.fitting):,} examples")
            trained[head], reports[head] = _head(head, split, known, scorer, least)
        if not any(report["trained"] for report in reports.values()):
            raise NothingLearned({head: report["problem"] for head, report in reports.items()})
        definition = LinearModel(version=version or "unnamed", heads=trained, calibration=scorer.calibration)
        name = version or _named(definition, segment, until)
        training = {
            "at": now.isoformat(),
            "by": actor.user_id,
            "segment": segment.name,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "test_share": test_share / 1000,
            "least_examples": least,
            "live": live.version,
            "heads": reports,
        }
        return _kept(actor, segment, definition, name, training, now)


def _kept(
    actor: Actor, segment: Segment, definition: LinearModel, version: str, training: dict[str, Any], now: datetime
) -> ScoringModel:
    with transaction.atomic():
        return keep(
            actor,
            segment,
            version=version,
            kind=ScoringModel.Kind.LINEAR,
            definition=definition.to_json() | {"version": version},
            training=json.loads(json.dumps(training, allow_nan=False)),
            now=now,
        )


def _head(name: str, split: Split, known: Mapping[str, Head], live: Scorer, least: int) -> tuple[Head, dict[str, Any]]:
    """The head that the model gets, and what is to be said of it. Its figures are those of the integers it is made of,
    by the very code that scores."""
    fitting, calibrating, testing = (_examples(part) for part in (split.fitting, split.calibrating, split.testing))
    plan = Plan(name, known[name].weights, least, ranked=name != "acceptance")
    problem = problem_with(plan, fitting, calibrating, testing)
    found = TrainedHead(None, problem) if problem else train_head(plan, fitting, calibrating)
    scorers = {"live": live}
    if found.head is not None:
        scorers["trained"] = LinearModel("trained", {**known, name: found.head})
    scores, probabilities = {}, {}
    for which, scorer in scorers.items():
        totals = np.maximum(scorer.totals_many(testing.values)[name], -MAX_INTERCEPT)
        scores[which] = totals / MICRO
        probabilities[which] = scorer.probabilities_ppm(name, totals) / MICRO
    before = np.concatenate([fitting.labels, calibrating.labels])
    base = float(before.mean()) if len(before) else 0.0
    report: dict[str, Any] = {
        "trained": found.head is not None,
        "problem": problem,
        "fitted": _counted(split.fitting),
        "calibrated": _counted(split.calibrating),
        "test": _counted(split.testing),
        "digest": _digest(split),
        "base_rate": round(base, 6),
        "examination": found.examination.to_json() if plan.ranked else [],
        "penalty": found.penalty,
        "slope": found.slope,
        "pinned": list(found.pinned),
        "figures": None,
    }
    if len(testing):
        seen = found.seen(testing.ranks)
        report["figures"] = report_on(testing, seen, scores, probabilities, base).to_json()
    return found.head or known[name], report


def _examples(outcomes: Outcomes) -> Examples:
    return Examples(
        values=outcomes.values,
        labels=outcomes.labels,
        ranks=outcomes.ranks,
        propensities=outcomes.propensities,
        groups=outcomes.opportunities,
    )


def _counted(part: Outcomes) -> dict[str, Any]:
    """From which rows of the log, of which time."""
    told: dict[str, Any] = {"examples": len(part), "positives": int(part.labels.sum())}
    if len(part):
        told |= {
            "from": _iso(part.shown_at.min()), "to": _iso(part.shown_at.max()),
            "first_decision": int(part.ids.min()), "last_decision": int(part.ids.max()),
        }  # fmt: skip
    return told


def _digest(split: Split) -> str:
    """Of every example with its label and its features: whether two trainings saw the same."""
    digest = blake2b(digest_size=16)
    for part in (split.fitting, split.calibrating, split.testing):
        for column in (part.ids, part.labels, part.ranks, part.shown_at, *part.values.values()):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def _named(definition: LinearModel, segment: Segment, until: datetime) -> str:
    heads = json.dumps([definition.to_json()["heads"], segment.pk], sort_keys=True).encode()
    return f"trained-{until.astimezone(UTC):%Y-%m-%d}-{blake2b(heads, digest_size=4).hexdigest()}"


def _moment(outcomes: Outcomes, place: int) -> int:
    """When the example at a place was shown; the end of time where there is none."""
    times: NDArray[np.int64] = outcomes.shown_at
    return int(times[place]) if place < len(times) else int(np.iinfo(np.int64).max // 2)


def _iso(moment: Any) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(moment))).isoformat()


def checked(
    since: datetime | None, until: datetime | None, test_share: int, least: int, now: datetime
) -> tuple[datetime, datetime]:
    """Raises InvalidInput."""
    until = min(until or now, now)
    since = since or now - timedelta(days=settings.DECISION_RETENTION_DAYS)
    if since >= until:
        raise InvalidInput("since", "must be before the end, and before now")
    if not 50 <= test_share <= 500:
        raise InvalidInput("testShare", "must be from 0.05 to 0.5")
    if not 100 <= least <= 1_000_000:
        raise InvalidInput("minExamples", "must be from 100 to 1,000,000")
    return since, until


def free(version: str | None) -> str | None:
    """Said before the work is done; the database says it again when it is. Raises InvalidInput, VersionTaken."""
    if version is None:
        return None
    version = clean_line(version, field="version", max_length=60)
    if ScoringModel.objects.filter(version=version).exists():
        raise VersionTaken(version=version)
    return version


def _one_thread() -> Any:
    """Sums over several threads depend on how many there are, and with them the last bits; here they would only wait
    for each other, too."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn; what it costs only training pays

    return threadpool_limits(limits=1)


@contextmanager
def _alone(segment: Segment) -> Iterator[None]:
    """Raises TrainingRunning."""
    if not locks.may_train(segment.pk):
        raise TrainingRunning(segment=segment.name)
    try:
        yield
    finally:
        locks.trained(segment.pk)
