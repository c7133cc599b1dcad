"""Whoever waits for a run sees how far it is, and can call it off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, connections

from accounts.actions.deliveries import deliver_due
from accounts.errors import IllegalTransition
from accounts.models import Delivery, Transition
from matching.actions.allocation import discard_allocation, plan_allocation, progress, solve_run, solving
from matching.models import AllocationProgress, AllocationRun, Proposal
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import NOW, Recruiter, a_skill, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db(transaction=True)

PROGRESS = """query ($id: ID!) { node(id: $id) { ... on AllocationRun {
    state progress { stage done total value bound startedAt updatedAt } } } }"""


def a_queued_run() -> tuple[Recruiter, AllocationRun]:
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill)
    work()
    return by, plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> Iterator[Event]:
    """A worker does something in a thread, and stops amid solving until the event it gives is set."""
    arrived, go_on = Event(), Event()
    solve = solving.solve

    def slow(problem, *, report, **options):
        report(7, 100, 900)
        arrived.set()
        assert go_on.wait(20)
        report(9, 500, 900)
        return solve(problem, report=report, **options)

    def worker() -> None:
        try:
            do()
        finally:
            connections.close_all()

    monkeypatch.setattr(solving, "solve", slow)
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 0)
    thread = Thread(target=worker)
    thread.start()
    try:
        assert arrived.wait(90)
        yield go_on
    finally:
        go_on.set()
        thread.join(90)  # kernels may be compiled on the way
    assert not thread.is_alive()


def seen(by: Recruiter, run: AllocationRun) -> dict[str, Any]:
    return Asker(by.user).ask(PROGRESS, id=global_id(run))["node"]


def test_progress_is_seen_from_outside_while_a_run_is_solved_and_no_more_when_it_is(monkeypatch):
    by, run = a_queued_run()
    assert seen(by, run) == {"state": "QUEUED", "progress": None}
    with held_up(monkeypatch, lambda: solve_run(run.pk, NOW)):
        told = seen(by, run)["progress"]
        assert (told["stage"], told["done"], told["total"]) == ("SOLVING", 7, None)
        assert (told["value"], told["bound"]) == (100, 900)
        assert told["startedAt"] <= told["updatedAt"]
    assert seen(by, run) == {"state": "PLANNED", "progress": None}


def test_every_stage_is_told_in_its_order(monkeypatch):
    told = []
    note = progress.Telling._note

    def noted(self, done, value, bound):
        told.append((self._stage.value, self._total, done))
        note(self, done, value, bound)

    monkeypatch.setattr(progress.Telling, "_note", noted)
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 0)
    _, run = a_queued_run()
    assert solve_run(run.pk, NOW).state == "planned"
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["gathering", "solving", "explaining", "storing"]
    assert ("gathering", None, 1) in told
    assert told[-1] == ("storing", 1, 0)


def test_a_run_that_is_being_solved_can_be_discarded(monkeypatch):
    by, run = a_queued_run()
    with held_up(monkeypatch, lambda: deliver_due("allocation", NOW)) as go_on:
        discarding = Thread(target=_discard, args=(by, run))
        discarding.start()
        while not AllocationProgress.objects.exclude(stop_asked_as="").exists():
            pass
        go_on.set()
        discarding.join(20)
    run.refresh_from_db()
    assert (run.state, run.solution) == ("discarded", None)
    assert run.finished_at is not None
    assert not Proposal.objects.exists()
    last = Transition.objects.filter(subject_type="allocationrun", subject_id=run.pk).last()
    assert last is not None
    assert (last.from_state, last.action) == ("solving", "discard")
    assert (last.actor_id, last.actor_kind) == (by.user.pk, "member")
    assert Delivery.objects.get(consumer="allocation").state == "done"


def _discard(by: Recruiter, run: AllocationRun) -> None:
    try:
        assert discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW).state == "discarded"
    finally:
        connections.close_all()


def test_a_run_whose_worker_was_killed_before_it_saw_that_it_is_to_stop_is_not_solved_by_the_next():
    by, run = a_queued_run()
    progress.ask_to_stop(run.pk, actor=by.actor, by=progress.ActorKind.MEMBER, now=NOW)
    assert solve_run(run.pk, NOW).state == "discarded"
    assert not Proposal.objects.exists()


def test_a_run_that_nobody_has_taken_is_discarded_at_once_and_once():
    by, run = a_queued_run()
    assert discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW).state == "discarded"
    with pytest.raises(IllegalTransition):
        discard_allocation(actor=by.actor, run_id=run.public_id, now=NOW)
    assert solve_run(run.pk, NOW).state == "discarded"


def test_a_worker_that_cannot_tell_how_far_it_is_goes_on(monkeypatch, caplog):
    class Elsewhere:
        def copy(self):
            other = connection.copy()
            other.settings_dict["NAME"] = "no_such_database"
            return other

    _, run = a_queued_run()
    monkeypatch.setattr(progress, "connection", Elsewhere())
    assert solve_run(run.pk, NOW).state == "planned"
    assert not AllocationProgress.objects.exists()
    assert [record.message for record in caplog.records if record.name == progress.__name__] == [
        f"nothing more is told of allocation run {run.pk}"
    ]
