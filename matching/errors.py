"""What deciding refuses, and why."""

from __future__ import annotations

from datetime import datetime

from accounts.errors import DomainError


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


class PayUnknown(DomainError):
    """No band of the opportunity holds for the candidate's place."""

    sentence = "The opportunity states no pay for where the candidate lives."
