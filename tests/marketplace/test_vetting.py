"""Checks that staff record: who may, what they change, and what they mean to verdicts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from accounts.core.actor import Actor
from accounts.errors import DomainError, InvalidInput, NotFound, NotPermitted
from accounts.models import Event
from marketplace.actions.vetting import record_vetting, withdraw_vetting
from marketplace.models import Application, Candidate, VettingResult
from marketplace.queries.eligibility import judge
from matching.core.eligibility import Outcome
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_staff_actor,
    a_user,
    actor_of,
    an_application,
    an_organisation,
    everything,
)

pytestmark = pytest.mark.django_db

NEXT_YEAR = date(2028, 1, 31)


def record(person: Candidate, *, by: Actor | None = None, **given: Any) -> VettingResult:
    values = {"kind": "background", "passed": True, "now": NOW, **given}
    return record_vetting(actor=by or a_staff_actor(), candidate_id=person.public_id, **values)


def told(person: Candidate) -> list[tuple[str, dict[str, Any]]]:
    rows = Event.objects.filter(aggregate_type="candidate", aggregate_id=person.pk).exclude(name="CandidateRegistered")
    return list(rows.order_by("sequence").values_list("name", "payload"))


def test_a_result_is_a_fact_and_makes_the_revision_grow() -> None:
    person = a_candidate()
    result = record(person, until=NEXT_YEAR)
    person.refresh_from_db()
    assert (result.kind, result.passed, result.until, person.revision) == ("background", True, NEXT_YEAR, 2)
    assert told(person) == [("VettingRecorded", {"kind": "background"})]


def test_the_same_result_again_changes_nothing_and_another_takes_its_place() -> None:
    person = a_candidate()
    first = record(person, until=NEXT_YEAR)
    assert record(person, until=NEXT_YEAR, now=NOW + DAY).recorded_at == first.recorded_at
    assert len(told(person)) == 1
    record(person, passed=False, now=NOW + DAY)
    [kept] = VettingResult.objects.all()
    assert (kept.pk, kept.passed, kept.until, len(told(person))) == (first.pk, False, None, 2)


def test_a_result_taken_back_leaves_the_check_unknown() -> None:
    person, opportunity = a_candidate(), a_published_opportunity(rule={"vetted": "background"})
    result = record(person, passed=False)
    assert judge(person, opportunity, now=NOW).outcome is Outcome.INELIGIBLE
    withdraw_vetting(actor=a_staff_actor(), vetting_id=result.public_id, now=NOW)
    assert judge(person, opportunity, now=NOW).outcome is Outcome.UNKNOWN
    assert told(person)[-1] == ("VettingWithdrawn", {"kind": "background"})
    with pytest.raises(NotFound):
        withdraw_vetting(actor=a_staff_actor(), vetting_id=result.public_id, now=NOW)


def test_a_check_runs_out_after_its_last_day() -> None:
    person, opportunity = a_candidate(), a_published_opportunity(rule={"vetted": "background"})
    record(person, until=NOW.date())
    assert judge(person, opportunity, now=NOW).is_eligible
    assert judge(person, opportunity, now=NOW + DAY).outcome is Outcome.INELIGIBLE


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "horoscope"}, "kind"),
        ({"kind": None}, "kind"),
        ({"passed": "yes"}, "passed"),
        ({"passed": False, "until": NEXT_YEAR}, "until"),
        ({"until": date(2027, 2, 28)}, "until"),
        ({"until": NOW}, "until"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], field: str) -> None:
    person = a_candidate()
    with pytest.raises(InvalidInput) as refusal:
        record(person, **given)
    assert refusal.value.data["field"] == field
    assert not VettingResult.objects.exists()


def test_nobody_but_staff_records_and_not_about_themselves() -> None:
    owner, person, staff = an_organisation(), a_candidate(), a_user(is_staff=True)
    of_staff = a_candidate(user=staff)
    an_application(a_published_opportunity(owner), person)
    tables = [VettingResult, Candidate, Event]
    before = everything(tables)
    attempts = [(owner.actor, person), (actor_of(person), person), (Actor(), person), (actor_of(staff), of_staff)]
    for actor, whom in attempts:
        with pytest.raises(DomainError) as refusal:
            record(whom, by=actor)
        assert isinstance(refusal.value, NotPermitted)
    assert everything(tables) == before


def test_a_check_without_a_result_keeps_nobody_from_applying() -> None:
    rule = {"all": [{"vetted": "background"}, {"attribute": "country", "op": "eq", "value": "DE"}]}
    opportunity, person = a_published_opportunity(rule=rule), a_candidate(country="DE")
    application = an_application(opportunity, person)
    assert Application.objects.get(pk=application.pk).verdict["outcome"] == "unknown"
