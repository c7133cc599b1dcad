"""The candidate index: the projection of each candidate as an Elasticsearch document.

A document holds what rules and searches ask about and nothing else: the mapping is strict, so that no résumé, name or
contact gets in by accident. A declared attribute gets its field from its declaration. A fact that is missing has no
field at all, which is how a query tells.

A document's version is `changed_xid` of the row it was made from. That number grows with every write of a row, whatever
was written (a candidate's own revision does not: a placement takes hours away, a new day changes offsets from UTC), and
in the order of the writes: whoever writes projections holds `locks.alone` before a transaction gets its number. So of
two writers of a document the one who read the older row is refused, in whatever order they arrive. The numbers are one
Postgres cluster's: after restoring a dump into another cluster, build a new index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.conf import settings
from django_elasticsearch_dsl import Document
from django_elasticsearch_dsl.registries import registry
from elasticsearch.dsl import Boolean, Date, Field, Flattened, Integer, Keyword, Long, MetaField, Nested, Text
from elasticsearch.dsl.connections import connections
from elasticsearch.helpers import streaming_bulk

from marketplace.core.folding import fold
from matching.core.attributes import (
    ATTRIBUTES,
    DECIMALS,
    LANGUAGE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
)
from matching.core.facts import CandidateFacts
from matching.models import CandidateProjection, Departure
from matching.queries.projection import facts_from

CANDIDATES = f"{settings.ELASTICSEARCH_INDEX_PREFIX}-candidates"

LIVES_IN = "lives_in"  # the region and the country that it lies in; the country alone where no region is known
WORK_ENDS_UTC = "work_ends_utc"  # start and length together, 1–2879: hours over midnight end beyond 1440
ENDLESS = date.max.isoformat()

CHUNK = 1000
CONFLICT, NOT_FOUND = 409, 404

if settings.ELASTICSEARCH_URL:
    # A chunk written anew after a timeout does no harm, its versions being the same.
    connections.configure(default={"hosts": settings.ELASTICSEARCH_URL, "request_timeout": 30})


def _day() -> Field:
    return Date(format="strict_date")


_FIELDS: Mapping[Kind, Callable[[], Field]] = {
    Kind.WHOLE: Integer,
    Kind.DECIMAL: Long,  # in units of 0.0001, see `scaled`: no float stands between a rule and a fact
    Kind.DATE: _day,
    Kind.CODE: Keyword,
    Kind.CODES: Keyword,
    Kind.IDS: Integer,
}


class CandidateDocument(Document):
    # Of one skill several things are asked at once, so each is a document of its own inside this one.
    skills = Nested(
        properties={"id": Integer(), "level": Integer(), "years": Long(), "last_used": _day()}, dynamic="strict"
    )
    # One keyword per key, however many keys there are: {"de": 4}, {"DE": "2027-01-31"}, {"identity": {"passed": …}}.
    # Ranges compare texts, which orders CEFR ranks and days.
    languages = Flattened()
    work_authorisations = Flattened()
    vetting = Flattened()
    lives_in = Keyword()
    work_starts_utc = Integer()
    work_minutes = Integer()
    work_ends_utc = Integer()
    # Folded here and not by an analyzer, so that Postgres and Elasticsearch see the same words.
    headline = Text(analyzer="whitespace")
    titles = Text(analyzer="whitespace")
    discoverable = Boolean()
    open_to_offers = Boolean()
    present = Boolean()

    class Meta:
        dynamic = MetaField("strict")

    class Index:
        name = CANDIDATES
        # How long a deletion is remembered: a writer who is later than this could bring a document back.
        settings = {"gc_deletes": "1h"}

    class Django:
        model = CandidateProjection
        ignore_signals = True  # a document is written after the commit, never within it
        auto_refresh = False
        queryset_pagination = CHUNK

    def prepare(self, instance: CandidateProjection) -> dict[str, Any]:
        return document_of(instance)

    def _prepare_action(self, object_instance: CandidateProjection | Departure, action: str) -> dict[str, Any]:
        version = {"version": object_instance.changed_xid, "version_type": "external_gte"}
        return {**super()._prepare_action(object_instance, action), **version}


for _attribute in ATTRIBUTES.values():
    CandidateDocument._doc_type.mapping.field(_attribute.index_field, _FIELDS[_attribute.kind]())
registry.register_document(CandidateDocument)


def document_of(row: CandidateProjection) -> dict[str, Any]:
    """The document of a row that was read from the database, without what is not known."""
    facts = facts_from(row)
    document = {
        **{one.index_field: encoded(one.kind, one.read(facts)) for one in ATTRIBUTES.values()},
        **_structures(facts),
        "headline": fold(row.headline),
        "titles": [fold(title) for title in row.titles],
        "discoverable": row.discoverable,
        "open_to_offers": row.open_to_offers,
        "present": row.present,
    }
    return {field: value for field, value in document.items() if value not in (None, "", [], {})}


def index_candidates(rows: Iterable[CandidateProjection], *, index: str = CANDIDATES) -> int:
    """Copy rows into the index; how many documents were written. One that stems from a newer row stays as it is.

    Of many rows give an iterator: they are sent in chunks. Raises `BulkIndexError` for documents that are refused for
    any other reason, and errors of the connection.
    """
    return _send(CandidateDocument().get_actions(rows, "index"), index, {CONFLICT})


def remove_candidates(departures: Iterable[Departure], *, index: str = CANDIDATES) -> int:
    """Delete the documents of projections that are gone; how many there were. One that came back since stays.

    Raises like `index_candidates`.
    """
    return _send(CandidateDocument().get_actions(departures, "delete"), index, {CONFLICT, NOT_FOUND})


def _send(actions: Iterable[dict[str, Any]], index: str, expected: set[int]) -> int:
    """Write in bulk; how many took effect. `expected` are the statuses of those that need not."""
    results = streaming_bulk(
        connections.get_connection(),
        ({**action, "_index": index} for action in actions),
        chunk_size=CHUNK,
        ignore_status=expected,
    )
    return sum(ok for ok, _ in results)


def encoded(kind: Kind, value: object) -> Any:
    """A fact of a declared attribute, or what a rule compares it with, as its field holds it."""
    match value:
        case Decimal():
            return scaled(value)
        case date():
            return value.isoformat()
        case frozenset():
            return sorted(value)
        case int() if kind is Kind.DECIMAL:
            return scaled(Decimal(value))
    return value


def scaled(number: Decimal) -> int:
    """A number in units of 0.0001, which facts and rules have no fractions of. Finer ones are rounded down, so that
    comparing a fact with them by ≤ or > stays exact."""
    return int(number.scaleb(DECIMALS).to_integral_value(ROUND_FLOOR))


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
        LIVES_IN: [facts.region, facts.region[:2]] if facts.region else facts.country,
        starts: begins,
        length: minutes,
        WORK_ENDS_UTC: begins + minutes if begins is not None and minutes is not None else None,
    }


def _until(last_day: date | None) -> str:
    return last_day.isoformat() if last_day is not None else ENDLESS


def _known(**facts: object) -> dict[str, object]:
    return {name: value for name, value in facts.items() if value is not None}
