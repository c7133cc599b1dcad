"""Two models held against each other: by what the shadow logged, or by scoring now; and by what became of people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from marketplace.models import Opportunity
from matching.core.evaluation.comparing import Comparison, Outcome, Ranked, agreement, outcome
from matching.core.facts import CandidateFacts
from matching.core.scoring import HEADS, UNSCORED, PairValues, Scorer
from matching.models import Match, ScoringModel, ShadowRanking
from matching.queries.matches import place_of
from matching.queries.outcomes import Outcomes, outcomes_of
from matching.queries.projection import projected_facts
from matching.queries.scorable import SCORED_STATES, Basics, Scorable, basics_at, scorables
from matching.queries.scorers import scorer_of
from matching.queries.serving import as_stored

MOST_LOGGED = 2000  # opportunities, the latest
MOST_SCORED = 100  # now, where nothing was logged
FIRST = 50  # of each of those
OUTCOMES_SINCE = timedelta(days=180)

Numbers = NDArray[np.int64]


def compare(one: ScoringModel, other: ScoringModel, *, now: datetime, since: datetime | None = None) -> Comparison:
    """What one model would do otherwise than another.

    Rankings are those that were logged while the one was in the other's shadow, the last of each opportunity; else both
    score now whom some opportunities, the latest published, are matched with. Outcomes are of those shown `since`.
    A number of statements that does not depend on how many there are.
    """
    rankings, source = _logged(one, other), "logged in the shadow"
    if not rankings:
        rankings, source = _scored_now(scorer_of(one), scorer_of(other), now), "scored now, of those who are matched"
    return Comparison(
        one=one.version,
        other=other.version,
        source=source,
        agreement=agreement(rankings, HEADS),
        outcomes=_outcomes(one, other, since or now - OUTCOMES_SINCE, now),
    )


def held_against(model: ScoringModel) -> ScoringModel | None:
    """What a model is compared with unless told otherwise: the live one of its segment, or of the one that takes all;
    for a live one, what was retired last."""
    serving = as_stored()
    live = {served.segment: served.model for served in serving.served}
    found = live.get(model.segment_id, serving.served[-1].model)
    if found.pk != model.pk:
        return found
    others = ScoringModel.objects.filter(segment=model.segment_id).exclude(pk=model.pk)
    return others.filter(state="shadow").first() or others.order_by("-pk").first()


def _logged(one: ScoringModel, other: ScoringModel) -> list[Ranked]:
    rows = ShadowRanking.objects.filter(model=one, live_model=other).order_by("opportunity_id", "-day")
    return [_ranked(row) for row in rows.distinct("opportunity_id")[:MOST_LOGGED]]


def _ranked(row: ShadowRanking) -> Ranked:
    def ordered(ranks: Sequence[int]) -> list[int]:
        return [pk for rank, pk in sorted(zip(ranks, row.candidates, strict=True)) if rank]

    def numbers(values: Sequence[int]) -> Numbers:
        return np.array(values, dtype=np.int64)

    return Ranked(
        candidates=row.candidates,
        orders=(ordered(row.ranks), ordered(row.live_ranks)),
        scores={
            "fit": (numbers(row.fits), numbers(row.live_fits)),
            "interest": (numbers(row.interests), numbers(row.live_interests)),
            "acceptance": (numbers(row.acceptances), numbers(row.live_acceptances)),
        },
    )


# Scoring now


def _scored_now(one: Scorer, other: Scorer, now: datetime) -> list[Ranked]:
    basics = basics_at(now, as_stored())
    chosen = Opportunity.objects.filter(state__in=SCORED_STATES, matches__isnull=False).distinct()
    ids = list(chosen.order_by("-published_at", "-pk").values_list("pk", flat=True)[:MOST_SCORED])
    scored = scorables(Opportunity.objects.filter(pk__in=ids), basics)
    people: dict[int, list[int]] = {pk: [] for pk in scored}
    rows = Match.objects.filter(opportunity__in=list(scored)).order_by("-fit", "tie_break", "candidate_id")
    for opportunity_id, candidate_id in rows.values_list("opportunity_id", "candidate_id"):
        people[opportunity_id].append(candidate_id)
    facts = {one.candidate_id: one for one in projected_facts({pk for ids in people.values() for pk in ids})}
    return [
        _ranking(scorable, [facts[pk] for pk in people[pk_of] if pk in facts], one, other, basics)
        for pk_of, scorable in scored.items()
    ]


def _ranking(
    scorable: Scorable, people: Sequence[CandidateFacts], one: Scorer, other: Scorer, basics: Basics
) -> Ranked:
    values = [PairValues(facts, scorable.terms) for facts in people]
    totals = [_totals(scorer, values) for scorer in (one, other)]
    usable = np.flatnonzero(np.all([by[head] != UNSCORED for by in totals for head in HEADS], axis=0))
    kept = [people[row] for row in usable.tolist()]
    scores = {head: (totals[0][head][usable], totals[1][head][usable]) for head in HEADS}
    orders = [
        sorted((place_of(fit, scorable, facts.candidate_id, basics.key) for facts, fit in zip(kept, fits, strict=True)))
        for fits in (column.tolist() for column in scores["fit"])
    ]
    first = [[pk for *_, pk in order[:FIRST]] for order in orders]
    return Ranked([facts.candidate_id for facts in kept], (first[0], first[1]), scores)


def _totals(scorer: Scorer, values: Sequence[PairValues]) -> dict[str, Numbers]:
    columns = {name: np.array([one[name] for one in values], dtype=np.int64) for name in sorted(scorer.features)}
    return dict(scorer.totals_many(columns or {"": np.zeros(len(values), dtype=np.int64)}))


# What became of it


def _outcomes(one: ScoringModel, other: ScoringModel, since: datetime, now: datetime) -> dict[str, Outcome]:
    """By head; those of which nothing is known are left out."""
    segment = one.segment if one.segment_id == other.segment_id else None
    found = {}
    for head in HEADS:
        known = outcomes_of(head, since=since, until=now, now=now, segment=segment)
        if len(known):
            found[head] = _judged(head, known, scorer_of(one), scorer_of(other))
    return found


def _judged(head: str, known: Outcomes, one: Scorer, other: Scorer) -> Outcome:
    """On the examples that both have a number for."""
    values = {name: np.asarray(column, dtype=np.int64) for name, column in known.values.items()}
    scores = [np.asarray(scorer.totals_many(values)[head], dtype=np.int64) for scorer in (one, other)]
    usable = np.flatnonzero((scores[0] != UNSCORED) & (scores[1] != UNSCORED))
    mine, theirs = (
        (column[usable], scorer.probabilities_ppm(head, column[usable]))
        for column, scorer in zip(scores, (one, other), strict=True)
    )
    return outcome(known.labels[usable], mine, theirs)


def statements_of(found: Comparison) -> Iterator[tuple[str, str]]:
    """The figures, each with what it is of, for people."""
    agreed = found.agreement
    yield "opportunities", f"{agreed.opportunities:,}"
    yield "pairs", f"{agreed.pairs:,}"
    for at in agreed.overlap:
        yield f"first {at.k} in common", f"{at.share:.0%}{_within(at.interval, '.0%')}"
    for head, one in agreed.heads.items():
        if one.rank_correlation is not None:
            yield f"{head}: rank correlation", f"{one.rank_correlation:.3f}{_within(one.interval, '.3f')}"
        if one.drift is not None:
            spread = ", ".join(f"{at} %: {value:+.2f}" for at, value in one.drift.quantiles.items())
            told = f"{one.drift.mean:+.3f} on average ± {one.drift.deviation:.3f} ({spread})"
            yield f"{head}: drift in log-odds", told
    for head, of in found.outcomes.items():
        yield f"{head}: outcomes", f"{of.examples:,}, of them {of.positives:,} yes"
        for name in ("auc", "log_loss", "brier"):
            mine, theirs = getattr(of.one, name), getattr(of.other, name)
            if mine is not None and theirs is not None:
                label = name.replace("_", " ") if name != "auc" else "AUC"
                yield f"{head}: {label}", f"{mine:.4f} against {theirs:.4f}"


def _within(interval: tuple[float, float] | None, form: str) -> str:
    return "" if interval is None else f" ({interval[0]:{form}} to {interval[1]:{form}})"
