"""What deciding refuses, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from accounts.errors import DomainError


class InvalidModel(DomainError):
    """A model, or the file it comes in, cannot be used. `field` is the path to it, `problem` what is wrong."""

    sentence = "This model cannot be used: {field} {problem}."

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field=field, problem=problem)


class VersionTaken(DomainError):
    """Versions never change, so each needs a name of its own."""

    sentence = "There is a model {version} already: a version never changes."

    def __init__(self, *, version: str) -> None:
        super().__init__(version=version)


class TrainingRunning(DomainError):
    """Of one segment's models one is trained at a time."""

    sentence = "A model for the segment {segment} is being trained already."

    def __init__(self, *, segment: str) -> None:
        super().__init__(segment=segment)


class NothingLearned(DomainError):
    """No head could be trained; `problems` says of each why."""

    sentence = "There is too little to learn from: {listed}."

    def __init__(self, problems: dict[str, str]) -> None:
        listed = "; ".join(f"{head}: {problem}" for head, problem in problems.items())
        super().__init__(problems=problems, listed=listed)


class NoEarlierModel(DomainError):
    """There is nothing to go back to: no other model of the segment has ever been live."""

    sentence = "No other model of the segment {segment} was live before."

    def __init__(self, *, segment: str) -> None:
        super().__init__(segment=segment)


class PredicateRefused(DomainError):
    """`faults` lists what is wrong with a segment's predicate: path, code and problem of each."""

    sentence = "This predicate cannot be used: {listed}."

    def __init__(self, faults: list[dict[str, str]]) -> None:
        listed = "; ".join(f"{fault['path']} {fault['problem']}" for fault in faults[:5])
        super().__init__(faults=faults, listed=listed)


class LastSegmentStays(DomainError):
    """What no other segment takes needs one: it keeps its place, and takes all."""

    sentence = "The segment {segment} takes all that is left: it stays the last one, and keeps no predicate."

    def __init__(self, *, segment: str) -> None:
        super().__init__(segment=segment)


class SegmentNameTaken(DomainError):
    sentence = "There is a segment {name} already."

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class TooManySegments(DomainError):
    """`most` segments with predicates can be kept."""

    sentence = "There are {most} segments already, and no more can be kept."

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)


class RunNotPlanned(DomainError):
    """Proposals can be settled only while the plan lies on the table."""

    sentence = "This allocation run is {state}: its proposals can no longer be settled."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)


class RunTooOld(DomainError):
    """The market has moved on since the run was planned; plan again."""

    sentence = "This allocation was planned at {planned_at}, more than {hours} hours ago. Plan it again."

    def __init__(self, *, planned_at: datetime, hours: int) -> None:
        super().__init__(planned_at=planned_at.isoformat(timespec="minutes"), hours=hours)


class ScoresNotComparable(DomainError):
    """Scores of models without a common calibration would be weighed against each other. `calibrations` names the scale
    of each version."""

    sentence = "These models do not score on one scale, so their scores cannot be weighed against each other: {models}."

    def __init__(self, *, calibrations: Mapping[str, str]) -> None:
        models = ", ".join(f"{version} ({scale})" for version, scale in calibrations.items())
        super().__init__(models=models, calibrations=dict(calibrations))


class SearchSavedAlready(DomainError):
    """Another saved search of the same person asks for the same; `name` is what it is called."""

    sentence = "You have saved this search already, as: {name}."

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class TooManySavedSearches(DomainError):
    """`most` can be kept; delete one first."""

    sentence = "You keep {most} searches already, and no more can be kept."

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)


# Why a proposal is dropped at commit. Their sentences are read by staff, on the proposal.


class CandidateGone(DomainError):
    sentence = "The candidate is no longer open to offers."


class CandidateEngaged(DomainError):
    sentence = "The candidate has a live offer from an allocation already."


class HoursTaken(DomainError):
    """`asked` hours a week against `free` ones."""

    sentence = "The candidate has {free} free hours a week, and {asked} are asked for."

    def __init__(self, *, free: int, asked: int) -> None:
        super().__init__(free=free, asked=asked)


class CandidateSetAside(DomainError):
    """By a list of the organisation's, a block of the candidate's, or what came before between the two."""

    sentence = "The candidate and this opportunity are no longer to be brought together."


class NoPrices(DomainError):
    """No run of this scope was planned yet: there is nothing to weigh a seat by."""

    sentence = "No allocation of these opportunities has been planned yet, so their seats have no price."


class NotOpenToOffers(DomainError):
    sentence = "The candidate is not open to offers."


class OverbookingReached(DomainError):
    """`calls` of the opportunity wait for an answer, for so many open `seats`."""

    sentence = "One open call more would make more acceptances than seats likelier than was asked for."

    def __init__(self, *, limit_ppm: int, seats: int, calls: int) -> None:
        super().__init__(limit_ppm=limit_ppm, seats=seats, calls=calls)


class PayUnknown(DomainError):
    """No band of the opportunity holds for the candidate's place."""

    sentence = "The opportunity states no pay for where the candidate lives."


# Searching


class SearchSourceGone(DomainError):
    """A list was begun with a source that answers no more; another one's may go on elsewhere."""

    sentence = "This list cannot be continued: please start again from its first page."

    def __init__(self, *, source: str) -> None:
        super().__init__(source=source)


class FilterRefused(DomainError):
    """`faults` lists what is wrong with a filter: path, code and problem of each."""

    sentence = "This filter cannot be used: {listed}."

    def __init__(self, faults: list[dict[str, str]]) -> None:
        listed = "; ".join(f"{fault['path']} {fault['problem']}" for fault in faults[:5])
        super().__init__(faults=faults, listed=listed)
