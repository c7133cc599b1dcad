"""Rankers side by side on judged pairs, each measure with an interval over queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.core.evaluation.judgements import Judgements
from matching.core.evaluation.metrics import (
    Interval,
    auc,
    average_precision,
    bootstrap_interval,
    mean,
    ndcg_at,
    pairwise_accuracy,
    reciprocal_rank,
)

Ranking = Callable[[int, NDArray[np.int64]], NDArray[Any]]
"""Scores of candidates, by their places, for the query at a place: more is better."""

SEED = 20_250_101
"""Of the samples that intervals are made of, the same for all: a difference has the samples of both sides."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over those queries that have the measure at all; None where none has."""

    value: float | None
    interval: Interval | None
    queries: int

    @classmethod
    def of(cls, per_query: Sequence[float | None]) -> Figure:
        return cls(mean(per_query), bootstrap_interval(per_query, SEED), sum(value is not None for value in per_query))

    def to_json(self) -> dict[str, Any]:
        interval = None if self.interval is None else [round(self.interval.low, 6), round(self.interval.high, 6)]
        return {
            "value": None if self.value is None else round(self.value, 6),
            "interval": interval,
            "queries": self.queries,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` by ranker and measure; `differences` of the first ranker to each other one, by query and so paired."""

    queries: int
    candidates: int
    pairs: int
    ranked: int  # pairs
    k: int
    relevant_at: float | None
    everyone: bool
    figures: Mapping[str, Mapping[str, Figure]]
    differences: Mapping[str, Mapping[str, Figure]]

    def to_json(self) -> dict[str, Any]:
        return {
            "queries": self.queries,
            "candidates": self.candidates,
            "judged_pairs": self.pairs,
            "ranked_pairs": self.ranked,
            "k": self.k,
            "relevant_at": self.relevant_at,
            "all": self.everyone,
            "rankers": _json_of(self.figures),
            "differences": _json_of(self.differences),
        }


def _json_of(figures: Mapping[str, Mapping[str, Figure]]) -> dict[str, dict[str, Any]]:
    return {name: {measure: figure.to_json() for measure, figure in of.items()} for name, of in figures.items()}


def measure_names(k: int) -> tuple[str, ...]:
    return (f"nDCG@{k}", "MAP", "MRR", "AUC", "pairwise accuracy")


def evaluated(
    judgements: Judgements,
    rankings: Mapping[str, Ranking],
    *,
    k: int = 10,
    relevant_at: float | None = None,
    everyone: bool = False,
) -> Report:
    """The first ranker is held against each other one.

    Ranked are the judged candidates of a query alone; with `everyone` all of the file, and one that is not judged
    counts as grade 0. `relevant_at` is the grade from which a pair is relevant, the lowest one above 0 if not given.
    AUC and pairwise accuracy are those within a query. Equal scores are ordered by a hash of both ids, for all rankers
    alike.
    """
    if k < 1:
        raise ValueError("k must be at least 1")
    threshold = judgements.lowest_positive_grade if relevant_at is None else relevant_at
    if threshold is not None and not 0 < threshold < np.inf:
        raise ValueError("relevant_at must be a number above 0")
    names = list(judgements.candidates)
    places = {name: at for at, name in enumerate(names)}
    per_query: dict[str, dict[str, list[float | None]]] = {
        ranker: {measure: [] for measure in measure_names(k)} for ranker in rankings
    }
    ranked = 0
    for at, query in enumerate(judgements.queries):
        graded = judgements.grades[query]
        asked = names if everyone else list(graded)
        ranked += len(asked)
        grades = np.array([graded.get(name, 0.0) for name in asked])
        relevant = grades >= threshold if threshold is not None else np.zeros(len(grades), dtype=bool)
        ties = [_hash(query, name) for name in asked]
        rows = np.array([places[name] for name in asked], dtype=np.int64)
        for ranker, ranking in rankings.items():
            scores = ranking(at, rows)
            order = sorted(range(len(asked)), key=lambda one: (-scores[one], ties[one]))
            found = (
                ndcg_at(grades[order], k),
                average_precision(relevant[order]),
                reciprocal_rank(relevant[order]),
                auc(relevant, scores),
                pairwise_accuracy(grades, scores),
            )
            for measure, value in zip(measure_names(k), found, strict=True):
                per_query[ranker][measure].append(value)
    ours, *others = rankings
    return Report(
        queries=len(judgements.queries),
        candidates=len(names),
        pairs=judgements.pairs,
        ranked=ranked,
        k=k,
        relevant_at=threshold,
        everyone=everyone,
        figures={
            ranker: {measure: Figure.of(values) for measure, values in of.items()} for ranker, of in per_query.items()
        },
        differences={
            other: {
                measure: Figure.of(_differences(per_query[ours][measure], per_query[other][measure]))
                for measure in measure_names(k)
            }
            for other in others
        },
    )


def _differences(one: Sequence[float | None], other: Sequence[float | None]) -> list[float | None]:
    return [
        None if first is None or second is None else first - second for first, second in zip(one, other, strict=True)
    ]


def _hash(query: str, candidate: str) -> bytes:
    """Favours neither who comes first in the file nor whose id is low."""
    pair = f"{len(query)}:{query}{candidate}"
    return blake2b(pair.encode("utf-8", "surrogatepass"), digest_size=16).digest()
