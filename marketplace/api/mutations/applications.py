"""Inviting, applying, and moving applications along."""

from datetime import datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import decode_id, public_id
from accounts.api.peers import together
from accounts.api.refusals import Keyed, mutation
from accounts.api.scalars import JSON
from accounts.core.scopes import Scope
from accounts.errors import InvalidInput
from marketplace.actions import applications, invitations
from marketplace.api.applications import ApplicationType, InvitationType
from marketplace.api.enums import RejectionReason

MOST_AT_ONCE = 100


@strawberry.input(description="Asks a candidate to apply.")
class InviteCandidateInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="To what.")
    candidate_id: strawberry.ID = strawberry.field(description="Whom.")
    message: str | None = strawberry.field(default=None, description="What to write.")
    expires_at: datetime | None = strawberry.field(default=None, description="Until when; in seven days if not given.")


@strawberry.input(description="Accepts an invitation, which applies.")
class AcceptInvitationInput(Keyed):
    invitation_id: strawberry.ID = strawberry.field(description="Which.")
    answers: JSON | None = strawberry.field(default=None, description="Answers to the questions, by key.")


@strawberry.input(description="Declines an invitation.")
class DeclineInvitationInput(Keyed):
    invitation_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Applies to an opportunity.")
class ApplyInput(Keyed):
    opportunity_id: strawberry.ID = strawberry.field(description="To what.")
    answers: JSON | None = strawberry.field(default=None, description="Answers to the questions, by key.")
    preference_rank: int | None = strawberry.field(default=None, description="1: the first choice.")


@strawberry.input(description="Names an application.")
class ApplicationIdInput(Keyed):
    application_id: strawberry.ID = strawberry.field(description="Which.")


@strawberry.input(description="Withdraws one's application.")
class WithdrawApplicationInput(ApplicationIdInput):
    pass


@strawberry.input(description="Moves an application to a stage.")
class MoveApplicationInput(ApplicationIdInput):
    stage: str = strawberry.field(description="A step of the opportunity's pipeline.")


@strawberry.input(description="Rejects an application.")
class RejectApplicationInput(ApplicationIdInput):
    reason: RejectionReason = strawberry.field(description="Why, as the candidate reads it.")
    note: str | None = strawberry.field(default=None, description="For the organisation; the candidate never sees it.")


@strawberry.input(description="Rejects several applications, all of them or none.")
class RejectApplicationsInput(Keyed):
    application_ids: list[strawberry.ID] = strawberry.field(description="Which, at most 100.")
    reason: RejectionReason = strawberry.field(description="Why, as the candidates read it.")
    note: str | None = strawberry.field(default=None, description="For the organisation; candidates never see it.")


@strawberry.input(description="Takes a rejection back.")
class ReconsiderApplicationInput(ApplicationIdInput):
    pass


@strawberry.type(name="RejectedApplications", description="The applications that were rejected.")
class RejectedApplications:
    applications: list[ApplicationType] = strawberry.field(description="The applications.")


def _answers(given: Any) -> dict[str, Any] | None:
    """Answers as actions take them: skills may be named by their ids as well, as everywhere else."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise InvalidInput("answers", "must be an object of answers by key")
    facts: Any = given.get("facts")
    skills = facts.get("skill") if isinstance(facts, dict) else None
    if not isinstance(skills, dict):
        return given
    return {**given, "facts": {**facts, "skill": {_skill_key(key): value for key, value in skills.items()}}}


def _skill_key(key: str) -> str:
    decoded = decode_id(key)
    return str(decoded[1]) if decoded and decoded[0] == "Skill" else key


def _named(info: Info, given: Any) -> dict[str, Any]:
    """What every action on an application takes."""
    return {
        "actor": info.context.actor,
        "application_id": public_id(given.application_id, "Application", field="applicationId"),
        "now": info.context.now,
    }


@strawberry.type
class ApplicationMutation:
    @mutation(InvitationType, "Ask a candidate to apply.", scope=Scope.APPLICATIONS)
    def invite_candidate(*, info: Info, input: InviteCandidateInput) -> Any:
        return invitations.invite_candidate(
            actor=info.context.actor,
            opportunity_id=public_id(input.opportunity_id, "Opportunity", field="opportunityId"),
            candidate_id=public_id(input.candidate_id, "Candidate", field="candidateId"),
            message=input.message or "",
            expires_at=input.expires_at,
            now=info.context.now,
        )

    @mutation(ApplicationType, "Accept an invitation: it becomes an application.")
    def accept_invitation(*, info: Info, input: AcceptInvitationInput) -> Any:
        return invitations.accept_invitation(
            actor=info.context.actor,
            invitation_id=public_id(input.invitation_id, "Invitation", field="invitationId"),
            answers=_answers(input.answers),
            now=info.context.now,
        )

    @mutation(InvitationType, "Decline an invitation.")
    def decline_invitation(*, info: Info, input: DeclineInvitationInput) -> Any:
        return invitations.decline_invitation(
            actor=info.context.actor,
            invitation_id=public_id(input.invitation_id, "Invitation", field="invitationId"),
            now=info.context.now,
        )

    @mutation(ApplicationType, "Apply to an opportunity.")
    def apply(*, info: Info, input: ApplyInput) -> Any:
        return applications.apply(
            actor=info.context.actor,
            opportunity_id=public_id(input.opportunity_id, "Opportunity", field="opportunityId"),
            answers=_answers(input.answers),
            preference_rank=input.preference_rank,
            now=info.context.now,
        )

    @mutation(ApplicationType, "Withdraw one's application; a live offer is declined with it.")
    def withdraw_application(*, info: Info, input: WithdrawApplicationInput) -> Any:
        return applications.withdraw_application(**_named(info, input))

    @mutation(ApplicationType, "Move an application to a stage of the pipeline.", scope=Scope.APPLICATIONS)
    def move_application(*, info: Info, input: MoveApplicationInput) -> Any:
        return applications.move_application(**_named(info, input), stage=input.stage)

    @mutation(ApplicationType, "Reject an application; a live offer is withdrawn with it.", scope=Scope.APPLICATIONS)
    def reject_application(*, info: Info, input: RejectApplicationInput) -> Any:
        return applications.reject_application(**_named(info, input), reason=input.reason.value, note=input.note or "")

    @mutation(RejectedApplications, "Reject several applications, all of them or none.", scope=Scope.APPLICATIONS)
    def reject_applications(*, info: Info, input: RejectApplicationsInput) -> Any:
        if len(input.application_ids) > MOST_AT_ONCE:
            raise InvalidInput("applicationIds", f"must be at most {MOST_AT_ONCE}")
        rejected = applications.reject_applications(
            actor=info.context.actor,
            application_ids=[
                public_id(one, "Application", field=f"applicationIds[{at}]")
                for at, one in enumerate(input.application_ids)
            ],
            reason=input.reason.value,
            note=input.note or "",
            now=info.context.now,
        )
        return RejectedApplications(applications=together(rejected))  # type: ignore[arg-type]

    @mutation(ApplicationType, "Take a rejection back.", scope=Scope.APPLICATIONS)
    def reconsider_application(*, info: Info, input: ReconsiderApplicationInput) -> Any:
        return applications.reconsider_application(**_named(info, input))
