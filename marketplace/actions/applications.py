"""Applications: applying, moving through the pipeline, rejecting, withdrawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.actions.events import append
from accounts.actions.timers import cancel_timer
from accounts.actions.transitions import move
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.machine import decide
from accounts.core.text import clean_text
from accounts.errors import InvalidInput, NotFound
from marketplace.access import access_application, access_opportunity, keep_opportunity, kind_for, own_candidate
from marketplace.actions import checks
from marketplace.actions.answers import check_screening, fact_questions, split, state_answers
from marketplace.actions.offers import end_live_offers
from marketplace.actions.refusals import remembering_refusals
from marketplace.actions.standing import check_open, check_relation
from marketplace.core.workflow import (
    APPLICATION,
    INVITATION,
    LIVE_PLACEMENT_STATES,
    ApplicationStatus,
    OpportunityState,
)
from marketplace.errors import (
    AlreadyApplied,
    AnswersNeeded,
    ApplicationNotActive,
    OpportunityNotOpen,
    UnknownStage,
)
from marketplace.models import (
    Application,
    Candidate,
    Invitation,
    Opportunity,
    WaitlistEntry,
)
from marketplace.queries.eligibility import judge, judgement
from marketplace.queries.refusals import FactChange, changes_after_refusal
from marketplace.queries.verdicts import answerable, not_eligible
from matching.core.eligibility import Verdict
from matching.core.rules import Disclosure

MOST_AT_ONCE = 500


def apply(
    *,
    actor: Actor,
    opportunity_id: UUID,
    answers: Mapping[str, Any] | None = None,
    preference_rank: int | None = None,
    now: datetime,
) -> Application:
    """Ask to be considered. `answers` are by question key; under `facts` stand facts that a verdict asked for, which
    become the candidate's own. A live invitation is accepted by it.

    Raises OpportunityNotOpen, AlreadyApplied, NotEligible, AnswersNeeded, CandidateSuspended, OrganisationBlocked,
    NotConsidered, InvalidInput, NotFound, LoginRequired.
    """
    with remembering_refusals(now), transaction.atomic():
        person = own_candidate(actor)
        seen = access_opportunity(actor, opportunity_id)
        opportunity = _kept(seen.pk)
        live = Invitation.objects.live().filter(opportunity=opportunity, candidate=person, expires_at__gt=now)
        invitation = live.select_for_update(no_key=True).first()
        if opportunity.visibility == Opportunity.Visibility.INVITED and invitation is None:
            if _has_live_application(opportunity, person):
                raise AlreadyApplied
            raise NotFound("opportunity")
        return submit(
            opportunity,
            person.pk,
            actor=actor,
            answers=answers,
            preference_rank=preference_rank,
            invitation=invitation,
            now=now,
        )


def submit(
    opportunity: Opportunity,
    candidate_pk: int,
    *,
    actor: Actor,
    answers: Mapping[str, Any] | None,
    preference_rank: int | None = None,
    invitation: Invitation | None,
    now: datetime,
) -> Application:
    """Apply on behalf of the person themselves, in the caller's transaction. The caller keeps the opportunity and has
    locked the invitation, which this accepts."""
    if preference_rank is not None:
        checks.whole(preference_rank, field="preferenceRank", low=1, high=1000)
    screening, facts = split(answers)
    check_open(opportunity, now)
    # The person's row puts two applications of theirs, and changes of their facts, one after the other.
    candidate = Candidate.objects.select_for_update(no_key=True).get(pk=candidate_pk)
    check_relation(opportunity, candidate)
    if _has_live_application(opportunity, candidate):
        raise AlreadyApplied
    revision = opportunity.current_revision
    assert revision is not None  # published_opportunity_has_a_revision
    clean, open_questions = check_screening(screening, revision)
    if facts:
        state_answers(candidate, facts, actor=actor, now=now)
    judged = judgement(candidate, opportunity, now=now, nearest=True)
    verdict = judged.verdict
    if judged.is_refusal:
        raise not_eligible(verdict, judged=judged)
    # What others have to answer (the result of a check) keeps nobody from applying.
    open_questions = fact_questions(answerable(verdict)) + open_questions
    if open_questions:
        raise AnswersNeeded(open_questions)
    application = _create(
        opportunity,
        candidate,
        verdict,
        actor=actor,
        by=ActorKind.CANDIDATE,
        source=Application.Source.INVITATION if invitation else Application.Source.ORGANIC,
        answers=clean,
        preference_rank=preference_rank,
        invitation=invitation,
        changes=changes_after_refusal(judged, opportunity_id=opportunity.pk, now=now),
        now=now,
    )
    if invitation is not None:
        payload = {"opportunity": opportunity.pk, "candidate": candidate.pk, "application": application.pk}
        move(
            invitation,
            INVITATION,
            "accept",
            actor=actor,
            by=ActorKind.CANDIDATE,
            now=now,
            extra_fields={"answered_at": now},
            payload=payload,
        )
        cancel_timer("invitation_expiry", invitation.pk)
    return application


def open_application(
    *, opportunity_pk: int, candidate_pk: int, actor: Actor, by: ActorKind, now: datetime
) -> Application:
    """The live application of a pair, or a new one for somebody who is open to offers and has not applied.

    For allocation, inside its transaction; inner ids. Unknown is not good enough here: nobody is there to be asked.
    Raises OpportunityNotOpen, NotEligible, CandidateSuspended, OrganisationBlocked, NotConsidered.
    """
    opportunity = _kept(opportunity_pk)
    check_open(opportunity, now)
    candidate = Candidate.objects.select_for_update(no_key=True).get(pk=candidate_pk)
    check_relation(opportunity, candidate)
    application = Application.objects.live().filter(opportunity=opportunity, candidate=candidate).first()
    if application is not None:
        return application
    verdict = judge(candidate, opportunity, now=now)
    if not verdict.is_eligible or not candidate.open_to_offers:
        raise not_eligible(verdict)
    return _create(
        opportunity,
        candidate,
        verdict,
        actor=actor,
        by=by,
        source=Application.Source.ALLOCATION,
        now=now,
    )


def withdraw_application(*, actor: Actor, application_id: UUID, now: datetime) -> Application:
    """Step back; a live offer is declined with it. Raises IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        application = access_application(actor, application_id, to="own", lock=True)
        by = kind_for(actor, application)
        decide(APPLICATION, application.status, "withdraw", by)
        end_live_offers("decline", application=application, actor=actor, by=by, now=now, reason="withdrawn")
        _move(application, "withdraw", actor=actor, by=by, now=now)
        _leave_waitlist(application)
    return application


def move_application(*, actor: Actor, application_id: UUID, stage: str, now: datetime) -> Application:
    """Put it at a stage of the opportunity's pipeline. Raises UnknownStage, ApplicationNotActive, NotFound,
    NotPermitted."""
    with transaction.atomic():
        application = access_application(actor, application_id, to="manage", lock=True)
        pipeline = list(application.opportunity.pipeline)
        if stage not in pipeline:
            raise UnknownStage(stage=str(stage)[:40], stages=pipeline)
        if application.status != ApplicationStatus.ACTIVE:
            raise ApplicationNotActive(status=application.status)
        if application.stage != stage:
            before, application.stage = application.stage, stage
            application.save(update_fields=["stage"])
            append(
                application,
                "ApplicationMoved",
                actor=actor,
                by=kind_for(actor, application),
                now=now,
                payload={"from": before, "to": stage, **_subject(application)},
            )
    return application


def reject_application(
    *, actor: Actor, application_id: UUID, reason: str, note: str = "", now: datetime
) -> Application:
    """Say no. The candidate reads the `reason`, never the `note`; a live offer is withdrawn.

    Raises InvalidInput, IllegalTransition, NotFound, NotPermitted.
    """
    [application] = reject_applications(
        actor=actor, application_ids=[application_id], reason=reason, note=note, now=now
    )
    return application


def reject_applications(
    *, actor: Actor, application_ids: Sequence[UUID], reason: str, note: str = "", now: datetime
) -> list[Application]:
    """Reject several, all or none. Raises as `reject_application` does."""
    reason = checks.choice(reason, field="reason", among=Application.Rejection.values)
    note = clean_text(note, field="note", max_length=2000)
    ids = checks.several(application_ids, field="applicationIds", at_most=MOST_AT_ONCE)
    if not ids:
        raise InvalidInput("applicationIds", "must not be empty")
    with transaction.atomic():
        seen = {access_application(actor, public_id, to="manage") for public_id in dict.fromkeys(ids)}
        in_order = sorted(seen, key=lambda application: application.pk)
        # All of them before any offer or seat, as the order of locks wants it.
        locked = [access_application(actor, one.public_id, to="manage", lock=True) for one in in_order]
        for application in locked:
            by = kind_for(actor, application)
            decide(APPLICATION, application.status, "reject", by)
            end_live_offers("withdraw", application=application, actor=actor, by=by, now=now, reason="rejected")
            extra = {"rejection_reason": reason, "rejection_note": note}
            _move(application, "reject", actor=actor, by=by, now=now, reason=reason, extra_fields=extra)
            _leave_waitlist(application)
    rejected = {application.public_id: application for application in locked}
    return [rejected[public_id] for public_id in dict.fromkeys(ids)]


def reconsider_application(*, actor: Actor, application_id: UUID, now: datetime) -> Application:
    """Take a rejection back. Raises OpportunityNotOpen, AlreadyApplied (they applied anew meanwhile),
    IllegalTransition, NotFound, NotPermitted."""
    with transaction.atomic():
        application = access_application(actor, application_id, to="manage", lock=True)
        opportunity = application.opportunity
        decide(APPLICATION, application.status, "reconsider", kind_for(actor, application))
        if opportunity.state not in {OpportunityState.PUBLISHED, OpportunityState.PAUSED}:
            raise OpportunityNotOpen(state=opportunity.state)
        with refusing({"one_live_application_per_pair": AlreadyApplied}):
            _move(
                application,
                "reconsider",
                actor=actor,
                by=kind_for(actor, application),
                now=now,
                extra_fields={"rejection_reason": ""},
            )
    return application


def _kept(opportunity_pk: int) -> Opportunity:
    """The opportunity as it will be until the transaction ends."""
    keep_opportunity(opportunity_pk)
    return Opportunity.objects.select_related("posting_organisation", "current_revision").get(pk=opportunity_pk)


def _has_live_application(opportunity: Opportunity, candidate: Candidate) -> bool:
    """An active one, or one that led to work which still goes on."""
    hired = Q(status=ApplicationStatus.HIRED, offers__placement__state__in=LIVE_PLACEMENT_STATES)
    mine = Application.objects.filter(opportunity=opportunity, candidate=candidate)
    return mine.filter(Q(status=ApplicationStatus.ACTIVE) | hired).exists()


def _create(
    opportunity: Opportunity,
    candidate: Candidate,
    verdict: Verdict,
    *,
    actor: Actor,
    by: ActorKind,
    source: str,
    answers: dict[str, Any] | None = None,
    preference_rank: int | None = None,
    invitation: Invitation | None = None,
    changes: Sequence[FactChange] = (),
    now: datetime,
) -> Application:
    assert opportunity.current_revision is not None  # published_opportunity_has_a_revision
    with refusing({"one_live_application_per_pair": AlreadyApplied}):
        application = Application.objects.create(
            candidate=candidate,
            opportunity=opportunity,
            revision=opportunity.current_revision,
            invitation=invitation,
            source=source,
            answers=answers or {},
            verdict=verdict.to_json(),
            changed_after_refusal=[change.to_json() for change in changes],
            stage=opportunity.pipeline[0] if opportunity.pipeline else "applied",
            preference_rank=preference_rank,
            created_at=now,
        )
    payload = {**_subject(application), "source": source, **_hint(changes)}
    append(application, "ApplicationSubmitted", actor=actor, by=by, now=now, payload=payload)
    return application


def _hint(changes: Sequence[FactChange]) -> dict[str, list[str]]:
    """For the event: which facts were changed after a refusal, as far as the organisation may know."""
    names = sorted({one.subject for one in changes if one.disclosure.is_open_to(Disclosure.ORGANISATION)})
    return {"changed_after_refusal": names} if names else {}


def _move(application: Application, action: str, *, actor: Actor, by: ActorKind, now: datetime, **more: Any) -> None:
    move(application, APPLICATION, action, actor=actor, by=by, now=now, payload=_subject(application), **more)


def _subject(application: Application) -> dict[str, int]:
    return {"opportunity": application.opportunity_id, "candidate": application.candidate_id}


def _leave_waitlist(application: Application) -> None:
    WaitlistEntry.objects.filter(
        opportunity_id=application.opportunity_id, candidate_id=application.candidate_id
    ).delete()
