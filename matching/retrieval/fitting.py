"""Lists by fit: found by Postgres, ranked by the live models; of very many, those most likely to fit.

In place of a model that is not linear, which workers alone run, the linear one that comes nearest ranks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from marketplace.models import Candidate, Opportunity
from marketplace.queries.facts import facts_of
from matching.core.facts import CandidateFacts
from matching.core.search.search import Person, Search, Sort
from matching.queries.across import unlikeliness
from matching.queries.matches import place_of
from matching.queries.projection import projected_facts
from matching.queries.scorable import Basics, Scorable, scorables
from matching.retrieval.postgres import POSTGRES, most_skilled
from matching.retrieval.searching import Finding

MOST_RANKED = 3_000


class Fit(NamedTuple):
    """Where one that was found stands: how unlikely it fits, where models of different calibrations scored; −score,
    then the keyed hash that breaks ties. Ascending."""

    unlikely: int
    unfit: int
    tie: str
    pk: int


def opportunities_by_fit(search: Search, candidate: Candidate, basics: Basics) -> tuple[Finding, list[Fit]]:
    """Opportunities by how well a candidate fits them; of more than `MOST_RANKED`, the newest. What has no terms yet,
    such as a draft, is left out. A constant number of statements."""
    finding = Finding(replace(search, sort=Sort.NEWEST), source=POSTGRES, now=basics.now)
    hits, _ = finding.page(MOST_RANKED)
    facts = facts_of([candidate.pk], on=basics.on, rate_set=basics.rates)[candidate.pk]
    scored = scorables(Opportunity.objects.filter(pk__in=[hit.pk for hit in hits]), basics)
    fits = {pk: _fit(facts, one, basics, pk) for pk, one in scored.items()}
    unlikely = unlikeliness(scored, "fit", {pk: -fit.unfit for pk, fit in fits.items()})
    return finding, sorted(fit._replace(unlikely=unlikely[pk]) for pk, fit in fits.items())


def people_by_fit(search: Search, opportunity: Opportunity, basics: Basics) -> tuple[Finding, list[Fit]]:
    """People by how well they fit an opportunity; of more than `MOST_RANKED`, those with most of the skills that it
    asks for. Nobody where it has no terms yet. A constant number of statements."""
    finding = Finding(search, source=POSTGRES, now=basics.now)
    scored = scorables(Opportunity.objects.filter(pk=opportunity.pk), basics)
    if opportunity.pk not in scored:
        return finding, []
    one = scored[opportunity.pk]
    asked = [term.skill_id for term in one.terms.skills]
    ids = most_skilled(search, asked, limit=MOST_RANKED, without=finding.without)
    facts = [*projected_facts(ids), *(person.facts for person in finding.judged if isinstance(person, Person))]
    return finding, sorted(_fit(each, one, basics, each.candidate_id) for each in facts)


def _fit(facts: CandidateFacts, one: Scorable, basics: Basics, pk: int) -> Fit:
    unfit, tie, _ = place_of(one.near_score_of("fit", facts), one, facts.candidate_id, basics.key)
    return Fit(0, unfit, tie, pk)
