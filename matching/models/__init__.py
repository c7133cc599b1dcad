from matching.models.allocation import AllocationRun, Proposal
from matching.models.decision import Decision
from matching.models.mark import Mark, PairMark
from matching.models.match import Match
from matching.models.model import ScoringModel, Segment
from matching.models.projection import CandidateProjection, Departure

__all__ = [
    "AllocationRun",
    "CandidateProjection",
    "Decision",
    "Departure",
    "Mark",
    "Match",
    "PairMark",
    "Proposal",
    "ScoringModel",
    "Segment",
]
