"""Which model a database begins with."""

from __future__ import annotations

from importlib import import_module

import pytest

from matching.core.scoring import DEFAULT_MODEL
from matching.models import ScoringModel, Segment

pytestmark = pytest.mark.django_db


def test_a_fresh_database_begins_with_a_live_model_for_everything() -> None:
    segment = Segment.objects.get()
    assert (segment.name, segment.rule) == ("everything", None)
    model = ScoringModel.objects.get()
    assert (model.version, model.state, model.segment) == (DEFAULT_MODEL.version, "live", segment)


def test_a_migrated_version_is_the_one_that_the_code_has() -> None:
    assert DEFAULT_MODEL.to_json() == import_module("matching.migrations.0002_default_model").DEFINITION
