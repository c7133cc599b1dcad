"""Scoring opportunities against everybody: the top K, and all who applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from marketplace.actions.mentions import read_opportunities
from marketplace.models import Application, Opportunity
from matching.actions import locks, marks
from matching.actions.models import serving_now
from matching.actions.rescoring.ranking import Kept, explained, kept_of, nearest_of, retrieved_for
from matching.actions.rescoring.rows import drop_others, note, store
from matching.core.facts import CandidateFacts
from matching.core.scoring import LinearModel
from matching.models import Match, UnscoredPair
from matching.queries.contenders import contenders
from matching.queries.projection import projected_facts
from matching.queries.roster import keeper
from matching.queries.scorable import SCORED_STATES, Basics, Scorable, basics_at, pool_of, scorables

FACTS_KEPT = 20_000  # people whose facts are held at once, from one opportunity to the next


def prepare() -> None:
    """Have everybody in memory, where there are many, before any lock is held: that takes a while once a process."""
    keeper.crowd_once_built()


def rescore(opportunity_ids: list[int], now: datetime) -> None:
    """Make the matches of these opportunities (inner ids) what they should be; the caller holds the shared lock."""
    locks.scoring(opportunity_ids)
    read_opportunities(opportunity_ids)
    basics = basics_at(now, serving_now())
    scored = scorables(Opportunity.objects.filter(pk__in=opportunity_ids, state__in=SCORED_STATES), basics)
    known: dict[int, CandidateFacts] = {}
    rows: list[Match] = []
    unscored: list[UnscoredPair] = []
    for scorable, best in kept(scored, basics, known):
        matches, without = explained(scorable, best, basics)
        rows += matches
        unscored += without
    rows.sort(key=lambda row: (row.opportunity_id, row.candidate_id))
    drop_others(opportunity_ids, rows)
    store(rows)
    UnscoredPair.objects.filter(opportunity__in=opportunity_ids).delete()
    note(unscored)
    marks.mark_for_shadows(scored, now)


def kept(
    scored: Mapping[int, Scorable], basics: Basics, known: dict[int, CandidateFacts]
) -> Iterator[tuple[Scorable, Kept]]:
    """Of each opportunity those who are among its best by the model that it has, or applied, and whom that model has no
    number for: in memory where everybody is there."""
    by_person = dict(scored)
    crowd = keeper.crowd() if scored else None
    if crowd is not None:
        for found in contenders(list(scored.values()), basics, crowd):
            scorable, applied = by_person.pop(found.scorable.pk), found.applicants()
            ids = {*found.best(retrieved_for(scorable)).ids.tolist(), *applied}
            yield scorable, _ranked(scorable, list(_facts(sorted(ids), known)), applied, basics)
    applicants = _applicants(list(by_person)) if by_person else {}
    for pk, scorable in by_person.items():
        yield scorable, _best(scorable, applicants.get(pk, set()), basics, known)


def _ranked(scorable: Scorable, people: list[CandidateFacts], applicants: set[int], basics: Basics) -> Kept:
    """Those who were retrieved in the order of a linear model need no other, if it is the opportunity's own."""
    if isinstance(scorable.scorer, LinearModel):
        return Kept(people)
    return kept_of(scorable, people, applicants, basics)


def _best(scorable: Scorable, applicants: set[int], basics: Basics, known: dict[int, CandidateFacts]) -> Kept:
    pool = list(pool_of(scorable, basics).values_list("pk", flat=True))
    people = list(_facts(pool, known))
    found = nearest_of(scorable, people, basics)
    others = applicants - {facts.candidate_id for facts in found}
    found += (facts for facts in people if facts.candidate_id in others)
    return _ranked(scorable, found, applicants, basics)


def _facts(candidate_ids: list[int], known: dict[int, CandidateFacts]) -> Iterator[CandidateFacts]:
    """Facts as projected. `known` carries over what the last opportunity read, within its bounds."""
    missing = []
    for pk in candidate_ids:
        if pk in known:
            yield known[pk]
        else:
            missing.append(pk)
    for facts in projected_facts(missing):
        if len(known) < FACTS_KEPT:
            known[facts.candidate_id] = facts
        yield facts


def _applicants(opportunity_ids: list[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for opportunity_id, candidate_id in (
        Application.objects.live().filter(opportunity__in=opportunity_ids).values_list("opportunity_id", "candidate_id")
    ):
        found.setdefault(opportunity_id, set()).add(candidate_id)
    return found
