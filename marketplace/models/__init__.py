from marketplace.models.application import Application
from marketplace.models.candidate import (
    Candidate,
    CandidateLanguage,
    CandidateSkill,
    VettingResult,
    WorkAuthorisation,
    WorkExperience,
)
from marketplace.models.duplicate import CandidateFingerprint, OpportunityFingerprint, SuspectedDuplicate
from marketplace.models.group import CandidateGroup, CandidateGroupMembership
from marketplace.models.invitation import Invitation
from marketplace.models.mentions import CandidateMentions, OpportunityMentions
from marketplace.models.money import ExchangeRate, ExchangeRateSet
from marketplace.models.notification import Notification
from marketplace.models.offer import Offer, WaitlistEntry
from marketplace.models.opportunity import (
    Opportunity,
    OpportunityLocation,
    OpportunityMember,
    OpportunitySkill,
    PayBand,
    PayBandPlace,
    ScreeningQuestion,
)
from marketplace.models.placement import Placement, PlacementTerms
from marketplace.models.revision import EligibilityRefusal, EligibilityWaiver, OpportunityRevision
from marketplace.models.seat import Seat
from marketplace.models.taxonomy import (
    Occupation,
    OccupationLabel,
    OccupationSkill,
    OccupationSource,
    Skill,
    SkillBroader,
    SkillLabel,
    SkillSource,
    TaxonomyRevision,
)

__all__ = [
    "Application",
    "Candidate",
    "CandidateFingerprint",
    "CandidateGroup",
    "CandidateGroupMembership",
    "CandidateLanguage",
    "CandidateMentions",
    "CandidateSkill",
    "EligibilityRefusal",
    "EligibilityWaiver",
    "ExchangeRate",
    "ExchangeRateSet",
    "Invitation",
    "Notification",
    "Occupation",
    "OccupationLabel",
    "OccupationSkill",
    "OccupationSource",
    "Offer",
    "Opportunity",
    "OpportunityFingerprint",
    "OpportunityLocation",
    "OpportunityMember",
    "OpportunityMentions",
    "OpportunityRevision",
    "OpportunitySkill",
    "PayBand",
    "PayBandPlace",
    "Placement",
    "PlacementTerms",
    "ScreeningQuestion",
    "Seat",
    "Skill",
    "SkillBroader",
    "SkillLabel",
    "SkillSource",
    "SuspectedDuplicate",
    "TaxonomyRevision",
    "VettingResult",
    "WaitlistEntry",
    "WorkAuthorisation",
    "WorkExperience",
]
