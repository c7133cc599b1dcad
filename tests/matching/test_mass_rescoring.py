"""What a change of everything leaves to do: begun, taken over, paused, and done in chunks, whatever happens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from accounts.core.actor import Actor
from accounts.errors import IllegalTransition, NotFound, NotPermitted
from accounts.models import Event, Transition
from marketplace.actions.opportunities import close_opportunity
from marketplace.models import Candidate, Opportunity
from matching import tasks
from matching.actions import locks, marks, mass, rescoring
from matching.actions.mass import jobs, working
from matching.actions.models import live_model, promote_model
from matching.actions.rescoring import opportunities as opportunity_rescoring
from matching.core.scoring import DEFAULT_MODEL
from matching.models import CandidateProjection, Mark, Match, Rescore, RescoreChunk, ScoringModel
from matching.queries.affected import EVERYTHING, NEW_DAY
from matching.queries.rescores import progress_of, with_stages
from tests.marketplace.factories import NOW, a_candidate, a_skill, a_staff_actor, an_organisation, recruiter_of
from tests.matching.staging import asking_for, best, skilled, work

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system()
SKILLS = {"kind": "skills", "ids": []}


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch) -> None:
    """How many subjects are taken together does not depend on the test before."""
    monkeypatch.setattr(working, "_sizes", {})


def a_market(*, opportunities: int = 3, people: int = 4) -> tuple[list[Opportunity], list[Candidate]]:
    """Scored, and nothing left to do."""
    skill = a_skill()
    found = [asking_for(skill) for _ in range(opportunities)], [skilled(skill, 1 + n % 5) for n in range(people)]
    work()
    return found


def start(*scopes: dict, cause: str = "asked", now=NOW) -> Rescore:
    return mass.start(cause=cause, scopes=scopes or [EVERYTHING], since=now, now=now)


def another_model(version: str, intercept: int = 0) -> ScoringModel:
    definition = DEFAULT_MODEL.to_json() | {"version": version}
    definition["heads"]["fit"]["intercept"] = intercept
    return ScoringModel.objects.create(segment=live_model().segment, version=version, definition=definition)


def promoted(version: str, intercept: int = 0) -> ScoringModel:
    model = another_model(version, intercept)
    promote_model(actor=a_staff_actor(), model_id=model.public_id, now=NOW)
    return model


def chunk() -> float | None:
    return mass.work(NOW, paced=False)


def chunks(number: int) -> None:
    for _ in range(number):
        assert chunk() is not None


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk's time is up with its first subject, or with its first few people."""
    monkeypatch.setattr("django.conf.settings.RESCORE_CHUNK_SECONDS", 0.0)


def states() -> list[str]:
    return list(Rescore.objects.order_by("pk").values_list("state", flat=True))


def progress(job: Rescore):
    return progress_of(with_stages(Rescore.objects.filter(pk=job.pk)).get())


def rows(opportunity: Opportunity) -> list[tuple]:
    found = Match.objects.filter(opportunity=opportunity).order_by("candidate_id")
    return list(found.values_list("candidate_id", "fit", "outcome", "model__version"))


def scored_anew(opportunities: Sequence[Opportunity]) -> dict[int, list[tuple]]:
    """What scoring each of them by itself gives."""
    marks.mark_candidates(Candidate.objects.values_list("pk", flat=True), NOW)
    marks.mark_opportunities([one.pk for one in opportunities], NOW)
    rescoring.drain_all(NOW)
    return {one.pk: rows(one) for one in opportunities}


# What it comes to


def test_it_leaves_what_scoring_each_opportunity_by_itself_would() -> None:
    opportunities, people = a_market(opportunities=4, people=12)
    draw = random.Random(3)
    for person in people:
        Candidate.objects.filter(pk=person.pk).update(
            country=draw.choice(["DE", ""]), weekly_hours=draw.choice([5, 40])
        )
    Match.objects.all().delete()
    job = start()
    mass.work_all(NOW)
    kept = {one.pk: rows(one) for one in opportunities}
    assert all(len(found) == 12 for found in kept.values())
    assert scored_anew(opportunities) == kept
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.failed) == ("done", 16, 16, 0)
    assert not RescoreChunk.objects.exists()
    names = Event.objects.filter(aggregate_type="rescore").order_by("sequence").values_list("name", flat=True)
    assert list(names) == ["RescoreQueued", "RescoreBegun", "RescoreFinished"]


def test_an_empty_market_is_done_at_once() -> None:
    job = start()
    assert mass.work_all(NOW) == 1
    job.refresh_from_db()
    assert (job.state, job.total) == ("done", 0)


def test_only_so_many_as_are_kept_are_written(settings) -> None:
    opportunities, _ = a_market(people=6)
    settings.MATCH_TOP_K = 2
    start()
    mass.work_all(NOW)
    assert [len(best(one)) for one in opportunities] == [2, 2, 2]


# Chunks


def test_a_chunk_ends_with_its_time_and_the_next_goes_on_with_what_is_left(monkeypatch) -> None:
    a_market(opportunities=3)
    one_at_a_time(monkeypatch)
    job = start(NEW_DAY)
    for done in (1, 2, 3):
        chunks(1)
        assert (progress(job).done, progress(job).total) == (done, 3)
    assert progress(job).present is None
    chunks(1)
    assert states() == ["done"]


def test_people_are_copied_before_opportunities_are_scored(monkeypatch) -> None:
    a_market(people=4)
    CandidateProjection.objects.all().delete()
    one_at_a_time(monkeypatch)
    start()
    chunks(1)
    assert CandidateProjection.objects.count() == 4
    assert not Match.objects.filter(computed_at__gt=NOW).exists()


def test_a_chunk_that_fails_in_its_midst_leaves_neither_scores_nor_progress(monkeypatch) -> None:
    opportunities, _ = a_market(opportunities=2)
    model = promoted("later-2")
    jobs_of_the_event()
    score = opportunity_rescoring.rescore

    def failing(ids, now):
        score(ids, now)
        if opportunities[1].pk in ids:
            raise SystemExit  # as if it were killed: nothing is caught, everything is rolled back

    monkeypatch.setattr(opportunity_rescoring, "rescore", failing)
    with pytest.raises(SystemExit):
        chunk()
    assert not Match.objects.filter(model=model).exists()
    [job] = Rescore.objects.filter(state="running")
    assert progress(job).done == 0
    monkeypatch.setattr(opportunity_rescoring, "rescore", score)
    mass.work_all(NOW)
    assert set(Match.objects.values_list("model", flat=True)) == {model.pk}
    job.refresh_from_db()
    assert (job.done, job.total) == (2, 2)


def jobs_of_the_event() -> None:
    from accounts.actions.deliveries import deliver_due

    while deliver_due("rescoring", NOW):
        pass


def test_whatever_cannot_be_scored_is_marked_and_holds_up_no_other(monkeypatch, caplog) -> None:
    opportunities, _ = a_market(opportunities=3)
    score = opportunity_rescoring.rescore
    bad = opportunities[1].pk

    def failing(ids, now):
        if bad in ids:
            raise RuntimeError("cannot")
        score(ids, now)

    Match.objects.all().delete()
    job = start(NEW_DAY)
    with monkeypatch.context() as patched:
        patched.setattr(opportunity_rescoring, "rescore", failing)
        mass.work_all(NOW)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == ("done", 3, 1)
    assert job.error.startswith("RuntimeError")
    assert [bool(best(one)) for one in opportunities] == [True, False, True]
    assert list(Mark.objects.values_list("subject_type", "subject_id")) == [("opportunity", bad)]
    work()
    assert best(opportunities[1])
    assert "trying its subjects one by one" in caplog.text


def test_where_too_much_goes_wrong_it_stops_until_somebody_has_looked(monkeypatch) -> None:
    a_market(opportunities=4)
    monkeypatch.setattr(working, "MOST_FAILED", 2)
    one_at_a_time(monkeypatch)
    job = start(NEW_DAY)

    def failing(ids, now):
        raise RuntimeError("cannot")

    with monkeypatch.context() as patched:
        patched.setattr(opportunity_rescoring, "rescore", failing)
        chunks(2)
        assert chunk() is None
    job.refresh_from_db()
    assert (job.state, job.failed, progress(job).done) == ("failed", 2, 2)
    mass.resume(actor=a_staff_actor(), rescore_id=job.public_id, now=NOW)
    mass.work_all(NOW)
    job.refresh_from_db()
    assert (job.state, job.failed, job.done) == ("done", 2, 4)


def test_scopes_that_nobody_can_read_fail_and_hold_up_no_other(caplog) -> None:
    a_market()
    bad = start({"kind": "weather"})
    assert chunk() is None
    bad.refresh_from_db()
    assert (bad.state, bad.error) == ("failed", "It could not be cut into chunks: ValueError")
    good = start(NEW_DAY)
    mass.work_all(NOW)
    good.refresh_from_db()
    assert good.state == "done"


# Who goes first, and how much


def test_what_was_marked_is_scored_before_the_next_chunk(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "TURN_SECONDS", 600.0)
    opportunities, people = a_market()
    order: list[str] = []
    monkeypatch.setattr(mass, "work", lambda now: order.append("chunk"))
    drain = rescoring.drain
    monkeypatch.setattr(rescoring, "drain", lambda now: order.append("marks") or drain(now))
    marks.mark_candidates([people[0].pk], NOW)
    marks.mark_opportunities([opportunities[0].pk], NOW)
    tasks.rescore_at_large()
    assert order == ["marks", "chunk"]
    assert not Mark.objects.exists()


def test_marks_that_never_end_do_not_keep_the_chunks_from_their_turn(monkeypatch) -> None:
    monkeypatch.setattr(tasks, "TURN_SECONDS", 600.0)
    _, people = a_market()
    marks.mark_candidates([people[0].pk], NOW)
    drain = rescoring.drain
    drained: list[int] = []

    def more(now):
        done = drain(now)
        drained.append(done)
        marks.mark_candidates([people[1].pk], NOW)
        return done

    monkeypatch.setattr(rescoring, "drain", more)
    job = start(NEW_DAY)
    tasks.rescore_at_large()
    assert drained == [1]
    assert progress(job).done > 0


def test_a_flood_of_marks_goes_first_in_turns(monkeypatch) -> None:
    a_market()
    monkeypatch.setattr(tasks, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(tasks, "waiting", lambda: 1000)
    monkeypatch.setattr(rescoring, "drain", lambda now: 10)
    rung: list[bool] = []
    monkeypatch.setattr(mass.bell, "ring", lambda: rung.append(True))
    job = start(NEW_DAY)
    rung.clear()
    tasks.rescore_at_large()
    assert rung == [True]
    assert progress(job).done == 0


def test_the_work_takes_its_share_of_the_time_and_no_more(settings, monkeypatch) -> None:
    a_market(opportunities=8)
    settings.RESCORE_CHUNK_SECONDS, settings.RESCORE_SHARE_PERCENT = 0.01, 1.0
    start(NEW_DAY)
    rest = mass.work(NOW)
    assert rest is not None
    assert rest > 0.5
    assert mass.work(NOW) is None, "another worker may not begin before the time has come"
    settings.RESCORE_SHARE_PERCENT = 100.0
    Rescore.objects.update(next_at=None)
    rest = mass.work(NOW)
    assert rest is not None
    assert rest < 0.3


def test_no_other_worker_begins_as_long_as_a_chunk_is_thought_to_take(settings) -> None:
    a_market()
    settings.RESCORE_CHUNK_SECONDS = 5.0
    start(NEW_DAY)
    job = jobs.begun(NOW)
    assert job is not None
    assert working._may_begin(job.pk)
    assert not working._may_begin(job.pk)


def test_the_speed_and_the_end_are_told_while_it_runs(monkeypatch) -> None:
    a_market(opportunities=5)
    one_at_a_time(monkeypatch)
    job = start(NEW_DAY)
    assert progress(job).per_second is None
    chunks(2)
    found = progress(job)
    assert found.percent == 40
    assert found.per_second is not None
    assert found.per_second > 0
    assert found.ends_at is not None
    mass.pause(actor=SYSTEM, rescore_id=job.public_id, now=NOW)
    assert progress(job).ends_at is None


# Pausing


def test_paused_for_long_nothing_is_done_and_nothing_is_lost(monkeypatch) -> None:
    opportunities, people = a_market(opportunities=4)
    model = promoted("later-2")
    jobs_of_the_event()
    one_at_a_time(monkeypatch)
    chunks(1)
    [job] = Rescore.objects.filter(state="running")
    staff = a_staff_actor()
    mass.pause(actor=staff, rescore_id=job.public_id, now=NOW)
    assert chunk() is None
    assert progress(job).done == 1
    # Meanwhile the market lives on: changes are scored as ever.
    marks.mark_opportunities([opportunities[2].pk], NOW)
    gone = people[0]
    CandidateProjection.objects.filter(pk=gone.pk).update(present=False)
    Candidate.objects.filter(pk=gone.pk).update(suspended_at=NOW)
    marks.mark_candidates([gone.pk], NOW)
    rescoring.drain_all(NOW)
    assert gone.pk not in best(opportunities[2])
    later = NOW + timedelta(days=3)
    mass.resume(actor=staff, rescore_id=job.public_id, now=later)
    mass.work_all(later)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 4, 4)
    assert set(Match.objects.values_list("model", flat=True)) == {model.pk}
    assert all(gone.pk not in best(one) for one in opportunities)
    actions = Transition.objects.filter(subject_type="rescore").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["begin", "pause", "resume", "begin", "finish"]


def test_another_runs_while_one_is_paused_and_the_paused_one_waits_its_turn(monkeypatch) -> None:
    a_market(opportunities=4)
    one_at_a_time(monkeypatch)
    paused = start(NEW_DAY, cause="model")
    chunks(1)
    mass.pause(actor=SYSTEM, rescore_id=paused.public_id, now=NOW)
    start({"kind": "skills", "ids": [a_skill().pk]}, {"kind": "rates", "from": None}, cause="rates")
    assert jobs.begun(NOW)
    mass.resume(actor=SYSTEM, rescore_id=paused.public_id, now=NOW)
    assert states() == ["queued", "running"]
    mass.work_all(NOW)
    assert states() == ["done", "done"]
    paused.refresh_from_db()
    assert paused.done == paused.total == 4


def test_given_up_the_rest_keeps_the_scores_it_has(monkeypatch) -> None:
    a_market(opportunities=3)
    old, new = live_model(), promoted("later-2")
    jobs_of_the_event()
    one_at_a_time(monkeypatch)
    chunks(1)
    [job] = Rescore.objects.filter(state="running")
    mass.cancel(actor=a_staff_actor(), rescore_id=job.public_id, now=NOW)
    assert chunk() is None
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("cancelled", 1, 3)
    assert not RescoreChunk.objects.exists()
    by = dict.fromkeys(Match.objects.values_list("opportunity", "model"))
    assert sorted(model for _, model in by) == sorted([new.pk, old.pk, old.pk])


@pytest.mark.parametrize("step", [mass.pause, mass.resume, mass.cancel])
def test_only_staff_may_and_only_what_its_state_allows(step) -> None:
    job = start(NEW_DAY)
    mass.work_all(NOW)
    with pytest.raises(NotPermitted):
        step(actor=an_organisation().actor, rescore_id=job.public_id, now=NOW)
    with pytest.raises(NotFound):
        step(actor=a_staff_actor(), rescore_id=uuid4(), now=NOW)
    with pytest.raises(IllegalTransition):
        step(actor=a_staff_actor(), rescore_id=job.public_id, now=NOW)
    with pytest.raises(NotPermitted):
        mass.start(cause="asked", scopes=[EVERYTHING], since=NOW, now=NOW, actor=an_organisation().actor)
    assert states() == ["done"]


# One after the other


def test_the_live_model_changes_again_and_the_later_one_does_what_is_left_once(monkeypatch) -> None:
    opportunities, _ = a_market(opportunities=4)
    promoted("later-2")
    jobs_of_the_event()
    one_at_a_time(monkeypatch)
    chunks(2)
    model = promoted("later-3", 7)
    jobs_of_the_event()
    first, second = Rescore.objects.order_by("pk")
    assert (first.state, first.done, first.superseded_by) == ("superseded", 2, second)
    mass.work_all(NOW)
    second.refresh_from_db()
    assert (second.state, second.done, second.total) == ("done", 4, 4)
    assert {version for one in opportunities for *_, version in rows(one)} == {model.version}
    assert not RescoreChunk.objects.exists()


def test_what_one_has_left_is_done_by_the_next_and_what_it_has_done_is_not_done_again(monkeypatch) -> None:
    a_market(opportunities=4, people=3)
    one_at_a_time(monkeypatch)
    first = start()
    chunks(1)  # the people
    chunks(3)  # three opportunities
    second = start({"kind": "skills", "ids": [a_skill().pk]}, cause="taxonomy")
    mass.work_all(NOW)
    second.refresh_from_db()
    assert (second.state, second.done, second.total) == ("done", 1, 1)
    first.refresh_from_db()
    assert (first.state, first.done, first.total) == ("superseded", 6, 7)


def test_those_that_follow_each_other_before_any_begins_add_up(monkeypatch) -> None:
    a_market(opportunities=2, people=2)
    one_at_a_time(monkeypatch)
    begun = start()
    chunks(1)
    start({"kind": "skills", "ids": [a_skill().pk]}, cause="taxonomy", now=NOW + timedelta(hours=1))
    last = start({"kind": "rates", "from": None}, cause="rates", now=NOW + timedelta(hours=2))
    last.refresh_from_db()
    assert [scope["kind"] for scope in last.scopes] == ["rates", "skills"]
    assert (last.since, states()) == (NOW, ["superseded", "superseded", "queued"])
    mass.work_all(NOW)
    last.refresh_from_db()
    begun.refresh_from_db()
    assert (begun.done, last.done) == (2, 2)
    assert not RescoreChunk.objects.exists()


def test_a_paused_one_whose_work_is_all_part_of_a_later_one_is_taken_over(monkeypatch) -> None:
    a_market()
    paused = start(NEW_DAY, cause="day")
    mass.pause(actor=SYSTEM, rescore_id=paused.public_id, now=NOW)
    start({"kind": "skills", "ids": [a_skill().pk]}, cause="taxonomy")
    assert states() == ["paused", "queued"]
    start(NEW_DAY, cause="day", now=NOW + timedelta(days=1))
    assert states() == ["superseded", "superseded", "queued"]


def test_the_database_lets_one_be_at_work() -> None:
    first, second = start(NEW_DAY), Rescore.objects.create(cause="asked", scopes=[], since=NOW, created_at=NOW)
    Rescore.objects.filter(pk=first.pk).update(state="running")
    with pytest.raises(IntegrityError, match="one_rescoring_at_work"), transaction.atomic():
        Rescore.objects.filter(pk=second.pk).update(state="running")
    with pytest.raises(IntegrityError, match="rescoring_state_is_known"), transaction.atomic():
        Rescore.objects.filter(pk=second.pk).update(state="asleep")


def test_the_database_lets_nothing_of_a_chunk_be_done_twice() -> None:
    a_market()
    start(NEW_DAY)
    jobs.begun(NOW)
    with pytest.raises(IntegrityError, match="chunk_is_done_at_most_once"), transaction.atomic():
        RescoreChunk.objects.update(done=1000)


# What happens meanwhile


def test_an_opportunity_that_closes_meanwhile_has_no_matches_and_is_done(monkeypatch) -> None:
    opportunities, _ = a_market(opportunities=3)
    one_at_a_time(monkeypatch)
    job = start(NEW_DAY)
    chunks(1)
    closing = opportunities[2]
    close_opportunity(actor=recruiter_of(closing), opportunity_id=closing.public_id, now=NOW)
    mass.work_all(NOW)  # before anybody has heard that it closed
    assert not best(closing)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == ("done", 3, 0)


def test_an_opportunity_that_is_deleted_meanwhile_holds_up_nothing(monkeypatch) -> None:
    opportunities, _ = a_market(opportunities=2)
    job = start(NEW_DAY)
    jobs.begun(NOW)
    RescoreChunk.objects.update(ids=[10**9, *(one.pk for one in opportunities)], size=3)
    mass.work_all(NOW)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == ("done", 3, 0)
    assert all(best(one) for one in opportunities)


def test_people_who_are_merged_or_deleted_meanwhile_are_in_no_match(monkeypatch) -> None:
    opportunities, people = a_market(people=4)
    skill = a_skill()
    extra = a_candidate()
    one_at_a_time(monkeypatch)
    start()
    jobs.begun(NOW)
    Candidate.objects.filter(pk=people[0].pk).update(merged_into=people[1])
    Match.objects.filter(candidate=extra).delete()
    extra.delete()
    mass.work_all(NOW)
    assert states() == ["done"]
    assert skill
    for one in opportunities:
        assert set(best(one)) == {person.pk for person in people[1:]}


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_chunks_and_none_is_done_twice(monkeypatch) -> None:
    opportunities, _ = a_market(opportunities=45, people=6)
    one_at_a_time(monkeypatch)
    scored: list[int] = []
    score = opportunity_rescoring.rescore

    def counting(ids, now):
        scored.extend(ids)
        score(ids, now)

    monkeypatch.setattr(opportunity_rescoring, "rescore", counting)
    job = start(NEW_DAY)
    errors: list[Exception] = []

    def run() -> None:
        try:
            mass.work_all(NOW)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    workers = [Thread(target=run) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    mass.work_all(NOW)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.failed) == ("done", 45, 45, 0)
    assert sorted(scored) == sorted(one.pk for one in opportunities)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_score_an_opportunity_the_later_reads_what_the_earlier_did_not() -> None:
    opportunities, _ = a_market(opportunities=1)
    model = another_model("later-2")
    order: list[str] = []

    def score() -> None:
        try:
            with transaction.atomic():
                opportunity_rescoring.rescore([opportunities[0].pk], NOW)
                order.append("later")
        finally:
            connections.close_all()

    with transaction.atomic():
        locks.scoring([opportunities[0].pk])  # a chunk that has read the model as it was
        thread = Thread(target=score)
        thread.start()
        thread.join(0.3)
        order.append("earlier")
        ScoringModel.objects.filter(state="live").update(state="retired")
        ScoringModel.objects.filter(pk=model.pk).update(state="live")
    thread.join()
    assert order == ["earlier", "later"]
    assert {version for *_, version in rows(opportunities[0])} == {"later-2"}
    connection.close()
