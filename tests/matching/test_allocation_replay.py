"""Runs are done again byte for byte, and prove themselves."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from marketplace.models import Candidate
from matching.actions.allocation import (
    plan_allocation,
    replay,
    verify_run,
)
from matching.models import AllocationRun
from tests.marketplace.factories import (
    NOW,
    a_skill,
    an_organisation,
)
from tests.matching.staging import asking_for, plan, skilled

pytestmark = pytest.mark.django_db


def test_a_stored_run_recomputes_byte_for_byte_and_proves_itself():
    by, skill = an_organisation(), a_skill()
    for level in (1, 2, 3):
        asking_for(skill, by, level=level, seats=2)
    for number in range(8):
        skilled(skill, 1 + number % 5)
    run = AllocationRun.objects.get(pk=plan(by).pk)
    assert replay(run).identical
    certificate = verify_run(run)
    assert certificate.optimal
    assert (certificate.value, certificate.bound) == (run.value, run.bound)
    Candidate.objects.update(suspended_at=NOW)
    assert replay(AllocationRun.objects.get(pk=run.pk)).identical


def test_a_run_that_was_tampered_with_does_not_pass():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5)
    skilled(skill, 1)
    run = plan(by)
    honest = copy.deepcopy(run.solution)
    run.solution = {**honest, "value": honest["value"] + 1}
    assert replay(run).differences == ("value",)
    assert not verify_run(run).valid
    run.solution = honest
    run.snapshot = {**run.snapshot, "model": "another"}
    assert replay(run).differences == ("snapshot",)


def test_a_run_without_a_solution_says_why_it_cannot_be_replayed():
    by = an_organisation()
    run = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    assert not replay(run).identical
    assert (replay(run).code, "queued" in replay(run).not_replayable) == ("NOTHING_TO_REPLAY", True)


def test_a_run_that_another_solver_made_is_not_compared():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5)
    run = plan(by)
    run.solution = {**run.solution, "solver": "auction 0"}
    assert (replay(run).code, replay(run).differences) == ("ANOTHER_SOLVER", ())


def test_a_snapshot_holds_no_personal_value():
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5, name="Zaphod", headline="President", years_experience=Decimal("77.5"))
    run = plan(by)
    text = str(run.snapshot)
    assert "Zaphod" not in text
    assert "President" not in text
    assert "77.5" not in text


def test_runs_are_verified_replayed_and_handed_out_from_the_command_line(capsys):
    by, skill = an_organisation(), a_skill()
    asking_for(skill, by)
    skilled(skill, 5)
    run = plan(by)
    told = {}
    for verb in ("verify", "replay", "proof"):
        call_command("allocation", verb, str(run.public_id))
        told[verb] = json.loads(capsys.readouterr().out)
    assert (told["verify"]["valid"], told["verify"]["gap"]) == (True, 0)
    assert told["replay"] == {"identical": True, "differences": [], "not_replayable": None, "code": None}
    assert told["proof"]["solution"]["assignment"] == [[0, 0]]
    AllocationRun.objects.filter(pk=run.pk).update(solution={**run.solution, "value": run.value + 1})
    for verb in ("verify", "replay"):
        with pytest.raises(SystemExit) as ended:
            call_command("allocation", verb, str(run.public_id))
        assert ended.value.code == 1
    queued = plan_allocation(actor=by.actor, organisation_id=by.organisation.public_id, now=NOW)
    for wrong in (queued.public_id, uuid4()):
        with pytest.raises(CommandError):
            call_command("allocation", "verify", str(wrong))
