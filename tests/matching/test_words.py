"""The words in use, for those who misspell them: noted with projections, forgotten when nothing has them any more."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from marketplace.models import Candidate
from matching.actions import copies
from matching.actions.words import forget_unused_words
from matching.core.attributes import Subject
from matching.models import CandidateProjection, SearchWord
from tests.marketplace.factories import NOW, a_candidate

PEOPLE = Subject.CANDIDATE


def called(candidate_id: int, headline: str) -> None:
    Candidate.objects.filter(pk=candidate_id).update(headline=headline)
    copies.mark(PEOPLE, [candidate_id], NOW)
    copies.project_all(NOW)


def words() -> set[str]:
    return set(SearchWord.objects.filter(subject_type=PEOPLE).values_list("word", flat=True))


@pytest.mark.django_db
def test_words_that_went_out_of_use_are_forgotten() -> None:
    candidate = a_candidate()
    called(candidate.pk, "Welder C++ o'c \\ 'n' .net §17 ~3 日本語 a:b&c|!")
    before = words()
    assert before > {"welder", "c++", ".net", "日本語"}
    assert forget_unused_words(PEOPLE) == 0
    called(candidate.pk, "Welder")
    assert words() == before
    assert forget_unused_words(Subject.OPPORTUNITY) == 0
    assert forget_unused_words(PEOPLE) == len(before) - 1
    assert words() == {"welder"}


@pytest.mark.django_db(transaction=True)
def test_word_that_comes_into_use_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes a projection takes the word for noted."""
    candidate = a_candidate()
    called(candidate.pk, "Welder")
    CandidateProjection.objects.all().delete()
    from matching.actions import locks

    projecting = locks.projecting

    def meanwhile() -> None:
        monkeypatch.setattr(locks, "projecting", projecting)

        def write() -> None:
            try:
                called(candidate.pk, "Welder")
            finally:
                connections.close_all()

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        projecting()

    monkeypatch.setattr(locks, "projecting", meanwhile)
    with transaction.atomic():
        assert forget_unused_words(PEOPLE) == 0
    assert words() == {"welder"}
