from matching.models.allocation import AllocationRun, Proposal
from matching.models.backfill import BackfillRule, Vacancy
from matching.models.copymark import CopyMark
from matching.models.decision import Decision, FeatureSet
from matching.models.mark import Mark, PairMark
from matching.models.match import Match
from matching.models.model import ScoringModel, Segment
from matching.models.model_file import ModelFile, UnscoredPair
from matching.models.opening import OpportunityProjection
from matching.models.progress import AllocationProgress
from matching.models.projection import CandidateProjection, Departure
from matching.models.rescore import Rescore, RescoreChunk
from matching.models.saved_search import Digest, FoundOpportunity, SavedSearch
from matching.models.shadow import ShadowFailure, ShadowMark, ShadowRanking
from matching.models.training import TrainingRun
from matching.models.word import SearchWord

__all__ = [
    "AllocationProgress",
    "AllocationRun",
    "BackfillRule",
    "CandidateProjection",
    "CopyMark",
    "Decision",
    "Departure",
    "Digest",
    "FeatureSet",
    "FoundOpportunity",
    "Mark",
    "Match",
    "ModelFile",
    "OpportunityProjection",
    "PairMark",
    "Proposal",
    "Rescore",
    "RescoreChunk",
    "SavedSearch",
    "ScoringModel",
    "SearchWord",
    "Segment",
    "ShadowFailure",
    "ShadowMark",
    "ShadowRanking",
    "TrainingRun",
    "UnscoredPair",
    "Vacancy",
]
