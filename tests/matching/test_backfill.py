"""Seats that come free: offered again at once, proposed, or left open, as the policy is; never twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.actions.deliveries import deliver_due
from accounts.actions.timers import fire_due
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotFound, NotPermitted
from accounts.models import Delivery, Event, Timer
from marketplace.actions.applications import withdraw_application
from marketplace.actions.offers import accept_offer, decline_offer, send_offer, withdraw_offer
from marketplace.actions.opportunities import change_seats, close_opportunity, pause_opportunity, resume_opportunity
from marketplace.actions.placements import report_no_show
from marketplace.models import Notification, Offer, Opportunity, Placement
from matching.actions.allocation import commit_allocation, plan_allocation, solve_run, verify_run
from matching.actions.backfill import fill_vacancies, follow_plan, set_backfill
from matching.core.backfill import BackfillPolicy, BackfillSource, effective
from matching.models import AllocationRun, BackfillRule, Vacancy
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    HOUR,
    NOW,
    Recruiter,
    a_recruiter,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    everything,
)
from tests.matching.staging import EUROS, asking_for, skilled, work

pytestmark = pytest.mark.django_db

LATER = NOW + HOUR


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """What workers take for now."""
    monkeypatch.setattr("matching.consumers.timezone.now", lambda: LATER)


def follow(now=LATER) -> None:
    """What workers do until nothing is left to do."""
    while sum(deliver_due(consumer, now) for consumer in ("waitlist", "backfill", "allocation", "notifications")):
        pass


def allocated(seats: int = 1, *, spare: int = 2, policy: str | None = None) -> tuple[Recruiter, Opportunity]:
    """Seats that a committed run has offered, and some people who were not needed; then the policy."""
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=seats)
    for _ in range(seats + spare):
        skilled(skill)
    work()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, offers_expire_hours=24, now=NOW)
    commit_allocation(actor=by.actor, run_id=solve_run(run.pk, NOW).public_id, now=NOW)
    follow(NOW)
    if policy:
        set_backfill(actor=by.actor, opportunity_id=opportunity.public_id, policy=policy, now=NOW)
    return by, opportunity


def declined(offer: Offer) -> None:
    decline_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=LATER)


def expired(offer: Offer) -> None:
    Offer.objects.filter(pk=offer.pk).update(expires_at=LATER)
    Timer.objects.filter(kind="offer_expiry", subject_id=offer.pk).update(due_at=LATER)
    fire_due(LATER)


def withdrawn(offer: Offer) -> None:
    owner = offer.opportunity.posting_organisation.memberships.get()
    withdraw_offer(actor=Actor(user_id=owner.user_id), offer_id=offer.public_id, now=LATER)


def stepped_back(offer: Offer) -> None:
    withdraw_application(actor=actor_of(offer.candidate), application_id=offer.application.public_id, now=LATER)


def no_show(offer: Offer) -> None:
    accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=LATER)
    owner = offer.opportunity.posting_organisation.memberships.get()
    placement = Placement.objects.get(offer=offer)
    report_no_show(actor=Actor(user_id=owner.user_id), placement_id=placement.public_id, now=LATER)


@pytest.mark.parametrize("end", [declined, expired, withdrawn, stepped_back, no_show])
def test_a_seat_that_comes_free_is_offered_to_the_next_best_at_once(end: Callable[[Offer], None]):
    _, opportunity = allocated()
    first = Offer.objects.get()
    end(first)
    follow()
    second = Offer.objects.live().get()
    assert second.candidate_id != first.candidate_id
    assert (second.opportunity, second.kind) == (opportunity, "reserved")
    assert second.expires_at == LATER + timedelta(hours=24)
    run = second.proposal.run
    assert (run.cause, run.state, run.most_seats, run.sent) == ("backfill", "committed", 1, 1)
    assert run.organisation_id == opportunity.posting_organisation_id
    assert verify_run(run).valid
    assert run.proposals.filter(state="excluded").exists() == (end is withdrawn)
    [vacancy] = Vacancy.objects.all()
    assert (vacancy.run, vacancy.closed_at) == (run, LATER)


def test_those_who_wait_come_first_and_are_asked_by_their_priority():
    by, opportunity = allocated(policy="automatic")
    late = skilled(opportunity.skills.get())
    application = an_application(opportunity, late)
    missed = send_offer(actor=by.actor, application_id=application.public_id, pay=EUROS, kind="open_call", now=NOW)
    assert accept_offer(actor=actor_of(late), offer_id=missed.public_id, now=LATER).state == "overtaken"
    declined(Offer.objects.get(kind="reserved"))
    follow()
    assert Offer.objects.live().get().candidate == late
    assert not Vacancy.objects.exists()
    assert AllocationRun.objects.count() == 1


def test_only_seats_that_came_free_are_filled_again_and_many_at_once_by_one_run():
    by, opportunity = allocated(seats=3, spare=9)
    change_seats(actor=by.actor, opportunity_id=opportunity.public_id, seats=6, now=NOW)
    follow(NOW)
    assert Offer.objects.live().count() == 3
    for offer in Offer.objects.all()[:2]:
        declined(offer)
    follow()
    assert Offer.objects.live().count() == 3
    assert opportunity.seats.open().count() == 3
    [run] = AllocationRun.objects.filter(cause="backfill")
    assert (run.most_seats, run.sent) == (2, 2)


def test_events_that_are_delivered_again_and_handlers_that_run_twice_fill_nothing_twice():
    _, opportunity = allocated(spare=5)
    declined(Offer.objects.get())
    follow()
    before = everything([Offer, AllocationRun, Vacancy])
    Delivery.objects.filter(consumer__in=["waitlist", "backfill"]).update(state="pending", done_at=None)
    follow()
    assert fill_vacancies(opportunity.pk, LATER) is None
    for run in AllocationRun.objects.all():
        follow_plan(run.pk, LATER)
    assert everything([Offer, AllocationRun, Vacancy]) == before


def test_by_proposal_nothing_is_sent_until_somebody_commits_it_and_they_are_told():
    by, _ = allocated(seats=2, spare=4, policy="propose")
    first, second = Offer.objects.all()
    declined(first)
    follow()
    run = AllocationRun.objects.get(cause="backfill")
    assert (run.state, run.proposed, Offer.objects.live().count()) == ("planned", 1, 1)
    assert Notification.objects.filter(user=by.user, kind="BackfillProposed").count() == 1
    declined(second)  # both seats are proposed together then, by one plan
    follow()
    run.refresh_from_db()
    assert run.state == "discarded"
    both = AllocationRun.objects.get(cause="backfill", state="planned")
    assert (both.most_seats, both.proposed, Offer.objects.live().count()) == (2, 2, 0)
    commit_allocation(actor=by.actor, run_id=both.public_id, now=LATER)
    assert Offer.objects.live().count() == 2


@pytest.mark.parametrize("policy", ["off", "waiting_list"])
def test_a_seat_may_be_left_open(policy):
    _, opportunity = allocated(policy=policy)
    declined(Offer.objects.get())
    follow()
    assert not Offer.objects.live().exists()
    assert not Vacancy.objects.exists()
    assert opportunity.seats.open().count() == 1


def test_with_the_policy_off_those_who_wait_wait_on():
    by, opportunity = allocated(policy="off")
    late = skilled(opportunity.skills.get())
    application = an_application(opportunity, late)
    missed = send_offer(actor=by.actor, application_id=application.public_id, pay=EUROS, kind="open_call", now=NOW)
    accept_offer(actor=actor_of(late), offer_id=missed.public_id, now=LATER)
    declined(Offer.objects.get(kind="reserved"))
    follow()
    assert not Offer.objects.live().exists()
    assert opportunity.waitlist.count() == 1


def test_offers_that_were_sent_by_hand_are_not_followed_by_offers_to_strangers():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    application = an_application(opportunity, skilled(skill))
    skilled(skill)
    work()
    offer = send_offer(actor=by.actor, application_id=application.public_id, pay=EUROS, now=NOW)
    declined(offer)
    follow()
    assert not Offer.objects.live().exists()
    set_backfill(actor=by.actor, organisation_id=by.organisation.public_id, policy="automatic", now=NOW)
    offer = send_offer(actor=by.actor, application_id=an_application(opportunity).public_id, pay=EUROS, now=NOW)
    declined(offer)
    follow()
    assert Offer.objects.live().get().candidate.open_to_offers


def test_what_comes_free_during_a_pause_is_offered_when_it_is_over_and_after_the_end_never():
    by, opportunity = allocated()
    named = {"actor": by.actor, "opportunity_id": opportunity.public_id, "now": LATER}
    pause_opportunity(**named)
    declined(Offer.objects.get())
    follow()
    assert not Offer.objects.live().exists()
    assert Vacancy.objects.open().count() == 1
    resume_opportunity(**named)
    follow()
    assert Offer.objects.live().count() == 1
    close_opportunity(**named)
    follow()
    assert not Offer.objects.live().exists()
    assert not Vacancy.objects.open().exists()


def test_where_nobody_is_left_the_run_says_why_and_nothing_is_tried_again():
    allocated(spare=0)
    declined(Offer.objects.get())
    follow()
    run = AllocationRun.objects.get(cause="backfill")
    assert (run.state, run.proposed, run.sent) == ("committed", 0, 0)
    assert [one["cause"] for one in run.diagnosis] == ["nobody_passes"]
    assert not Vacancy.objects.open().exists()


def test_a_seat_has_one_open_vacancy():
    _, opportunity = allocated()
    seat = opportunity.seats.get()
    Vacancy.objects.create(opportunity=opportunity, seat=seat, since=NOW)
    with pytest.raises(IntegrityError, match="one_open_vacancy_per_seat"), transaction.atomic():
        Vacancy.objects.create(opportunity=opportunity, seat=seat, since=LATER)


# Policies


@pytest.mark.parametrize(
    ("own", "theirs", "allocated", "expected"),
    [
        ("off", "automatic", True, (BackfillPolicy.OFF, BackfillSource.OPPORTUNITY)),
        (None, "propose", True, (BackfillPolicy.PROPOSE, BackfillSource.ORGANISATION)),
        (None, None, True, (BackfillPolicy.AUTOMATIC, BackfillSource.USUAL)),
        (None, None, False, (BackfillPolicy.WAITING_LIST, BackfillSource.USUAL)),
    ],
)
def test_an_opportunitys_own_policy_comes_before_its_organisations(own, theirs, allocated, expected):
    assert effective(own, theirs, allocated=allocated) == expected


def test_whoever_recruits_says_what_becomes_of_seats_and_nobody_else():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    about = {"opportunity_id": opportunity.public_id, "policy": "off", "now": NOW}
    observer = a_recruiter(by, role="observer").actor
    for actor, refusal in (
        (Actor.anonymous(), NotPermitted),
        (an_organisation().actor, NotPermitted),
        (observer, NotPermitted),
    ):
        with pytest.raises(refusal):
            set_backfill(actor=actor, **about)
    with pytest.raises(NotFound):
        set_backfill(actor=an_organisation().actor, organisation_id=by.organisation.public_id, policy="off", now=NOW)
    for wrong in ({**about, "policy": "perhaps"}, {**about, "organisation_id": by.organisation.public_id}):
        with pytest.raises(InvalidInput):
            set_backfill(actor=by.actor, **wrong)
    assert not BackfillRule.objects.exists()
    assert not Event.objects.filter(name="BackfillSet").exists()


BACKFILL = "policy source vacancies saidAt proposal { state cause } opportunity { reference } organisation { name }"


def test_a_client_reads_sets_and_takes_back_the_policy():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    asker, given = Asker(by.user), {"opportunityId": global_id(opportunity)}
    query = f"query ($id: ID!) {{ backfill(opportunity: $id) {{ {BACKFILL} }} }}"
    shown = asker.ask(query, id=global_id(opportunity))["backfill"]
    assert (shown["policy"], shown["source"], shown["proposal"]) == ("WAITING_LIST", "USUAL", None)
    organisations = {"organisationId": global_id(by.organisation), "policy": "OFF"}
    assert asker.do("setBackfill", organisations, BACKFILL, thing="Backfill")["policy"] == "OFF"
    assert asker.ask(query, id=global_id(opportunity))["backfill"]["source"] == "ORGANISATION"
    said = asker.do("setBackfill", {**given, "policy": "PROPOSE"}, BACKFILL, thing="Backfill")
    assert (said["policy"], said["source"], said["opportunity"]["reference"]) == (
        "PROPOSE", "OPPORTUNITY", opportunity.reference,
    )  # fmt: skip
    assert asker.do("setBackfill", given, BACKFILL, thing="Backfill")["source"] == "ORGANISATION"
    assert asker.do("setBackfill", {"policy": "OFF"})["code"] == "INVALID_INPUT"
    assert Asker(an_organisation().user).do("setBackfill", {**given, "policy": "OFF"})["code"] == "NOT_PERMITTED"
    assert Asker(a_user()).refusal(query, id=global_id(opportunity))["code"] == "NOT_PERMITTED"


def test_staff_set_the_policy_in_the_console_and_see_what_came_free(client: Client):
    _, opportunity = allocated()
    client.force_login(
        a_user(is_staff=True, is_superuser=True), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    given = {"opportunity": opportunity.pk, "organisation": "", "policy": "propose"}
    client.post(reverse("admin:matching_backfillrule_add"), given)
    rule = BackfillRule.objects.get()
    assert (rule.opportunity, rule.policy) == (opportunity, "propose")
    client.post(reverse("admin:matching_backfillrule_change", args=[rule.pk]), {"policy": "automatic"})
    rule.refresh_from_db()
    assert rule.policy == "automatic"
    declined(Offer.objects.get())
    follow()
    page = client.get(reverse("admin:matching_vacancy_changelist")).content.decode()
    assert str(AllocationRun.objects.get(cause="backfill").public_id)[:8] in page
    assert client.get(reverse("admin:matching_vacancy_change", args=[Vacancy.objects.get().pk])).status_code == 200
