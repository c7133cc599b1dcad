"""The log of what was shown to whom: ranks go on across pages, a refetch is no second look, nothing is rewritten."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from accounts.actions.deliveries import deliver_due
from accounts.core.actor import ActorKind
from accounts.models import Event
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.offers import send_offer
from marketplace.actions.opportunities import change_seats
from marketplace.models import Candidate, Opportunity
from matching.actions import decisions
from matching.actions.allocation import commit_allocation, plan_allocation, solve_run
from matching.actions.decisions import Ranked, forget_decisions, log_plan, log_shown
from matching.actions.models import live_model
from matching.core.features import FEATURES
from matching.models import Decision, FeatureSet, Match
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    DAY,
    NOW,
    Recruiter,
    a_recruiter,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    recruiter_of,
)
from tests.matching.staging import EUROS, asking_for, skilled, work

pytestmark = pytest.mark.django_db

MATCHES = """query ($id: ID!, $first: Int, $after: String) { matches(opportunity: $id, first: $first, after: $after) {
    nodes { candidate { id } } pageInfo { endCursor } } }"""
COUNT = "query ($id: ID!) { matches(opportunity: $id) { totalCount pageInfo { hasNextPage } } }"
RECOMMENDATIONS = "query ($first: Int, $after: String) { recommendations(first: $first, after: $after) {"
RECOMMENDATIONS += " edges { node { opportunity { title } } } pageInfo { endCursor } } }"
EXPLORE = "{ opportunities(orderBy: FIT) { nodes { title } } }"
PEOPLE = "query ($id: ID!) { candidates(orderBy: FIT, fitFor: $id) { edges { node { id } } } }"


def a_market(people: int = 5) -> tuple[Recruiter, Opportunity, list[Candidate]]:
    """An opportunity that all of some people match, at the present moment, best first."""
    now = timezone.now()
    by, skill = an_organisation(now=now), a_skill()
    opportunity = asking_for(skill, by, level=5, now=now)
    found = [skilled(skill, level=5 - n, now=now) for n in range(people)]
    work(now)
    return by, opportunity, found


def logged() -> list[tuple[int, int]]:
    return list(Decision.objects.order_by("id").values_list("rank", "candidate_id"))


def test_viewing_matches_writes_the_log_with_ranks_that_go_on_and_a_refetch_does_not_double_it() -> None:
    by, opportunity, people = a_market()
    asker, asked = Asker(by.user), global_id(opportunity)
    after = None
    for _ in range(3):
        page = asker.ask(MATCHES, id=asked, first=2, after=after)["matches"]
        asker.ask(MATCHES, id=asked, first=2, after=after)
        after = page["pageInfo"]["endCursor"]
    assert logged() == [(rank, one.pk) for rank, one in enumerate(people, 1)]
    decision = Decision.objects.earliest("id")
    assert (decision.viewer, decision.capacity, decision.surface) == (by.user, "member", "matches")
    assert (decision.model, decision.propensity) == (live_model(), 1.0)
    assert list(decision.values()) == list(FEATURES)
    assert decision.values()["required_skills"] == 1000


def test_after_some_minutes_somebody_has_looked_anew_and_another_viewer_has_at_once(settings) -> None:
    by, opportunity, _ = a_market(2)
    asked = global_id(opportunity)
    Asker(by.user).ask(MATCHES, id=asked)
    Asker(a_recruiter(by).user).ask(MATCHES, id=asked)
    assert len(logged()) == 4
    settings.DECISION_REPEAT_MINUTES = 0
    Asker(by.user).ask(MATCHES, id=asked)
    assert len(logged()) == 6


def test_who_asks_for_a_count_alone_or_is_refused_has_been_shown_nobody() -> None:
    by, opportunity, _ = a_market(1)
    Asker(by.user).ask(COUNT, id=global_id(opportunity))
    assert Asker(a_user()).answer(MATCHES, id=global_id(opportunity))["errors"]
    assert Asker().answer(MATCHES, id=global_id(opportunity))["errors"]
    assert logged() == []


def test_staff_are_told_apart_from_those_whom_a_page_is_for() -> None:
    _, opportunity, _ = a_market(1)
    Asker(a_user(is_staff=True)).ask(MATCHES, id=global_id(opportunity))
    assert Decision.objects.get().capacity == "staff"


def test_queries_by_get_are_logged_too() -> None:
    by, opportunity, _ = a_market(1)
    asker = Asker(by.user)
    answer = asker.http.get(
        "/graphql", {"query": f'{{ matches(opportunity: "{global_id(opportunity)}") {{ nodes {{ id }} }} }}'}
    )
    assert answer.json()["data"]["matches"]["nodes"]
    assert len(logged()) == 1


def test_recommendations_and_lists_by_fit_are_logged_each_on_its_surface() -> None:
    by, opportunity, [candidate] = a_market(1)
    now = timezone.now()
    for _ in range(2):
        asking_for(a_skill(), now=now)
    work(now)
    asker = Asker(candidate)
    page = asker.ask(RECOMMENDATIONS, first=2)["recommendations"]
    asker.ask(RECOMMENDATIONS, first=2, after=page["pageInfo"]["endCursor"])
    rows = Decision.objects.filter(surface="recommendations").order_by("id")
    assert list(rows.values_list("rank", flat=True)) == [1, 2, 3]
    assert set(rows.values_list("capacity", "viewer")) == {("candidate", candidate.user_id)}
    asker.ask(EXPLORE)
    Asker(by.user).ask(PEOPLE, id=global_id(opportunity))
    counts = [Decision.objects.filter(surface=name).count() for name in ("opportunities", "candidates")]
    assert counts == [3, 1]


def test_a_page_takes_as_many_statements_for_many_people_as_for_one() -> None:
    counts = []
    for number in (1, 12):
        by, opportunity, _ = a_market(number if number < 5 else 5)
        for _ in range(max(number - 5, 0)):
            skilled(a_skill(), now=timezone.now())
        work(timezone.now())
        asker = Asker(by.user)
        asker.ask(MATCHES, id=global_id(opportunity), first=0)
        FeatureSet.objects.get_or_create(names=list(FEATURES))
        counts.append(asker.statements(MATCHES, id=global_id(opportunity), first=50))
    assert counts[0] == counts[1]


def test_features_are_kept_as_the_score_was_made_and_not_as_they_are_now() -> None:
    by, opportunity, [candidate] = a_market(1)
    stored = Match.objects.get(opportunity=opportunity)
    later = timezone.now()
    skills = []
    update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(skills=skills), now=later
    )
    Asker(by.user).ask(MATCHES, id=global_id(opportunity))
    [value] = [part["value"] for part in stored.contributions["fit"] if part["feature"] == "required_skills"]
    assert Decision.objects.get().values()["required_skills"] == value == 1000


def test_a_log_that_cannot_be_written_keeps_nobody_from_reading(monkeypatch, caplog) -> None:
    by, opportunity, _ = a_market(1)

    def fail(*_: Any) -> None:
        raise DatabaseError("read-only")

    monkeypatch.setattr(decisions.locks, "logging_for", fail)
    assert Asker(by.user).ask(MATCHES, id=global_id(opportunity))["matches"]["nodes"]
    assert "what follows an answer failed" in caplog.text
    assert logged() == []


def test_an_offer_is_an_exposure_of_its_candidate() -> None:
    now = timezone.now()
    _, opportunity, [candidate] = a_market(1)
    application = an_application(opportunity, candidate, now=now)
    send_offer(
        actor=recruiter_of(opportunity), application_id=application.public_id, kind="reserved", pay=EUROS,
        expires_at=now + DAY, now=now,
    )  # fmt: skip
    for _ in range(2):
        deliver_due("exposures", now)
    decision = Decision.objects.get()
    assert (decision.surface, decision.rank, decision.candidate) == ("offers", 1, candidate)
    assert decisions.log_offer(application.offers.get().pk, now + timedelta(hours=1)) == 0


def test_what_an_allocation_proposed_and_what_of_it_was_committed_is_logged_as_it_was() -> None:
    now = timezone.now()
    by, opportunity, people = a_market(3)
    change_seats(actor=by.actor, opportunity_id=opportunity.public_id, seats=2, now=now)
    queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=now)
    run = solve_run(queued.pk, now)
    values = {
        one.candidate_id: {part["feature"]: part["value"] for part in one.contributions if part["value"] is not None}
        for one in run.proposals.all()
    }
    assert deliver_due("exposures", timezone.now()) == 1
    proposed = Decision.objects.filter(surface="proposals").order_by("rank")
    assert list(proposed.values_list("rank", "candidate_id")) == [
        (rank, one.candidate_id) for rank, one in enumerate(run.proposals.order_by("-value", "pk"), 1)
    ]
    assert set(proposed.values_list("viewer", "capacity", "model", "propensity")) == {
        (by.user.pk, "member", live_model().pk, 1.0)
    }
    for decision in proposed:
        made_of = {name: value for name, value in values[decision.candidate_id].items() if name in FEATURES}
        assert made_of
        assert made_of.items() <= decision.values().items()

    chosen = run.proposals.get(candidate=people[1])
    commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=[chosen.public_id], now=now)
    for _ in range(2):
        deliver_due("exposures", timezone.now())
    committed = Decision.objects.get(surface="commitments")
    assert (committed.candidate, committed.viewer, committed.rank) == (
        people[1],
        by.user,
        proposed.get(candidate=people[1]).rank,
    )
    assert Decision.objects.filter(surface="offers", candidate=people[1]).count() == 1
    commit_allocation(actor=by.actor, run_id=run.public_id, now=now + timedelta(seconds=1))
    deliver_due("exposures", timezone.now() + timedelta(seconds=1))
    logged = Decision.objects.filter(surface="commitments").values_list("candidate", flat=True)
    assert sorted(logged) == sorted(run.proposals.values_list("candidate", flat=True))
    event = Event.objects.get(name="AllocationPlanned")
    assert log_plan(event, timezone.now() + timedelta(hours=1)) == 0


# What the database holds


def a_decision(now=NOW) -> Decision:
    skill = a_skill()
    opportunity, candidate = asking_for(skill, now=now), skilled(skill, now=now)
    work(now)
    row = Ranked(opportunity.pk, candidate.pk, live_model().pk)
    viewer = actor_of(a_user())
    assert log_shown(
        actor=viewer, capacity=ActorKind.MEMBER, surface=Decision.Surface.MATCHES, ranked=[row], now=now
    ) == 1  # fmt: skip
    return Decision.objects.latest("id")


@pytest.mark.parametrize(
    "change", [{"rank": 2}, {"features": []}, {"propensity": 0.5}, {"at": NOW + DAY}, {"capacity": "staff"}]
)
def test_what_was_logged_is_never_rewritten(change: dict[str, Any]) -> None:
    decision = a_decision()
    with pytest.raises(ProgrammingError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(**change)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).update(viewer=a_user())
    with pytest.raises(IntegrityError, match="decisions are kept"), transaction.atomic():
        Decision.objects.filter(pk=decision.pk).delete()
    assert Decision.objects.filter(pk=decision.pk).exists()


def test_what_was_shown_of_a_person_goes_with_them_and_the_viewer_is_unlinked() -> None:
    decision = a_decision()
    decision.viewer.delete()
    decision.refresh_from_db()
    assert decision.viewer is None
    decision.candidate.delete()
    assert not Decision.objects.exists()


def test_only_what_is_over_is_forgotten(settings) -> None:
    old, new = a_decision(), a_decision(NOW + DAY)
    settings.DECISION_RETENTION_DAYS = 100
    assert forget_decisions(now=NOW + timedelta(days=100, hours=1)) == 1
    assert list(Decision.objects.all()) == [new]
    assert forget_decisions(now=NOW + timedelta(days=100, hours=1)) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        new.delete()
    assert old.pk != new.pk


def test_pairs_that_are_gone_and_empty_pages_log_nothing() -> None:
    viewer = actor_of(a_user())
    kept = {"actor": viewer, "capacity": ActorKind.MEMBER, "surface": Decision.Surface.MATCHES, "now": NOW}
    assert log_shown(ranked=[], **kept) == 0
    assert log_shown(ranked=[Ranked(10**9, 10**9, live_model().pk)], **kept) == 0


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_at_once_one_logs() -> None:
    skill = a_skill()
    opportunity, candidate = asking_for(skill), skilled(skill)
    work()
    row, viewer, start = Ranked(opportunity.pk, candidate.pk, live_model().pk), actor_of(a_user()), Barrier(4)

    def look() -> None:
        start.wait()
        try:
            log_shown(actor=viewer, capacity=ActorKind.MEMBER, surface=Decision.Surface.MATCHES, ranked=[row], now=NOW)
        finally:
            connection.close()

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Decision.objects.count() == 1
