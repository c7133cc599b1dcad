from matching.models.allocation import AllocationRun, Proposal
from matching.models.decision import Decision
from matching.models.mark import Mark
from matching.models.match import Match
from matching.models.model import ScoringModel, Segment
from matching.models.projection import CandidateProjection

__all__ = [
    "AllocationRun",
    "CandidateProjection",
    "Decision",
    "Mark",
    "Match",
    "Proposal",
    "ScoringModel",
    "Segment",
]
