"""The state machines of demand, supply and fulfillment.

Every state is explained where it is declared. The tables below are the only place that says which moves exist, who
may make them and which event records each; the README draws them from here.
"""

from __future__ import annotations

from enum import StrEnum

from accounts.core.actor import ActorKind
from accounts.core.machine import Move, machine

CANDIDATE = frozenset({ActorKind.CANDIDATE})
MEMBER = frozenset({ActorKind.MEMBER, ActorKind.STAFF})
STAFF = frozenset({ActorKind.STAFF})
SYSTEM = frozenset({ActorKind.SYSTEM})
MEMBER_OR_SYSTEM = MEMBER | SYSTEM
CANDIDATE_OR_SYSTEM = CANDIDATE | SYSTEM


class OpportunityState(StrEnum):
    DRAFT = "draft"  # being written; only its organisation sees it
    IN_REVIEW = "in_review"  # waits for staff where the organisation's postings are reviewed
    PUBLISHED = "published"  # open to applications and offers
    PAUSED = "paused"  # visible to those involved, takes no new applications or offers
    CLOSED = "closed"  # over; can be reopened
    SUSPENDED = "suspended"  # taken down by staff


def _moves(
    sources: tuple[str, ...], action: str, target: str, by: frozenset[ActorKind], event: str, effects: str = ""
) -> list[Move]:
    return [Move(source, action, target, by, event, effects) for source in sources]


_O = OpportunityState
OPPORTUNITY = machine(
    "opportunity",
    OpportunityState,
    initial=_O.DRAFT,
    moves=[
        Move(_O.DRAFT, "submit", _O.IN_REVIEW, MEMBER, "OpportunitySubmitted"),
        Move(_O.IN_REVIEW, "return", _O.DRAFT, STAFF, "OpportunityReturned"),
        *_moves(
            (_O.DRAFT, _O.IN_REVIEW),
            "publish",
            _O.PUBLISHED,
            MEMBER,
            "OpportunityPublished",
            "freezes a revision, sets the closing timer",
        ),
        Move(_O.PUBLISHED, "pause", _O.PAUSED, MEMBER, "OpportunityPaused"),
        Move(_O.PAUSED, "resume", _O.PUBLISHED, MEMBER, "OpportunityResumed"),
        *_moves(
            (_O.PUBLISHED, _O.PAUSED),
            "close",
            _O.CLOSED,
            MEMBER_OR_SYSTEM,
            "OpportunityClosed",
            "withdraws live offers and invitations, lapses live applications, empties the waiting list",
        ),
        Move(_O.CLOSED, "reopen", _O.PUBLISHED, MEMBER, "OpportunityReopened", "sets the closing timer again"),
        *_moves(
            (_O.DRAFT, _O.IN_REVIEW, _O.PUBLISHED, _O.PAUSED, _O.CLOSED),
            "suspend",
            _O.SUSPENDED,
            STAFF,
            "OpportunitySuspended",
            "withdraws live offers and invitations",
        ),
        Move(_O.SUSPENDED, "reinstate", _O.PAUSED, STAFF, "OpportunityReinstated"),
    ],
)


class InvitationState(StrEnum):
    SENT = "sent"  # waits for the candidate
    ACCEPTED = "accepted"  # became an application
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


_I = InvitationState
INVITATION = machine(
    "invitation",
    InvitationState,
    initial=_I.SENT,
    moves=[
        Move(_I.SENT, "accept", _I.ACCEPTED, CANDIDATE, "InvitationAccepted", "creates the application"),
        Move(_I.SENT, "decline", _I.DECLINED, CANDIDATE, "InvitationDeclined"),
        Move(_I.SENT, "expire", _I.EXPIRED, SYSTEM, "InvitationExpired"),
        Move(_I.SENT, "withdraw", _I.WITHDRAWN, MEMBER_OR_SYSTEM, "InvitationWithdrawn"),
    ],
)


class ApplicationStatus(StrEnum):
    ACTIVE = "active"  # under consideration, at some stage of the pipeline
    HIRED = "hired"  # an offer was accepted
    REJECTED = "rejected"  # by the organisation; can be reconsidered
    WITHDRAWN = "withdrawn"  # by the candidate
    LAPSED = "lapsed"  # ended by the clock or because the opportunity closed


_A = ApplicationStatus
APPLICATION = machine(
    "application",
    ApplicationStatus,
    initial=_A.ACTIVE,
    moves=[
        Move(_A.ACTIVE, "hire", _A.HIRED, CANDIDATE_OR_SYSTEM, "ApplicationHired"),
        Move(_A.ACTIVE, "reject", _A.REJECTED, MEMBER, "ApplicationRejected", "withdraws its live offer"),
        Move(_A.REJECTED, "reconsider", _A.ACTIVE, MEMBER, "ApplicationReconsidered"),
        Move(
            _A.ACTIVE, "withdraw", _A.WITHDRAWN, CANDIDATE_OR_SYSTEM, "ApplicationWithdrawn", "declines its live offer"
        ),
        Move(_A.ACTIVE, "lapse", _A.LAPSED, SYSTEM, "ApplicationLapsed"),
    ],
)


class OfferState(StrEnum):
    SENT = "sent"  # waits for the candidate; a reserved offer holds its seat meanwhile
    ACCEPTED = "accepted"  # became a placement
    DECLINED = "declined"  # by the candidate
    EXPIRED = "expired"  # not answered in time
    WITHDRAWN = "withdrawn"  # by the organisation
    OVERTAKEN = "overtaken"  # open call, accepted after the last seat had gone


_F = OfferState
OFFER = machine(
    "offer",
    OfferState,
    initial=_F.SENT,
    moves=[
        Move(
            _F.SENT, "accept", _F.ACCEPTED, CANDIDATE, "OfferAccepted", "fills the seat, creates the placement, hires"
        ),
        Move(
            _F.SENT,
            "decline",
            _F.DECLINED,
            CANDIDATE_OR_SYSTEM,
            "OfferDeclined",
            "frees the seat, withdraws the application",
        ),
        Move(_F.SENT, "expire", _F.EXPIRED, SYSTEM, "OfferExpired", "frees the seat, lapses the application"),
        Move(
            _F.SENT, "withdraw", _F.WITHDRAWN, MEMBER_OR_SYSTEM, "OfferWithdrawn", "frees the seat, back to its stage"
        ),
        Move(
            _F.SENT,
            "overtake",
            _F.OVERTAKEN,
            CANDIDATE_OR_SYSTEM,
            "OfferOvertaken",
            "joins the waiting list with priority",
        ),
    ],
)


class SeatState(StrEnum):
    OPEN = "open"  # to be filled
    HELD = "held"  # kept for a reserved offer
    FILLED = "filled"  # taken by a placement
    SPENT = "spent"  # its placement is over
    RETIRED = "retired"  # no longer wanted


_S = SeatState
SEAT = machine(
    "seat",
    SeatState,
    initial=_S.OPEN,
    moves=[
        Move(_S.OPEN, "hold", _S.HELD, MEMBER_OR_SYSTEM, "SeatHeld"),
        Move(_S.HELD, "release", _S.OPEN, MEMBER_OR_SYSTEM | CANDIDATE, "SeatReleased"),
        *_moves((_S.HELD, _S.OPEN), "fill", _S.FILLED, CANDIDATE_OR_SYSTEM, "SeatFilled"),
        Move(_S.FILLED, "spend", _S.SPENT, MEMBER_OR_SYSTEM | CANDIDATE, "SeatSpent", "a new seat may replace it"),
        *_moves((_S.OPEN, _S.HELD), "retire", _S.RETIRED, MEMBER_OR_SYSTEM, "SeatRetired"),
    ],
)


class PlacementState(StrEnum):
    ONBOARDING = "onboarding"  # accepted, not yet started
    ACTIVE = "active"  # at work
    PAUSED = "paused"
    COMPLETED = "completed"  # ran its course
    ENDED_EARLY = "ended_early"
    CANCELLED = "cancelled"  # before it started
    NO_SHOW = "no_show"  # did not turn up


_P = PlacementState
PLACEMENT = machine(
    "placement",
    PlacementState,
    initial=_P.ONBOARDING,
    moves=[
        Move(_P.ONBOARDING, "start", _P.ACTIVE, MEMBER_OR_SYSTEM, "PlacementStarted"),
        Move(_P.ACTIVE, "pause", _P.PAUSED, MEMBER, "PlacementPaused"),
        Move(_P.PAUSED, "resume", _P.ACTIVE, MEMBER, "PlacementResumed"),
        *_moves(
            (_P.ACTIVE, _P.PAUSED), "complete", _P.COMPLETED, MEMBER_OR_SYSTEM, "PlacementCompleted", "spends the seat"
        ),
        *_moves(
            (_P.ACTIVE, _P.PAUSED),
            "end",
            _P.ENDED_EARLY,
            MEMBER | CANDIDATE,
            "PlacementEnded",
            "spends the seat; a new one replaces it if the opportunity asks for it",
        ),
        Move(
            _P.ONBOARDING,
            "cancel",
            _P.CANCELLED,
            MEMBER | CANDIDATE,
            "PlacementCancelled",
            "spends the seat; a new one replaces it if the opportunity asks for it",
        ),
        *_moves(
            (_P.ONBOARDING, _P.ACTIVE),
            "report_no_show",
            _P.NO_SHOW,
            MEMBER,
            "PlacementNoShow",
            "spends the seat; a new one replaces it if the opportunity asks for it",
        ),
    ],
)


class SuspicionState(StrEnum):
    OPEN = "open"  # two rows look like one; waits for staff
    CONFIRMED = "confirmed"  # staff: they are one
    DISMISSED = "dismissed"  # staff: they are two


_D = SuspicionState
SUSPICION = machine(
    "suspicion",
    SuspicionState,
    initial=_D.OPEN,
    moves=[
        *_moves(
            (_D.OPEN, _D.DISMISSED),
            "confirm",
            _D.CONFIRMED,
            STAFF,
            "DuplicateConfirmed",
            "records that the two are one; it merges, closes and tells nothing",
        ),
        *_moves(
            (_D.OPEN, _D.CONFIRMED),
            "dismiss",
            _D.DISMISSED,
            STAFF,
            "DuplicateDismissed",
            "records that the two are two; they are suspected again only once there is something new to it",
        ),
        Move(_D.DISMISSED, "suspect", _D.OPEN, SYSTEM, "DuplicateSuspectedAgain"),
    ],
)

LIVE_PLACEMENT_STATES = (_P.ONBOARDING.value, _P.ACTIVE.value, _P.PAUSED.value)
DEFAULT_PIPELINE = ("applied", "review", "shortlist", "offer")
MACHINES = (OPPORTUNITY, INVITATION, APPLICATION, OFFER, SEAT, PLACEMENT, SUSPICION)
