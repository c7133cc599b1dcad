"""Which model scores which opportunity: the live one of the first segment whose predicate accepts it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from marketplace.queries.skills import survivors
from matching.core.attributes import Subject
from matching.core.facts import OpportunityFacts
from matching.core.rules import OPEN_TO_ALL, OPEN_TO_NOBODY, Grounds, InvalidRule, Rule, load, resolved, skill_ids
from matching.core.scoring import DEFAULT_MODEL, LinearModel, Scorer
from matching.core.truth import truth
from matching.core.workflow import ModelState
from matching.models import Match, ScoringModel
from matching.queries.openings import stated_facts
from matching.queries.scorers import linear_of, scorer_of

AT_ONCE = 5000  # opportunities whose facts are held at a time


@dataclass(frozen=True)
class Served:
    """A segment that has a live model: which opportunities it takes, if no segment before it does."""

    segment: int
    predicate: Rule
    model: ScoringModel

    @cached_property
    def scorer(self) -> Scorer:
        """For workers: it may be of any kind, and take its time."""
        return scorer_of(self.model)

    @property
    def linear(self) -> LinearModel:
        """For whoever answers at once: the model itself where it is linear, else the linear one that comes nearest."""
        return linear_of(self.scorer)


@dataclass(frozen=True)
class Serving:
    """The segments that have a live model, in order; the last one takes all that is left."""

    served: tuple[Served, ...]

    def of(self, opportunity_ids: Collection[int], *, on: date) -> dict[int, Served]:
        """By opportunity (inner id). A number of statements that does not depend on how many; none where one model
        serves all."""
        if len(self.served) == 1:
            return dict.fromkeys(opportunity_ids, self.served[0])
        facts = stated_facts(opportunity_ids)
        return {pk: self._first(facts[pk], on) for pk in opportunity_ids if pk in facts}

    def _first(self, facts: OpportunityFacts, on: date) -> Served:
        accepting = (one for one in self.served if truth(one.predicate, facts, on=on) is True)
        return next(accepting, self.served[-1])


def scored_by_another(*, on: date) -> list[int]:
    """Opportunities (inner ids, ascending) with matches of another model than the one that serves them now: exactly
    those that a change of models or segments leaves to be scored again, however many such changes came together.

    Reads one index entry of every match.
    """
    scored_by: dict[int, set[int]] = defaultdict(set)
    for opportunity_id, model_id in Match.objects.order_by().values_list("opportunity_id", "model_id").distinct():
        scored_by[opportunity_id].add(model_id)
    now, ids, found = as_stored(), sorted(scored_by), []
    for start in range(0, len(ids), AT_ONCE):
        block = ids[start : start + AT_ONCE]
        served = now.of(block, on=on)
        found += [pk for pk in block if pk in served and scored_by[pk] != {served[pk].model.pk}]
    return found


def as_stored() -> Serving:
    """What serves now; where nothing is live that takes all, the default version, if it is there."""
    models = list(live_models())
    if not any(model.segment.rule is None for model in models):
        default = ScoringModel.objects.filter(version=DEFAULT_MODEL.version).select_related("segment")
        models += default
    return serving(models)


def live_models() -> Iterable[ScoringModel]:
    """The live model of each segment that has one, in the segments' order."""
    return ScoringModel.objects.filter(state=ModelState.LIVE).select_related("segment").order_by("segment__position")


def serving(models: Iterable[ScoringModel]) -> Serving:
    """By the live models of segments in their order. What stands behind one that takes all is never asked."""
    found: list[Served] = []
    for model in models:
        predicate = predicate_of(model.segment.rule)
        found.append(Served(model.segment_id, predicate, model))
        if predicate == OPEN_TO_ALL:
            break
    return Serving(_resolved(found))


def beside(now: Serving, shadow: ScoringModel) -> Serving:
    """What would serve if a model in the shadow were live."""
    [it] = _resolved([Served(shadow.segment_id, predicate_of(shadow.segment.rule), shadow)])
    others = [one for one in now.served if one.segment != shadow.segment_id]
    return Serving(tuple(sorted([*others, it], key=lambda one: one.model.segment.position)))


def predicate_of(stored: Mapping[str, Any] | None) -> Rule:
    """A stored predicate. One that cannot be read any more takes nothing."""
    return OPEN_TO_ALL if stored is None else _read(json.dumps(stored))


@lru_cache(maxsize=256)
def _read(stored: str) -> Rule:
    try:
        return load(json.loads(stored), about=Subject.OPPORTUNITY)
    except InvalidRule:
        return OPEN_TO_NOBODY


def _resolved(found: list[Served]) -> tuple[Served, ...]:
    """Skills that were merged since a predicate was written are followed."""
    became = survivors(_skills(one.predicate for one in found))
    return tuple(Served(one.segment, resolved(one.predicate, Grounds(became)), one.model) for one in found)


def _skills(rules: Iterable[Rule]) -> set[int]:
    return {pk for rule in rules for pk in skill_ids(rule)}
