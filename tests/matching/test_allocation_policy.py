"""What a run is to keep to: limits, reserved shares, hours, least fit, urgency, mechanism and time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import uuid4

import numpy as np
import pytest

from accounts.errors import InvalidInput, NotFound
from marketplace.errors import RuleRefused
from marketplace.models import Opportunity
from matching.actions.allocation import Replay, plan_allocation, replay, solving, verify_run
from matching.core.allocation import CandidateNode, Edges, OpportunityNode, Problem
from matching.core.run_policy import Mechanism, RunPolicy
from matching.models import AllocationRun
from tests.marketplace.factories import DAY, NOW, a_skill, an_application, an_organisation
from tests.matching.staging import asking_for, commit, pairs, plan, skilled

pytestmark = pytest.mark.django_db
GERMAN = {"attribute": "country", "op": "eq", "value": "DE"}


def again(run: AllocationRun) -> bool:
    return replay(AllocationRun.objects.get(pk=run.pk)).identical


def test_no_organisation_is_given_more_seats_than_its_limit():
    by, skill = an_organisation(), a_skill()
    other = an_organisation()
    hired = [asking_for(skill, by, seats=2), asking_for(skill, by, seats=2)]
    elsewhere = asking_for(skill, by, seats=2)
    Opportunity.objects.filter(pk=elsewhere.pk).update(hiring_organisation=other.organisation)
    for _ in range(6):
        skilled(skill, 4)
    limits = [{"organisation": by.organisation.public_id, "seats": 3}]
    run = plan(by, policy={"limits": limits})
    given = [pair[0] for pair in pairs(run)]
    assert len([pk for pk in given if pk != elsewhere.pk]) == 3
    assert given.count(elsewhere.pk) == 2
    assert verify_run(run).valid
    assert again(run)
    run = plan(by, policy={"limits": limits, "most_per_organisation": 1})
    given = [pair[0] for pair in pairs(run)]
    assert (len([pk for pk in given if pk in {one.pk for one in hired}]), given.count(elsewhere.pk)) == (3, 1)


def test_a_limit_that_cannot_be_reached_leaves_the_problem_as_it_was():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    skilled(skill)
    run = plan(by, policy={"most_per_organisation": 2})
    assert run.snapshot["problem"]["version"] == 1
    assert run.policy["most_per_organisation"] == 2


def test_reserved_seats_go_to_those_whom_they_are_for():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=3)
    german = skilled(skill, 1, country="DE")
    strong = {skilled(skill, 5, country="FR").pk for _ in range(3)}
    assert {candidate for _, candidate in pairs(plan(by))} == strong
    share = {"opportunity": opportunity.public_id, "seats": 1, "rule": GERMAN}
    run = plan(by, policy={"shares": [share]})
    given = {candidate for _, candidate in pairs(run)}
    assert german.pk in given
    assert len(given & strong) == 2
    assert verify_run(run).valid
    assert again(run)
    two = plan(by, policy={"shares": [{**share, "seats": 2}]})
    assert (two.proposed, verify_run(two).valid) == (2, True)  # one reserved seat has nobody to take it
    assert plan(by, policy={"shares": [{**share, "seats": 9}]}).proposed == 1


def test_a_share_for_whoever_comes_anyway_keeps_nothing():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, rule=GERMAN)
    skilled(skill, country="DE")
    run = plan(by, policy={"shares": [{"opportunity": opportunity.public_id, "seats": 1, "rule": GERMAN}]})
    assert run.snapshot["problem"]["version"] == 1
    assert run.proposed == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"attribute": "age", "op": "lt", "value": 30},
        {"attribute": "sex", "op": "eq", "value": "f"},
        {"attribute": "country", "op": "eq", "value": "Germany"},
        {"all": [GERMAN, {"attribute": "country", "op": "eq", "value": "FR"}]},
        {"skill": 999_999},
        "country = DE",
    ],
)
def test_seats_are_reserved_by_sound_rules_over_declared_facts_alone(rule):
    by = an_organisation()
    opportunity = asking_for(a_skill(), by)
    policy = {"shares": [{"opportunity": opportunity.public_id, "seats": 1, "rule": rule}]}
    with pytest.raises(RuleRefused):
        plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, policy=policy, now=NOW)
    assert not AllocationRun.objects.exists()


def refused_policies():
    other = uuid4()
    return [
        ({"weights": 1}, InvalidInput),
        ({"min_fit_ppm": -1}, InvalidInput),
        ({"min_fit_ppm": 0.5}, InvalidInput),
        ({"min_fit_ppm": float("nan")}, InvalidInput),
        ({"min_fit_ppm": True}, InvalidInput),
        ({"min_fit_ppm": 1_000_001}, InvalidInput),
        ({"offers_at_once": 0}, InvalidInput),
        ({"offers_at_once": 11}, InvalidInput),
        ({"urgent_days": 366}, InvalidInput),
        ({"seconds": 0}, InvalidInput),
        ({"mechanism": "fair"}, InvalidInput),
        ({"proposing": "staff"}, InvalidInput),
        ({"most_per_organisation": -1}, InvalidInput),
        ({"limits": [{"organisation": other, "seats": 1}]}, NotFound),
        ({"limits": [{"organisation": "one", "seats": 1}]}, NotFound),
        ({"shares": [{"opportunity": other, "seats": 1, "rule": GERMAN}]}, NotFound),
        ({"mechanism": "stable", "offers_at_once": 2}, InvalidInput),
        ({"mechanism": "stable", "most_per_organisation": 2}, InvalidInput),
    ]


@pytest.mark.parametrize(("policy", "refusal"), refused_policies())
def test_what_cannot_be_kept_to_is_refused(policy, refusal):
    by = an_organisation()
    asking_for(a_skill(), by)
    with pytest.raises(refusal):
        plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, policy=policy, now=NOW)
    assert not AllocationRun.objects.exists()


def test_limits_and_shares_are_of_what_is_in_the_scope_once_and_with_seats():
    by, rival = an_organisation(), an_organisation()
    skill = a_skill()
    own, foreign = asking_for(skill, by), asking_for(skill, rival)
    limit = {"organisation": by.organisation.public_id, "seats": 1}
    share = {"opportunity": own.public_id, "seats": 1, "rule": GERMAN}
    for policy, refusal in (
        ({"limits": [limit, limit]}, InvalidInput),
        ({"limits": [{**limit, "seats": -1}]}, InvalidInput),
        ({"limits": [{**limit, "organisation": rival.organisation.public_id}]}, NotFound),
        ({"shares": [share, share]}, InvalidInput),
        ({"shares": [{**share, "seats": 0}]}, InvalidInput),
        ({"shares": [{**share, "rule": None}]}, InvalidInput),
        ({"shares": [{**share, "rule": {}}]}, InvalidInput),
        ({"shares": [{**share, "opportunity": foreign.public_id}]}, NotFound),
    ):
        with pytest.raises(refusal):
            plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, policy=policy, now=NOW)
    assert not AllocationRun.objects.exists()


def test_a_policy_is_stored_as_it_was_read():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    run = plan_allocation(
        actor=by.actor,
        organisation_id=by.organisation.public_id,
        policy={
            "quality": 1000, "fill": 0, "speed": 0, "min_fit_ppm": 1, "offers_at_once": 3, "urgent_days": 0,
            "limits": [{"organisation": by.organisation.public_id, "seats": 4}],
            "shares": [{"opportunity": opportunity.public_id, "seats": 1, "rule": GERMAN}], "seconds": 9,
        },
        now=NOW,
    )  # fmt: skip
    stored = RunPolicy.from_data(AllocationRun.objects.get(pk=run.pk).policy)
    assert (stored.min_fit_ppm, stored.offers_at_once, stored.seconds) == (1, 3, 9)
    assert stored.limits == {by.organisation.pk: 4}
    assert (stored.shares[0].opportunity, dict(stored.shares[0].rule)) == (opportunity.pk, GERMAN)
    assert RunPolicy.from_data(stored.to_data()) == stored


def test_a_policy_from_before_there_were_limits_is_read_as_without_any():
    policy = RunPolicy.from_data({"quality": 600, "fill": 300, "speed": 100})
    assert not policy.is_restricted
    assert policy.seconds is None


def test_whoever_fits_too_badly_is_not_proposed():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    weak, strong = skilled(skill, 1), skilled(skill, 5)
    assert len(pairs(plan(by, policy={"min_fit_ppm": 0}))) == 2
    fits = {proposal.candidate_id: proposal.fit for proposal in plan(by, policy={"min_fit_ppm": 0}).proposals.all()}
    assert fits[weak.pk] < fits[strong.pk]
    assert {pair[1] for pair in pairs(plan(by, policy={"min_fit_ppm": 999_999}))} == set()


def test_several_offers_at_once_fit_into_the_hours_of_a_person():
    by, skill = an_organisation(), a_skill()
    for _ in range(3):
        asking_for(skill, by, weekly_hours=20)
    person = skilled(skill, 5, weekly_hours=45)
    assert plan(by).proposed == 1
    run = plan(by, policy={"offers_at_once": 3})
    assert run.proposed == 2
    assert verify_run(run).valid
    assert again(run)
    assert commit(by, run).sent == 2
    assert person.offers.count() == 2
    assert plan(by, policy={"offers_at_once": 3}).proposed == 0  # five hours are left beyond what is offered
    assert plan(by, policy={"offers_at_once": 2}).proposed == 0


def test_plans_made_side_by_side_do_not_promise_the_same_hours_twice():
    by, skill = an_organisation(), a_skill()
    one, other = asking_for(skill, by, weekly_hours=30), asking_for(skill, by, weekly_hours=30)
    person = skilled(skill, 5, weekly_hours=40)
    runs = [plan(by, policy={"offers_at_once": 2}, opportunity_ids=[each.public_id]) for each in (one, other)]
    assert [run.proposed for run in runs] == [1, 1]
    assert [commit(by, run).sent for run in runs] == [1, 0]
    [dropped] = runs[1].proposals.all()
    assert (dropped.state, dropped.code) == ("dropped", "HOURS_TAKEN")
    assert "10 free hours" in dropped.reason
    assert person.offers.count() == 1


def test_a_stable_run_follows_what_candidates_prefer_and_repeats():
    by, skill = an_organisation(), a_skill()
    first, second = asking_for(skill, by), asking_for(skill, by)
    strong, weak = skilled(skill, 5), skilled(skill, 2)
    an_application(first, strong, preference_rank=2)
    an_application(second, strong, preference_rank=1)
    an_application(first, weak, preference_rank=2)
    an_application(second, weak, preference_rank=1)
    run = plan(by, policy={"mechanism": "stable"})
    assert pairs(run) == {(second.pk, strong.pk), (first.pk, weak.pk)}
    assert verify_run(run).valid
    assert run.solution["solver"].startswith("deferred-acceptance-1/candidates")
    assert again(run)
    assert again(plan(by, policy={"mechanism": "stable", "proposing": "opportunities"}))


def test_what_has_to_be_filled_soon_comes_first():
    by, skill = an_organisation(), a_skill()
    soon = asking_for(skill, by, closes_at=NOW + 2 * DAY)
    late = asking_for(skill, by, closes_at=NOW + 90 * DAY)
    skilled(skill)
    assert {pair[0] for pair in pairs(plan(by))} == {soon.pk}
    opportunities = {pk: value for _, pk, value in _edges(plan(by, policy={"urgent_days": 0}))}
    assert opportunities[0] == opportunities[1]
    assert late.pk > soon.pk


def _edges(run):
    edges = run.snapshot["problem"]["edges"]
    return list(zip(edges["candidate"], edges["opportunity"], edges["value"], strict=True))


@pytest.mark.parametrize(("left", "urgency"), [(None, 0), (14, 0), (30, 0), (7, 500), (1, 928), (0, 1000), (-5, 1000)])
def test_urgency_rises_evenly_until_the_deadline(left, urgency):
    today = NOW.date()
    deadline = None if left is None else today + timedelta(days=left)
    assert RunPolicy(urgent_days=14).urgency(deadline, today) == urgency


@pytest.mark.parametrize("mechanism", list(Mechanism))
def test_a_run_that_the_clock_stops_keeps_what_it_has_and_replay_stops_there(monkeypatch, mechanism):
    monkeypatch.setattr("matching.core.allocation.auction.SLICE", 500)
    ticks = count()
    monkeypatch.setattr(solving, "monotonic", lambda: next(ticks))
    random = np.random.default_rng(5)
    opportunities, people = 20, 200
    pairs = np.flatnonzero(random.random(opportunities * people) < 0.3)
    value, fit, wants = random.integers(1, 1_000_000, (3, len(pairs)))
    problem = Problem(
        opportunities=tuple(OpportunityNode(key, 10) for key in range(opportunities)),
        candidates=tuple(CandidateNode(key) for key in range(people)),
        edges=Edges(pairs // people, pairs % people, value),
    )
    policy = RunPolicy(mechanism=mechanism, seconds=10)
    solution = solving.solved(problem, policy, fit, wants)
    assert solution.stopped
    assert solution.work < solving.solved(problem, replace(policy, seconds=None), fit, wants).work
    scores = {"fit": fit.tolist(), "wants": wants.tolist()}
    snapshot = {"problem": json.loads(problem.to_json()), "policy": policy.to_data(), "scores": scores}
    run = AllocationRun(
        policy=policy.to_data(),
        snapshot=snapshot,
        snapshot_digest=solving.digest_of(snapshot),
        solution=json.loads(solution.to_json()),
    )
    assert verify_run(run).valid
    assert replay(run) == Replay(True)
