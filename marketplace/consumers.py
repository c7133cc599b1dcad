"""What the marketplace does when something has happened: the consumers `notifications` and `duplicates`.

Texts name the opportunity and the organisation, never a person or a contact: they go out by mail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils import timezone

from accounts.models import Event, Membership, Organisation, User
from accounts.subscriptions import consumes
from marketplace.actions.duplicates import notice_candidate, notice_opportunity
from marketplace.models import Application, Invitation, Notification, Offer, Opportunity, OpportunityMember, Placement
from marketplace.queries.naming import names_of
from marketplace.queries.refusals import disclosed_changes
from marketplace.queries.verdicts import skills_by_id
from matching.core.attributes import SKILL
from matching.core.rules import Disclosure

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Telling:
    """To whom an event is told, and how: {title}, {organisation} and what `more` makes of the row can be named."""

    candidate: str = ""
    members: str = ""
    is_an_answer: bool = False  # to what somebody has just done: then they are told, too
    more: Callable[[Any], dict[str, str]] = lambda row: {}


def _deadline(offer: Offer) -> dict[str, str]:
    return {"deadline": f"{offer.expires_at:%Y-%m-%d %H:%M} UTC"}


def _reason(application: Application) -> dict[str, str]:
    return {
        "reason": str(Application.Rejection(application.rejection_reason).label) if application.rejection_reason else ""
    }


def _changed(application: Application) -> dict[str, str]:
    """Which facts were changed after a refusal; their values stay inside."""
    changes = disclosed_changes(application, Disclosure.ORGANISATION)
    if not changes:
        return {"changed": ""}
    skills = skills_by_id(int(str(change.key)) for change in changes if change.subject == SKILL.name)
    names = names_of({key: skill.name for key, skill in skills.items()})
    labels = ", ".join(dict.fromkeys(change.label(names) for change in changes))
    return {"changed": f". Changed soon after a refusal: {labels}"}


TELLINGS: dict[str, Telling] = {
    "InvitationSent": Telling(candidate="{organisation} invites you to apply: {title}"),
    "InvitationDeclined": Telling(members="An invitation was declined: {title}"),
    "InvitationWithdrawn": Telling(candidate="An invitation was withdrawn: {title}"),
    "ApplicationRejected": Telling(candidate="Your application was not successful: {title}. {reason}", more=_reason),
    "ApplicationReconsidered": Telling(candidate="Your application is being considered again: {title}"),
    "ApplicationWithdrawn": Telling(members="An application was withdrawn: {title}"),
    "ApplicationLapsed": Telling(candidate="Your application has ended: {title}"),
    "ApplicationSubmitted": Telling(members="A new application: {title}{changed}", more=_changed),
    "OfferSent": Telling(candidate="You have an offer: {title}. Please answer until {deadline}.", more=_deadline),
    "OfferProlonged": Telling(candidate="You have more time to answer: {title}, until {deadline}.", more=_deadline),
    "OfferWithdrawn": Telling(candidate="An offer was withdrawn: {title}"),
    "OfferExpired": Telling(candidate="An offer has expired: {title}", members="An offer has expired: {title}"),
    "OfferAccepted": Telling(members="An offer was accepted: {title}"),
    "OfferDeclined": Telling(members="An offer was declined: {title}"),
    "OfferOvertaken": Telling(
        candidate="All seats went before your answer: {title}. You are on the waiting list, ahead of others.",
        is_an_answer=True,
    ),
    "PlacementStarted": Telling(candidate="Your work has begun: {title}"),
    "PlacementPaused": Telling(candidate="Your work is paused: {title}"),
    "PlacementResumed": Telling(candidate="Your work goes on: {title}"),
    "PlacementCompleted": Telling(
        candidate="Your work is completed: {title}", members="A placement ran its course: {title}"
    ),
    "PlacementEnded": Telling(
        candidate="Your work has ended early: {title}", members="A placement ended early: {title}"
    ),
    "PlacementCancelled": Telling(
        candidate="Your placement was called off: {title}", members="A placement was called off: {title}"
    ),
    "PlacementNoShow": Telling(candidate="You were reported as not having turned up: {title}"),
    "PlacementTermsChanged": Telling(candidate="Your hours or pay have changed: {title}"),
    "BackfillProposed": Telling(members="A seat has come free, and somebody is proposed for it: {title}"),
    "OpportunityReturned": Telling(members="Staff returned a draft: {title}"),
    "OpportunityClosed": Telling(members="An opportunity was closed: {title}"),
    "OpportunitySuspended": Telling(members="Staff suspended an opportunity: {title}"),
    "OpportunityReinstated": Telling(members="Staff reinstated an opportunity: {title}"),
}


@consumes([*TELLINGS, "MemberInvited"])
def notify(event: Event) -> None:
    """Write a notification for everybody whom the event concerns, but whoever caused it, unless it answers what they
    did. Running twice is once."""
    if event.name == "MemberInvited":
        organisation = Organisation.objects.get(pk=event.aggregate_id)
        _write(event, {event.payload["user"]: f"You are now a member of {organisation.name}"}, but=event.actor_id)
        return
    telling = TELLINGS.get(event.name)
    if telling is None or event.payload.get("source") == Application.Source.ALLOCATION:
        return
    row = _row(event)
    if row is None:
        return
    opportunity = row if isinstance(row, Opportunity) else row.opportunity
    named = {"title": opportunity.title, "organisation": opportunity.posting_organisation.name, **telling.more(row)}
    texts: dict[int, str] = {}
    if telling.members:
        texts |= dict.fromkeys(_members(opportunity), telling.members.format_map(named))
    if telling.candidate and not isinstance(row, Opportunity) and row.candidate.user_id is not None:
        texts[row.candidate.user_id] = telling.candidate.format_map(named)
    _write(event, texts, but=None if telling.is_an_answer else event.actor_id)


# Changes of these alone can make two postings, or two profiles, look more or less like one.
COMPARED = frozenset({"title", "description", "locations"}) | {
    *("name", "headline", "email", "user", "phone", "linkedin", "country", "region"),
    *("experiences", "skills", "merged_into"),
}
COMPARED_AGAIN = {"OpportunityUpdated", "CandidateUpdated"}


def _looks_as_before(event: Event) -> bool:
    return event.name in COMPARED_AGAIN and COMPARED.isdisjoint(event.payload.get("changed", COMPARED))


@consumes(
    COMPARED_AGAIN
    | {"OpportunityDrafted", "OpportunityClosed", "OpportunityReopened", "OpportunitySuspended", "CandidateRegistered"},
    but=_looks_as_before,
)
def notice_duplicates(event: Event) -> None:
    """Look for another row that says what this one says. Only staff are shown it."""
    notice = notice_candidate if event.aggregate_type == "candidate" else notice_opportunity
    notice(event.aggregate_id, timezone.now())


def _row(event: Event) -> Opportunity | Application | Invitation | Offer | Placement | None:
    model: Any = apps.get_model("marketplace", event.aggregate_type)
    related = ["posting_organisation"] if model is Opportunity else ["opportunity__posting_organisation", "candidate"]
    return model.objects.select_related(*related).filter(pk=event.aggregate_id).first()


def _members(opportunity: Opportunity) -> Iterable[int]:
    """The lead; where there is none, everybody who recruits for the organisation."""
    managing = Membership.objects.managing().filter(organisation_id=opportunity.posting_organisation_id)
    leads = opportunity.members.filter(role=OpportunityMember.Role.LEAD).values("user_id")
    return list(managing.filter(user_id__in=leads).values_list("user_id", flat=True)) or list(
        managing.order_by("pk").values_list("user_id", flat=True)
    )


def _write(event: Event, texts: dict[int, str], *, but: int | None) -> None:
    reached = User.objects.people().filter(pk__in=texts.keys() - {but}).order_by("pk")
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user_id,
                event=event,
                kind=event.name,
                subject_type=event.aggregate_type,
                subject_id=event.aggregate_id,
                text=texts[user_id].strip()[:LONGEST],
                created_at=event.at,
                mail_due_at=event.at,
            )
            for user_id in reached.values_list("pk", flat=True)
        ],
        ignore_conflicts=True,
    )
