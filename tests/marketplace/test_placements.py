"""Placements and the seats they fill."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.placements import (
    cancel_placement,
    change_terms,
    complete_placement,
    end_placement,
    pause_placement,
    report_no_show,
    resume_placement,
    start_placement,
)
from marketplace.core.money import Pay
from marketplace.errors import HoursExceeded, PlacementOver
from marketplace.models import Candidate, CandidateGroup, Opportunity, Placement, Seat
from marketplace.queries.eligibility import judge
from tests.marketplace.factories import (
    HOUR,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_recruiter,
    actor_of,
    an_application,
    an_organisation,
)
from tests.marketplace.test_offers import accept, an_offer

pytestmark = pytest.mark.django_db
LATER = NOW + 2 * HOUR


@pytest.fixture
def owner():
    return an_organisation()


@pytest.fixture
def placement(owner):
    candidate = a_candidate(weekly_hours=50)
    return accept(an_offer(an_application(a_published_opportunity(owner), candidate))).placement


def test_placement_runs_its_course_and_spends_its_seat(owner, placement):
    given = {"actor": owner.actor, "placement_id": placement.public_id, "now": LATER}
    assert start_placement(**given).state == "active"
    assert pause_placement(**given).state == "paused"
    assert resume_placement(**given).state == "active"
    done = complete_placement(**given)
    assert (done.state, done.ended_at, done.ended_by_id) == ("completed", LATER, owner.user.pk)
    assert list(Seat.objects.values_list("state", flat=True)) == ["spent"]


@pytest.mark.parametrize("ending", [end_placement, cancel_placement, report_no_show])
def test_seat_of_a_placement_that_fails_is_replaced(owner, placement, ending):
    if ending is end_placement:
        start_placement(actor=owner.actor, placement_id=placement.public_id, now=LATER)
    over = ending(actor=owner.actor, placement_id=placement.public_id, reason="moved away", now=LATER)
    spent, new = Seat.objects.order_by("number")
    assert (spent.state, new.state, new.replaces) == ("spent", "open", spent)
    assert over.end_reason == "moved away"


def test_seat_is_not_replaced_where_the_opportunity_does_not_ask_for_it(owner):
    opportunity = a_published_opportunity(owner, replaces_ended_placements=False)
    placement = accept(an_offer(an_application(opportunity))).placement
    cancel_placement(actor=owner.actor, placement_id=placement.public_id, reason="fell ill", now=LATER)
    assert list(Seat.objects.values_list("state", flat=True)) == ["spent"]


def test_person_placed_may_cancel_and_may_not_start(owner, placement):
    person = actor_of(placement.candidate)
    with pytest.raises(IllegalTransition):
        start_placement(actor=person, placement_id=placement.public_id, now=LATER)
    assert cancel_placement(actor=person, placement_id=placement.public_id, reason="other job", now=LATER).state == (
        "cancelled"
    )


def test_whoever_ran_the_course_is_a_past_worker_once(owner, placement):
    """Of who posted the work and of who they worked for alike."""
    hiring = an_organisation()
    Opportunity.objects.filter(pk=placement.opportunity_id).update(hiring_organisation=hiring.organisation)
    CandidateGroup.objects.create(organisation=hiring.organisation, name="Past workers")
    act = {"actor": owner.actor, "placement_id": placement.public_id, "now": LATER}
    start_placement(**act)
    complete_placement(**act)
    with pytest.raises(IllegalTransition):
        complete_placement(**act)

    lists = placement.candidate.groups.order_by("organisation_id")
    assert [(group.organisation, group.kind, group.name) for group in lists] == [
        (owner.organisation, "past_workers", "Past workers"),
        (hiring.organisation, "past_workers", "Past workers 2"),
    ]
    told = Event.objects.filter(aggregate_type="candidate", name="CandidateUpdated").values_list("payload", flat=True)
    assert [payload["changed"] for payload in told] == [["groups"], ["groups"]]
    placement.candidate.refresh_from_db()
    assert placement.candidate.revision == 3
    rule = {"attribute": "groups", "op": "eq", "value": lists[0].pk}
    assert judge(placement.candidate, a_published_opportunity(owner, rule=rule), now=LATER).is_eligible


@pytest.mark.parametrize("end", [end_placement, report_no_show])
def test_whoever_did_not_run_the_course_is_no_past_worker(owner, placement, end):
    act = {"actor": owner.actor, "placement_id": placement.public_id, "now": LATER}
    start_placement(**act)
    end(**act, reason="left")
    assert not placement.candidate.groups.exists()


def test_whoever_is_not_to_be_hired_again_stays_off_the_past_workers_list(owner, placement):
    act = {"actor": owner.actor, "placement_id": placement.public_id, "now": LATER}
    start_placement(**act)
    unwanted = standard_group(
        actor=owner.actor, organisation_id=owner.organisation.public_id, kind=CandidateGroup.Kind.DO_NOT_REHIRE
    )
    add_to_group(actor=owner.actor, group_id=unwanted.public_id, candidate_id=placement.candidate.public_id, now=LATER)
    complete_placement(**act)
    assert list(placement.candidate.groups.all()) == [unwanted]


def test_observer_and_stranger_move_nothing(owner, placement):
    observer = a_recruiter(owner, role="observer")
    with pytest.raises(NotPermitted):
        start_placement(actor=observer.actor, placement_id=placement.public_id, now=LATER)
    for stranger in (a_recruiter().actor, actor_of(a_candidate())):
        with pytest.raises(NotFound):
            start_placement(actor=stranger, placement_id=placement.public_id, now=LATER)
    placement.refresh_from_db()
    assert placement.state == "onboarding"


def test_ending_needs_a_reason(owner, placement):
    with pytest.raises(InvalidInput):
        cancel_placement(actor=owner.actor, placement_id=placement.public_id, reason=" ", now=LATER)


def test_illegal_move_names_the_legal_ones(owner, placement):
    with pytest.raises(IllegalTransition) as refused:
        pause_placement(actor=owner.actor, placement_id=placement.public_id, now=LATER)
    assert refused.value.data["legal"] == ["start", "cancel", "report_no_show"]


def test_hours_that_are_free_again_can_be_promised_again(owner, placement):
    offer = an_offer(an_application(a_published_opportunity(), placement.candidate))
    with pytest.raises(HoursExceeded):
        accept(offer)
    cancel_placement(actor=owner.actor, placement_id=placement.public_id, reason="fell ill", now=LATER)
    assert accept(offer).state == "accepted"


def test_terms_change_from_a_day_on_within_the_candidates_hours(owner, placement):
    pay = Pay(Decimal(30), "EUR", "hour")
    from_on = placement.starts_on + timedelta(days=30)
    given = {"actor": owner.actor, "placement_id": placement.public_id, "pay": pay, "from_on": from_on, "now": LATER}
    with pytest.raises(HoursExceeded):
        change_terms(weekly_hours=51, **given)
    assert placement.terms.count() == 1
    assert change_terms(weekly_hours=50, **given).weekly_hours == 50
    assert placement.terms.count() == 2
    cancel_placement(actor=owner.actor, placement_id=placement.public_id, reason="fell ill", now=LATER)
    with pytest.raises(PlacementOver):
        change_terms(weekly_hours=10, **given)


def test_database_itself_refuses_hours_beyond_the_candidates(placement):
    with pytest.raises(IntegrityError, match="placement"), transaction.atomic():
        Placement.objects.filter(pk=placement.pk).update(weekly_hours=51)
    with pytest.raises(IntegrityError, match="placement"), transaction.atomic():
        Candidate.objects.filter(pk=placement.candidate_id).update(weekly_hours=39)


def test_database_itself_refuses_a_second_holder_of_a_seat(placement):
    offer = an_offer(an_application(a_published_opportunity(seats=2)))
    with pytest.raises(IntegrityError, match="seat_has_at_most_one_holder"), transaction.atomic():
        type(offer).objects.filter(pk=offer.pk).update(seat=placement.seat)
