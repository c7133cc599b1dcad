"""The marketplace's enums, as the API explains them."""

from enum import StrEnum

from accounts.api.enums import described
from marketplace.core.workflow import (
    ApplicationStatus,
    InvitationState,
    OfferState,
    OpportunityState,
    PlacementState,
    SeatState,
)
from marketplace.models import (
    Application,
    CandidateGroup,
    CandidateSkill,
    Offer,
    Opportunity,
    OpportunityLocation,
    ScreeningQuestion,
    Skill,
)
from marketplace.models.candidate import CefrLevel, Commitment
from marketplace.models.money import Period
from matching.core.attributes import VETTING_CHECKS, Operator
from matching.core.eligibility import Outcome
from matching.core.rules import Disclosure

CommitmentEnum = described(
    Commitment,
    "Commitment",
    "The kind of engagement.",
    {
        "full_time": "Employment, full hours.",
        "part_time": "Employment, fewer hours.",
        "contract": "Freelance or contract work.",
        "temporary": "Employment for a limited time.",
        "internship": "Learning on the job.",
        "volunteer": "Unpaid, by choice.",
    },
)
PayPeriod = described(
    Period,
    "PayPeriod",
    "What an amount is paid for.",
    {
        "hour": "An hour of work.",
        "day": "A day of work.",
        "week": "A week.",
        "month": "A month.",
        "year": "A year.",
        "project": "The whole project.",
        "task": "One task.",
    },
)
ArrangementEnum = described(
    Opportunity.Arrangement,
    "WorkArrangement",
    "Where the work is done.",
    {"onsite": "At the workplace.", "hybrid": "Partly at the workplace.", "remote": "Anywhere that is allowed."},
)
VisibilityEnum = described(
    Opportunity.Visibility,
    "Visibility",
    "Who finds a published opportunity.",
    {
        "public": "Anybody finds it.",
        "unlisted": "Anybody who has its address sees it.",
        "invited": "Only those who were invited see it.",
    },
)
OpportunityStateEnum = described(
    OpportunityState,
    "OpportunityState",
    "Where an opportunity stands.",
    {
        "draft": "Being written; only its organisation sees it.",
        "in_review": "Waits for staff.",
        "published": "Open to applications and offers.",
        "paused": "Seen by those involved; takes no new applications or offers.",
        "closed": "Over; it can be reopened.",
        "suspended": "Taken down by staff.",
    },
)
InvitationStateEnum = described(
    InvitationState,
    "InvitationState",
    "Where an invitation stands.",
    {
        "sent": "Waits for the candidate.",
        "accepted": "Became an application.",
        "declined": "The candidate declined.",
        "expired": "Was not answered in time.",
        "withdrawn": "Was taken back.",
    },
)
ApplicationStatusEnum = described(
    ApplicationStatus,
    "ApplicationStatus",
    "Where an application stands; its stage within the pipeline is beside it.",
    {
        "active": "Under consideration.",
        "hired": "An offer was accepted.",
        "rejected": "By the organisation; can be reconsidered.",
        "withdrawn": "By the candidate.",
        "lapsed": "Ended by the clock, or because the opportunity closed.",
    },
)
ApplicationSourceEnum = described(
    Application.Source,
    "ApplicationSource",
    "How an application came about.",
    {
        "organic": "The candidate applied unasked.",
        "invitation": "The candidate accepted an invitation.",
        "referral": "Somebody referred the candidate.",
        "allocation": "An allocation offered to somebody open to offers.",
    },
)
RejectionReason = described(
    Application.Rejection,
    "RejectionReason",
    "Why an application was rejected, as the candidate reads it.",
    {value: str(label) for value, label in Application.Rejection.choices},
)
OfferStateEnum = described(
    OfferState,
    "OfferState",
    "Where an offer stands.",
    {
        "sent": "Waits for the candidate.",
        "accepted": "Became a placement.",
        "declined": "By the candidate.",
        "expired": "Was not answered in time.",
        "withdrawn": "By the organisation.",
        "overtaken": "An open call, accepted after the last seat had gone; the candidate waits, with priority.",
    },
)
OfferKind = described(
    Offer.Kind,
    "OfferKind",
    "Whether an offer keeps a seat.",
    {
        "reserved": "Holds a seat until it is answered.",
        "open_call": "Takes a seat when it is accepted: first come, first served.",
    },
)
SeatStateEnum = described(
    SeatState,
    "SeatState",
    "Where a seat stands.",
    {
        "open": "To be filled.",
        "held": "Kept for a reserved offer.",
        "filled": "Taken by a placement.",
        "spent": "Its placement is over.",
        "retired": "No longer wanted.",
    },
)
PlacementStateEnum = described(
    PlacementState,
    "PlacementState",
    "Where a placement stands.",
    {
        "onboarding": "Accepted, not yet started.",
        "active": "At work.",
        "paused": "Interrupted.",
        "completed": "Ran its course.",
        "ended_early": "Over before its time.",
        "cancelled": "Called off before it started.",
        "no_show": "The person did not turn up.",
    },
)
SkillKind = described(
    Skill.Kind,
    "SkillKind",
    "What sort of skill it is.",
    {
        "skill": "Something one can do.",
        "knowledge": "Something one knows.",
        "technology": "A tool or technology.",
        "language": "A natural language.",
        "attitude": "A way of going about things.",
        "group": "A heading over other skills.",
    },
)
SkillSourceEnum = described(
    CandidateSkill.Source,
    "SkillFactSource",
    "How Muster knows of a candidate's skill.",
    {
        "declared": "The candidate said so.",
        "extracted": "Found in their résumé.",
        "verified": "Somebody checked.",
    },
)
LocationKind = described(
    OpportunityLocation.Kind,
    "LocationKind",
    "Whether a place is allowed.",
    {"allowed": "The person may be there.", "excluded": "The person may not be there."},
)
QuestionKind = described(
    ScreeningQuestion.Kind,
    "QuestionKind",
    "What answers a screening question.",
    {"text": "Text.", "yes_no": "Yes or no.", "number": "A number.", "choice": "One of the choices."},
)
GroupKind = described(
    CandidateGroup.Kind,
    "CandidateGroupKind",
    "What a list of candidates is for.",
    {
        "favourites": "People to think of first.",
        "do_not_rehire": "People the organisation does not take again.",
        "past_workers": "People who were placed there.",
        "custom": "A list of the organisation's own.",
    },
)

LanguageLevel = described(
    StrEnum("LanguageLevel", {level.name: level.name for level in CefrLevel}),
    "LanguageLevel",
    "Levels of the Common European Framework of Reference for Languages.",
    {
        "A1": "Beginner.",
        "A2": "Elementary.",
        "B1": "Intermediate.",
        "B2": "Upper intermediate.",
        "C1": "Advanced.",
        "C2": "Mastery, or mother tongue.",
    },
)
VettingCheck = described(
    StrEnum("VettingCheck", {check.upper(): check for check in VETTING_CHECKS}),
    "VettingCheck",
    "A check of a person that somebody other than they answers for.",
    {
        "background": "Their background.",
        "education": "Their education.",
        "identity": "Who they are.",
        "licence": "A licence that they need for the work.",
        "references": "What others say of their work.",
        "right_to_work": "Whether they may work where they want to.",
    },
)
OutcomeEnum = described(
    Outcome,
    "Outcome",
    "The answer of an eligibility rule.",
    {
        "eligible": "May be considered.",
        "ineligible": "May not.",
        "unknown": "A fact is missing: may apply once it is given, is never allocated.",
    },
)
DisclosureEnum = described(
    Disclosure,
    "Disclosure",
    "To whom a criterion is shown. Each sees what those before it see.",
    {"public": "Everybody.", "organisation": "Members of the organisation.", "staff": "Muster's staff."},
)
RuleOperator = described(
    Operator,
    "RuleOperator",
    "How a fact is compared.",
    {
        "eq": "Is the value; for lists of facts: contains it.",
        "in": "Is one of the values; for lists of facts: contains one.",
        "lt": "Is below the value.",
        "lte": "Is at most the value.",
        "gt": "Is above the value.",
        "gte": "Is at least the value.",
        "between": "Lies between two values, both included.",
        "exists": "Is known (true) or not known (false).",
    },
)
