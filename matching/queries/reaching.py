"""Which of many pairs may come to be among an opportunity's best: a look that lets go of nearly all others.

Somebody who changed is accepted by the rules of hundreds of opportunities, and is among the best of one or two. So
before terms, lists and rules of all these are read, each pair is held against the score from which on its list is
stored, with terms that the process has in memory. Whoever does not reach it changes nothing, and need not be looked at
again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db import connection

from accounts.queries.planned import array_of
from marketplace.models import Application
from marketplace.queries.facts import terms_of
from matching.core.facts import CandidateFacts, OpportunityTerms
from matching.core.features import RequiredSkills, Shape
from matching.core.scoring import LinearModel, PairValues
from matching.models import ScoringModel
from matching.queries.scorable import Basics, top_k
from matching.queries.scorers import scorer_of

MOST_HELD = 20_000  # opportunities whose terms a process keeps: three kilobytes each

# A row's version is told by where it stands and who wrote it. Terms are made of what hangs on an opportunity, too; that
# changes with the row, which names the revision, or with what was read of its texts. The score from which on a list is
# stored is the lesser of the K-th and of the last one who never applied (`rescoring.pairs`); null where there are
# fewer than K, and then everybody is.
_LISTS = """
    SELECT opportunity.id, concat(opportunity.xmin, opportunity.ctid, mentions.xmin, mentions.ctid),
        (SELECT model_id FROM matching_match WHERE opportunity_id = opportunity.id LIMIT 1),
        (
            SELECT fit FROM matching_match WHERE opportunity_id = opportunity.id
            ORDER BY fit DESC, tie_break OFFSET %(k)s - 1 LIMIT 1
        ),
        (
            SELECT fit FROM matching_match WHERE opportunity_id = opportunity.id AND NOT EXISTS (
                SELECT FROM marketplace_application application
                WHERE application.opportunity_id = matching_match.opportunity_id
                    AND application.candidate_id = matching_match.candidate_id
            )
            ORDER BY fit, tie_break DESC LIMIT 1
        )
    FROM marketplace_opportunity opportunity
    LEFT JOIN marketplace_opportunitymentions mentions ON mentions.opportunity_id = opportunity.id
    WHERE opportunity.id = ANY(%(opportunities)s::bigint[])
"""


class _List(NamedTuple):
    """Of one opportunity: the version of what its terms are made of, the model that its matches are of, and the score
    from which on all are stored."""

    version: str
    model: LinearModel
    least: int


def may_reach(
    chosen: Mapping[int, set[int]], facts: Mapping[int, CandidateFacts], basics: Basics
) -> tuple[dict[int, set[int]], dict[int, OpportunityTerms]]:
    """Of the candidates chosen for each opportunity (inner ids) those who may be among its best, or applied; and terms
    that were at hand. Whose list is short, or of a model that is not linear, keeps all. The caller holds the lock
    alone: no list changes."""
    lists = _lists(chosen)
    held = HELD.of({pk: one.version for pk, one in lists.items()}, basics)
    applied = Application.objects.live().filter(candidate__in=list(facts))
    found: dict[int, set[int]] = defaultdict(set)
    for opportunity_id, candidate_id in applied.values_list("opportunity_id", "candidate_id"):
        if candidate_id in chosen.get(opportunity_id, ()):
            found[opportunity_id].add(candidate_id)
    credits: dict[int, dict[Shape, int]] = defaultdict(dict)
    for pk, candidates in chosen.items():
        if pk not in held:
            found[pk] |= candidates
            continue
        _, model, least = lists[pk]
        terms, required = held[pk]
        for candidate_id in candidates:
            person = facts[candidate_id]
            values = PairValues(person, terms)
            values["required_skills"] = required.value(person, credits[candidate_id])
            if model.reaching("fit", values, least) is not None:
                found[pk].add(candidate_id)
    return found, {pk: held[pk].terms for pk in found if pk in held}


def _lists(opportunity_ids: Iterable[int]) -> dict[int, _List]:
    """Those that are full, and whose model can tell early that a score is too low."""
    with connection.cursor() as cursor:
        cursor.execute(_LISTS, {"opportunities": array_of(opportunity_ids), "k": top_k()})
        rows = [row for row in cursor.fetchall() if row[3] is not None]
    models = ScoringModel.objects.in_bulk({row[2] for row in rows})
    linear = {pk: scorer for pk, model in models.items() if isinstance(scorer := scorer_of(model), LinearModel)}
    return {
        pk: _List(version, linear[model_id], kth if last is None else min(kth, last))
        for pk, version, model_id, kth, last in rows
        if model_id in linear
    }


class Held(NamedTuple):
    terms: OpportunityTerms
    required: RequiredSkills


class HeldTerms:
    """Terms that a process keeps for as long as the rows stand that they were made of. For any number of threads."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._basis: tuple[object, ...] = ()
        self._held: OrderedDict[int, tuple[str, Held]] = OrderedDict()

    def of(self, versions: Mapping[int, str], basics: Basics) -> dict[int, Held]:
        """Terms by opportunity (inner id), those that exist, given the versions that they are to be of. A taxonomy that
        never had a revision may change at any time: under such a one nothing is kept."""
        basis = (basics.taxonomy, basics.rates.pk if basics.rates else None, basics.on)
        with self._lock:
            if basis != self._basis or not basics.taxonomy:
                self._basis, self._held = basis, OrderedDict()
            found = {}
            for pk, version in versions.items():
                if pk in self._held and self._held[pk][0] == version:
                    self._held.move_to_end(pk)
                    found[pk] = self._held[pk][1]
        missing = sorted(versions.keys() - found.keys())
        if missing:
            terms = terms_of(missing, rate_set=basics.rates, on=basics.on)
            read = {pk: Held(one, RequiredSkills(one)) for pk, one in terms.items()}
            found |= read
            with self._lock:
                if basis == self._basis:
                    self._held |= {pk: (versions[pk], one) for pk, one in read.items()}
                    while len(self._held) > self._most:
                        self._held.popitem(last=False)
        return found


HELD = HeldTerms()
