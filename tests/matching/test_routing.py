"""Between runs: whoever becomes available goes at once to where they are worth most beyond the price of a seat."""

from __future__ import annotations

import json
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from accounts.core.actor import Actor
from accounts.errors import DomainError, NotFound, NotPermitted
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.opportunities import change_seats
from marketplace.errors import CandidateSuspended
from marketplace.models import Candidate, Offer, Opportunity, Skill
from matching.actions.allocation import Replay, commit_allocation, plan_allocation, replay, solve_run
from matching.actions.backfill import set_backfill
from matching.actions.routing import route_candidate
from matching.errors import CandidateEngaged, NoPrices, NotOpenToOffers
from matching.models import AllocationRun, Proposal
from matching.queries.routes import last_prices
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    NOW,
    Recruiter,
    a_candidate,
    a_skill,
    a_staff_actor,
    actor_of,
    an_organisation,
    everything,
)
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db


def priced(policy: str = "automatic", *, now=NOW) -> tuple[Recruiter, Skill, Opportunity, Opportunity]:
    """Two opportunities: of one's seat two people compete for, the other's nobody wants yet; planned, and the first
    committed, so that a seat of each is open after one more was opened."""
    by, skill = an_organisation(now=now), a_skill()
    scarce = asking_for(skill, by, seats=1, weekly_hours=10, now=now)
    ample = asking_for(skill, by, seats=9, weekly_hours=10, level=5, now=now)
    for _ in range(3):
        skilled(skill, 3, now=now)
    work(now)
    planned(by, now=now)
    set_backfill(actor=by.actor, organisation_id=by.organisation.public_id, policy=policy, now=now)
    return by, skill, scarce, ample


def planned(by: Recruiter, *, now=NOW) -> AllocationRun:
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=now)
    return solve_run(run.pk, now)


def routed(by: Recruiter, candidate: Candidate, *, now=NOW):
    return route_candidate(
        actor=by.actor, candidate_id=candidate.public_id, organisation_id=by.organisation.public_id, now=now
    )


def test_whoever_comes_is_sent_where_their_value_exceeds_the_price_most():
    by, skill, scarce, ample = priced()
    prices = last_prices(by.organisation.pk)
    newcomer = skilled(skill, 4)
    answer = routed(by, newcomer)
    assert answer.prices_of == prices.run
    margins = {one.opportunity: one.value - prices.of[one.opportunity.pk] for one in answer.options}
    assert set(margins) == {scarce, ample}
    assert answer.chosen.opportunity == max(margins, key=margins.__getitem__)
    assert [one.margin for one in answer.options] == sorted(margins.values(), reverse=True)
    offer = Offer.objects.live().get()
    assert (answer.offer, offer.candidate, offer.opportunity) == (offer, newcomer, answer.chosen.opportunity)
    run = answer.proposal.run
    assert (run.cause, run.state, run.sent) == ("routing", "committed", 1)
    assert run.snapshot["prices_of"] == str(prices.run.public_id)


def test_a_seat_that_is_dearer_than_somebody_is_worth_is_left_to_others():
    by, skill, scarce, ample = priced()
    run = last_prices(by.organisation.pk).run
    dear = [[scarce.pk, 5_000_000], [ample.pk, 5_000_000]]
    AllocationRun.objects.filter(pk=run.pk).update(solution={"seat_prices": dear, "scale": 1})
    answer = routed(by, skilled(skill, 5))
    assert (answer.chosen, answer.offer, len(answer.options)) == (None, None, 2)
    AllocationRun.objects.filter(pk=run.pk).update(solution={"seat_prices": dear[:1], "scale": 1})
    assert routed(by, skilled(skill, 5)).chosen.opportunity == ample  # opened since: a seat there costs nothing


def test_by_proposal_it_waits_for_whoever_recruits_and_is_proposed_once():
    by, skill, _, _ = priced("propose")
    newcomer = skilled(skill, 5)
    answer = routed(by, newcomer)
    assert (answer.offer, answer.proposal.state, answer.proposal.run.state) == (None, "proposed", "planned")
    assert routed(by, newcomer).proposal == answer.proposal
    assert not Offer.objects.exists()
    run = commit_allocation(actor=by.actor, run_id=answer.proposal.run.public_id, now=NOW)
    assert (run.sent, Offer.objects.get().candidate) == (1, newcomer)


def a_routed_run() -> AllocationRun:
    by, skill, _, _ = priced()
    skilled(skill, 2)
    return AllocationRun.objects.get(pk=routed(by, skilled(skill, 4, name="Zaphod")).proposal.run_id)


def test_a_routing_is_done_again_byte_for_byte_whatever_has_become_of_the_market(capsys):
    run = a_routed_run()
    arrival = run.snapshot["arrival"]
    assert len(arrival["edges"]) == len(arrival["seats"]) == 2
    assert run.snapshot["route"]["opportunity"] == run.proposals.get().opportunity_id
    assert run.snapshot["route"]["value"] == run.value
    assert run.snapshot["models"] == {run.model.version: [key for key, _ in arrival["edges"]]}
    assert "Zaphod" not in str(run.snapshot)
    Candidate.objects.update(suspended_at=NOW)
    AllocationRun.objects.exclude(pk=run.pk).update(solution=None)
    call_command("allocation", "replay", str(run.public_id))
    assert json.loads(capsys.readouterr().out)["identical"] is True


def test_a_routing_that_was_tampered_with_says_what_differs():
    run = a_routed_run()
    honest, route = run.snapshot, run.snapshot["route"]
    run.snapshot = {**honest, "route": {**route, "opportunity": route["opportunity"] + 1, "margin": 0}}
    assert replay(run) == Replay(False, ("margin", "opportunity"))
    edges = [[key, value + 1] for key, value in honest["arrival"]["edges"]]
    for part in ({"arrival": {**honest["arrival"], "edges": edges}}, {"prices_of": str(uuid4())}):
        run.snapshot = {**honest, **part}
        assert replay(run) == Replay(False, ("snapshot",))


def test_a_routing_that_cannot_be_done_again_says_why():
    run = a_routed_run()
    honest = run.snapshot
    codes = []
    for snapshot in (
        {"prices_of": honest["prices_of"], "options": []},  # as it was stored before
        {**honest, "route": {**honest["route"], "router": "another"}},
        None,
    ):
        run.snapshot = snapshot
        codes.append(replay(run).code)
        assert not replay(run).identical
        assert replay(run).not_replayable
    assert codes == ["INPUTS_NOT_STORED", "ANOTHER_SOLVER", "NOTHING_TO_REPLAY"]


@pytest.mark.parametrize("policy", ["off", "waiting_list"])
def test_where_seats_are_not_to_be_offered_it_only_tells(policy):
    by, skill, _, _ = priced(policy)
    answer = routed(by, skilled(skill, 5))
    assert answer.chosen is not None
    assert (answer.proposal, answer.offer) == (None, None)
    assert not Proposal.objects.filter(run__cause="routing").exists()


def test_nobody_is_sent_where_no_seat_is_open_or_nothing_suits():
    by, skill, scarce, ample = priced()
    for person in Candidate.objects.all():
        Candidate.objects.filter(pk=person.pk).update(open_to_offers=False)
    change_seats(actor=by.actor, opportunity_id=ample.public_id, seats=1, now=NOW)
    for opportunity in (scarce, ample):
        opportunity.seats.update(state="retired")
    newcomer = skilled(skill, 5)
    answer = routed(by, newcomer)
    assert (answer.chosen, answer.options) == (None, ())
    assert routed(by, skilled(skill, 5, weekly_hours=5)).options == ()


def test_whoever_cannot_be_offered_anything_is_refused_with_the_reason():
    by, skill, _, _ = priced()
    closed, gone, busy = skilled(skill, open_to_offers=False), skilled(skill), skilled(skill, 5)
    Candidate.objects.filter(pk=gone.pk).update(suspended_at=NOW)
    routed(by, busy)
    rival, staff = an_organisation(), a_staff_actor()
    before = everything([AllocationRun, Proposal, Offer])
    for person, refusal in ((closed, NotOpenToOffers), (busy, CandidateEngaged)):
        with pytest.raises(refusal):
            routed(by, person)
    with pytest.raises(CandidateSuspended):
        route_candidate(actor=staff, candidate_id=gone.public_id, organisation_id=by.organisation.public_id, now=NOW)
    with pytest.raises(NoPrices):
        routed(rival, skilled(skill))
    with pytest.raises(NoPrices):  # of the whole market none was planned
        route_candidate(actor=staff, candidate_id=skilled(skill).public_id, now=NOW)
    newcomer = skilled(skill)
    for actor, organisation, refusal in (
        (rival.actor, by.organisation, NotFound),
        (actor_of(newcomer), by.organisation, NotFound),
        (Actor.anonymous(), None, NotPermitted),
        (by.actor, None, NotPermitted),
    ):
        with pytest.raises(refusal):
            route_candidate(
                actor=actor,
                candidate_id=newcomer.public_id,
                organisation_id=organisation.public_id if organisation else None,
                now=NOW,
            )
    assert everything([AllocationRun, Proposal, Offer]) == before


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_somebody_who_is_routed_by_three_at_once_gets_one_offer():
    by, skill, _, _ = priced()
    newcomer = skilled(skill, 5)
    barrier, answers = Barrier(3), []

    def routing():
        try:
            barrier.wait()
            answers.append(routed(by, newcomer).offer)
        except DomainError as refusal:
            answers.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=routing) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3
    assert Offer.objects.get() in answers


def test_a_client_routes_somebody_and_reads_what_else_there_was():
    now = timezone.now()
    by, skill, _, _ = priced(now=now)
    newcomer = skilled(skill, 5, now=now)
    wanted = """chosen { value price margin opportunity { reference } } options { margin } pricesOf { id state }
        policy proposal { state run: id } offer { state } candidate { displayName }"""
    given = {"candidateId": global_id(newcomer), "organisationId": global_id(by.organisation)}
    answer = Asker(by.user).do("routeCandidate", given, wanted, thing="Routing")
    assert (answer["policy"], answer["offer"]["state"], answer["proposal"]["state"]) == ("AUTOMATIC", "SENT", "SENT")
    assert answer["chosen"]["margin"] == answer["options"][0]["margin"]
    assert Asker(by.user).do("routeCandidate", given)["code"] == "CANDIDATE_ENGAGED"
    assert Asker(an_organisation().user).do("routeCandidate", given)["code"] == "NOT_FOUND"
    assert Asker(a_candidate()).do("routeCandidate", {"candidateId": global_id(newcomer)})["code"] == "NOT_PERMITTED"
    fields = CandidateFields(open_to_offers=False)
    person = skilled(skill, now=now)
    update_candidate(actor=actor_of(person), candidate_id=person.public_id, fields=fields, now=now)
    refused = {**given, "candidateId": global_id(person)}
    assert Asker(by.user).do("routeCandidate", refused)["code"] == "NOT_OPEN_TO_OFFERS"
