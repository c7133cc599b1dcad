"""The market that an allocation reads: everybody at once, as one by one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Candidate, CandidateSkill, Offer
from matching.actions.allocation import plan_allocation, replay, solve_run, solving
from matching.actions.models import serving_now
from matching.core.run_policy import RunPolicy
from matching.core.scoring import UNSCORED
from matching.models import AllocationRun
from matching.queries import pairings
from matching.queries.market import Market, gather
from matching.queries.scorable import basics_at
from tests.marketplace.factories import DAY, NOW, Recruiter, a_skill, an_application, an_organisation
from tests.matching.staging import asking_for, commit, pairs, plan, skilled, work

pytestmark = pytest.mark.django_db


def market(by: Recruiter, **policy) -> Market:
    work()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, policy=policy or None, now=NOW)
    return gather(run, RunPolicy.from_data(run.policy), basics_at(NOW, serving_now()), pinned=(), excluded=())


def varied(by: Recruiter) -> None:
    weld, sew = a_skill(), a_skill()
    asking_for(weld, by, seats=2, rule={"attribute": "country", "op": "eq", "value": "DE"})
    asking_for(sew, by, starts_on=(NOW + 40 * DAY).date(), weekly_hours=20)
    asking_for(weld, by, level=5, visibility="invited", closes_at=NOW + 3 * DAY)
    for number in range(12):
        country = ("DE", "FR", "")[number % 3]
        available_from = (NOW + number * DAY).date() if number % 2 else None
        skilled((weld, sew)[number % 2], 1 + number % 5, country=country, available_from=available_from)


def test_columns_give_the_numbers_that_asking_one_by_one_gives(monkeypatch):
    by = an_organisation()
    varied(by)
    at_once = market(by, min_fit_ppm=0).pairings
    monkeypatch.setattr(pairings, "_told_by_columns", lambda one: False)
    one_by_one = market(by, min_fit_ppm=0).pairings
    assert len(at_once) > 10
    for column in ("opportunity", "candidate", "fit", "acceptance", "interest", "days", "urgency", "hours", "value"):
        assert getattr(at_once, column).tolist() == getattr(one_by_one, column).tolist()


def test_whose_copy_is_behind_is_judged_and_scored_by_their_row():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, level=5, rule={"attribute": "country", "op": "eq", "value": "DE"})
    moved, came, better, same = (skilled(skill, 3, country=where) for where in ("DE", "FR", "DE", "DE"))
    market(by)
    Candidate.objects.filter(pk=moved.pk).update(country="FR", revision=99)
    Candidate.objects.filter(pk=came.pk).update(country="DE", revision=99)
    Candidate.objects.filter(pk=better.pk).update(revision=99)
    CandidateSkill.objects.filter(candidate=better).update(level=5)
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    found = gather(run, RunPolicy(), basics_at(NOW, serving_now()), pinned=(), excluded=()).pairings
    assert set(found.candidate.tolist()) == {came.pk, better.pk, same.pk}
    edges = {pk: found.edge((opportunity.pk, pk)) for pk in (better.pk, same.pk)}
    assert edges[better.pk].fit > edges[same.pk].fit


def test_gathering_takes_as_many_statements_for_many_as_for_few():
    by, skill = an_organisation(), a_skill()

    def grown(opportunities: int, people: int) -> None:
        for _ in range(opportunities):
            asking_for(skill, by)
        for _ in range(people):
            an_application(opportunity, skilled(skill))

    def counted() -> int:
        work()
        run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
        with CaptureQueriesContext(connection) as asked:
            gather(run, RunPolicy(), basics_at(NOW, serving_now()), pinned=(), excluded=())
        return len(asked)

    opportunity = asking_for(skill, by)
    grown(1, 2)
    counted()
    few = counted()
    grown(6, 12)
    assert counted() == few


def test_pairs_without_a_score_are_no_pairs(monkeypatch):
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=3)
    nobody, somebody = skilled(skill), skilled(skill)
    scoring = pairings.totals_of

    def unscored(pairs, *heads):
        found = scoring(pairs, *heads)
        for place, (_, facts) in enumerate(pairs):
            if facts.candidate_id == nobody.pk:
                found["fit"][place] = UNSCORED
        return found

    monkeypatch.setattr(pairings, "_told_by_columns", lambda one: False)
    monkeypatch.setattr(pairings, "totals_of", unscored)
    assert pairs(plan(by)) == {(opportunity.pk, somebody.pk)}


def test_who_applied_and_is_open_to_offers_is_one_pair_and_not_two():
    by, skill = an_organisation(), a_skill()
    opportunity = asking_for(skill, by, seats=4)
    an_application(opportunity, skilled(skill))
    assert len(market(by).pairings) == 1


def test_whoever_leaves_while_the_run_is_on_is_not_offered_anything(monkeypatch):
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=2)
    leaver, stayer = skilled(skill, 5), skilled(skill, 5)
    solve = solving.solve

    def leaving(problem, **options):
        Candidate.objects.filter(pk=leaver.pk).update(suspended_at=NOW)
        return solve(problem, **options)

    monkeypatch.setattr(solving, "solve", leaving)
    run = plan(by)
    assert {pair[1] for pair in pairs(run)} == {leaver.pk, stayer.pk}
    run = commit(by, run)
    assert (run.sent, run.dropped) == (1, 1)
    assert Offer.objects.get().candidate == stayer
    assert replay(AllocationRun.objects.get(pk=run.pk)).identical


def test_more_seats_than_people_and_markets_apart_are_planned_all_the_same():
    by = an_organisation()
    weld, sew = a_skill(), a_skill()
    many, apart = asking_for(weld, by, seats=50, level=5), asking_for(sew, by, level=5)
    welders, tailor = [skilled(weld, 5) for _ in range(2)], skilled(sew, 5)
    run = plan(by, policy={"min_fit_ppm": 400_000})
    assert {(many.pk, one.pk) for one in welders} < pairs(run)
    assert (apart.pk, tailor.pk) in pairs(run)
    assert (run.seats, run.gap) == (51, 0)


def test_the_same_market_is_solved_alike_in_whatever_order_its_people_came():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by, seats=3)
    for level in (1, 5, 2, 5, 3):
        skilled(skill, level)
    run = plan(by)
    snapshot, solution = run.snapshot, run.solution
    people = list(Candidate.objects.order_by("?").values_list("pk", flat=True))
    for pk in people:  # moves the rows to other places of their table
        Candidate.objects.filter(pk=pk).update(phone="")
    AllocationRun.objects.filter(pk=run.pk).update(state="queued")
    run.proposals.all().delete()
    again = solve_run(run.pk, NOW)
    assert again.solution == solution
    assert again.snapshot == snapshot
