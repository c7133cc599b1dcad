"""A market of a hundred opportunities and ten thousand people is read in seconds."""

from __future__ import annotations

import copy
from time import perf_counter
from uuid import uuid4

import pytest
from django.db import connection

from marketplace.models import Candidate
from matching.actions.allocation import plan_allocation, replay, solve_run, verify_run
from matching.actions.models import serving_now
from matching.core.run_policy import RunPolicy
from matching.models import AllocationRun, CandidateProjection
from matching.queries.market import gather
from matching.queries.scorable import basics_at
from tests.marketplace.factories import NOW, a_skill, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = [pytest.mark.django_db, pytest.mark.soak]

OPPORTUNITIES, PEOPLE, PASSING = 100, 10_000, 500


def test_a_large_market_is_gathered_solved_and_explained_within_its_time():
    by = an_organisation()
    skills = [a_skill() for _ in range(PEOPLE // PASSING)]
    models = [skilled(skill, 1 + number % 5) for number, skill in enumerate(skills)]
    for number in range(OPPORTUNITIES):
        skill = skills[number % len(skills)]
        asking_for(skill, by, seats=40, rule={"skill": skill.pk, "minLevel": 1})
    work()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for model in models:
            _multiply(model, PASSING - 1)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE marketplace_candidate, matching_candidateprojection")
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    began = perf_counter()
    market = gather(run, RunPolicy.from_data(run.policy), basics_at(NOW, serving_now()), pinned=(), excluded=())
    gathered = perf_counter() - began
    assert len(market.at_hand.ids) == PEOPLE
    assert len(market.pairings) == OPPORTUNITIES * PASSING
    assert gathered < 10
    began = perf_counter()
    run = solve_run(run.pk, NOW)
    took = perf_counter() - began
    print(f"{len(market.pairings):,} pairs gathered in {gathered:.1f} s, planned in {took:.1f} s")
    assert run.state == "planned", run.error
    assert run.proposed == 40 * OPPORTUNITIES
    assert verify_run(run).valid
    assert replay(AllocationRun.objects.get(pk=run.pk)).identical
    assert took < 60


def _multiply(model: Candidate, times: int) -> None:
    """So many more people who are as this one is."""
    people = []
    for _ in range(times):
        person = copy.copy(model)
        person.pk, person.public_id, person.user_id = None, uuid4(), None
        people.append(person)
    Candidate.objects.bulk_create(people)
    projection = CandidateProjection.objects.get(pk=model.pk)
    rows = []
    for person in people:
        row = copy.copy(projection)
        row.candidate_id = person.pk
        rows.append(row)
    CandidateProjection.objects.bulk_create(rows)
