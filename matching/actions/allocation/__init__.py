"""Allocation: plan, settle proposals, commit, replay."""

from matching.actions.allocation.calling import send_open_call, size_open_call
from matching.actions.allocation.committing import commit_allocation, commit_proposal
from matching.actions.allocation.offering import send_next_wave, waves_answered
from matching.actions.allocation.planning import (
    discard_allocation,
    exclude_proposal,
    expire_allocation,
    pin_proposal,
    plan_allocation,
)
from matching.actions.allocation.policies import default_policy
from matching.actions.allocation.replaying import Replay, publish_run, replay, verify_run
from matching.actions.allocation.solving import solve_run

__all__ = [
    "Replay",
    "commit_allocation",
    "commit_proposal",
    "default_policy",
    "discard_allocation",
    "exclude_proposal",
    "expire_allocation",
    "pin_proposal",
    "plan_allocation",
    "publish_run",
    "replay",
    "send_next_wave",
    "send_open_call",
    "size_open_call",
    "solve_run",
    "verify_run",
    "waves_answered",
]
