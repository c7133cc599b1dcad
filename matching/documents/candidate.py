"""The candidate index: the projection of each candidate as an Elasticsearch document.

A document holds what rules and searches ask about and nothing else: the mapping is strict, so that no résumé, name or
contact gets in by accident. A declared attribute gets its field from its declaration.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django_elasticsearch_dsl import Document
from django_elasticsearch_dsl.registries import registry
from elasticsearch.dsl import Boolean, Flattened, Integer, Keyword, Long, MetaField, Nested

from matching.core.attributes import ATTRIBUTES, LANGUAGE, SKILL, VETTING, WORK_AUTHORISATION, WORKING_HOURS, Kind
from matching.core.facts import CandidateFacts
from matching.core.search.query import PEOPLE
from matching.core.search.search import Person
from matching.documents.encoding import (
    ENDLESS,
    attribute_fields,
    attribute_values,
    day,
    encoded,
    stated,
    word_fields,
    word_values,
)
from matching.models import CandidateProjection
from matching.queries.people import person_from

LIVES_IN = "lives_in"  # the region and the country that it lies in; the country alone where no region is known
WORK_ENDS_UTC = "work_ends_utc"  # start and length together, 1–2879: hours over midnight end beyond 1440


class CandidateDocument(Document):
    id = Long()
    # Of one skill several things are asked at once, so each is a document of its own inside this one.
    skills = Nested(
        properties={"id": Integer(), "level": Integer(), "years": Long(), "last_used": day()}, dynamic="strict"
    )
    skill_ids = Integer()
    skill_families = Integer()  # these, and every broader kind of them
    # One keyword per key, however many keys there are: {"de": 4}, {"DE": "2027-01-31"}, {"identity": {"passed": …}}.
    # Ranges compare texts, which orders CEFR ranks and days.
    languages = Flattened()
    work_authorisations = Flattened()
    vetting = Flattened()
    lives_in = Keyword()
    work_starts_utc = Integer()
    work_minutes = Integer()
    work_ends_utc = Integer()
    words = word_fields(PEOPLE)
    blocked_organisations = Integer()
    discoverable = Boolean()
    open_to_offers = Boolean()
    present = Boolean()

    class Meta:
        dynamic = MetaField("strict")

    class Django:
        model = CandidateProjection
        auto_refresh = False
        ignore_signals = True  # a document is written after the commit, never within it

    def prepare(self, instance: CandidateProjection) -> dict[str, Any]:
        person = person_from(instance)
        return stated(
            {
                **attribute_values(ATTRIBUTES.values(), person.facts),
                **_structures(person.facts),
                **_found_by(person),
                "open_to_offers": instance.open_to_offers,
            }
        )


for _name, _field in attribute_fields(ATTRIBUTES.values()).items():
    CandidateDocument._doc_type.mapping.field(_name, _field)
registry.register_document(CandidateDocument)


def _found_by(person: Person) -> dict[str, Any]:
    """What only search asks about."""
    return {
        "id": person.pk,
        "words": word_values(person.text),
        "skill_ids": sorted(person.text.skills),
        "skill_families": sorted(person.text.families),
        "blocked_organisations": sorted(person.blocked),
        "discoverable": person.discoverable,
        "present": person.present,
    }


def _structures(facts: CandidateFacts) -> dict[str, Any]:
    starts, length = WORKING_HOURS.index_fields
    begins, minutes = facts.working_window or (None, None)
    return {
        SKILL.index_fields[0]: [
            _known(
                id=skill_id,
                level=skill.level,
                years=encoded(Kind.DECIMAL, skill.years),
                last_used=encoded(Kind.DATE, skill.last_used_on),
            )
            for skill_id, skill in facts.skills.items()
        ],
        LANGUAGE.index_fields[0]: dict(facts.languages),
        WORK_AUTHORISATION.index_fields[0]: {
            country: _until(last_day) for country, last_day in facts.work_authorisations.items()
        },
        VETTING.index_fields[0]: {
            check: {"passed": result.passed, "until": _until(result.until)} for check, result in facts.vetting.items()
        },
        LIVES_IN: [facts.region, facts.region[:2]] if facts.region else facts.country or None,
        starts: begins,
        length: minutes,
        WORK_ENDS_UTC: begins + minutes if begins is not None and minutes is not None else None,
    }


def _until(last_day: date | None) -> str:
    return last_day.isoformat() if last_day is not None else ENDLESS


def _known(**facts: object) -> dict[str, object]:
    return {name: value for name, value in facts.items() if value is not None}
