"""Applying, and what becomes of an application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from accounts.errors import DomainError, IllegalTransition, InvalidInput, NotFound, NotPermitted
from accounts.models import Event, Transition
from marketplace.actions.applications import (
    apply,
    move_application,
    open_application,
    reconsider_application,
    reject_application,
    reject_applications,
    withdraw_application,
)
from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import QuestionInput, close_opportunity, pause_opportunity, waive_eligibility
from marketplace.core.money import Pay
from marketplace.errors import (
    AlreadyApplied,
    AnswersNeeded,
    ApplicationNotActive,
    CandidateSuspended,
    NotConsidered,
    NotEligible,
    OpportunityNotOpen,
    OrganisationBlocked,
    UnknownStage,
)
from marketplace.models import Application, Candidate, CandidateSkill, Offer, Opportunity, Seat
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_recruiter,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_organisation,
    everything,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

WRITTEN = (Application, Candidate, CandidateSkill, Event, Transition)
FIVE_YEARS = {"attribute": "years_experience", "op": "gte", "value": 5}
PAY = Pay(Decimal(25), "EUR", "hour")


def refused(refusal: type[DomainError], opportunity: Opportunity, candidate: Candidate, **more: Any) -> DomainError:
    """Apply, be refused, and find that nothing was written."""
    before = everything(WRITTEN)
    with pytest.raises(refusal) as raised:
        an_application(opportunity, candidate, **more)
    assert everything(WRITTEN) == before
    return raised.value


def events(application: Application) -> list[str]:
    mine = Event.objects.filter(aggregate_type="application", aggregate_id=application.pk)
    return list(mine.values_list("name", flat=True))


def test_an_application_pins_its_revision_and_keeps_its_verdict() -> None:
    opportunity = a_published_opportunity(rule=FIVE_YEARS)
    application = an_application(opportunity, a_candidate(years_experience=Decimal(7)), preference_rank=1)

    assert application.revision == opportunity.current_revision
    assert application.verdict["outcome"] == "eligible"
    assert (application.stage, application.source, application.preference_rank) == ("applied", "organic", 1)
    assert events(application) == ["ApplicationSubmitted"]


def test_nobody_applies_twice() -> None:
    application = an_application()
    refused(AlreadyApplied, application.opportunity, application.candidate)


def test_whoever_withdrew_may_apply_again() -> None:
    application = an_application()
    withdraw_application(actor=actor_of(application.candidate), application_id=application.public_id, now=NOW)

    assert an_application(application.opportunity, application.candidate).pk != application.pk


def test_whoever_works_there_does_not_apply_again() -> None:
    opportunity, candidate = a_published_opportunity(seats=2), a_candidate()
    application = an_application(opportunity, candidate)
    offer = send_offer(actor=recruiter_of(opportunity), application_id=application.public_id, pay=PAY, now=NOW)
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)

    refused(AlreadyApplied, opportunity, candidate)


@pytest.mark.django_db(transaction=True)
def test_two_applications_at_once_are_one() -> None:
    opportunity, candidate = a_published_opportunity(), a_candidate()
    start = Barrier(4)

    def try_to_apply(_: int) -> str:
        try:
            start.wait(timeout=10)
            an_application(opportunity, candidate)
        except DomainError as refusal:
            return refusal.code
        else:
            return "applied"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        outcomes = sorted(threads.map(try_to_apply, range(4)))

    assert outcomes == ["ALREADY_APPLIED"] * 3 + ["applied"]
    assert Application.objects.count() == 1
    assert Event.objects.filter(name="ApplicationSubmitted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_application_slips_in_while_an_opportunity_closes() -> None:
    opportunity = a_published_opportunity()
    candidates = [a_candidate() for _ in range(6)]
    start = Barrier(7)

    def run(one: Candidate | None) -> str:
        try:
            start.wait(timeout=10)
            if one is None:
                close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)
            else:
                an_application(opportunity, one)
        except DomainError as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(7) as threads:
        outcomes = set(threads.map(run, [*candidates[:3], None, *candidates[3:]]))

    assert outcomes <= {"done", "OPPORTUNITY_NOT_OPEN"}
    assert not Application.objects.live().exists()


@pytest.mark.parametrize(
    ("now", "because"), [(NOW, "not_yet"), (NOW + DAY, None), (NOW + 2 * DAY, "over"), (NOW + 3 * DAY, "over")]
)
def test_applying_keeps_to_the_opening_times(now: datetime, because: str | None) -> None:
    opportunity = a_published_opportunity(opens_at=NOW + HOUR, closes_at=NOW + 2 * DAY)
    candidate = a_candidate()
    if because is None:
        an_application(opportunity, candidate, now=now)
    else:
        assert refused(OpportunityNotOpen, opportunity, candidate, now=now).data["because"] == because


def test_nobody_applies_to_what_is_paused() -> None:
    opportunity = a_published_opportunity(visibility="unlisted")
    candidate = an_application(opportunity).candidate
    pause_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)

    refused(OpportunityNotOpen, opportunity, candidate)
    refused(NotFound, opportunity, a_candidate())  # who never saw it does not learn that it is there


def test_drafts_and_ids_of_nothing_look_alike() -> None:
    candidate = a_candidate()
    for opportunity_id in (a_draft().public_id, uuid4(), candidate.public_id, "1; DROP TABLE"):
        with pytest.raises(NotFound) as refusal:
            apply(actor=actor_of(candidate), opportunity_id=opportunity_id, now=NOW)  # type: ignore[arg-type]
        assert refusal.value.data == {"kind": "opportunity"}


def test_whoever_is_no_candidate_cannot_apply() -> None:
    opportunity = a_published_opportunity()
    with pytest.raises(NotFound):
        apply(actor=a_recruiter().actor, opportunity_id=opportunity.public_id, now=NOW)


def test_opportunities_for_the_invited_are_for_the_invited() -> None:
    opportunity = a_published_opportunity(visibility="invited")
    refused(NotFound, opportunity, a_candidate())


def test_the_suspended_do_not_apply() -> None:
    candidate = a_candidate()
    Candidate.objects.filter(pk=candidate.pk).update(suspended_at=NOW)
    refused(CandidateSuspended, a_published_opportunity(), candidate)


def test_neither_side_deals_with_whom_it_turned_away_from() -> None:
    works = an_organisation()
    opportunity, blocking, unwanted = a_published_opportunity(works), a_candidate(), a_candidate()
    organisation_id = works.organisation.public_id
    fields = CandidateFields(blocked_organisation_ids=[organisation_id])
    update_candidate(actor=actor_of(blocking), candidate_id=blocking.public_id, fields=fields, now=NOW)
    group = standard_group(actor=works.actor, organisation_id=organisation_id, kind="do_not_rehire")
    add_to_group(actor=works.actor, group_id=group.public_id, candidate_id=unwanted.public_id, now=NOW)

    refused(OrganisationBlocked, opportunity, blocking)
    refused(NotConsidered, opportunity, unwanted)


# Eligibility


def test_the_ineligible_read_why_and_what_would_change_it() -> None:
    skill = a_skill("welding")
    rule = {"skill": skill.pk, "minLevel": 4}
    candidate = a_candidate(skills=[SkillInput(skill.public_id, 2)])

    refusal = refused(NotEligible, a_published_opportunity(rule=rule), candidate)

    verdict = refusal.data["verdict"]
    assert verdict["reasons"] == [
        {
            "kind": "SkillTooLow",
            "path": "$",
            "sentence": "welding is needed at level 4, not 2.",
            "has": "level 2",
            "needs": "level 4",
            "skill": str(skill.public_id),
        }
    ]
    assert verdict["nearestChange"]["sentence"] == "welding at level 4 instead of level 2"


def test_hidden_criteria_stay_hidden() -> None:
    opportunity = a_published_opportunity(rule={**FIVE_YEARS, "disclosure": "organisation"})

    refusal = refused(NotEligible, opportunity, a_candidate(years_experience=Decimal(2)))

    assert refusal.data["verdict"]["reasons"] == []
    assert refusal.data["verdict"]["nearestChange"] is None


def test_the_waived_may_apply() -> None:
    opportunity = a_published_opportunity(rule=FIVE_YEARS)
    candidate = a_candidate(years_experience=Decimal(2))
    waive_eligibility(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        candidate_id=candidate.public_id,
        reason="Trained by us.",
        until=NOW + HOUR,
        now=NOW,
    )

    refused(NotEligible, opportunity, candidate, now=NOW + HOUR)
    assert an_application(opportunity, candidate).verdict["waived"] is True


def test_missing_facts_are_asked_for_and_answers_become_facts() -> None:
    rule = {"all": [FIVE_YEARS, {"language": "de", "minLevel": "B2"}, {"workAuthorisation": "DE"}]}
    opportunity, candidate = a_published_opportunity(rule=rule), a_candidate()

    refusal = refused(AnswersNeeded, opportunity, candidate)
    asked = [(question["kind"], question["key"]) for question in refusal.data["questions"]]
    assert asked == [("fact", "years_experience"), ("fact", "language"), ("fact", "workAuthorisation")]

    facts = {"years_experience": 6, "language": {"de": "C1"}, "workAuthorisation": {"DE": "2028-01-31"}}
    an_application(opportunity, candidate, answers={"facts": facts})

    candidate.refresh_from_db()
    assert (candidate.years_experience, candidate.languages.get().level, candidate.revision) == (6, 5, 2)
    changed = Event.objects.get(name="CandidateUpdated").payload["changed"]
    assert changed == ["languages", "work_authorisations", "years_experience"]


def test_answers_that_make_ineligible_change_no_facts() -> None:
    opportunity = a_published_opportunity(rule=FIVE_YEARS)
    refused(NotEligible, opportunity, a_candidate(), answers={"facts": {"years_experience": 1}})


def test_years_of_a_skill_are_asked_for_by_its_public_id() -> None:
    skill = a_skill("welding")
    candidate = a_candidate(skills=[SkillInput(skill.public_id, 4)])
    opportunity = a_published_opportunity(rule={"skill": skill.pk, "minYears": 3})

    [question] = refused(AnswersNeeded, opportunity, candidate).data["questions"]
    assert question == {
        "kind": "fact",
        "key": "skill",
        "about": str(skill.public_id),
        "prompt": "How many years have you practised welding?",
    }

    an_application(opportunity, candidate, answers={"facts": {"skill": {question["about"]: {"years": 5}}}})
    assert (candidate.skills.get().level, candidate.skills.get().years) == (4, 5)


@pytest.mark.parametrize(
    "facts",
    [
        {"shoe_size": 44},
        {"years_experience": "many"},
        {"available_from": "tomorrow"},
        {"hourly_rate": {"amount": -1, "currency": "EUR", "period": "hour"}},
        {"hourly_rate": {"amount": 1, "currency": "ZZZ", "period": "hour"}},
        {"language": {"de": "D1"}},
        {"language": ["de"]},
        {"workAuthorisation": {"XX": None}},
        {"skill": {"1": {"level": 3}}},
        {"commitments": "full_time"},
        ["country"],
    ],
)
def test_facts_that_cannot_be_are_refused(facts: Any) -> None:
    refused(InvalidInput, a_published_opportunity(), a_candidate(), answers={"facts": facts})


# Screening

QUESTIONS = [
    QuestionInput("shift", "Which shift?", "choice", ["day", "night"]),
    QuestionInput("car", "Do you drive?", "yes_no"),
    QuestionInput("jobs", "How many jobs?", "number", required=False),
    QuestionInput("why", "Why you?", required=False),
]


def test_required_questions_are_answered_first() -> None:
    opportunity, candidate = a_published_opportunity(questions=QUESTIONS), a_candidate()

    refusal = refused(AnswersNeeded, opportunity, candidate, answers={"why": "Because."})
    assert [question["key"] for question in refusal.data["questions"]] == ["shift", "car"]

    application = an_application(opportunity, candidate, answers={"shift": "day", "car": False, "jobs": 3})
    assert application.answers == {"shift": "day", "car": False, "jobs": 3}


@pytest.mark.parametrize(
    "wrong",
    [{"shift": "dusk"}, {"car": "yes"}, {"jobs": "three"}, {"why": "x" * 2001}, {"why": "\x00"}, {"age": 33}],
)
def test_answers_of_the_wrong_kind_are_refused(wrong: dict[str, Any]) -> None:
    opportunity = a_published_opportunity(questions=QUESTIONS)
    refused(InvalidInput, opportunity, a_candidate(), answers={"shift": "day", "car": True, **wrong})


@pytest.mark.parametrize("rank", [0, -1, True, 1001])
def test_preferences_count_from_one(rank: int) -> None:
    refused(InvalidInput, a_published_opportunity(), a_candidate(), preference_rank=rank)


# What becomes of it


def test_an_application_moves_along_the_pipeline() -> None:
    application = an_application()
    by = {"actor": recruiter_of(application.opportunity), "application_id": application.public_id, "now": NOW}

    assert move_application(stage="shortlist", **by).stage == "shortlist"
    move_application(stage="shortlist", **by)
    assert events(application) == ["ApplicationSubmitted", "ApplicationMoved"]
    with pytest.raises(UnknownStage):
        move_application(stage="heaven", **by)
    with pytest.raises(NotPermitted):
        move_application(
            actor=actor_of(application.candidate), application_id=application.public_id, stage="offer", now=NOW
        )
    reject_application(reason="pay", **by)
    with pytest.raises(ApplicationNotActive):
        move_application(stage="offer", **by)


def test_rejecting_withdraws_the_offer_and_can_be_taken_back() -> None:
    application = an_application()
    actor = recruiter_of(application.opportunity)
    offer = send_offer(actor=actor, application_id=application.public_id, pay=PAY, now=NOW)

    rejected = reject_application(
        actor=actor, application_id=application.public_id, reason="experience", note="too green", now=NOW
    )

    offer.refresh_from_db()
    assert (rejected.status, rejected.rejection_reason, offer.state) == ("rejected", "experience", "withdrawn")
    assert Seat.objects.get().state == "open"
    assert "too green" not in str(list(Event.objects.values_list("payload", flat=True)))
    back = reconsider_application(actor=actor, application_id=application.public_id, now=NOW)
    assert (back.status, back.rejection_reason) == ("active", "")


def test_a_rejection_needs_a_known_reason() -> None:
    application = an_application()
    actor = recruiter_of(application.opportunity)
    before = everything(WRITTEN)
    for wrong in ({"reason": "hair"}, {"reason": "pay", "note": "x" * 2001}, {"reason": ""}):
        with pytest.raises(InvalidInput):
            reject_application(actor=actor, application_id=application.public_id, now=NOW, **wrong)
    assert everything(WRITTEN) == before


def test_an_application_is_not_reconsidered_beside_a_newer_one_or_when_all_is_over() -> None:
    application = an_application()
    actor = recruiter_of(application.opportunity)
    by = {"actor": actor, "application_id": application.public_id, "now": NOW}
    reject_application(reason="pay", **by)
    an_application(application.opportunity, application.candidate)
    with pytest.raises(AlreadyApplied):
        reconsider_application(**by)
    close_opportunity(actor=actor, opportunity_id=application.opportunity.public_id, now=NOW)
    with pytest.raises(OpportunityNotOpen):
        reconsider_application(**by)


def test_many_are_rejected_together_or_not_at_all() -> None:
    opportunity = a_published_opportunity()
    applications = [an_application(opportunity) for _ in range(3)]
    ids = [application.public_id for application in applications]
    actor = recruiter_of(opportunity)
    before = everything(WRITTEN)

    for wrong in ([*ids, uuid4()], [*ids, an_application().public_id]):
        before = everything(WRITTEN)
        with pytest.raises(NotFound):
            reject_applications(actor=actor, application_ids=wrong, reason="filled", now=NOW)
        assert everything(WRITTEN) == before
    rejected = reject_applications(actor=actor, application_ids=[ids[2], *ids], reason="filled", now=NOW)

    assert [application.public_id for application in rejected] == [ids[2], ids[0], ids[1]]
    assert {application.status for application in rejected} == {"rejected"}


def test_withdrawing_declines_the_offer() -> None:
    application = an_application()
    send_offer(actor=recruiter_of(application.opportunity), application_id=application.public_id, pay=PAY, now=NOW)
    by = {"application_id": application.public_id, "now": NOW}

    with pytest.raises(NotFound):
        withdraw_application(actor=actor_of(a_candidate()), **by)
    with pytest.raises(NotPermitted):
        withdraw_application(actor=a_staff_actor(), **by)
    withdrawn = withdraw_application(actor=actor_of(application.candidate), **by)

    assert (withdrawn.status, Offer.objects.get().state, Seat.objects.get().state) == ("withdrawn", "declined", "open")
    with pytest.raises(IllegalTransition):
        withdraw_application(actor=actor_of(application.candidate), **by)


def test_nobody_decides_about_themselves() -> None:
    works = an_organisation()
    colleague = a_recruiter(works)
    candidate = a_candidate(user=colleague.user)
    application = an_application(a_published_opportunity(works), candidate)

    with pytest.raises(NotPermitted):
        move_application(actor=colleague.actor, application_id=application.public_id, stage="offer", now=NOW)


def test_allocation_opens_applications_only_for_the_eligible_who_are_open_to_offers() -> None:
    opportunity = a_published_opportunity(rule=FIVE_YEARS)

    def opened(**facts: Any) -> Application:
        from accounts.core.actor import ActorKind

        return open_application(
            opportunity_pk=opportunity.pk,
            candidate_pk=a_candidate(**facts).pk,
            actor=recruiter_of(opportunity),
            by=ActorKind.MEMBER,
            now=NOW,
        )

    assert opened(years_experience=Decimal(6), open_to_offers=True).source == "allocation"
    for facts in (
        {"years_experience": Decimal(6)},
        {"years_experience": Decimal(1), "open_to_offers": True},
        {"open_to_offers": True},
    ):
        with pytest.raises(NotEligible):
            opened(**facts)
