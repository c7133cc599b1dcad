"""Training that is refused, whatever was logged, and training from another log."""

from __future__ import annotations

from threading import Event as Flag
from threading import Thread

import pytest
from django.db import connection

from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotPermitted
from matching.actions import locks
from matching.actions.models import live_model
from matching.actions.training import ask_training, train_model
from matching.errors import NothingLearned, TrainingRunning
from matching.models import ScoringModel, TrainingRun
from tests.marketplace.factories import DAY, NOW, an_organisation
from tests.matching.logged import log

pytestmark = pytest.mark.django_db


def train(**given) -> ScoringModel:
    return train_model(**{"actor": Actor.system(), "now": NOW, "least": 300, **given})


def test_interest_learns_from_applying() -> None:
    log("interest")
    model = train()
    assert model.training["heads"]["interest"]["trained"]
    assert model.definition["heads"]["interest"]["weights"]["experience"] > 2000
    assert not model.training["heads"]["fit"]["trained"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"since": NOW, "until": NOW}, "since"),
        ({"since": NOW + DAY}, "since"),
        ({"test_share": 0}, "testShare"),
        ({"test_share": 1000}, "testShare"),
        ({"least": 0}, "minExamples"),
        ({"version": "x" * 61}, "version"),
        ({"version": " "}, "version"),
    ],
)
def test_bad_input_is_refused(given, field) -> None:
    with pytest.raises(InvalidInput) as refused:
        train(**given)
    assert refused.value.data["field"] == field


def test_only_staff_train() -> None:
    for action in (train_model, ask_training):
        with pytest.raises(NotPermitted):
            action(actor=an_organisation().actor, now=NOW)
    assert not TrainingRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_trainings_of_a_segment_at_once_are_one_and_a_refusal() -> None:
    held, over = Flag(), Flag()
    segment = live_model().segment

    def train_elsewhere() -> None:
        assert locks.may_train(segment.pk)
        held.set()
        over.wait(20)
        locks.trained(segment.pk)
        connection.close()

    other = Thread(target=train_elsewhere)
    other.start()
    held.wait(20)
    try:
        with pytest.raises(TrainingRunning):
            train()
    finally:
        over.set()
        other.join()
    with pytest.raises(NothingLearned):
        train()
