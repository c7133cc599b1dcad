"""Committing a plan in parts: each proposal is settled once, and whoever commits is told what changed."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.errors import IllegalTransition, InvalidInput, NotFound
from accounts.models import Event, Timer
from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.models import Offer, Seat
from matching.actions.allocation import (
    commit_allocation,
    commit_proposal,
    discard_allocation,
    exclude_proposal,
    plan_allocation,
    solve_run,
)
from matching.errors import RunTooOld
from matching.models import AllocationRun, Proposal
from matching.queries.commits import Dropped, reports_of
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import NOW, Recruiter, a_skill, a_user, actor_of, an_organisation, everything
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

REPORT = """state sent dropped report { sent dropped open causes { code message proposals } }
    proposals(states: [DROPPED], first: 10) { totalCount nodes { state code reason settledAt offer { id } } }"""


def planned(people: int = 3, *, now=NOW) -> tuple[Recruiter, AllocationRun]:
    """A plan with a proposal for each of so many people."""
    by, skill = an_organisation(now=now), a_skill()
    asking_for(skill, by, seats=people, weekly_hours=10, now=now)
    for _ in range(people):
        skilled(skill, now=now)
    work(now)
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=now)
    return by, solve_run(run.pk, now)


def ids(*proposals: Proposal) -> list:
    return [one.public_id for one in proposals]


def turn_away(proposal: Proposal, now=NOW) -> None:
    candidate = proposal.candidate
    fields = CandidateFields(open_to_offers=False)
    update_candidate(actor=actor_of(candidate), candidate_id=candidate.public_id, fields=fields, now=now)


def test_after_a_part_the_rest_can_be_committed_and_then_the_run_is_done():
    by, run = planned(3)
    one, two, three = run.proposals.all()
    run = commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=ids(one), now=NOW)
    assert (run.state, run.sent, run.finished_at) == ("planned", 1, None)
    assert Timer.objects.filter(kind="allocation_expiry", subject_id=run.pk, fired_at=None).exists()
    turn_away(two)
    run = commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
    assert (run.state, run.sent, run.dropped, run.finished_at) == ("committed", 2, 1, NOW)
    assert not Timer.objects.filter(kind="allocation_expiry", subject_id=run.pk).exists()
    assert set(Offer.objects.live().values_list("candidate", flat=True)) == {one.candidate_id, three.candidate_id}
    moves = Event.objects.filter(aggregate_type="allocationrun", aggregate_id=run.pk).values_list("name", flat=True)
    assert list(moves)[-4:] == [
        "AllocationCommitting",
        "AllocationPartCommitted",
        "AllocationCommitting",
        "AllocationCommitted",
    ]


def test_a_part_that_is_committed_twice_is_sent_once_and_reads_the_same():
    by, run = planned(3)
    part = ids(*run.proposals.all()[:2])
    first = commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=part, now=NOW)
    before = everything([Proposal, Offer, Seat, Event])
    again = commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=part, now=NOW)
    assert (again.state, again.sent) == (first.state, first.sent) == ("planned", 2)
    assert everything([Proposal, Offer, Seat, Event]) == before


def test_an_excluded_proposal_or_anothers_cannot_be_named_and_then_nothing_is_sent():
    by, run = planned(2)
    _, other = planned(1)
    one, two = run.proposals.all()
    exclude_proposal(actor=by.actor, proposal_id=two.public_id, now=NOW)
    before = everything([AllocationRun, Proposal, Offer, Event])
    for named, refusal in ((ids(one, two), InvalidInput), (ids(one, other.proposals.get()), NotFound)):
        with pytest.raises(refusal) as refused:
            commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=named, now=NOW)
        assert refused.value.data.get("field") == ("proposalIds" if refusal is InvalidInput else None)
    assert everything([AllocationRun, Proposal, Offer, Event]) == before


def test_what_is_left_of_a_plan_after_a_part_grows_too_old_or_is_discarded_like_any_plan():
    by, run = planned(2)
    one, two = run.proposals.all()
    commit_proposal(actor=by.actor, proposal_id=one.public_id, now=NOW)
    with pytest.raises(RunTooOld):
        commit_allocation(actor=by.actor, run_id=run.public_id, now=NOW + timedelta(hours=25))
    discarded = discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
    assert (discarded.state, discarded.sent) == ("discarded", 1)
    with pytest.raises(IllegalTransition):
        commit_proposal(actor=by.actor, proposal_id=two.public_id, now=NOW)
    assert Offer.objects.count() == 1


def test_the_report_counts_what_was_sent_and_names_each_cause_once():
    by, run = planned(4)
    gone, also_gone, sent, waiting = run.proposals.all()
    turn_away(gone)
    turn_away(also_gone)
    commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=ids(gone, also_gone, sent), now=NOW)
    [cause] = reports_of([run])[run.pk].causes
    assert cause == Dropped("CANDIDATE_GONE", gone.run.proposals.get(pk=gone.pk).reason, 2)
    report = reports_of([run])[run.pk]
    assert (report.sent, report.dropped, report.open) == (1, 2, 1)
    settled = run.proposals.get(pk=gone.pk)
    assert (settled.code, settled.settled_at, settled.offer) == ("CANDIDATE_GONE", NOW, None)
    assert run.proposals.get(pk=sent.pk).settled_at == NOW
    assert run.proposals.get(pk=waiting.pk).settled_at is None


def test_a_client_is_told_what_changed_and_commits_the_rest_later():
    now = timezone.now()
    by, run = planned(3, now=now)
    one, two, _ = run.proposals.all()
    turn_away(two, now)
    asker = Asker(by.user)
    part = {"runId": global_id(run), "proposalIds": [global_id(one), global_id(two)]}
    answer = asker.do("commitAllocation", part, REPORT, thing="AllocationRun")
    assert (answer["state"], answer["sent"], answer["dropped"]) == ("PLANNED", 1, 1)
    [cause] = answer["report"]["causes"]
    assert (cause["code"], cause["proposals"], answer["report"]["open"]) == ("CANDIDATE_GONE", 1, 1)
    [dropped] = answer["proposals"]["nodes"]
    assert (dropped["code"], dropped["offer"]) == ("CANDIDATE_GONE", None)
    assert dropped["reason"] == cause["message"]
    assert asker.do("commitAllocation", part, REPORT, thing="AllocationRun") == answer
    rest = asker.do("commitAllocation", {"runId": global_id(run)}, REPORT, thing="AllocationRun")
    assert (rest["state"], rest["sent"], rest["report"]["open"]) == ("COMMITTED", 2, 0)
    assert asker.do("commitAllocation", {"runId": global_id(run)})["code"] == "ILLEGAL_TRANSITION"
    assert Asker(an_organisation().user).do("commitAllocation", part)["code"] == "NOT_FOUND"


def test_staff_commit_selected_proposals_and_read_what_was_dropped(client: Client):
    now = timezone.now()
    _, run = planned(3, now=now)
    one, two, three = run.proposals.all()
    turn_away(two, now)
    client.force_login(
        a_user(is_staff=True, is_superuser=True), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    address = reverse("admin:matching_proposal_changelist")
    client.post(address, {"action": "take_commit_selected", "_selected_action": [one.pk, two.pk]}, follow=True)
    assert list(run.proposals.values_list("state", flat=True)) == ["sent", "dropped", "proposed"]
    page = client.get(reverse("admin:matching_allocationrun_change", args=[run.pk])).content.decode()
    assert f"1 × {run.proposals.get(pk=two.pk).reason}" in page
    assert Offer.objects.count() == 1
    assert run.proposals.get(pk=three.pk).settled_at is None


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_parts_that_are_committed_at_once_send_each_proposal_once():
    by, run = planned(4)
    first, second, third, fourth = run.proposals.all()
    shares = [ids(first, second), ids(second, third), ids(third, fourth), ids(fourth, first)]
    barrier = Barrier(len(shares))
    refusals: list[Exception] = []

    def committing(share):
        try:
            barrier.wait()
            commit_allocation(actor=by.actor, run_id=run.public_id, proposal_ids=share, now=NOW)
        except Exception as refusal:
            refusals.append(refusal)
        finally:
            connections.close_all()

    threads = [Thread(target=committing, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert (run.state, run.sent) == ("committed", 4)
    assert {type(refusal) for refusal in refusals} <= {IllegalTransition}
    offered = list(Offer.objects.live().values_list("candidate", flat=True))
    assert len(offered) == len(set(offered)) == 4
