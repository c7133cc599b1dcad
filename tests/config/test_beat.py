"""What runs by the clock: every entry names a task there is, and the books are kept short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.actions import idempotency
from accounts.models import IdempotencyRecord
from accounts.tasks import forget_idempotency_records
from config.celery import app
from matching.models import CopyMark, Rescore
from matching.tasks import mark_for_the_new_day
from tests.marketplace.factories import a_candidate, a_published_opportunity, a_user, actor_of


def test_every_entry_names_a_task() -> None:
    app.loader.import_default_modules()
    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert named <= set(app.tasks)
    assert {"accounts.tasks.forget_idempotency_records", "matching.tasks.mark_for_the_new_day"} <= named


@pytest.mark.django_db
def test_expired_keys_are_forgotten_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.actions.idempotency.SWEPT_AT_ONCE", 2)
    monkeypatch.setattr("accounts.tasks.SWEPT_AT_ONCE", 2)
    actor, long_ago = actor_of(a_user()), timezone.now() - timedelta(hours=25)
    for number, now in enumerate([long_ago] * 5 + [timezone.now()]):
        idempotency.begin(actor=actor, key=f"key-{number}", operation="apply", fingerprint="x", now=now)
    forget_idempotency_records()
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["key-5"]


@pytest.mark.django_db
def test_a_new_day_has_whatever_is_open_scored_and_everybody_copied() -> None:
    candidate, opportunity = a_candidate(), a_published_opportunity()
    CopyMark.objects.all().delete()
    mark_for_the_new_day()
    assert list(Rescore.objects.values_list("cause", "state")) == [("day", "queued")]
    assert set(CopyMark.objects.values_list("subject_type", "subject_id")) == {
        ("candidate", candidate.pk),
        ("opportunity", opportunity.pk),
    }


def test_the_new_day_is_marked_after_midnight_utc() -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["mark-for-the-new-day"]["schedule"]
    assert schedule.is_due(datetime.now(UTC) - timedelta(days=1, minutes=1)).is_due
