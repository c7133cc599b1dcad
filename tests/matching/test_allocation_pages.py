"""Plans in the staff's console: asked for with their whole policy, and looked at before they are committed."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from matching.actions.allocation import solve_run
from matching.core.run_policy import RunPolicy
from matching.models import AllocationProgress, AllocationRun
from tests.marketplace.factories import a_skill, a_user, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db
ADD = "admin:matching_allocationrun_add"
PLAN = {
    "quality": 600, "fill": 300, "speed": 100, "mechanism": "optimal", "proposing": "candidates",
    "offers_expire_hours": 72,
}  # fmt: skip


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(a_user(is_staff=True, is_superuser=True))
    return client


def test_a_plan_is_asked_for_with_its_limits_and_reserved_seats_and_shown_with_its_proof(console: Client):
    now = timezone.now()
    by, skill = an_organisation(now=now), a_skill()
    opportunity = asking_for(skill, by, seats=3, title="Frames", now=now)
    people = [skilled(skill, 1 + number, country="DE", name=f"Person {number}", now=now) for number in range(5)]
    work(now)
    given = {
        **PLAN,
        "organisation": by.organisation.pk,
        "min_fit_ppm": 10,
        "offers_at_once": 1,
        "limits": json.dumps([{"organisation": str(by.organisation.public_id), "seats": 2}]),
        "shares": json.dumps(
            [
                {
                    "opportunity": opportunity.reference,
                    "seats": 1,
                    "rule": {"attribute": "years_experience", "op": "gte", "value": 3},
                }
            ]
        ),
    }
    answer = console.post(reverse(ADD), given)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    run = AllocationRun.objects.get()
    policy = RunPolicy.from_data(run.policy)
    assert (policy.min_fit_ppm, policy.limits) == (10, {by.organisation.pk: 2})
    assert [(share.opportunity, share.seats) for share in policy.shares] == [(opportunity.pk, 1)]
    solve_run(run.pk, now)
    page = console.get(reverse("admin:matching_allocationrun_change", args=[run.pk])).content.decode()
    assert "quality 60 %" in page
    assert "At most 2 seats for" in page
    assert "1 seat of Frames for those who meet another rule." in page
    assert "Verified just now" in page
    assert 'aria-label="Fill against quality"' in page
    assert "a limit of 2 seats is used up" in page
    proposal = run.proposals.first()
    assert proposal is not None
    page = console.get(reverse("admin:matching_proposal_change", args=[proposal.pk])).content.decode()
    assert "Next best for this seat: Person" in page
    assert len(people) == 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limits", '{"organisation": 1}'),
        ("limits", '[{"organisation": "nobody", "seats": 1}]'),
        ("shares", '[{"opportunity": "OPP-NONE", "seats": 1, "rule": {}}]'),
        ("min_fit_ppm", "-1"),
        ("offers_at_once", "99"),
        ("speed", "101"),
    ],
)
def test_a_policy_that_is_none_comes_back_with_its_fault(console: Client, field: str, value: str):
    answer = console.post(reverse(ADD), {**PLAN, field: value}, follow=True)
    assert answer.status_code == 200
    assert not AllocationRun.objects.exists()


def test_a_run_that_is_being_solved_says_how_far_it_is(console: Client):
    run = AllocationRun.objects.create(policy={"quality": 600, "fill": 300, "speed": 100}, created_at=timezone.now())
    page = reverse("admin:matching_allocationrun_change", args=[run.pk])
    assert "It waits for a worker." in console.get(page).content.decode()
    told = {"stage": "gathering", "done": 12, "total": 30, "started_at": timezone.now(), "updated_at": timezone.now()}
    AllocationProgress.objects.create(run=run, **told)
    assert "gathering: 12 of 30" in console.get(page).content.decode()
