"""What the indices hold of candidates and opportunities, and which of two writers has the last word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import override_settings
from elasticsearch import NotFoundError

from marketplace.actions.terms import SkillTermInput
from marketplace.models import Candidate
from matching.actions import openings, projection
from matching.core.attributes import (
    LANGUAGE,
    PAY,
    PLACE,
    SKILL,
    VETTING,
    WORK_AUTHORISATION,
    WORKING_HOURS,
    Kind,
    Subject,
)
from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.opportunity_attributes import DECLARED
from matching.core.search.query import PEOPLE, SearchText
from matching.core.search.vectors import head_vector
from matching.core.search.words import searched_words
from matching.documents import CandidateDocument, OpportunityDocument, clients
from matching.documents.encoding import instant_from, microseconds
from matching.documents.indices import mapping
from matching.documents.writing import deletions, prepared, send
from matching.models import CandidateProjection, OpportunityProjection
from matching.queries.projection import columns_of
from tests.elasticsearch import an_index, needs_elasticsearch
from tests.marketplace.factories import NOW, PAY_BAND, a_candidate, a_published_opportunity, a_skill

ROW = 7


def a_row(
    facts: CandidateFacts | None = None, *, headline: str = "", title: str = "", **fields: object
) -> CandidateProjection:
    """A row as if it had been read, of somebody who shows themselves."""
    facts = facts or CandidateFacts(ROW)
    words = {"headline": searched_words([headline]), "titles": searched_words([title]), "skills": frozenset[str]()}
    text = SearchText(words, frozenset().union(*words.values()), frozenset(facts.skills), frozenset(facts.skills))
    shown = {"discoverable": True, "open_to_offers": False, "present": True, "changed_xid": 100}
    return CandidateProjection(
        candidate_id=ROW,
        refreshed_at=NOW,
        words=head_vector(text, PEOPLE),
        **columns_of(facts),
        **{**shown, **fields},
    )


def document_of(row: CandidateProjection) -> dict[str, Any]:
    return CandidateDocument().prepare(row)


# What a document holds


def test_every_declared_fact_has_a_field_of_its_kind() -> None:
    types = {
        Kind.WHOLE: "integer",
        Kind.DECIMAL: "long",
        Kind.DATE: "date",
        Kind.CODE: "keyword",
        Kind.CODES: "keyword",
        Kind.IDS: "integer",
    }
    for subject, attributes in DECLARED.items():
        properties = mapping(subject)["properties"]
        for attribute in attributes.values():
            assert properties[attribute.index_field]["type"] == types[attribute.kind], attribute.name
    properties = mapping(Subject.CANDIDATE)["properties"]
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
    row = a_row(facts, headline="C++ in Zürich", title="Señor Développeurs", blocked_organisations=[3, 5])
    assert document_of(row) == {
        "id": ROW,
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
        "skill_ids": [12, 13],
        "skill_families": [12, 13],
        "groups": [4, 9],
        "vetting": {
            "identity": {"passed": True, "until": "9999-12-31"},
            "licence": {"passed": False, "until": "2026-01-01"},
        },
        "words": {
            "headline": ["c++", "in", "zurich"],
            "titles": ["developpeur", "senor"],
            "anywhere": ["c++", "developpeur", "in", "senor", "zurich"],
        },
        "blocked_organisations": [3, 5],
        "discoverable": True,
        "open_to_offers": False,
        "present": True,
    }


def test_what_is_not_known_has_no_field() -> None:
    assert document_of(a_row()) == {"id": ROW, "discoverable": True, "open_to_offers": False, "present": True}


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
    assert not [word for value in private.values() for word in value.lower().split() if word in written.lower()]


@pytest.mark.django_db
def test_document_of_an_opportunity_is_what_searches_ask_about() -> None:
    welding = a_skill("welding")
    bands = [PAY_BAND, replace(PAY_BAND, places=["DE"], minimum=Decimal(25), maximum=Decimal(45))]
    row = a_published_opportunity(
        title="Señor Welders",
        description="Weld *all* the frames.",
        pay_bands=bands,
        skills=[SkillTermInput(welding.public_id, required=True, weight=5)],
        starts_on=date(2027, 4, 1),
    )
    openings.refresh([row.pk], NOW)
    organisation = row.posting_organisation
    document = OpportunityDocument().prepare(OpportunityProjection.objects.get(pk=row.pk))
    words = document.pop("words")
    assert document == {
        "id": row.pk,
        "commitment": "full_time",
        "arrangement": "onsite",
        "weekly_hours": 40,
        "starts_on": "2027-04-01",
        "published_on": "2027-03-01",
        "places": ["*"],
        "skill_ids": [welding.pk],
        "skill_families": [welding.pk],
        "organisations": [organisation.pk],
        "state": "published",
        "visibility": "public",
        "organisation": organisation.pk,
        "title": "senor welders",
        "listed_at": 1_803_891_600_000_000,
        "closes_at": 253_370_764_800_000_000,
        "pay": [{"gte": 4_160_000, "lte": 6_240_000}, {"gte": 5_200_000, "lte": 9_360_000}],
        "most_pay": 9_360_000,
    }
    assert (words["title"], words["skills"]) == (["senor", "welder"], ["welding"])
    assert {"weld", "frame", "welder", "welding"} <= set(words["anywhere"])


def test_instants_survive_to_the_microsecond() -> None:
    for moment in (datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), NOW + timedelta(microseconds=1)):
        assert instant_from(microseconds(moment)) == moment


# Who has the last word


@pytest.fixture
def index() -> Iterator[str]:
    with an_index(Subject.CANDIDATE) as name:
        yield name


def written(index: str, *rows: CandidateProjection) -> int:
    return send(clients.for_building(), index, prepared(Subject.CANDIDATE, rows)).done


def deleted(index: str, version: int) -> int:
    return send(clients.for_building(), index, deletions([ROW], version)).done


def headline(index: str) -> str | None:
    """What the index says of the candidate; None where it does not know them."""
    try:
        found = clients.for_building().get(index=index, id=str(ROW))["_source"]
    except NotFoundError:
        return None
    return " ".join(found["words"]["headline"])


@needs_elasticsearch
def test_writer_who_read_an_older_row_does_not_overwrite_a_newer_document(index: str) -> None:
    older, newer = a_row(headline="older", changed_xid=100), a_row(headline="newer", changed_xid=101)
    assert written(index, newer) == 1
    assert written(index, older) == 0
    assert headline(index) == "newer"
    assert written(index, newer) == 1  # from the same row as often as you like


@needs_elasticsearch
def test_deleted_document_does_not_come_back_with_a_late_writer(index: str) -> None:
    row = a_row(headline="gone", changed_xid=100)
    written(index, row)
    assert deleted(index, 101) == 1
    assert written(index, row) == 0
    assert headline(index) is None


@needs_elasticsearch
def test_deletion_does_not_reach_who_came_back_since(index: str) -> None:
    written(index, a_row(headline="back", changed_xid=102))
    assert deleted(index, 101) == 0
    assert headline(index) == "back"


@needs_elasticsearch
def test_deleting_who_was_never_indexed_is_no_error(index: str) -> None:
    assert deleted(index, 101) == 0
    assert written(index, a_row(changed_xid=100)) == 0  # and a late writer does not bring them in


@needs_elasticsearch
def test_index_refuses_a_field_that_is_not_declared_and_takes_the_rest(
    index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = a_row(headline="good"), a_row(headline="bad")
    bad.candidate_id = ROW + 1
    prepare = CandidateDocument.prepare
    leak = {"resume_text": "Wrote the first program."}
    monkeypatch.setattr(
        CandidateDocument, "prepare", lambda self, row: {**prepare(self, row), **(leak if row is bad else {})}
    )
    sent = send(clients.for_building(), index, prepared(Subject.CANDIDATE, [bad, good]))
    assert sent.done == 1
    assert sent.refused.keys() == {ROW + 1}
    assert "strict_dynamic_mapping_exception" in sent.refused[ROW + 1]
    assert "first program" not in sent.refused[ROW + 1]
    assert headline(index) == "good"


@needs_elasticsearch
def test_indices_are_made_as_settings_say() -> None:
    with override_settings(ELASTICSEARCH_SHARDS=2, ELASTICSEARCH_REPLICAS=1), an_index(Subject.OPPORTUNITY) as name:
        found = clients.for_building().indices.get(index=name)[name]
    assert found["settings"]["index"]["number_of_shards"] == "2"
    assert found["settings"]["index"]["number_of_replicas"] == "1"
    assert found["aliases"].keys() == {family_of(name), name.rpartition("-")[0]}
    assert found["mappings"]["dynamic"] == "strict"


def family_of(name: str) -> str:
    """`muster-opportunities` of `muster-opportunities-1f3c9a2e-000001`."""
    return "-".join(name.split("-")[:-2])


@pytest.mark.django_db(transaction=True)
def test_version_grows_with_every_write_of_a_row() -> None:
    candidate = a_candidate()
    versions = []
    for country in ("DE", "FR", "IT"):
        Candidate.objects.filter(pk=candidate.pk).update(country=country)
        assert projection.refresh([candidate.pk], NOW) == [candidate.pk]
        assert projection.refresh([candidate.pk], NOW) == []  # as it is: not written
        versions.append(CandidateProjection.objects.get(pk=candidate.pk).changed_xid)
    assert versions == sorted(set(versions))
