"""What the candidate index holds of a candidate, and which of two writers has the last word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from elasticsearch import NotFoundError
from elasticsearch.dsl.connections import connections
from elasticsearch.helpers import BulkIndexError

from matching.actions import projection
from matching.core.attributes import (
    ATTRIBUTES,
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
)
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.documents import CandidateDocument, document_of, index_candidates, remove_candidates
from matching.models import CandidateProjection, Departure
from matching.queries.projection import columns_of
from tests.elasticsearch import candidate_index, needs_elasticsearch
from tests.marketplace.factories import NOW, a_candidate

ROW = 7


def a_row(facts: CandidateFacts | None = None, **fields: object) -> CandidateProjection:
    """A row as if it had been read, of somebody who shows themselves."""
    shown = {"discoverable": True, "open_to_offers": False, "present": True, "changed_xid": 100}
    return CandidateProjection(
        candidate_id=ROW, refreshed_at=NOW, **columns_of(facts or CandidateFacts(ROW)), **{**shown, **fields}
    )


# What a document holds


def test_every_declared_fact_has_a_field_of_its_kind() -> None:
    properties = CandidateDocument._index.to_dict()["mappings"]["properties"]
    types = {
        Kind.WHOLE: "integer",
        Kind.DECIMAL: "long",
        Kind.DATE: "date",
        Kind.CODE: "keyword",
        Kind.CODES: "keyword",
        Kind.IDS: "integer",
    }
    for attribute in ATTRIBUTES.values():
        assert properties[attribute.index_field]["type"] == types[attribute.kind], attribute.name
    for structure in (SKILL, LANGUAGE, WORK_AUTHORISATION, PLACE, WORKING_HOURS, PAY, VETTING):
        assert set(structure.index_fields) <= properties.keys()


def test_document_holds_each_fact_as_rules_compare_it() -> None:
    facts = CandidateFacts(
        ROW,
        country="DE",
        region="DE-BE",
        timezone="Europe/Berlin",
        utc_offset_minutes=120,
        work_starts_minute=540,
        work_ends_minute=1020,
        languages={"de": 4},
        work_authorisations={"DE": None, "CH": date(2027, 1, 31)},
        years_experience=Decimal("4.5"),
        weekly_hours=40,
        free_hours=0,
        hourly_rate=Decimal("19.9999"),
        commitments=frozenset({"part_time", "contract"}),
        available_from=date(2026, 7, 1),
        skills={12: SkillFact(3, Decimal("2.5"), date(2026, 2, 28)), 13: SkillFact(1)},
        groups=frozenset({9, 4}),
        vetting={"identity": VettingFact(True), "licence": VettingFact(False, date(2026, 1, 1))},
    )
    assert document_of(a_row(facts, headline="C++ in Zürich", titles=["Señor Développeur"])) == {
        "country": "DE",
        "region": "DE-BE",
        "lives_in": ["DE-BE", "DE"],
        "timezone": "Europe/Berlin",
        "utc_offset_minutes": 120,
        "work_starts_utc": 420,
        "work_minutes": 480,
        "work_ends_utc": 900,
        "languages": {"de": 4},
        "work_authorisations": {"DE": "9999-12-31", "CH": "2027-01-31"},
        "years_experience": 45_000,
        "weekly_hours": 40,
        "free_hours": 0,
        "hourly_rate": 199_999,
        "commitments": ["contract", "part_time"],
        "available_from": "2026-07-01",
        "skills": [{"id": 12, "level": 3, "years": 25_000, "last_used": "2026-02-28"}, {"id": 13, "level": 1}],
        "groups": [4, 9],
        "vetting": {
            "identity": {"passed": True, "until": "9999-12-31"},
            "licence": {"passed": False, "until": "2026-01-01"},
        },
        "headline": "c++ in zurich",
        "titles": ["senor developpeur"],
        "discoverable": True,
        "open_to_offers": False,
        "present": True,
    }


def test_what_is_not_known_has_no_field() -> None:
    assert document_of(a_row()) == {"discoverable": True, "open_to_offers": False, "present": True}


def test_hours_over_midnight_end_beyond_the_day() -> None:
    night = CandidateFacts(ROW, utc_offset_minutes=0, work_starts_minute=1320, work_ends_minute=360)
    document = document_of(a_row(night))
    assert (document["work_starts_utc"], document["work_minutes"], document["work_ends_utc"]) == (1320, 480, 1800)


@pytest.mark.django_db
def test_document_carries_no_name_contact_or_resume() -> None:
    private = {"name": "Ada Quill", "phone": "+4930123456", "resume_text": "Wrote the first program."}
    candidate = a_candidate(headline="Welder", **private)
    projection.refresh([candidate.pk], NOW)
    written = json.dumps(document_of(CandidateProjection.objects.get(pk=candidate.pk)))
    assert "welder" in written
    assert not [value for value in private.values() if value.lower() in written.lower()]


# Who has the last word


@pytest.fixture
def index() -> Iterator[str]:
    with candidate_index() as name:
        yield name


def headline(index: str) -> str | None:
    """What the index says of the candidate; None where it does not know them."""
    try:
        return connections.get_connection().get(index=index, id=str(ROW))["_source"]["headline"]
    except NotFoundError:
        return None


@needs_elasticsearch
def test_writer_who_read_an_older_row_does_not_overwrite_a_newer_document(index: str) -> None:
    older, newer = a_row(headline="older", changed_xid=100), a_row(headline="newer", changed_xid=101)
    assert index_candidates([newer], index=index) == 1
    assert index_candidates([older], index=index) == 0
    assert headline(index) == "newer"


@needs_elasticsearch
def test_document_can_be_written_again_from_the_same_row(index: str) -> None:
    row = a_row(headline="twice")
    assert [index_candidates([row], index=index) for _ in range(2)] == [1, 1]


@needs_elasticsearch
def test_deleted_document_does_not_come_back_with_a_late_writer(index: str) -> None:
    row = a_row(headline="gone", changed_xid=100)
    index_candidates([row], index=index)
    assert remove_candidates([Departure(candidate_id=ROW, changed_xid=101)], index=index) == 1
    assert index_candidates([row], index=index) == 0
    assert headline(index) is None


@needs_elasticsearch
def test_deletion_does_not_reach_who_came_back_since(index: str) -> None:
    index_candidates([a_row(headline="back", changed_xid=102)], index=index)
    assert remove_candidates([Departure(candidate_id=ROW, changed_xid=101)], index=index) == 0
    assert headline(index) == "back"


@needs_elasticsearch
def test_deleting_who_was_never_indexed_is_no_error(index: str) -> None:
    assert remove_candidates([Departure(candidate_id=ROW, changed_xid=101)], index=index) == 0
    assert index_candidates([a_row(changed_xid=100)], index=index) == 0  # and a late writer does not bring them in


@needs_elasticsearch
def test_index_refuses_a_field_that_is_not_declared(index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.documents.document_of", lambda row: {"resume_text": "Wrote the first program."})
    with pytest.raises(BulkIndexError) as refusal:
        index_candidates([a_row()], index=index)
    assert "strict_dynamic_mapping_exception" in str(refusal.value.errors)
    assert headline(index) is None


@pytest.mark.django_db(transaction=True)
def test_version_grows_with_every_write_of_a_row() -> None:
    candidate = a_candidate()
    versions = []
    for _ in range(3):
        projection.refresh([candidate.pk], NOW)
        versions.append(CandidateProjection.objects.get(pk=candidate.pk).changed_xid)
    assert versions == sorted(set(versions))
