"""Models made elsewhere: how many of the true best are found by retrieving and re-ranking, and what it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import numpy as np
from django.conf import settings

from accounts.core.actor import Actor
from config.bench import Measured, benchmark, size
from marketplace.models import Opportunity
from marketplace.queries.facts import facts_of, terms_of
from matching.actions import rescoring
from matching.actions.models import add_model_file, promote_model, serving_now
from matching.core.facts import CandidateFacts
from matching.core.features import FEATURES
from matching.models import Match, ScoringModel
from matching.onnx.scorer import OnnxScorer
from matching.queries.scorable import Scorable, basics_at, scorables, top_k
from matching.queries.scorers import linear_of, scorer_of
from matching.queries.totals import totals_of
from tests.benchmarks.rescoring import NOW, market
from tests.matching import made_elsewhere as made
from tests.matching.staging import mark_everything

TREES = 100  # for each score, six deep


@contextmanager
def _stage() -> Iterator[tuple[ScoringModel, list[CandidateFacts], list[Scorable]]]:
    """A market whose live model is an ensemble of trees over every feature."""
    with market() as (people, opportunities):
        content = made.trees(tuple(sorted(FEATURES)), count=TREES, depth=6)
        model = add_model_file(actor=Actor.system(), version="trees", content=content, now=NOW)
        promote_model(actor=Actor.system(), model_id=model.public_id, now=NOW)
        basics = basics_at(NOW, serving_now())
        scored = scorables(Opportunity.objects.filter(pk__in=opportunities), basics)
        facts = list(facts_of(people, on=NOW.date(), rate_set=None).values())
        assert terms_of(opportunities[:1], rate_set=None, on=NOW.date())
        yield model, facts, list(scored.values())


@benchmark("scoring.onnx_recall", unit="share")
def recall() -> Measured:
    """Of the best hundred of everybody by the model, those who are among the people that the linear model finds."""
    with _stage() as (model, facts, scored):
        near, found = linear_of(scorer_of(model)), []
        pool = min(settings.ONNX_POOL, size("ONNX_POOL", max(len(facts) // 5, top_k())))
        for scorable in scored[: size("ONNX_OPPORTUNITIES", 10)]:
            fits = totals_of([(scorable, one) for one in facts], "fit")["fit"]
            nearest = np.array([scorable.near_score_of("fit", one) for one in facts])
            true = np.argsort(-fits, kind="stable")[: top_k()]
            kept = np.argsort(-nearest, kind="stable")[:pool]
            found.append(len(np.intersect1d(true, kept)) / len(true))
        assert near.version == model.version
    print(f"  {len(facts)} people, {pool} looked at, least {min(found):.3f}")
    return Measured(float(np.mean(found)), 0.99, "what is asked for")


@benchmark("scoring.onnx_rows", unit="ms")
def rows() -> Measured:
    """A thousand pairs by the model on one thread, against the linear model that comes nearest."""
    with _stage() as (model, _, _):
        scorer = scorer_of(model)
        assert isinstance(scorer, OnnxScorer)
        draw = np.random.default_rng(1)
        values = {name: draw.integers(0, 1001, 1000) for name in sorted(scorer.features)}
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(20):
            for one, times in ((scorer, taken[0]), (scorer.linear, taken[1])):
                start = time.perf_counter()
                one.totals_many(values)
                times.append(time.perf_counter() - start)
    return Measured(median(taken[0]) * 1e3, median(taken[1]) * 1e3, "the linear model that comes nearest")


@benchmark("scoring.onnx_rescore", unit="s")
def rescore() -> Measured:
    """All opportunities anew by the model, explained and stored, for each."""
    with _stage() as (_, _, scored):
        mark_everything(NOW)
        start = time.perf_counter()
        rescoring.drain_all(NOW)
        taken = time.perf_counter() - start
        assert Match.objects.exists()
    return Measured(taken / len(scored))
