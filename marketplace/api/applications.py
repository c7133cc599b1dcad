"""Invitations and applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry

from accounts.api.context import Info
from accounts.api.fields import given, one
from accounts.api.nodes import Node, lazy, node_type
from accounts.api.peers import batched, related, related_list
from accounts.api.scalars import JSON
from accounts.api.types import TransitionType, UserType, history_of
from marketplace.access import access_application, access_invitation
from marketplace.api.candidates import CandidateType
from marketplace.api.enums import (
    ApplicationSourceEnum,
    ApplicationStatusEnum,
    DisclosureEnum,
    InvitationStateEnum,
    RejectionReason,
)
from marketplace.api.opportunities import INSIDE, OpportunityRevisionType, OpportunityType
from marketplace.api.taxonomy import SkillType
from marketplace.api.verdicts import VerdictType, skills_by_id, stored_verdict
from marketplace.api.viewing import audience, is_inside
from marketplace.core.workflow import OfferState
from marketplace.models import Application, Invitation, Skill
from marketplace.queries.naming import names_of
from marketplace.queries.refusals import FactChange, disclosed_changes
from matching.core.attributes import SKILL


@node_type(
    Invitation,
    name="Invitation",
    description="An organisation asks a candidate to apply.",
    access=access_invitation,
)
class InvitationType(Node):
    opportunity = one("opportunity", OpportunityType, "To what.")
    candidate = one("candidate", CandidateType, "Whom.")
    message = given("message", str, "What was written.")
    state: InvitationStateEnum = strawberry.field(description="Where it stands.")
    expires_at: datetime = strawberry.field(description="Until when it can be answered.")
    created_at: datetime = strawberry.field(description="When it was sent.")

    @strawberry.field(description="Who invited." + INSIDE)
    def invited_by(root: strawberry.Parent[Any], info: Info) -> UserType | None:
        return related(root, "invited_by") if is_inside(info.context, root) else None

    @strawberry.field(description="The application it became.")
    def application(root: strawberry.Parent[Any]) -> "ApplicationType | None":
        return related(root, "application")


@dataclass(frozen=True)
class ToldFactChange:
    """A fact that was changed after a refusal, with the skills that its sentence names."""

    change: FactChange
    skills: Mapping[int, Skill]

    @property
    def sentence(self) -> str:
        return self.change.sentence(names_of({key: skill.name for key, skill in self.skills.items()}))

    @property
    def skill(self) -> Skill | None:
        return self.skills.get(int(str(self.change.key))) if self.change.subject == SKILL.name else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.change, name)


@strawberry.type(
    name="ChangedFact",
    description="A fact that a candidate was refused for, and changed soon afterwards into one that is accepted.",
)
class ChangedFactType:
    sentence: str = strawberry.field(description="What was changed, from what to what, and how soon, for people.")
    subject: str = strawberry.field(description="Which fact.")
    skill: SkillType | None = strawberry.field(description="The skill it is about, if it is about one.")
    path: str = strawberry.field(description="Where its criterion stands in the rule.")
    was: str = strawberry.field(description="What it was when they were refused.")
    now: str = strawberry.field(name="is", description="What it was when they applied.")
    refused_at: datetime = strawberry.field(description="When they were first refused for it.")
    changed_at: datetime = strawberry.field(description="When they last changed it.")
    disclosure: DisclosureEnum = strawberry.field(description="To whom the criterion is shown.")


@node_type(
    Application,
    name="Application",
    description="A candidate's standing with an opportunity.",
    access=access_application,
)
class ApplicationType(Node):
    reference: str = strawberry.field(description="A short name to read out.")
    opportunity = one("opportunity", OpportunityType, "To what.")
    candidate = one("candidate", CandidateType, "Who.")
    revision = one("revision", OpportunityRevisionType, "The terms it was made under.")
    source: ApplicationSourceEnum = strawberry.field(description="How it came about.")
    status: ApplicationStatusEnum = strawberry.field(description="Where it stands.")
    stage: str = strawberry.field(description="The step of the opportunity's pipeline it is at.")
    answers: JSON = strawberry.field(description="The answers to the screening questions, by key.")
    preference_rank: int | None = strawberry.field(description="1: the candidate's first choice.")
    rejection_reason = given("rejection_reason", RejectionReason, "Why it was rejected, as the candidate reads it.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="What the organisation noted on the rejection." + INSIDE)
    def rejection_note(root: strawberry.Parent[Any], info: Info) -> str | None:
        return root.rejection_note or None if is_inside(info.context, root) else None

    @strawberry.field(description="Eligibility as judged on applying.")
    def verdict(root: strawberry.Parent[Any], info: Info) -> VerdictType | None:
        return stored_verdict(info.context, root)  # type: ignore[return-value]

    @strawberry.field(
        description="Facts that the candidate changed soon after they were refused for them, and was accepted with."
        + INSIDE
    )
    def changed_after_refusal(root: strawberry.Parent[Any], info: Info) -> list[ChangedFactType] | None:
        if not is_inside(info.context, root):
            return None
        changes = disclosed_changes(root, audience(info.context, root))
        return [ToldFactChange(change, batched(root, "changed skills", _changed_skills, {})) for change in changes]  # type: ignore[misc]

    @strawberry.field(description="Its offers, newest first.")
    def offers(
        root: strawberry.Parent[Any],
    ) -> list[lazy("OfferType", "marketplace.api.offers")]:  # type: ignore[valid-type]
        return sorted(related_list(root, "offers"), key=lambda offer: -offer.pk)

    @strawberry.field(description="The offer that waits for an answer.")
    def live_offer(
        root: strawberry.Parent[Any],
    ) -> lazy("OfferType", "marketplace.api.offers") | None:  # type: ignore[valid-type]
        return next((offer for offer in related_list(root, "offers") if offer.state == OfferState.SENT), None)

    @strawberry.field(description="Every change of its status, oldest first." + INSIDE)
    def history(root: strawberry.Parent[Any], info: Info) -> list[TransitionType] | None:
        return history_of(root) if is_inside(info.context, root) else None  # type: ignore[return-value]


def _changed_skills(rows: list[Application]) -> dict[int, Mapping[int, Skill]]:
    """The skills that changes after refusals speak of, of applications that were loaded together."""
    changes = (change for row in rows for change in row.changed_after_refusal)
    skills = skills_by_id(change["key"] for change in changes if change["subject"] == SKILL.name)
    return {row.pk: skills for row in rows}
