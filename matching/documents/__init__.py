"""Documents of opportunities and candidates, the indices that hold them, and how they get there."""

from matching.documents.candidate import LIVES_IN, WORK_ENDS_UTC, CandidateDocument
from matching.documents.encoding import ENDLESS, encoded, scaled
from matching.documents.opportunity import OpportunityDocument

__all__ = [
    "ENDLESS",
    "LIVES_IN",
    "WORK_ENDS_UTC",
    "CandidateDocument",
    "OpportunityDocument",
    "encoded",
    "scaled",
]
