"""Which model a database begins with."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from matching.core.scoring import DEFAULT_MODEL
from matching.models import ScoringModel
from tests.marketplace.factories import a_candidate

pytestmark = pytest.mark.django_db
first = import_module("matching.migrations.0002_default_model")
second = import_module("matching.migrations.0011_linear_2")


def states() -> dict[str, str]:
    return dict(ScoringModel.objects.values_list("version", "state"))


def migrated() -> dict[str, str]:
    """As a database that has had the first version so far."""
    segment = ScoringModel.objects.get().segment
    ScoringModel.objects.all().delete()
    ScoringModel.objects.create(segment=segment, version="linear-1", definition=first.DEFINITION, state="live")
    second.add(apps, connection.schema_editor)
    return states()


def test_a_fresh_database_begins_with_the_newest() -> None:
    assert states() == {"linear-2": "live"}
    assert migrated() == {"linear-2": "live"}


def test_a_database_in_use_keeps_its_model_and_gets_the_newest_as_a_draft() -> None:
    a_candidate()
    assert migrated() == {"linear-1": "live", "linear-2": "draft"}
    second.add(apps, connection.schema_editor)
    assert states() == {"linear-1": "live", "linear-2": "draft"}


def test_a_migrated_version_is_the_one_that_the_code_has() -> None:
    assert DEFAULT_MODEL.to_json() == second.DEFINITION
