"""Candidates as search sees them: gathered from the tables, and read back from their projection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from marketplace.models import Candidate, ExchangeRateSet, Skill, WorkExperience
from marketplace.queries.facts import facts_of
from marketplace.queries.skills import broader_skills
from matching.core.facts import CandidateFacts
from matching.core.search.query import PEOPLE, SearchText
from matching.core.search.search import Person
from matching.core.search.vectors import head_vector, text_from
from matching.core.search.words import searched_words
from matching.models import CandidateProjection
from matching.queries.projection import facts_from


@dataclass(frozen=True, slots=True)
class StatedPerson:
    """A person with the texts that their words were taken from."""

    person: Person
    headline: str
    titles: list[str]


def people_of(candidate_ids: Collection[int], *, on: date, rate_set: ExchangeRateSet | None) -> dict[int, Person]:
    """By inner id; those that do not exist are left out. The number of statements does not depend on how many."""
    facts = facts_of(candidate_ids, on=on, rate_set=rate_set)
    return {stated.person.pk: stated.person for stated in stated_people(facts)}


def stated_people(facts: dict[int, CandidateFacts]) -> list[StatedPerson]:
    """People of whom facts were just gathered, by inner id."""
    skills = {skill_id for one in facts.values() for skill_id in one.skills}
    named = dict(Skill.objects.filter(pk__in=skills).values_list("pk", "name"))
    broader = broader_skills(skills)
    titles = _titles(facts)
    blocked: dict[int, set[int]] = defaultdict(set)
    blocks = Candidate.blocked_organisations.through.objects.filter(candidate_id__in=list(facts))
    for candidate_id, organisation_id in blocks.values_list("candidate_id", "organisation_id"):
        blocked[candidate_id].add(organisation_id)
    rows = Candidate.objects.filter(pk__in=list(facts)).order_by("pk")
    return [
        StatedPerson(
            person=Person(
                facts=facts[pk],
                text=_text(facts[pk], headline, titles.get(pk, []), named, broader),
                discoverable=discoverable,
                present=suspended_at is None and merged_into is None,
                open_to_offers=open_to_offers,
                blocked=frozenset(blocked.get(pk, ())),
            ),
            headline=headline,
            titles=titles.get(pk, []),
        )
        for pk, headline, discoverable, open_to_offers, suspended_at, merged_into in rows.values_list(
            "pk", "headline", "discoverable", "open_to_offers", "suspended_at", "merged_into_id"
        )
    ]


def _titles(candidate_ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = WorkExperience.objects.filter(candidate_id__in=list(candidate_ids)).order_by("candidate_id", "id")
    for candidate_id, title in rows.values_list("candidate_id", "title"):
        found[candidate_id].append(title)
    return found


def _text(
    facts: CandidateFacts,
    headline: str,
    titles: list[str],
    named: dict[int, str],
    broader: dict[int, tuple[int, ...]],
) -> SearchText:
    skills = frozenset(facts.skills)
    fields = {
        "headline": searched_words([headline]),
        "titles": searched_words(titles),
        "skills": searched_words(named[skill_id] for skill_id in sorted(skills)),
    }
    return SearchText(
        fields=fields,
        words=frozenset().union(*fields.values()),
        skills=skills,
        families=skills.union(*(broader.get(skill_id, ()) for skill_id in skills)),
    )


def search_columns_of(person: Person) -> dict[str, Any]:
    """The columns of the projection that only search reads."""
    return {
        "words": head_vector(person.text, PEOPLE),
        "blocked_organisations": sorted(person.blocked),
        "discoverable": person.discoverable,
        "present": person.present,
        "open_to_offers": person.open_to_offers,
    }


def person_from(row: CandidateProjection) -> Person:
    """What a row that was read from the database holds."""
    return Person(
        facts=facts_from(row),
        text=text_from(row.words, row.words, PEOPLE),
        discoverable=row.discoverable,
        present=row.present,
        open_to_offers=row.open_to_offers,
        blocked=frozenset(row.blocked_organisations),
    )
