"""What a plan is explained by: empty seats, other weights, alternatives, blocking pairs, and a proof to hand out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketplace.actions.offers import accept_offer
from marketplace.core.money import Pay
from marketplace.models import Offer
from matching.actions.allocation import pin_proposal, publish_run
from matching.core.allocation import blocking_pairs, verify
from tests.marketplace.factories import NOW, Recruiter, a_skill, actor_of, an_application, an_organisation
from tests.matching.staging import asking_for, commit, pairs, plan, skilled

pytestmark = pytest.mark.django_db


def the_cause(by: Recruiter, **options) -> dict:
    [found] = plan(by, **options).diagnosis
    return found


def test_pay_below_what_fits_ask_is_told_with_what_would_do():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=2, rule={"rateWithinPay": True})
    for rate in (32, 35, 90):
        skilled(skill, 5, rate=Pay(Decimal(rate), "EUR", "hour"))
    found = the_cause(by)
    assert (found["opportunity"], found["cause"], found["candidates"]) == (opportunity.pk, "pay", 3)
    assert [(one["by"], one["people"]) for one in found["loosened"]] == [(200, 1), (500, 2)]
    assert "ask for more than it pays" in found["sentence"]
    assert "5.00 more an hour" in found["loosened"][1]["sentence"]


def test_too_few_hours_are_told_from_hours_that_other_work_takes():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    skilled(skill, 5, weekly_hours=30)
    found = the_cause(by)
    assert (found["cause"], [(one["of"], one["by"]) for one in found["loosened"]]) == ("hours", [("hours", 10)])
    worker = skilled(skill, 5)
    commit(by, plan(by))
    accept_offer(actor=actor_of(worker), offer_id=Offer.objects.get().public_id, now=NOW)
    found = the_cause(by)
    assert {one["of"]: one["people"] for one in found["loosened"]} == {"hours": 1}  # they work here already
    asking_for(skill, by, title="Elsewhere")
    causes = {one["sentence"].split(" of ")[1].split(" stay")[0]: one for one in plan(by).diagnosis}
    assert {one["of"]: one["people"] for one in causes["Elsewhere"]["loosened"]} == {"hours": 1, "accept_elsewhere": 1}


def test_whoever_suits_too_little_is_counted_by_how_much():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 1)
    found = the_cause(by, policy={"min_fit_ppm": 999_999})
    assert found["cause"] == "min_fit"
    [loosened] = found["loosened"]
    assert loosened["people"] == 1
    assert plan(by, policy={"min_fit_ppm": 999_999 - loosened["by"]}).proposed == 1
    assert plan(by, policy={"min_fit_ppm": 999_999 - loosened["by"] + 1}).proposed == 0


def test_whoever_holds_an_offer_elsewhere_is_told_of_as_engaged():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, weekly_hours=10)
    skilled(skill)
    commit(by, plan(by))
    asking_for(skill, by, weekly_hours=10, title="Second")
    found = the_cause(by)
    assert (found["cause"], found["candidates"]) == ("accept_elsewhere", 1)
    assert "engaged elsewhere" in found["sentence"]


def test_a_limit_that_leaves_seats_empty_is_named():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=3)
    for _ in range(3):
        skilled(skill, 4)
    found = the_cause(by, policy={"most_per_organisation": 1})
    assert (found["cause"], found["limit"], found["empty"]) == ("limit", by.organisation.pk, 2)


def test_the_curve_holds_the_plan_and_trades_fill_for_quality():
    by, skill = an_organisation(), a_skill()
    for level in (1, 3, 5):
        asking_for(skill, by, level=level, seats=2)
    for number in range(8):
        skilled(skill, 1 + number % 5)
    run = plan(by, policy={"quality": 500, "fill": 400, "speed": 100})
    [chosen] = [point for point in run.pareto if point["chosen"]]
    assert chosen["policy"] == {"quality": 500, "fill": 400, "speed": 100}
    assert (chosen["value"], chosen["seats"]) == (run.value, run.proposed)
    assert {point["policy"]["speed"] for point in run.pareto} == {100}
    qualities = [point["policy"]["quality"] for point in run.pareto]
    assert qualities == sorted(set(qualities))
    assert (qualities[0], qualities[-1]) == (0, 900)
    first, last = run.pareto[0], run.pareto[-1]
    assert first["placements_ppm"] >= last["placements_ppm"]
    assert last["placements_ppm"] * last["fit_ppm"] >= first["placements_ppm"] * first["fit_ppm"] * 999_999 // 10**6


def next_value(run, candidate) -> int:
    problem = run.snapshot["problem"]
    at = problem["edges"]["candidate"].index(problem["candidates"].index(candidate.pk))
    return problem["edges"]["value"][at]


def test_every_proposal_says_what_it_won_against():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by)
    best, next_best = skilled(skill, 5), skilled(skill, 2)
    run = plan(by)
    proposal = run.proposals.get()
    assert proposal.candidate == best
    runner_up = proposal.alternatives["runner_up"]
    assert (runner_up["opportunity"], runner_up["candidate"]) == (opportunity.pk, next_best.pk)
    assert runner_up["less"] == run.value - next_value(run, next_best) > runner_up["loss"] >= 0
    assert proposal.alternatives["elsewhere"] is None
    pin_proposal(actor=by.actor, proposal_id=proposal.public_id, now=NOW)
    assert plan(by, previous_run_id=run.public_id).proposals.get(state="pinned").alternatives is None


def test_pairs_that_block_an_optimal_plan_are_counted_and_a_stable_one_has_none():
    by, skill = an_organisation(), a_skill()
    first, second = asking_for(skill, by), asking_for(skill, by)
    strong, weak = skilled(skill, 5), skilled(skill, 2)
    for person in (strong, weak):
        an_application(first, person, preference_rank=1)
        an_application(second, person, preference_rank=2)
    stable = plan(by, policy={"mechanism": "stable"})
    assert stable.blocking == {"count": 0, "pairs": []}
    assert (first.pk, strong.pk) in pairs(stable)
    optimal = plan(by)
    problem, scores = optimal.snapshot["problem"], optimal.snapshot["scores"]
    assert len(scores["fit"]) == len(scores["wants"]) == len(problem["edges"]["value"])
    expected = [] if (first.pk, strong.pk) in pairs(optimal) else [[first.pk, strong.pk]]
    assert optimal.blocking == {"count": len(expected), "pairs": expected}
    assert plan(by, policy={"offers_at_once": 2}).blocking is None


def test_what_is_handed_out_proves_the_plan_and_holds_no_key():
    by, skill = an_organisation(), a_skill()
    for level in (2, 4):
        asking_for(skill, by, level=level, seats=2)
    for number in range(9):
        skilled(skill, 1 + number % 5)
    for policy in ({}, {"most_per_organisation": 3}, {"offers_at_once": 2}, {"mechanism": "stable"}):
        run = plan(by, policy=policy)
        handed_out = publish_run(run)
        certificate = verify(handed_out.problem, handed_out.solution)
        assert certificate.valid, certificate.problems
        assert (certificate.value, certificate.bound) == (run.value, run.bound)
        assert [node.key for node in handed_out.problem.candidates] == list(range(len(handed_out.problem.candidates)))
        assert handed_out.problem.salt == b""
    scores = run.snapshot["scores"]
    assert not blocking_pairs(handed_out.problem, handed_out.solution.assignment, scores["fit"], scores["wants"])
