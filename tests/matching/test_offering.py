"""Open calls as large as a stated chance allows, and waves of offers, one after the other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions.deliveries import deliver_due
from accounts.actions.timers import fire_due
from accounts.core.actor import Actor
from accounts.errors import InvalidInput, NotPermitted
from accounts.models import Timer
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import accept_offer, decline_offer, prolong_offer
from marketplace.actions.opportunities import pause_opportunity
from marketplace.errors import OpportunityNotOpen, SeatsFilled
from marketplace.models import Candidate, Notification, Offer, Opportunity, Seat, Skill
from matching.actions.allocation import (
    commit_allocation,
    plan_allocation,
    send_next_wave,
    send_open_call,
    size_open_call,
    solve_run,
    waves_answered,
)
from matching.core.allocation import call_size
from matching.models import AllocationRun, Proposal, Vacancy
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    HOUR,
    NOW,
    Recruiter,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    everything,
)
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

LIMIT = 600_000
WAVES = [{"who": "favourites", "hours": 12}, {"who": "top", "hours": 24, "per_seat": 1}, {"who": "rest", "hours": 48}]


def market(seats: int, people: int, *, now: datetime = NOW) -> tuple[Recruiter, Opportunity, Skill]:
    by, skill = an_organisation(now=now), a_skill()
    opportunity = asking_for(skill, by, seats=seats, weekly_hours=10, now=now)
    for _ in range(people):
        skilled(skill, now=now)
    return by, opportunity, skill


def planned(by: Recruiter, **options) -> AllocationRun:
    work()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW, **options)
    return solve_run(run.pk, NOW)


def follow(monkeypatch, now) -> None:
    """What workers do at that time until nothing is left to do."""
    monkeypatch.setattr("matching.consumers.timezone.now", lambda: now)
    while sum(
        deliver_due(consumer, now) for consumer in ("waitlist", "backfill", "waves", "allocation", "notifications")
    ):
        pass


def chances(run: AllocationRun) -> list[int]:
    """Of its proposals, in millionths, those who are worth most first."""
    from matching.actions.models import serving_now
    from matching.queries.scorable import basics_at, scorables

    found = scorables(Opportunity.objects.all(), basics_at(NOW, serving_now()))
    rows = run.proposals.order_by("-value", "pk")
    return [int(found[row.opportunity_id].scorer.probabilities_ppm("acceptance", [row.acceptance])[0]) for row in rows]


# Open calls


def test_an_open_call_asks_as_many_as_the_stated_chance_allows_and_not_one_more():
    by, opportunity, _ = market(seats=2, people=12)
    cautious, bold = planned(by, overbooking_ppm=0), planned(by, overbooking_ppm=LIMIT)
    assert cautious.proposed == 2
    assert 2 < bold.proposed < 12
    likely = chances(bold)
    assert call_size(likely, 2, limit_ppm=LIMIT).offers == bold.proposed
    run = commit_allocation(actor=by.actor, run_id=bold.public_id, now=NOW)
    assert run.sent == bold.proposed
    assert set(Offer.objects.values_list("kind", "seat")) == {("open_call", None)}
    assert opportunity.seats.open().count() == 2


def test_calls_that_are_out_already_count_towards_the_chance():
    by, _, _ = market(seats=2, people=12)
    first = planned(by, overbooking_ppm=LIMIT)
    second = planned(by, overbooking_ppm=LIMIT)
    commit_allocation(actor=by.actor, run_id=first.public_id, now=NOW)
    sent = Offer.objects.count()
    run = commit_allocation(actor=by.actor, run_id=second.public_id, now=NOW)
    assert run.sent == 0
    assert Offer.objects.count() == sent
    codes = set(run.proposals.filter(state="dropped").values_list("code", flat=True))
    assert codes <= {"OVERBOOKING_REACHED", "CANDIDATE_ENGAGED"}
    assert planned(by, overbooking_ppm=LIMIT).proposed == 0


def test_whoever_comes_too_late_is_refused_kindly_and_waits_with_priority():
    by, opportunity, _ = market(seats=1, people=8)
    commit_allocation(actor=by.actor, run_id=planned(by, overbooking_ppm=900_000).public_id, now=NOW)
    first, second, *_ = Offer.objects.all()
    assert accept_offer(actor=actor_of(first.candidate), offer_id=first.public_id, now=NOW).state == "accepted"
    late = accept_offer(actor=actor_of(second.candidate), offer_id=second.public_id, now=NOW)
    assert late.state == "overtaken"
    entry = opportunity.waitlist.get()
    assert (entry.candidate, entry.priority) == (second.candidate, entry.OVERTAKEN_PRIORITY)
    while deliver_due("notifications", NOW):
        pass
    told = Notification.objects.get(user=second.candidate.user, kind="OfferOvertaken")
    assert "waiting list" in told.text
    assert Seat.objects.get().state == "filled"


def test_recruiters_ask_how_large_a_call_would_be_and_send_one_without_a_plan(monkeypatch):
    now = timezone.now()
    by, opportunity, _ = market(seats=2, people=12, now=now)
    work(now)
    asker, given = Asker(by.user), {"opportunityId": global_id(opportunity), "overbookingPpm": LIMIT}
    query = """query ($id: ID!, $limit: Int!) { openCallSize(opportunity: $id, overbookingPpm: $limit) {
        offers seats outstanding overrun expected } }"""
    size = size_open_call(actor=by.actor, opportunity_id=opportunity.public_id, overbooking_ppm=LIMIT, now=now)
    assert size.size.offers > 2
    shown = asker.ask(query, id=global_id(opportunity), limit=LIMIT)["openCallSize"]
    assert (shown["offers"], shown["seats"], shown["outstanding"]) == (size.size.offers, 2, 0)
    assert shown["overrun"] <= 0.6
    answer = asker.do("sendOpenCall", given, "state cause overbookingPpm commitsItself", thing="AllocationRun")
    assert (answer["overbookingPpm"], answer["commitsItself"]) == (LIMIT, True)
    follow(monkeypatch, timezone.now())
    run = AllocationRun.objects.get()
    assert (run.state, run.sent) == ("committed", size.size.offers)
    assert asker.ask(query, id=global_id(opportunity), limit=LIMIT)["openCallSize"]["offers"] == 0
    stranger = Asker(an_organisation().user)
    assert stranger.do("sendOpenCall", given)["code"] == "NOT_PERMITTED"
    assert stranger.refusal(query, id=global_id(opportunity), limit=LIMIT)["code"] == "NOT_PERMITTED"
    assert asker.do("sendOpenCall", {**given, "overbookingPpm": -1})["code"] == "INVALID_INPUT"


def test_a_call_for_nothing_is_refused_and_writes_nothing():
    by, opportunity, _ = market(seats=1, people=2)
    call = {"opportunity_id": opportunity.public_id, "overbooking_ppm": LIMIT, "now": NOW}
    for wrong in (-1, 1_000_001, 0.5, True, None):
        with pytest.raises(InvalidInput):
            send_open_call(actor=by.actor, **{**call, "overbooking_ppm": wrong})
    for actor in (Actor.anonymous(), an_organisation().actor):
        with pytest.raises(NotPermitted):
            send_open_call(actor=actor, **call)
    commit_allocation(actor=by.actor, run_id=planned(by).public_id, now=NOW)
    with pytest.raises(SeatsFilled):
        send_open_call(actor=by.actor, **call)
    pause_opportunity(actor=by.actor, opportunity_id=opportunity.public_id, now=NOW)
    with pytest.raises(OpportunityNotOpen):
        send_open_call(actor=by.actor, **call)
    assert AllocationRun.objects.count() == 1


# Waves


def favourite(by: Recruiter, candidate: Candidate) -> None:
    group = standard_group(actor=by.actor, organisation_id=by.organisation.public_id, kind="favourites")
    add_to_group(actor=by.actor, group_id=group.public_id, candidate_id=candidate.public_id, now=NOW)


def waving(monkeypatch, seats: int = 1) -> tuple[Recruiter, list[Candidate], AllocationRun]:
    """A favourite, one who suits best, one who suits; and a first wave that was committed."""
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=seats, weekly_hours=10)
    people = [skilled(skill, level) for level in (1, 5, 1)]
    favourite(by, people[0])
    run = planned(by, waves=WAVES)
    run = commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
    follow(monkeypatch, NOW)
    return by, people, run


def live() -> set[int]:
    return set(Offer.objects.live().values_list("candidate_id", flat=True))


def turn_down(candidate: Candidate, now) -> None:
    offer = Offer.objects.live().get(candidate=candidate)
    decline_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=now)


def test_favourites_are_asked_first_then_the_top_then_the_rest(monkeypatch):
    _, (loved, best, other), run = waving(monkeypatch)
    assert live() == {loved.pk}
    assert Offer.objects.get().expires_at == NOW + timedelta(hours=12)
    turn_down(loved, NOW + HOUR)
    follow(monkeypatch, NOW + HOUR)
    assert live() == {best.pk}
    second = AllocationRun.objects.get(cause="wave")
    assert (second.previous, second.wave, second.sent, second.state) == (run, 1, 1, "committed")
    assert Offer.objects.live().get().expires_at == NOW + HOUR + timedelta(hours=24)
    turn_down(best, NOW + 2 * HOUR)
    follow(monkeypatch, NOW + 2 * HOUR)
    assert live() == {other.pk}
    assert not Vacancy.objects.exists()  # while waves are to come, they are what open seats are for
    turn_down(other, NOW + 3 * HOUR)
    follow(monkeypatch, NOW + 3 * HOUR)
    assert Vacancy.objects.exists()  # and then the backfill's
    assert AllocationRun.objects.filter(cause="wave").count() == 2


def test_the_next_wave_comes_as_soon_as_the_last_of_one_has_accepted_and_seats_are_left(monkeypatch):
    _, (loved, best, _), run = waving(monkeypatch, seats=2)
    accept_offer(actor=actor_of(loved), offer_id=Offer.objects.get().public_id, now=NOW + HOUR)
    follow(monkeypatch, NOW + HOUR)
    assert live() == {best.pk}
    assert not Timer.objects.filter(kind="allocation_wave", subject_id=run.pk, fired_at=None).exists()
    accept_offer(actor=actor_of(best), offer_id=Offer.objects.live().get().public_id, now=NOW + 2 * HOUR)
    follow(monkeypatch, NOW + 2 * HOUR)
    assert live() == set()  # no seat is left for the other
    assert AllocationRun.objects.filter(cause="wave").count() == 1


def test_many_answers_to_offers_of_no_wave_cost_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        waves_answered(range(1, 500), NOW)


def test_a_wave_that_nobody_answers_is_followed_when_its_hours_are_over(monkeypatch):
    _, (_, best, _), run = waving(monkeypatch)
    over = NOW + timedelta(hours=12, minutes=1)
    fire_due(over)  # offers expire, and the wave's own timer
    follow(monkeypatch, over)
    assert live() == {best.pk}
    assert not Timer.objects.filter(kind="allocation_wave", subject_id=run.pk, fired_at=None).exists()


def test_whoever_was_given_more_time_is_waited_for(monkeypatch):
    by, (loved, _, _), run = waving(monkeypatch)
    offer = Offer.objects.get()
    later = NOW + timedelta(hours=20)
    prolong_offer(actor=by.actor, offer_id=offer.public_id, expires_at=later, now=NOW)
    fire_due(NOW + timedelta(hours=13))
    follow(monkeypatch, NOW + timedelta(hours=13))
    assert live() == {loved.pk}
    assert Timer.objects.get(kind="allocation_wave", subject_id=run.pk, fired_at=None).due_at > later


def test_a_wave_that_is_sent_twice_or_by_its_timer_and_the_last_answer_is_sent_once(monkeypatch):
    _, (loved, _, _), run = waving(monkeypatch)
    turn_down(loved, NOW + HOUR)
    assert send_next_wave(run.pk, NOW + HOUR) is not None
    assert send_next_wave(run.pk, NOW + HOUR) is None
    waves_answered([Offer.objects.get(candidate=loved).pk], NOW + HOUR)
    follow(monkeypatch, NOW + HOUR)
    fire_due(NOW + timedelta(hours=13))
    follow(monkeypatch, NOW + timedelta(hours=13))
    assert AllocationRun.objects.filter(cause="wave", wave=1).count() == 1
    assert Proposal.objects.filter(state="sent").count() == Offer.objects.count() == 2


def test_where_no_seat_is_left_there_is_no_next_wave_and_without_favourites_the_top_come_soon(monkeypatch):
    _, (loved, _, _), _ = waving(monkeypatch)
    offer = Offer.objects.get()
    accept_offer(actor=actor_of(loved), offer_id=offer.public_id, now=NOW)
    fire_due(NOW + timedelta(hours=13))
    follow(monkeypatch, NOW + timedelta(hours=13))
    assert AllocationRun.objects.count() == 1

    by, _, _ = market(seats=1, people=2)
    empty = planned(by, waves=WAVES)
    assert empty.proposed == 0
    commit_allocation(actor=by.actor, run_id=empty.public_id, now=NOW)
    soon = NOW + timedelta(minutes=1)
    fire_due(soon)
    follow(monkeypatch, soon)
    assert AllocationRun.objects.get(previous=empty).sent == 1


def test_each_wave_is_judged_by_the_truth_of_its_moment(monkeypatch):
    _, (loved, best, other), _ = waving(monkeypatch)
    fields = CandidateFields(open_to_offers=False)
    update_candidate(actor=actor_of(best), candidate_id=best.public_id, fields=fields, now=NOW)
    turn_down(loved, NOW + HOUR)
    work(NOW + HOUR)
    follow(monkeypatch, NOW + HOUR)
    assert live() == {other.pk}


@pytest.mark.parametrize(
    "waves",
    [
        [{"who": "everybody", "hours": 1}],
        [{"who": "top", "hours": 0}],
        [{"who": "top", "hours": 1.5}],
        [{"who": "top", "hours": 1, "per_seat": 0}],
        [{"who": "rest", "hours": 1}] * 11,
    ],
)
def test_waves_that_are_none_are_refused(waves):
    by = an_organisation()
    with pytest.raises(InvalidInput):
        plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, waves=waves, now=NOW)
    assert not AllocationRun.objects.exists()


def test_waves_are_planned_over_http_and_in_the_console(client: Client):
    by, opportunity, _ = market(seats=1, people=1)
    an_application(opportunity)
    given = {
        "organisationId": global_id(by.organisation),
        "waves": [{"who": "FAVOURITES", "hours": 6}, {"who": "REST", "hours": 8}],
    }
    wanted = "offersExpireHours wave nextWaveAt waves { who hours perSeat } overbookingPpm"
    answer = Asker(by.user).do("planAllocation", given, wanted, thing="AllocationRun")
    assert [(one["who"], one["hours"]) for one in answer["waves"]] == [("FAVOURITES", 6), ("REST", 8)]
    assert (answer["offersExpireHours"], answer["wave"], answer["nextWaveAt"]) == (6, 0, None)
    client.force_login(
        a_user(is_staff=True, is_superuser=True), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    form = {
        "organisation": by.organisation.pk, "opportunities": [], "quality": 600, "fill": 300, "speed": 100,
        "offers_expire_hours": 72, "mechanism": "optimal", "proposing": "candidates", "overbooking_ppm": 50_000,
        "favourites_hours": 5, "top_hours": "", "rest_hours": 9,
    }  # fmt: skip
    before = everything([AllocationRun])["AllocationRun"]
    client.post(reverse("admin:matching_allocationrun_add"), form)
    run = AllocationRun.objects.latest("pk")
    assert len(before) == 1
    assert ([one["who"] for one in run.waves], run.overbooking_ppm) == (["favourites", "rest"], 50_000)
    page = client.get(reverse("admin:matching_allocationrun_change", args=[run.pk])).content.decode()
    assert "→ favourites, 5 h" in page
