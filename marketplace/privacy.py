"""What the marketplace holds on people: `accounts.privacy`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.utils import timezone

from accounts.privacy import (
    CODES,
    Declared,
    Erasure,
    Held,
    Person,
    acted,
    deleted,
    kept,
    names,
    of_candidate,
    of_user,
    pseudonym,
)
from marketplace.models import Candidate

PAIRED = ("Application", "Invitation", "Offer", "Placement")
"""What is between a candidate and an opportunity, and changes its state."""


def _moves(person: Person) -> Q:
    found = Q(pk__in=[])
    for name in PAIRED:
        rows = apps.get_model("marketplace", name).objects.filter(candidate__in=person.candidates)
        found |= Q(subject_type=name.lower(), subject_id__in=rows.values("pk"))
    return found


def _name(candidate: Candidate) -> str:
    return pseudonym(candidate.public_id)


def _suspended_at(candidate: Candidate) -> datetime:
    """Suspended, so that nothing finds, scores or invites them."""
    return candidate.suspended_at or timezone.now()


def _cleared(model: str, clear: dict[str, Any], **more: Any) -> Held:
    """Rows between an organisation and somebody, which the sums of seats and placements rest on."""
    return Held(
        model=f"marketplace.{model}",
        rows=of_candidate("candidate"),
        erasure=Erasure.CLEAR,
        clear=clear,
        why=CODES,
        **more,
    )


HELD = Declared(
    held=(
        deleted("marketplace.CandidateSkill", of_candidate("candidate")),
        deleted("marketplace.CandidateLanguage", of_candidate("candidate")),
        deleted("marketplace.WorkAuthorisation", of_candidate("candidate")),
        deleted("marketplace.VettingResult", of_candidate("candidate"), inside=names("recorded_by")),
        acted("marketplace.VettingResult", "recorded_by"),
        deleted("marketplace.WorkExperience", of_candidate("candidate"), quoted=names("title employer description")),
        deleted("marketplace.Candidate_blocked_organisations", of_candidate("candidate")),
        deleted("marketplace.CandidateMentions", of_candidate("candidate"), secret=names("digest")),
        deleted("marketplace.CandidateFingerprint", of_candidate("candidate"), secret=names("value made_with")),
        deleted("marketplace.SuspectedDuplicate", of_candidate("low_candidate", "high_candidate"), exported=False,
                why="nobody is told that they were suspected, before staff have decided"),
        acted("marketplace.SuspectedDuplicate", "decided_by"),
        deleted("marketplace.CandidateGroupMembership", of_candidate("candidate"), is_inside=True),
        acted("marketplace.CandidateGroupMembership", "added_by"),
        deleted("marketplace.WaitlistEntry", of_candidate("candidate")),
        deleted("marketplace.EligibilityRefusal", of_candidate("candidate"), inside=names("verdict")),
        deleted("marketplace.Notification", of_user("user")),
        _cleared(
            "Application",
            {"answers": {}, "verdict": {}, "changed_after_refusal": [], "rejection_note": "",
             "preference_rank": None},
            kept=names("stage"), inside=names("rejection_note verdict changed_after_refusal"),
            quoted=names("answers rejection_note"),
        ),
        _cleared("Invitation", {"message": ""}, inside=names("invited_by"), quoted=names("message")),
        acted("marketplace.Invitation", "invited_by"),
        _cleared("Offer", {"message": "", "decline_reason": ""}, inside=names("sent_by"),
                 quoted=names("message decline_reason")),
        acted("marketplace.Offer", "sent_by"),
        _cleared("Placement", {"end_reason": ""}, inside=names("ended_by"), quoted=names("end_reason")),
        acted("marketplace.Placement", "ended_by"),
        kept("marketplace.PlacementTerms", of_candidate("placement__candidate"), "what was paid"),
        _cleared("EligibilityWaiver", {"reason": "erased"}, is_inside=True, quoted=names("reason")),
        acted("marketplace.EligibilityWaiver", "granted_by"),
        Held(
            model="accounts.Transition", rows=_moves, part="about", erasure=Erasure.CLEAR, clear={"reason": ""},
            kept=names("subject_type action"), why=CODES, is_inside=True,
        ),
        Held(
            model="marketplace.Candidate", rows=of_candidate("pk"), erasure=Erasure.CLEAR,
            quoted=names("name email phone linkedin resume_text headline"),
            clear={
                "name": _name, "email": "", "phone": "", "linkedin": "", "resume_text": "", "headline": "",
                "country": "", "region": "", "latitude": None, "longitude": None, "timezone": "",
                "work_starts_minute": None, "work_ends_minute": None, "years_experience": None, "weekly_hours": None,
                "rate_amount": None, "rate_currency": "", "rate_period": "", "commitments": [], "available_from": None,
                "discoverable": False, "open_to_offers": False, "suspended_at": _suspended_at,
            },
            why="what they were offered, and what was paid, refers to it",
        ),
        # The history of facts after the facts: clearing these wrote some.
        deleted("marketplace.CandidateFactEvent", of_candidate("pgh_obj")),
        deleted("marketplace.CandidateSkillFactEvent", of_candidate("candidate")),
        deleted("marketplace.CandidateLanguageFactEvent", of_candidate("candidate")),
        deleted("marketplace.AuthorisationFactEvent", of_candidate("candidate")),
        deleted("marketplace.VettingFactEvent", of_candidate("candidate")),
        deleted("marketplace.GroupFactEvent", of_candidate("candidate"), is_inside=True),
        deleted("marketplace.OpportunityMember", of_user("user")),
        acted("marketplace.Opportunity", "created_by", part=""),
        acted("marketplace.OpportunityRevision", "created_by", part=""),
        acted("marketplace.ExchangeRateSet", "created_by", part=""),
    ),
    nobodys={
        "marketplace.ExchangeRate": "rates",
        **dict.fromkeys(
            [f"marketplace.{name}" for name in (
                "TaxonomyRevision", "Skill", "SkillSource", "SkillLabel", "SkillBroader", "Occupation",
                "OccupationSource", "OccupationLabel", "OccupationSkill",
            )],
            "the taxonomy",
        ),
        **dict.fromkeys(
            [f"marketplace.{name}" for name in (
                "OpportunityLocation", "OpportunitySkill", "ScreeningQuestion", "PayBand", "PayBandPlace",
                "OpportunityFingerprint", "OpportunityMentions", "CandidateGroup", "Seat",
            )],
            "an organisation's",
        ),
    },
)  # fmt: skip
