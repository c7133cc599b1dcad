"""What the marketplace refuses, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.errors import DomainError

# Candidates


class CandidateExists(DomainError):
    sentence = "You are registered as a candidate already."


class CandidateSuspended(DomainError):
    sentence = "This profile is suspended."


class HoursPromised(DomainError):
    """Weekly hours cannot be cut below what live placements take."""

    sentence = "Your placements take more hours than that."


# Opportunities


class OpportunityIncomplete(DomainError):
    """`missing` names what publishing needs."""

    sentence = "Before it can be published, the opportunity needs: {listed}."

    def __init__(self, missing: list[str]) -> None:
        super().__init__(missing=missing, listed=", ".join(missing))


class OpportunityNotOpen(DomainError):
    """`because` is `state`, `not_yet` (it opens later) or `over` (its closing time has passed)."""

    sentence = "This opportunity is not open at present."

    def __init__(self, *, state: str, because: str = "state") -> None:
        super().__init__(state=state, because=because)


class OpportunityOver(DomainError):
    """No longer to be edited: what was agreed under its terms stays as it was."""

    sentence = "An opportunity that is {state} cannot be edited."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)


class RuleRefused(DomainError):
    """`faults` lists what is wrong with an eligibility rule: path, code and problem of each."""

    sentence = "This eligibility rule cannot be used: {listed}."

    def __init__(self, faults: list[dict[str, str]]) -> None:
        listed = "; ".join(f"{fault['path']} {fault['problem']}" for fault in faults[:5])
        super().__init__(faults=faults, listed=listed)


class OrganisationSuspended(DomainError):
    sentence = "This organisation is suspended."


class WaiverStands(DomainError):
    sentence = "This candidate already has a waiver for this opportunity."


class SeatsFilled(DomainError):
    """There is no open seat, or there are to be fewer seats than the `filled` ones."""

    sentence = "All seats are taken."


# Invitations and applications


class AlreadyInvited(DomainError):
    sentence = "This candidate has an invitation to this opportunity already."


class InvitationOver(DomainError):
    sentence = "This invitation has expired."


class AlreadyApplied(DomainError):
    sentence = "There is a live application to this opportunity already."


class OrganisationBlocked(DomainError):
    sentence = "This candidate has blocked the organisation."


class NotConsidered(DomainError):
    """The organisation keeps this person on its do-not-rehire list."""

    sentence = "This organisation does not consider this candidate."


class NotEligible(DomainError):
    """`verdict` is what the reader may see of it: outcome, reasons, questions and the nearest change, in words."""

    sentence = "The requirements of this opportunity are not met."

    def __init__(self, verdict: dict[str, Any], judged: object = None) -> None:
        super().__init__(verdict=verdict)
        self.judged = judged  # the whole of it, for the record; nobody is told


class HistoryMissing(DomainError):
    """The moment `at` lies before the candidate was known, or before the opportunity had terms."""

    sentence = "Nothing is recorded of {at}."

    def __init__(self, *, at: datetime) -> None:
        super().__init__(at=at.isoformat())


class AnswersNeeded(DomainError):
    """`questions` must be answered first: each with `kind` fact or screening, its `key` and its `prompt`."""

    sentence = "Please answer first: {listed}"

    def __init__(self, questions: list[dict[str, Any]]) -> None:
        super().__init__(questions=questions, listed=" ".join(str(question["prompt"]) for question in questions))


class UnknownStage(DomainError):
    """The pipeline of the opportunity has no such `stage`."""

    sentence = "The pipeline has no stage {stage}."

    def __init__(self, *, stage: str, stages: list[str]) -> None:
        super().__init__(stage=stage, stages=stages)


class ApplicationNotActive(DomainError):
    sentence = "This application is {status}."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


# Offers and placements


class OfferExpired(DomainError):
    sentence = "This offer has expired."

    def __init__(self, *, expired_at: str) -> None:
        super().__init__(expired_at=expired_at)


class OfferExists(DomainError):
    sentence = "There is a live offer for this application already."


class HoursExceeded(DomainError):
    """Hours a week: `wanted` in all, `taken` by live placements, `asked` by this one."""

    sentence = "This takes {asked} hours a week, and {taken} of the {wanted} hours wanted are taken."

    def __init__(self, *, wanted: int, taken: int, asked: int) -> None:
        super().__init__(wanted=wanted, taken=taken, asked=asked)


class PlacementOver(DomainError):
    sentence = "This placement is {state}."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state)


# Groups


class GroupNameTaken(DomainError):
    sentence = "The organisation has a group of this name already."


# People


class PersonAtWork(DomainError):
    """A placement goes on: somebody counts on them, and they are paid. `placements` are the references."""

    sentence = "Somebody who is at work cannot be erased. End the placement first: {placements}."

    def __init__(self, *, placements: list[str]) -> None:
        super().__init__(placements=placements)


class PersonBusy(DomainError):
    """Offers or invitations kept coming while what there was came to its end."""

    sentence = "Something has just begun for this person. Try again."


class PersonErased(DomainError):
    sentence = "Of this person nothing is held any more."
