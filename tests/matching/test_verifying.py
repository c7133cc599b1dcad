"""Copies are compared with what they are copied from; what is merely on its way is no difference."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from config import services
from marketplace.actions.candidates import SkillInput
from marketplace.models import Candidate, Opportunity
from matching.actions import copies, indexing, rebuilding, verifying
from matching.actions.rebuilding import rebuild
from matching.actions.verifying import Difference, verify_index, verify_projections
from matching.core.attributes import Subject
from matching.documents import CandidateDocument, clients
from matching.documents.indices import alias
from matching.documents.writing import Prepared, deletions, send
from matching.models import CandidateProjection, CopyMark, OpportunityProjection, SearchWord
from tests.elasticsearch import needs_elasticsearch, own_indices
from tests.marketplace.factories import NOW, a_candidate, a_draft, a_skill

PEOPLE, JOBS = Subject.CANDIDATE, Subject.OPPORTUNITY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(rebuilding, "LAST_READERS_SECONDS", 0.0)


@pytest.fixture
def own(settings: Any) -> Iterator[None]:
    settings.SEARCH_TIMEOUT_MS = 5000
    with own_indices():
        yield


def search(*arguments: str) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command("search", *arguments, stdout=printed)
    return printed.getvalue()


def verify(*arguments: str) -> tuple[str, str]:
    """What it prints, and what it ends with."""
    printed = io.StringIO()
    try:
        call_command("search", "verify", "--quiet", *arguments, stdout=printed)
    except CommandError as problem:
        return printed.getvalue(), str(problem)
    return printed.getvalue(), ""


@pytest.fixture
def projected() -> tuple[list[int], list[int]]:
    """People and opportunities, copied as they are."""
    skills = [SkillInput(a_skill(name).public_id, 3) for name in ("welding", "c++", "o'clock \\ 日本語")]
    people = [a_candidate(headline="Welder, 日本語 '\\' §1 ~2 c++", skills=skills).pk for _ in range(3)]
    jobs = [a_draft(title="Welder '\\' 日本語 §1").pk for _ in range(3)]
    for subject in Subject:
        copies.renew_all(subject, NOW)
    copies.project_all(NOW)
    return people, jobs


# Projections


def test_projections_that_do_not_say_what_the_tables_do_are_found_and_marked(
    projected: tuple[list[int], list[int]],
) -> None:
    (same, other, none), (job, _, gone) = projected
    assert verify_projections(PEOPLE, NOW).differences == verify_projections(JOBS, NOW).differences == {}
    Candidate.objects.filter(pk=other).update(headline="Nurse")
    CandidateProjection.objects.filter(pk=none).delete()
    Opportunity.objects.filter(pk=job).update(description="Something else.")
    OpportunityProjection.objects.filter(pk=gone).delete()
    found = verify_projections(PEOPLE, NOW)
    assert (found.compared, found.differences) == (3, {Difference.PROJECTION: 2})
    assert found.samples.keys() == {other, none}
    assert verify_projections(JOBS, NOW).samples.keys() == {job, gone}
    assert not CopyMark.objects.filter(stage="projection").exists()

    for subject in Subject:
        verify_projections(subject, NOW, repair=True)
    assert set(CopyMark.objects.filter(stage="projection").values_list("subject_id", "urgent")) == {
        (pk, True) for pk in (other, none, job, gone)
    }
    copies.project_all(NOW)
    assert verify_projections(PEOPLE, NOW).differences == verify_projections(JOBS, NOW).differences == {}
    assert CandidateProjection.objects.get(pk=same).headline.startswith("Welder")


def test_what_is_marked_is_on_its_way(projected: tuple[list[int], list[int]]) -> None:
    (first, *_), _ = projected
    Candidate.objects.filter(pk=first).update(headline="Nurse")
    copies.mark(PEOPLE, [first], NOW)
    assert verify_projections(PEOPLE, NOW).differences == {}


def test_number_of_statements_does_not_depend_on_how_many_are_compared() -> None:
    for subject, some in ((PEOPLE, a_candidate), (JOBS, a_draft)):
        counts = []
        for count in (1, 19):
            for _ in range(count):
                some()
            copies.renew_all(subject, NOW)
            copies.project_all(NOW)
            with CaptureQueriesContext(connection) as statements:
                assert verify_projections(subject, NOW).differences == {}
            counts.append(len(statements))
        assert counts[0] == counts[1], subject


# Documents


@needs_elasticsearch
@pytest.mark.django_db(transaction=True)
def test_each_way_of_differing_is_found_and_repaired(own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "BLOCK", 2)
    same, missing, older, newer = (a_candidate(headline="Welder").pk for _ in range(4))
    surplus, client = newer + 100, clients.for_building()
    rebuild(PEOPLE, NOW)
    assert verify_index(PEOPLE, NOW).differences == {}

    now_at = CandidateProjection.objects.get(pk=same).changed_xid + 1000
    send(client, alias(PEOPLE), deletions([missing], now_at - 999))
    Candidate.objects.filter(pk=older).update(headline="Nurse")
    copies.mark(PEOPLE, [older], NOW)
    copies.project_all(NOW)
    CopyMark.objects.all().delete()  # as if Elasticsearch had not been known of
    document = {"id": surplus, "present": True}
    send(client, alias(PEOPLE), [Prepared(surplus, 1, document), Prepared(newer, now_at, {**document, "id": newer})])
    found = verify_index(PEOPLE, NOW)
    assert found.compared == 5
    assert found.samples == {
        missing: Difference.MISSING,
        older: Difference.OLDER,
        newer: Difference.NEWER,
        surplus: Difference.SURPLUS,
    }

    verify_index(PEOPLE, NOW, repair=True)
    assert set(CopyMark.objects.values_list("stage", "subject_id", "urgent")) == {
        ("index", pk, True) for pk in (missing, older, newer, surplus)
    }
    assert verify_index(PEOPLE, NOW).differences == {}, "they are on their way"
    indexing.index_all(NOW)
    assert verify_index(PEOPLE, NOW).samples == {newer: Difference.NEWER}, "that one needs another index"
    rebuild(PEOPLE, NOW)
    assert verify_index(PEOPLE, NOW).differences == {}


# The command


@needs_elasticsearch
@pytest.mark.django_db(transaction=True)
def test_command_rebuilds_verifies_repairs_and_tells(own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no index, `search rebuild` builds one" in search("status")
    assert verify() == (verify()[0], "there is no index: build it with `search rebuild`")
    first, second = (a_candidate(headline="Welder").pk for _ in range(2))
    a_draft()
    built = search("rebuild", "--quiet")
    assert f"{alias(PEOPLE)}-000001 is in use, with 2 documents (0 refused)" in built
    assert f"{alias(JOBS)}-000001 is in use, with 1 documents (0 refused)" in built
    assert "000002" in search("rebuild", "candidates", "--quiet")
    assert verify()[1] == ""
    indexing.index_all(NOW)

    Candidate.objects.filter(pk=first).update(headline="Nurse")
    clients.for_building().delete(
        index=alias(PEOPLE), id=str(second), version=2**62, version_type="external", refresh=True
    )
    told, ended = verify("candidates")
    assert "projections of candidates" in told
    assert f"  missing    1, such as {second}" in told
    assert ended == "copies differ from what they are copied from"
    told, ended = verify("candidates", "--repair")
    before, after = told.split("repaired; once more:")
    assert f"  projection 1, such as {first}" in before
    assert f"  missing    1, such as {second}" in after, "somebody deleted it who is ahead of every transaction"
    assert "projections of candidates                 2 compared, 0 differ" in after
    assert ended == "copies differ from what they are copied from"
    search("rebuild", "--quiet")
    assert verify() == (verify()[0], "")

    status = json.loads(search("status", "--json"))
    assert status["elasticsearch"]["configured"]
    (index,) = status["copies"]["candidates"]["indices"]
    assert (index["documents"], index["in_use"], index["readable"]) == (2, True, True)
    assert status["copies"]["candidates"]["words"] == SearchWord.objects.filter(subject_type="candidate").count() > 0
    assert {(one["stage"], one["subject"], one["marks"]) for one in status["waiting"]} == {
        (stage, plural, 0) for stage in ("projection", "index") for plural in ("candidates", "opportunities")
    }

    prepare = CandidateDocument.prepare
    monkeypatch.setattr(CandidateDocument, "prepare", lambda self, row: {**prepare(self, row), "surprise": 1})
    copies.index_anew(PEOPLE, [first], NOW)
    indexing.index_all(NOW)
    assert f"refused: {first}: strict_dynamic_mapping_exception" in search("status")
    assert verify()[1] == "copies differ from what they are copied from"


def test_command_tells_that_elasticsearch_does_not_answer() -> None:
    with override_settings(ELASTICSEARCH_URL=f"http://somebody:secret@127.0.0.1:{services.free_port()}"):
        told = search("status")
        assert "does not answer (ConnectionError): Postgres answers searches" in told
        assert "secret" not in told
        with pytest.raises(CommandError, match="Elasticsearch does not do it"):
            search("rebuild", "--quiet")
        assert verify()[1].startswith("Elasticsearch does not do it")


def test_command_does_without_elasticsearch(settings: Any) -> None:
    settings.ELASTICSEARCH_URL = ""
    first = a_candidate(headline="Welder").pk
    a_draft()
    told, ended = verify()
    assert "  projection 1, such as" in told
    assert ended == "copies differ from what they are copied from"
    told, ended = verify("--repair")
    assert ended == ""
    assert CandidateProjection.objects.get(pk=first).headline == "Welder"
    assert "1 projections of candidates are up to date" in search("rebuild", "candidates", "--quiet")
    status = search("status")
    assert "Elasticsearch is not configured: Postgres answers searches" in status
    assert "candidates: 1 projections, 1 words" in status
