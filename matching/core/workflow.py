"""The state machines of deciding: allocation runs, their proposals, scoring models, re-scoring at large."""

from __future__ import annotations

from enum import StrEnum

from accounts.core.actor import ActorKind
from accounts.core.machine import Move, machine

PLANNER = frozenset({ActorKind.MEMBER, ActorKind.STAFF})
STAFF = frozenset({ActorKind.STAFF})
SYSTEM = frozenset({ActorKind.SYSTEM})
STAFF_OR_SYSTEM = STAFF | SYSTEM
PLANNER_OR_SYSTEM = PLANNER | SYSTEM
STAFF_OR_SYSTEM = STAFF | SYSTEM


class RunState(StrEnum):
    QUEUED = "queued"  # waits for a worker
    SOLVING = "solving"
    PLANNED = "planned"  # to be looked at, pinned, excluded, committed
    COMMITTING = "committing"  # offers are going out
    COMMITTED = "committed"
    DISCARDED = "discarded"
    EXPIRED = "expired"  # too old to be trusted
    FAILED = "failed"


_R = RunState
RUN = machine(
    "allocation run",
    RunState,
    initial=_R.QUEUED,
    moves=[
        Move(_R.QUEUED, "solve", _R.SOLVING, SYSTEM, "AllocationSolving"),
        Move(_R.SOLVING, "plan", _R.PLANNED, SYSTEM, "AllocationPlanned", "writes the proposals"),
        Move(_R.QUEUED, "fail", _R.FAILED, SYSTEM, "AllocationFailed"),
        Move(_R.SOLVING, "fail", _R.FAILED, SYSTEM, "AllocationFailed"),
        Move(_R.PLANNED, "commit", _R.COMMITTING, PLANNER_OR_SYSTEM, "AllocationCommitting"),
        Move(_R.COMMITTING, "finish", _R.COMMITTED, PLANNER_OR_SYSTEM, "AllocationCommitted", "offers were sent"),
        Move(
            _R.COMMITTING, "keep", _R.PLANNED, PLANNER_OR_SYSTEM, "AllocationPartCommitted", "the rest may be sent yet"
        ),
        Move(_R.QUEUED, "discard", _R.DISCARDED, PLANNER_OR_SYSTEM, "AllocationDiscarded"),
        Move(_R.SOLVING, "discard", _R.DISCARDED, PLANNER_OR_SYSTEM, "AllocationDiscarded", "the worker stops"),
        Move(_R.PLANNED, "discard", _R.DISCARDED, PLANNER_OR_SYSTEM, "AllocationDiscarded"),
        Move(_R.PLANNED, "expire", _R.EXPIRED, SYSTEM, "AllocationExpired"),
    ],
)


class SolvingStage(StrEnum):
    """What a worker does with a run, in this order."""

    GATHERING = "gathering"  # opportunities and who could take their seats
    SOLVING = "solving"
    EXPLAINING = "explaining"  # why seats stay empty
    STORING = "storing"


class ProposalState(StrEnum):
    PROPOSED = "proposed"  # by the solver
    PINNED = "pinned"  # staff insist on it; the next plan keeps it
    EXCLUDED = "excluded"  # staff rule it out; the next plan avoids it
    SENT = "sent"  # became an offer
    DROPPED = "dropped"  # did not survive the recheck at commit


_P = ProposalState
PROPOSAL = machine(
    "proposal",
    ProposalState,
    initial=_P.PROPOSED,
    moves=[
        Move(_P.PROPOSED, "pin", _P.PINNED, PLANNER, "ProposalPinned"),
        Move(_P.EXCLUDED, "pin", _P.PINNED, PLANNER, "ProposalPinned"),
        Move(_P.PROPOSED, "exclude", _P.EXCLUDED, PLANNER, "ProposalExcluded"),
        Move(_P.PINNED, "exclude", _P.EXCLUDED, PLANNER, "ProposalExcluded"),
        *[
            Move(source, action, target, PLANNER_OR_SYSTEM, event)
            for source in (_P.PROPOSED, _P.PINNED)
            for action, target, event in (("send", _P.SENT, "ProposalSent"), ("drop", _P.DROPPED, "ProposalDropped"))
        ],
    ],
)


class ModelState(StrEnum):
    DRAFT = "draft"
    SHADOW = "shadow"  # scored and logged, never shown
    LIVE = "live"
    RETIRED = "retired"


_M = ModelState
MODEL = machine(
    "scoring model",
    ModelState,
    initial=_M.DRAFT,
    moves=[
        *[
            Move(source, "shadow", _M.SHADOW, STAFF_OR_SYSTEM, "ModelShadowed", "scores beside the live one, unseen")
            for source in (_M.DRAFT, _M.RETIRED)
        ],
        *[
            Move(source, "promote", _M.LIVE, STAFF_OR_SYSTEM, "ModelPromoted", "retires the live one")
            for source in (_M.DRAFT, _M.SHADOW, _M.RETIRED)
        ],
        *[
            Move(source, "restore", _M.LIVE, STAFF_OR_SYSTEM, "ModelRestored", "the way back, in one step")
            for source in (_M.RETIRED, _M.SHADOW)
        ],
        *[
            Move(source, "retire", _M.RETIRED, STAFF_OR_SYSTEM, "ModelRetired")
            for source in (_M.DRAFT, _M.SHADOW, _M.LIVE)
        ],
    ],
)


class RescoreState(StrEnum):
    QUEUED = "queued"  # waits for a worker to cut it into chunks
    RUNNING = "running"  # workers take chunk after chunk
    PAUSED = "paused"  # by staff; what is done stays done
    FAILED = "failed"  # too much of it could not be scored; what is left waits for staff
    DONE = "done"
    CANCELLED = "cancelled"  # by staff; what was left keeps the scores it has
    SUPERSEDED = "superseded"  # a later change took over what was left


_S = RescoreState
_ACTIVE = (_S.QUEUED, _S.RUNNING)
_RESTING = (_S.PAUSED, _S.FAILED)
RESCORE = machine(
    "re-scoring",
    RescoreState,
    initial=_S.QUEUED,
    moves=[
        Move(_S.QUEUED, "begin", _S.RUNNING, SYSTEM, "RescoreBegun", "cuts what it is about into chunks"),
        Move(_S.RUNNING, "finish", _S.DONE, SYSTEM, "RescoreFinished"),
        *[Move(state, "fail", _S.FAILED, SYSTEM, "RescoreFailed") for state in _ACTIVE],
        *[Move(state, "pause", _S.PAUSED, STAFF_OR_SYSTEM, "RescorePaused") for state in _ACTIVE],
        *[
            Move(state, "resume", _S.QUEUED, STAFF_OR_SYSTEM, "RescoreResumed", "goes on where it stopped")
            for state in _RESTING
        ],
        *[
            Move(state, action, target, by, event, effects)
            for state in _ACTIVE + _RESTING
            for action, target, by, event, effects in (
                ("cancel", _S.CANCELLED, STAFF_OR_SYSTEM, "RescoreCancelled", "what is left keeps the scores it has"),
                ("supersede", _S.SUPERSEDED, SYSTEM, "RescoreSuperseded", "the later one does what is left"),
            )
        ],
    ],
)


class TrainingState(StrEnum):
    QUEUED = "queued"  # waits for the worker
    TRAINING = "training"  # begun again by another worker if the first is killed
    TRAINED = "trained"  # its model is a draft
    FAILED = "failed"  # nothing was kept; it says why


_T = TrainingState
TRAINING = machine(
    "training",
    TrainingState,
    initial=_T.QUEUED,
    moves=[
        Move(_T.QUEUED, "begin", _T.TRAINING, SYSTEM, "TrainingBegun"),
        Move(_T.TRAINING, "finish", _T.TRAINED, SYSTEM, "TrainingFinished", "registers its model as a draft"),
        Move(_T.TRAINING, "fail", _T.FAILED, SYSTEM, "TrainingFailed"),
    ],
)

MACHINES = (RUN, PROPOSAL, MODEL, RESCORE, TRAINING)
