"""What became of those who were shown: labels of each head from what happened, and nothing of what came later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from accounts.core.actor import Actor, ActorKind
from marketplace.actions.applications import apply, move_application, reject_application
from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.actions.invitations import invite_candidate
from marketplace.actions.offers import accept_offer, decline_offer, send_offer, withdraw_offer
from marketplace.actions.placements import complete_placement, end_placement, start_placement
from marketplace.models import Application, Candidate, Offer, Opportunity, Placement
from marketplace.timers import expire_offer
from matching.actions.decisions import Ranked, log_shown
from matching.actions.models import live_model
from matching.core.features import FEATURES
from matching.core.scoring import HEADS
from matching.models import Decision, Segment
from matching.queries import outcomes
from matching.queries.outcomes import Outcomes, microseconds, outcomes_of
from tests.marketplace.factories import DAY, HOUR, NOW, a_skill, a_user, actor_of, an_application, recruiter_of
from tests.matching.staging import EUROS, asking_for, skilled, work

pytestmark = pytest.mark.django_db

LATER = NOW + 60 * DAY


@pytest.fixture
def stage() -> tuple[Opportunity, list[Candidate]]:
    skill = a_skill()
    opportunity = asking_for(skill, seats=10)
    people = [skilled(skill) for _ in range(8)]
    work()
    return opportunity, people


def show(
    opportunity: Opportunity,
    people: Sequence[Candidate],
    *,
    at: datetime = NOW,
    surface: str = "matches",
    viewer: Actor | None = None,
) -> None:
    capacity = ActorKind.MEMBER if surface in ("matches", "candidates") else ActorKind.CANDIDATE
    ranked = [Ranked(opportunity.pk, one.pk, live_model().pk) for one in people]
    log_shown(
        actor=viewer or actor_of(a_user()),
        capacity=capacity,
        surface=Decision.Surface(surface),
        ranked=ranked,
        now=at,
    )


def labels(head: str = "fit", now: datetime = LATER, since: datetime = NOW - DAY) -> dict[int, int]:
    found = outcomes_of(head, since=since, until=now, now=now)
    return dict(zip(found.candidates.tolist(), found.labels.tolist(), strict=True))


def offered(opportunity: Opportunity, candidate: Candidate, at: datetime) -> Offer:
    application = Application.objects.filter(opportunity=opportunity, candidate=candidate).first()
    application = application or an_application(opportunity, candidate, now=at)
    return send_offer(
        actor=recruiter_of(opportunity), application_id=application.public_id, kind=Offer.Kind.RESERVED, pay=EUROS,
        expires_at=at + 2 * DAY, now=at,
    )  # fmt: skip


def test_somebody_fits_whom_people_of_the_organisation_took_further(stage) -> None:
    opportunity, [invited, moved, reviewed, offered_to, unanswered, rejected, *_] = stage
    show(opportunity, stage[1][:6])
    recruiter, then = recruiter_of(opportunity), NOW + DAY
    invite_candidate(
        actor=recruiter, opportunity_id=opportunity.public_id, candidate_id=invited.public_id, now=then
    )  # fmt: skip
    for one, stages in ((moved, ["review", "shortlist"]), (reviewed, ["review"])):
        application = an_application(opportunity, one, now=then)
        for name in stages:
            move_application(actor=recruiter, application_id=application.public_id, stage=name, now=then)
    offered(opportunity, offered_to, then)
    application = an_application(opportunity, rejected, now=then)
    reject_application(actor=recruiter, application_id=application.public_id, reason="other", now=then)
    assert labels() == {
        invited.pk: 1, moved.pk: 1, reviewed.pk: 0, offered_to.pk: 1, unanswered.pk: 0, rejected.pk: 0
    }  # fmt: skip


def test_whoever_was_settled_before_they_were_shown_or_shown_to_others_is_no_example(stage) -> None:
    opportunity, [invited, seen_by_staff, shown] = stage[0], stage[1][:3]
    invite_candidate(
        actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, candidate_id=invited.public_id, now=NOW
    )
    show(opportunity, [invited, shown], at=NOW + HOUR)
    log_shown(
        actor=actor_of(a_user(is_staff=True)), capacity=ActorKind.STAFF, surface=Decision.Surface.MATCHES,
        ranked=[Ranked(opportunity.pk, seen_by_staff.pk, live_model().pk)], now=NOW + HOUR,
    )  # fmt: skip
    assert labels() == {shown.pk: 0}


def test_exposures_too_young_for_an_outcome_are_left_out(stage, settings) -> None:
    settings.OUTCOME_DAYS = {**settings.OUTCOME_DAYS, "fit": 10}
    opportunity, [old, young, late] = stage[0], stage[1][:3]
    show(opportunity, [old, late])
    show(opportunity, [young], at=NOW + DAY)
    invite_candidate(
        actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, candidate_id=late.public_id,
        now=NOW + 10 * DAY + HOUR,
    )  # fmt: skip
    assert labels(now=NOW + 10 * DAY) == {old.pk: 0, late.pk: 0}
    assert labels(now=NOW + 12 * DAY) == {
        old.pk: 0,
        late.pk: 0,
        young.pk: 0,
    }
    assert labels(now=NOW + 9 * DAY) == {}


def placed(opportunity: Opportunity, candidate: Candidate) -> Placement:
    offer = offered(opportunity, candidate, NOW + DAY)
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW + DAY + HOUR)
    placement = Placement.objects.get(offer=offer)
    return start_placement(actor=recruiter_of(opportunity), placement_id=placement.public_id, now=NOW + 2 * DAY)


def test_a_placement_that_the_organisation_ended_early_takes_a_yes_back_from_when_it_was_known(stage) -> None:
    opportunity, [kept, lost, left] = stage[0], stage[1][:3]
    show(opportunity, [kept, lost, left])
    recruiter = recruiter_of(opportunity)
    for one in (kept, lost, left):
        placement = placed(opportunity, one)
        if one is kept:
            complete_placement(actor=recruiter, placement_id=placement.public_id, now=NOW + 40 * DAY)
        else:
            actor = recruiter if one is lost else actor_of(left)
            end_placement(actor=actor, placement_id=placement.public_id, reason="no", now=NOW + 40 * DAY)
    assert labels(now=NOW + 35 * DAY) == {kept.pk: 1, lost.pk: 1, left.pk: 1}
    assert labels(now=NOW + 45 * DAY) == {kept.pk: 1, lost.pk: 0, left.pk: 1}
    known = outcomes_of("fit", since=NOW - DAY, until=LATER, now=LATER).known_by(microseconds(NOW + 35 * DAY))
    assert known.labels.tolist() == [1, 1, 1]  # nothing of what came afterwards


def test_interest_is_applying_after_having_seen(stage) -> None:
    opportunity, [applied, before, looked] = stage[0], stage[1][:3]
    an_application(opportunity, before)
    for one in (applied, before, looked):
        show(opportunity, [one], at=NOW + HOUR, surface="recommendations", viewer=actor_of(one))
    apply(actor=actor_of(applied), opportunity_id=opportunity.public_id, now=NOW + DAY)
    assert labels("interest") == {applied.pk: 1, looked.pk: 0}
    assert labels("fit") == {}


def test_acceptance_is_the_answer_to_an_offer(stage) -> None:
    opportunity, [yes, no, silent, withdrawn, waiting] = stage[0], stage[1][:5]
    show(opportunity, stage[1][:5], at=NOW)
    offers = {one.pk: offered(opportunity, one, NOW + DAY) for one in stage[1][:5]}
    accept_offer(actor=actor_of(yes), offer_id=offers[yes.pk].public_id, now=NOW + DAY + HOUR)
    decline_offer(actor=actor_of(no), offer_id=offers[no.pk].public_id, now=NOW + DAY + HOUR)
    expire_offer(offers[silent.pk].pk, NOW + 3 * DAY)
    withdraw_offer(
        actor=recruiter_of(opportunity), offer_id=offers[withdrawn.pk].public_id, now=NOW + DAY + HOUR
    )  # fmt: skip
    assert labels("acceptance") == {yes.pk: 1, no.pk: 0, silent.pk: 0}
    assert waiting.pk not in labels("acceptance")
    assert labels("acceptance", now=NOW + 14 * DAY) == {}  # too young


def test_features_are_those_of_when_they_were_shown(stage) -> None:
    opportunity, [candidate, *_] = stage
    skill = candidate.skills.get().skill
    show(opportunity, [candidate])
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=CandidateFields(skills=[SkillInput(skill.public_id, 1)]),
        now=NOW + DAY,
    )
    work(NOW + DAY)
    show(opportunity, [candidate], at=NOW + DAY)
    found = outcomes_of("fit", since=NOW - DAY, until=LATER, now=LATER)
    assert (len(found), found.shown_at.tolist()) == (1, [microseconds(NOW)])
    assert list(found.values) == list(FEATURES)
    assert found.values["required_skills"].tolist() == [1000]
    now = outcomes_of("fit", since=NOW + HOUR, until=LATER, now=LATER)
    assert now.values["required_skills"].tolist() == [333]


def test_features_that_were_not_declared_then_are_neutral(stage, monkeypatch) -> None:
    show(stage[0], stage[1][:1])
    monkeypatch.setattr(outcomes, "FEATURES", {**FEATURES, "newer": None})
    found = outcomes_of("fit", since=NOW - DAY, until=LATER, now=LATER)
    assert found.values["newer"].tolist() == [500]


def test_examples_are_those_of_a_segment_and_in_the_order_in_which_they_were_shown(stage) -> None:
    opportunity, people = stage
    for hours in (3, 1, 2):
        show(opportunity, [people[hours]], at=NOW + hours * HOUR)
    found = outcomes_of("fit", since=NOW, until=LATER, now=LATER, segment=Segment.objects.get())
    assert found.candidates.tolist() == [people[n].pk for n in (1, 2, 3)]
    assert (found.ranks.tolist(), found.propensities.tolist()) == ([1, 1, 1], [1.0, 1.0, 1.0])
    other = Segment(pk=10**6)
    assert len(outcomes_of("fit", since=NOW, until=LATER, now=LATER, segment=other)) == 0


def test_of_too_many_a_sample_of_pairs_is_taken_and_always_the_same(stage, monkeypatch) -> None:
    show(*stage)
    monkeypatch.setattr(outcomes, "MOST_EXAMPLES", 4)
    chosen = labels()
    assert 0 < len(chosen) < 8
    assert labels() == chosen


def test_each_head_takes_three_statements_and_nobody_shown_is_no_example(django_assert_num_queries) -> None:
    for head in HEADS:
        with django_assert_num_queries(2):
            found: Outcomes = outcomes_of(head, since=NOW, until=LATER, now=LATER)
        assert len(found) == 0
        assert found.labels.dtype == np.int8
        assert set(found.values) == set(FEATURES)
    with pytest.raises(ValueError, match="no head"):
        outcomes_of("fitness", since=NOW, until=LATER, now=LATER)
    assert timedelta(microseconds=found.window) == 14 * DAY
