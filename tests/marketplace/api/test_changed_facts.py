"""Refused, edited, accepted: what the recruiter is told over HTTP, and what nobody else is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Event, User
from marketplace.consumers import notify
from marketplace.models import Application, Candidate, EligibilityRefusal, Notification
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_published_opportunity,
    a_user,
    an_organisation,
)

pytestmark = pytest.mark.django_db

FULL_TIME = {"attribute": "weekly_hours", "op": "gte", "value": 40}
ELIGIBILITY = (
    "query ($id: ID!, $who: ID, $at: DateTime) { eligibility(opportunity: $id, candidate: $who, at: $at) { outcome } }"
)
APPLICATION = """query ($id: ID!) { node(id: $id) { ... on Application {
    changedAfterRefusal { sentence subject path was is refusedAt changedAt disclosure skill { name } } } } }"""


class Scene:
    def __init__(self) -> None:
        self.owner: Recruiter = an_organisation(now=timezone.now())
        self.opportunity = a_published_opportunity(self.owner, rule=FULL_TIME, now=timezone.now())
        self.person: Candidate = a_candidate(weekly_hours=20)
        self.candidate = Asker(self.person)

    def apply(self, **more: Any) -> Any:
        given = {"opportunityId": global_id(self.opportunity), **more}
        return self.candidate.do("apply", given, "id verdict { outcome }", thing="Application")

    def verdict(self, asker: Asker, **more: Any) -> str:
        outcome: str = asker.ask(ELIGIBILITY, id=global_id(self.opportunity), **more)["eligibility"]["outcome"]
        return outcome


@pytest.mark.parametrize("key", [None, "one-try"])
def test_the_recruiter_sees_what_was_changed_and_the_candidate_does_not(key: str | None) -> None:
    scene = Scene()
    assert scene.apply(idempotencyKey=key)["code"] == "NOT_ELIGIBLE"
    scene.candidate.do("updateCandidate", {"weeklyHours": 40})
    applied = scene.apply(idempotencyKey=key and "another-try")

    [change] = Asker(scene.owner.user).ask(APPLICATION, id=applied["id"])["node"]["changedAfterRefusal"]
    assert change["sentence"] == ("hours wanted: 20 → 40 hours a week, changed less than a minute after the refusal")
    assert (change["subject"], change["was"], change["is"], change["path"]) == ("weekly_hours", "20", "40", "$")
    assert change["refusedAt"] <= change["changedAt"]
    assert scene.candidate.ask(APPLICATION, id=applied["id"])["node"] == {"changedAfterRefusal": None}

    notify(Event.objects.get(name="ApplicationSubmitted"))
    [notification] = Notification.objects.filter(user=scene.owner.user)
    assert notification.text.endswith("Changed soon after a refusal: hours wanted")


def test_reading_ones_own_refusal_counts_like_applying_and_reading_others_does_not() -> None:
    scene = Scene()
    recruiter, staff = Asker(scene.owner.user), Asker(a_user(is_staff=True))
    for asker in (recruiter, staff):
        assert scene.verdict(asker, who=global_id(scene.person)) == "INELIGIBLE"
    assert not EligibilityRefusal.objects.exists()

    for _ in range(2):
        assert scene.verdict(scene.candidate) == "INELIGIBLE"
    [refusal] = EligibilityRefusal.objects.all()
    assert (refusal.surface, refusal.candidate_revision) == ("verdict", 1)

    scene.candidate.do("updateCandidate", {"weeklyHours": 40})
    assert scene.verdict(scene.candidate) == "ELIGIBLE"
    scene.apply()
    assert len(Application.objects.get().changed_after_refusal) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("away", [-1, 1])
def test_asking_for_a_moment_near_by_is_no_way_round(away: int) -> None:
    """In real time: the history's clock is the database's."""
    scene = Scene()
    at = timezone.now() + timedelta(milliseconds=1) if away < 0 else timezone.now() + timedelta(hours=1)
    while away < 0 and timezone.now() <= at:
        pass
    assert scene.verdict(scene.candidate, at=at.isoformat()) == "INELIGIBLE"
    assert EligibilityRefusal.objects.count() == 1


def test_staff_read_it_on_the_applications_page(client: Client) -> None:
    scene = Scene()
    scene.apply()
    scene.candidate.do("updateCandidate", {"weeklyHours": 40})
    scene.apply()
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase"))
    application = Application.objects.get()
    page = client.get(reverse("admin:marketplace_application_change", args=[application.pk]))
    assert "hours wanted: 20 → 40 hours a week" in page.content.decode()
    refusal = EligibilityRefusal.objects.get()
    page = client.get(reverse("admin:marketplace_eligibilityrefusal_change", args=[refusal.pk]))
    assert "hours wanted must be at least 40 hours a week, not 20." in page.content.decode()
