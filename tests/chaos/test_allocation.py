"""Whoever solves or commits a run may be killed at any step: afterwards it is as if they had not begun, or it is all
done, once."""

from __future__ import annotations

from collections import Counter

import pytest

from accounts.actions.deliveries import deliver_due
from accounts.errors import IllegalTransition
from accounts.models import Delivery, Event, Transition
from marketplace.models import Application, Offer, Seat
from marketplace.queries.audit import audit
from matching.actions.allocation import commit_allocation, plan_allocation, solve_run, verify_run
from matching.models import AllocationRun, Proposal
from tests.chaos.steps import dies_at
from tests.marketplace.factories import NOW, Recruiter, a_skill, an_organisation
from tests.matching.staging import asking_for, pairs, skilled, work
from tests.stepping import steps_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]

DELIVERIES = "all deliveries are done"  # nobody carries out those that come of a commit
SEATS, PEOPLE = 3, 4


def a_queued_run() -> tuple[Recruiter, AllocationRun]:
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=SEATS - 1)
    asking_for(skill, by)
    for _ in range(PEOPLE):
        skilled(skill)
    work()
    return by, plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)


def a_planned_run() -> tuple[Recruiter, AllocationRun]:
    by, run = a_queued_run()
    return by, solve_run(run.pk, NOW)


def commit(by: Recruiter, run: AllocationRun) -> None:
    commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW)


def deliver() -> None:
    deliver_due("allocation", NOW)


def moves_of(run: AllocationRun) -> list[str]:
    return list(
        Transition.objects.filter(subject_type="allocationrun", subject_id=run.pk)
        .order_by("pk")
        .values_list("action", flat=True)
    )


def assert_nothing_was_sent(run: AllocationRun) -> None:
    run.refresh_from_db()
    assert (run.state, run.sent, run.dropped) == ("planned", 0, 0)
    assert set(run.proposals.values_list("state", flat=True)) == {"proposed"}
    assert not Offer.objects.exists()
    assert not Application.objects.exists()
    assert set(Seat.objects.values_list("state", flat=True)) == {"open"}
    assert not Event.objects.filter(name__in=["OfferSent", "ProposalSent", "AllocationCommitting"]).exists()


def assert_all_was_sent_once(run: AllocationRun) -> None:
    run.refresh_from_db()
    assert (run.state, run.sent, run.dropped) == ("committed", SEATS, 0)
    assert moves_of(run) == ["solve", "plan", "commit", "finish"]
    assert Counter(run.proposals.values_list("state", flat=True)) == {"sent": SEATS}
    assert pairs(run) == set(Offer.objects.values_list("opportunity_id", "candidate_id"))
    assert Offer.objects.count() == Application.objects.count() == SEATS
    assert set(Offer.objects.values_list("seat", flat=True)) == set(Seat.objects.values_list("pk", flat=True))
    assert Counter(Seat.objects.values_list("state", flat=True)) == {"held": SEATS}
    assert Event.objects.filter(name="OfferSent").count() == Event.objects.filter(name="ProposalSent").count() == SEATS
    assert [violation for violation in audit().violations if violation.promise != DELIVERIES] == []


def assert_still_queued(run: AllocationRun) -> None:
    run.refresh_from_db()
    assert (run.state, run.solution, run.finished_at) == ("queued", None, None)
    assert moves_of(run) == []
    assert not Proposal.objects.exists()
    delivery = Delivery.objects.get(consumer="allocation", event__name="AllocationQueued")
    assert (delivery.state, delivery.attempts) == ("pending", 0)
    assert "allocation" in Delivery.objects.due(NOW).values_list("consumer", flat=True), "the sweeper finds it"


def assert_solved_once(run: AllocationRun) -> None:
    run.refresh_from_db()
    assert (run.state, run.proposed) == ("planned", SEATS)
    assert moves_of(run) == ["solve", "plan"]
    assert run.proposals.count() == SEATS
    assert verify_run(run).valid
    delivery = Delivery.objects.get(consumer="allocation", event__name="AllocationQueued")
    assert (delivery.state, delivery.attempts) == ("done", 1)


def test_a_commit_that_is_killed_has_sent_nothing_or_everything():
    by, run = a_planned_run()
    steps = steps_of(lambda: commit(by, run))
    for step in (steps // 2, steps - 2):
        assert dies_at(step, lambda: commit(by, run)), step
        assert_nothing_was_sent(run)
    assert dies_at(steps - 1, lambda: commit(by, run)), "after its COMMIT, of which it never learns"
    assert_all_was_sent_once(run)
    with pytest.raises(IllegalTransition):
        commit(by, run)


def test_a_run_whose_worker_is_killed_is_queued_and_due_again_or_solved():
    _, run = a_queued_run()
    listing = 1  # of what is due: before the transaction
    steps = steps_of(deliver)
    for step in (listing + 3, steps // 2):
        assert dies_at(step, deliver), step
        assert_still_queued(run)
    deliver()
    assert_solved_once(run)


@pytest.mark.soak
def test_a_commit_that_is_killed_at_any_step_is_done_once_in_the_end():
    by, run = a_planned_run()
    steps = steps_of(lambda: commit(by, run))
    for step in range(steps - 1):
        assert dies_at(step, lambda: commit(by, run)), step
        assert_nothing_was_sent(run)
    assert dies_at(steps - 1, lambda: commit(by, run)), "after its COMMIT, of which it never learns"
    assert_all_was_sent_once(run)
    with pytest.raises(IllegalTransition):
        commit(by, run)
    assert_all_was_sent_once(run)
    print(f"killed at each of {steps} steps of a commit")


@pytest.mark.soak
def test_solving_that_is_killed_at_any_step_is_done_once_in_the_end():
    _, run = a_queued_run()
    step = 0
    while dies_at(step, deliver):
        run.refresh_from_db()
        if run.state == "planned":
            break
        assert_still_queued(run)
        step += 1
    assert step > 20
    assert_solved_once(run)
    deliver()
    assert_solved_once(run)
    print(f"killed at each of {step + 1} steps of solving")
