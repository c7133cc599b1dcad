"""Two who are after the same thing, the second let in at a given step of the first: whoever wins, the books balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.offers import accept_offer, expire_offer, withdraw_offer
from marketplace.actions.opportunities import change_seats, close_opportunity
from marketplace.models import Candidate, Offer, Opportunity, Placement, Seat
from marketplace.queries.audit import audit
from matching.actions.allocation import commit_allocation, plan_allocation, solve_run
from matching.models import AllocationRun
from tests.marketplace.factories import (
    HOUR,
    NOW,
    Recruiter,
    a_published_opportunity,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    recruiter_of,
)
from tests.marketplace.test_offers import an_offer
from tests.matching.staging import asking_for, skilled, work
from tests.races.interleaving import interleaved
from tests.stepping import steps_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.races]

DELIVERIES = "all deliveries are done"  # no worker runs here
Act = Callable[[], str]


@dataclass(frozen=True)
class Scene:
    """What two do. `outcomes`: what may come of it, by the answers of both."""

    first: Act
    second: Act
    outcomes: dict[tuple[str, str], Callable[[], bool]]


# What people do


def accepting(offer: Offer) -> Act:
    return lambda: accept_offer(actor=actor_of(offer.candidate), offer_id=offer.public_id, now=NOW + HOUR).state


def withdrawing(offer: Offer) -> Act:
    boss = recruiter_of(offer.opportunity)
    return lambda: withdraw_offer(actor=boss, offer_id=offer.public_id, now=NOW + HOUR).state


def expiring(offer: Offer) -> Act:
    def expire() -> str:
        expire_offer(offer.pk, NOW + 1000 * HOUR)
        return "looked"

    return expire


def closing(opportunity: Opportunity) -> Act:
    boss, key = recruiter_of(opportunity), opportunity.public_id
    return lambda: close_opportunity(actor=boss, opportunity_id=key, now=NOW + HOUR).state


def reducing(opportunity: Opportunity, seats: int) -> Act:
    boss, key = recruiter_of(opportunity), opportunity.public_id

    def reduce() -> str:
        change_seats(actor=boss, opportunity_id=key, seats=seats, now=NOW + HOUR)
        return "reduced"

    return reduce


def committing(by: Recruiter, run: AllocationRun) -> Act:
    def commit() -> str:
        done = commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
        return f"{done.sent} sent, {done.dropped} dropped"

    return commit


def leaving(candidate: Candidate) -> Act:
    actor, key, fields = actor_of(candidate), candidate.public_id, CandidateFields(open_to_offers=False)

    def leave() -> str:
        update_candidate(actor=actor, candidate_id=key, fields=fields, now=NOW)
        return "left"

    return leave


# What is found afterwards


def seats(opportunity: Opportunity, **expected: int) -> bool:
    return Counter(Seat.objects.filter(opportunity=opportunity).values_list("state", flat=True)) == expected


def offers(opportunity: Opportunity, **expected: int) -> bool:
    return Counter(Offer.objects.filter(opportunity=opportunity).values_list("state", flat=True)) == expected


def placed(opportunity: Opportunity) -> int:
    return Placement.objects.filter(opportunity=opportunity).count()


# Scenes


def two_accept_for_one_seat() -> Scene:
    opportunity = a_published_opportunity()
    one, other = (an_offer(an_application(opportunity), kind="open_call") for _ in range(2))

    def one_has_it() -> bool:
        return (
            seats(opportunity, filled=1) and offers(opportunity, accepted=1, overtaken=1) and placed(opportunity) == 1
        )

    outcomes = {("accepted", "overtaken"): one_has_it, ("overtaken", "accepted"): one_has_it}
    return Scene(accepting(one), accepting(other), outcomes)


def one_accepts_what_another_withdraws() -> Scene:
    offer = an_offer()
    opportunity = offer.opportunity
    return Scene(
        accepting(offer),
        withdrawing(offer),
        {
            ("accepted", "IllegalTransition"): lambda: seats(opportunity, filled=1) and placed(opportunity) == 1,
            ("IllegalTransition", "withdrawn"): lambda: seats(opportunity, open=1) and placed(opportunity) == 0,
        },
    )


def one_accepts_what_expires() -> Scene:
    offer = an_offer()
    opportunity = offer.opportunity
    return Scene(
        accepting(offer),
        expiring(offer),
        {
            ("accepted", "looked"): lambda: offers(opportunity, accepted=1) and placed(opportunity) == 1,
            ("OfferExpired", "looked"): lambda: seats(opportunity, open=1) and offers(opportunity, expired=1),
            ("IllegalTransition", "looked"): lambda: seats(opportunity, open=1) and offers(opportunity, expired=1),
        },
    )


def one_accepts_while_seats_are_reduced() -> Scene:
    opportunity = a_published_opportunity(seats=2)
    accepting(an_offer(an_application(opportunity), kind="open_call"))()
    late = an_offer(an_application(opportunity), kind="open_call")
    return Scene(
        accepting(late),
        reducing(opportunity, 1),
        {
            ("accepted", "SeatsFilled"): lambda: seats(opportunity, filled=2) and placed(opportunity) == 2,
            ("overtaken", "reduced"): lambda: seats(opportunity, filled=1, retired=1) and placed(opportunity) == 1,
        },
    )


def planned(by: Recruiter) -> AllocationRun:
    return solve_run(plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW).pk, NOW)


def a_market() -> tuple[Recruiter, Opportunity, Candidate]:
    by, skill = an_organisation(), a_skill()
    opportunity, candidate = asking_for(skill, by), skilled(skill)
    work()
    return by, opportunity, candidate


def one_commits_what_another_closes() -> Scene:
    by, opportunity, _ = a_market()
    return Scene(
        committing(by, planned(by)),
        closing(opportunity),
        {
            ("1 sent, 0 dropped", "closed"): lambda: offers(opportunity, withdrawn=1) and seats(opportunity, open=1),
            ("0 sent, 1 dropped", "closed"): lambda: offers(opportunity) and seats(opportunity, open=1),
        },
    )


def two_commit_one_run() -> Scene:
    by, opportunity, _ = a_market()
    run = planned(by)

    def sent_once() -> bool:
        return offers(opportunity, sent=1) and seats(opportunity, held=1)

    outcomes = {
        ("1 sent, 0 dropped", "IllegalTransition"): sent_once,
        ("IllegalTransition", "1 sent, 0 dropped"): sent_once,
    }
    return Scene(committing(by, run), committing(by, run), outcomes)


def two_commit_runs_on_the_same_seat() -> Scene:
    by, opportunity, _ = a_market()
    one, other = planned(by), planned(by)

    def sent_once() -> bool:
        return offers(opportunity, sent=1) and seats(opportunity, held=1)

    outcomes = {
        ("1 sent, 0 dropped", "0 sent, 1 dropped"): sent_once,
        ("0 sent, 1 dropped", "1 sent, 0 dropped"): sent_once,
    }
    return Scene(committing(by, one), committing(by, other), outcomes)


def one_commits_what_the_candidate_leaves() -> Scene:
    by, opportunity, candidate = a_market()
    return Scene(
        committing(by, planned(by)),
        leaving(candidate),
        {
            ("1 sent, 0 dropped", "left"): lambda: offers(opportunity, sent=1) and seats(opportunity, held=1),
            ("0 sent, 1 dropped", "left"): lambda: offers(opportunity) and seats(opportunity, open=1),
        },
    )


SCENES = (
    two_accept_for_one_seat,
    one_accepts_what_another_withdraws,
    one_accepts_what_expires,
    one_accepts_while_seats_are_reduced,
    one_commits_what_another_closes,
    two_commit_one_run,
    two_commit_runs_on_the_same_seat,
    one_commits_what_the_candidate_leaves,
)


def expect_a_winner(scene: Scene, answers: tuple[str, str], at: int) -> None:
    assert answers in scene.outcomes, (at, answers)
    assert scene.outcomes[answers](), (at, answers)
    assert [violation for violation in audit().violations if violation.promise != DELIVERIES] == []


@pytest.mark.parametrize("stage", SCENES)
def test_the_second_comes_when_the_first_has_done_all_but_commit_and_finds_it_done(stage):
    scene = stage()
    last = steps_of(scene.first) - 2
    answers = interleaved(scene.first, scene.second, at=last)
    expect_a_winner(scene, answers, last)
    assert answers == next(iter(scene.outcomes)), "the first held what both were after"


@pytest.mark.soak
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("stage", SCENES)
def test_the_second_comes_at_any_step_of_the_first(stage, turned):
    steps, seen = steps_of(_turned(stage(), turned).first), Counter()
    for at in range(steps):
        scene = _turned(stage(), turned)
        answers = interleaved(scene.first, scene.second, at=at)
        expect_a_winner(scene, answers, at)
        seen[answers] += 1
    print(f"{stage.__name__}{', turned' if turned else ''}: {steps} interleavings, {dict(seen)}")


def _turned(scene: Scene, turned: bool) -> Scene:
    if not turned:
        return scene
    return Scene(scene.second, scene.first, {(b, a): check for (a, b), check in scene.outcomes.items()})
