"""What deciding holds on people: `accounts.privacy`.

A run's snapshot and its solution hold inner ids and integers: facts under a pseudonym, once the candidate's row says
nothing of anybody. So a run is replayed after an erasure as it was before, and its totals are what they were.
"""

from __future__ import annotations

from django.db.models import Q

from accounts.privacy import Declared, Erasure, Held, Person, acted, deleted, kept, names, of_candidate
from matching.actions import locks
from matching.queries.own_words import words_of_nobody_else


def _words(person: Person) -> Q:
    return Q(subject_type="candidate", word__in=words_of_nobody_else(person.candidates))


HELD = Declared(
    held=(
        deleted("matching.SearchWord", _words, exported=False, before=locks.projecting,
                why="copied from what they say of themselves"),
        deleted("matching.CandidateProjection", of_candidate("candidate"), secret=names("words")),
        deleted("matching.Match", of_candidate("candidate"), secret=names("tie_break"),
                inside=names("contributions verdict"),
                is_named=False),
        deleted("matching.PairMark", of_candidate("candidate"), exported=False),
        deleted("matching.UnscoredPair", of_candidate("candidate"), exported=False),
        deleted("matching.FoundOpportunity", of_candidate("search__candidate")),
        deleted("matching.Digest", of_candidate("search__candidate")),
        deleted("matching.SavedSearch", of_candidate("candidate")),
        Held(
            model="matching.Proposal", rows=of_candidate("candidate"), erasure=Erasure.CLEAR,
            clear={"contributions": [], "alternatives": None, "reason": ""}, kept=names("code"),
            is_inside=True,
            why="the totals of the run are sums over it",
        ),
        kept("matching.Decision", of_candidate("candidate"), "integers, by which models learn; ids are pseudonyms",
             inside=names("viewer features propensity"), is_named=False),
        acted("matching.Decision", "viewer"),
        acted("matching.AllocationRun", "created_by", part=""),
        acted("matching.AllocationProgress", "stop_asked_by", part=""),
        acted("matching.BackfillRule", "set_by", part=""),
        acted("matching.TrainingRun", "created_by", part=""),
    ),
    nobodys={
        **dict.fromkeys(
            [f"matching.{name}" for name in ("Segment", "ScoringModel", "ModelFile", "FeatureSet", "ShadowFailure")],
            "models",
        ),
        **dict.fromkeys(
            [f"matching.{name}" for name in (
                "AllocationRun_opportunities", "Vacancy", "OpportunityProjection", "ShadowMark",
            )],
            "opportunities",
        ),
        **dict.fromkeys(
            [f"matching.{name}" for name in ("CopyMark", "Mark", "Departure", "Rescore", "RescoreChunk")],
            "ids of what is to be done",
        ),
        "matching.ShadowRanking": "ids and integers, forgotten after a month",
    },
)  # fmt: skip
