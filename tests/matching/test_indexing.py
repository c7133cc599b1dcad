"""Documents follow projections: sent in bulk, found before their marks go, not lost while Elasticsearch is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import services
from marketplace.models import Candidate, Opportunity
from matching.actions import copies, indexing
from matching.actions.indexing import index, index_all, index_unless_resting
from matching.core.attributes import Subject
from matching.documents import CandidateDocument, clients
from matching.documents.indices import alias, create, indices, put_to_use
from matching.models import CandidateProjection, CopyMark
from matching.queries.copying import refusals, waiting
from matching.queries.lagging import INDEXED, lagging
from matching.tasks import index_marked
from tests.elasticsearch import needs_elasticsearch, own_indices
from tests.marketplace.factories import NOW, a_candidate, a_draft
from tests.races.crowd import all_at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    indexing.resting.succeeded()
    yield
    indexing.resting.succeeded()


@pytest.fixture
def empty() -> Iterator[None]:
    """An index of each kind, without documents."""
    with own_indices():
        for subject in Subject:
            put_to_use(clients.for_building(), subject, create(clients.for_building(), subject))
        yield


@pytest.fixture
def away(settings: Any) -> None:
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"


def people(count: int, **facts: Any) -> list[Candidate]:
    """Candidates whose projections stand, and whose documents are to be sent."""
    found = [a_candidate(**facts) for _ in range(count)]
    copies.mark(Subject.CANDIDATE, [one.pk for one in found], NOW)
    copies.project_all(NOW)
    return found


def change(candidate: Candidate, headline: str) -> None:
    Candidate.objects.filter(pk=candidate.pk).update(headline=headline)
    copies.mark(Subject.CANDIDATE, [candidate.pk], NOW)
    copies.project_all(NOW)


def headlines() -> dict[int, str]:
    """What is found, by candidate."""
    answer = clients.for_building().search(index=alias(Subject.CANDIDATE), size=1000)
    return {
        int(hit["_id"]): " ".join(hit["_source"].get("words", {}).get("headline", ())) for hit in answer["hits"]["hits"]
    }


def marks() -> set[tuple[int, bool]]:
    rows = CopyMark.objects.filter(stage=CopyMark.Stage.INDEX, subject_type=Subject.CANDIDATE)
    return set(rows.values_list("subject_id", "urgent"))


@needs_elasticsearch
def test_documents_are_found_before_their_marks_go(empty: None) -> None:
    welder, nurse = people(2, headline="Welder")
    job = a_draft(title="Welder wanted")
    copies.mark(Subject.OPPORTUNITY, [job.pk], NOW)
    copies.project_all(NOW)
    assert lagging(Subject.CANDIDATE, stages=INDEXED, at_most=9) >= {welder.pk, nurse.pk}
    assert index_all(NOW) == 3
    assert headlines() == {welder.pk: "welder", nurse.pk: "welder"}
    assert clients.for_building().count(index=alias(Subject.OPPORTUNITY))["count"] == 1
    assert not CopyMark.objects.exists()

    change(nurse, "Nurse")
    copies.renew(Subject.CANDIDATE, [welder.pk], NOW)  # which changes nothing, so there is nothing to send
    copies.project_all(NOW)
    assert marks() == {(nurse.pk, True)}
    assert index_all(NOW) == 1
    assert headlines() == {welder.pk: "welder", nurse.pk: "nurse"}


@needs_elasticsearch
def test_number_of_statements_does_not_depend_on_how_many_are_sent(empty: None) -> None:
    counts = []
    for count in (1, 20):
        people(count)
        CandidateProjection.objects.filter(pk__in=[one.pk for one in people(count)]).delete()
        with CaptureQueriesContext(
            connection,
        ) as statements:
            assert index(NOW) == 2 * count
        counts.append(len(statements))
    assert counts[0] == counts[1]


@needs_elasticsearch
@pytest.mark.django_db(transaction=True)
def test_document_goes_with_its_projection_and_no_late_writer_brings_it_back(empty: None) -> None:
    stays, goes = people(2, headline="Welder")
    index_all(NOW)
    row = CandidateProjection.objects.get(pk=goes.pk)
    CandidateProjection.objects.filter(pk=goes.pk).delete()
    assert marks() == {(goes.pk, True)}
    assert index_all(NOW) == 1
    assert headlines().keys() == {stays.pk}
    row.save(force_insert=True)  # as it was, and yet a later writing
    copies.index_anew(Subject.CANDIDATE, [goes.pk], NOW)
    assert index_all(NOW) == 1
    assert headlines().keys() == {stays.pk, goes.pk}


@needs_elasticsearch
@pytest.mark.django_db(transaction=True)
def test_projections_are_written_while_a_deletion_is_on_its_way(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of a deletion is drawn while nobody writes projections, and only then."""
    (gone,) = people(1)
    CandidateProjection.objects.filter(pk=gone.pk).delete()
    held = []
    send = indexing.send

    def looking(*arguments: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            held.append(cursor.fetchone()[0])
        return send(*arguments)

    monkeypatch.setattr(indexing, "send", looking)
    assert index(NOW) == 1
    assert held == [1], "the claim of the one mark, and nothing else"


@needs_elasticsearch
def test_change_while_documents_are_sent_keeps_its_mark(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (candidate,) = people(1, headline="Before")
    send = indexing.send

    def meanwhile(*arguments: Any) -> Any:
        sent = send(*arguments)
        monkeypatch.setattr(indexing, "send", send)
        change(candidate, "After")
        return sent

    monkeypatch.setattr(indexing, "send", meanwhile)
    index(NOW)
    assert marks() == {(candidate.pk, True)}
    assert headlines() == {candidate.pk: "before"}
    index(NOW)
    assert headlines() == {candidate.pk: "after"}
    assert not marks()


@needs_elasticsearch
def test_refused_documents_hold_up_nobody_and_are_not_trusted(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = people(2, headline="Good")
    prepare = CandidateDocument.prepare
    monkeypatch.setattr(
        CandidateDocument,
        "prepare",
        lambda self, row: {**prepare(self, row), **({"surprise": 1} if row.pk == bad.pk else {})},
    )
    assert index_all(NOW) == 2, "and comes to an end"
    assert headlines() == {good.pk: "good"}
    assert marks() == {(bad.pk, True)}
    ((pk, reason),) = refusals(Subject.CANDIDATE, 9)
    assert (pk, "strict_dynamic_mapping_exception" in reason) == (bad.pk, True)
    assert bad.pk in lagging(Subject.CANDIDATE, stages=INDEXED, at_most=9)
    (told,) = [one for one in waiting() if one.marks]
    assert (told.refused, told.seconds(NOW + timedelta(days=1))) == (1, 0.0), "it is not behind: it is refused"

    monkeypatch.undo()
    assert index_all(NOW) == 0, "not before it has changed"
    change(bad, "Better")
    assert index_all(NOW) == 1
    assert headlines() == {good.pk: "good", bad.pk: "better"}
    assert not marks()


def test_marks_stay_while_nobody_answers_and_projections_go_on(away: None) -> None:
    first, second = people(2)
    with pytest.raises(indexing.UNAVAILABLE):
        index(NOW)
    assert index_unless_resting(NOW) == 0
    change(first, "Nurse")
    assert CandidateProjection.objects.get(pk=first.pk).headline == "Nurse"
    assert marks() == {(first.pk, True), (second.pk, True)}


def test_worker_that_is_not_answered_pauses_longer_each_time(away: None, monkeypatch: pytest.MonkeyPatch) -> None:
    people(1)
    asked: list[float] = []
    clock = [0.0]
    monkeypatch.setattr(indexing.time, "monotonic", lambda: clock[0])

    def unanswered(*arguments: Any) -> int:
        asked.append(clock[0])
        raise indexing.IndexOverloaded

    monkeypatch.setattr(indexing, "index", unanswered)
    while clock[0] < 200.0:
        index_unless_resting(NOW)
        clock[0] += 0.5
    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]


@needs_elasticsearch
def test_marks_wait_for_an_index(settings: Any) -> None:
    with own_indices():
        (candidate,) = people(1, headline="Welder")
        assert index_all(NOW) == 0
        assert indexing.is_missing(Subject.CANDIDATE)
        with pytest.raises(indexing.IndexMissing):
            indexing.targets(Subject.CANDIDATE)
        assert marks() == {(candidate.pk, True)}
        assert not clients.for_building().indices.exists(index=alias(Subject.CANDIDATE)), (
            "none is made by writing to it"
        )
        put_to_use(clients.for_building(), Subject.CANDIDATE, create(clients.for_building(), Subject.CANDIDATE))
        index_marked()
        assert headlines() == {candidate.pk: "welder"}


@needs_elasticsearch
def test_index_of_another_version_of_the_program_is_left_to_it(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (candidate,) = people(1)
    monkeypatch.setattr("matching.documents.indices.fingerprint", lambda subject: "0" * 8)
    create(clients.for_building(), Subject.CANDIDATE)  # as a newer program does
    monkeypatch.undo()
    assert index_all(NOW) == 0
    assert marks() == {(candidate.pk, True)}
    assert [one.is_ours for one in indices(clients.for_building(), Subject.CANDIDATE)] == [True, False]


def test_without_elasticsearch_nothing_is_marked_for_it(settings: Any) -> None:
    settings.ELASTICSEARCH_URL = ""
    people(1)
    assert not marks()
    assert index_unless_resting(NOW) == 0
    index_marked()


def send_until_done(number: int) -> str:
    return str(index_all(NOW))


@needs_elasticsearch
@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_work(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing.index, "__defaults__", (7,))
    Candidate.objects.bulk_create(Candidate(name=f"Person {number}", headline="Welder") for number in range(60))
    copies.renew_all(Subject.CANDIDATE, NOW)
    copies.project_all(NOW)
    done = all_at_once(send_until_done, [0, 1, 2], processes=3)
    assert sum(map(int, done)) == 60
    assert len(headlines()) == 60
    assert not marks()
    assert not Opportunity.objects.exists()
