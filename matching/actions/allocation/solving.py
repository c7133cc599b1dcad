"""Solving a queued run: gather, solve, explain, store."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from time import monotonic
from typing import Any

from django.db import transaction

from accounts.actions.timers import set_timer
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.errors import DomainError
from marketplace.queries.facts import facts_of
from matching.actions.allocation.explaining import blocking, diagnosed, pareto
from matching.actions.allocation.planning import max_age
from matching.actions.allocation.progress import StopAsked, Telling, telling
from matching.actions.models import serving_now
from matching.core.allocation import InvalidAllocation, Problem, Solution, alternatives, solve, solve_stable
from matching.core.allocation.problem import Integers, canonical_json
from matching.core.allocation.reporting import Report, quietly
from matching.core.run_policy import Mechanism, RunPolicy
from matching.core.scoring import score
from matching.core.workflow import RUN, ProposalState, RunState, SolvingStage
from matching.models import AllocationRun, Proposal
from matching.queries.backfill import taken_back
from matching.queries.between import Pair
from matching.queries.market import Market, gather
from matching.queries.pairings import Edge
from matching.queries.scorable import basics_at

logger = logging.getLogger(__name__)


def solve_run(run_pk: int, now: datetime) -> AllocationRun:
    """Plan a run that waits. Any other is returned as it is, so that this may be called twice.

    A run that cannot be solved fails, and says why without naming anybody. One that somebody wants to be discarded
    meanwhile is: the worker sees it when it next tells how far it has come.
    """
    actor, by = Actor.system(), ActorKind.SYSTEM
    with transaction.atomic():
        run = AllocationRun.objects.select_for_update(of=("self",), no_key=True).get(pk=run_pk)
        if run.state != RunState.QUEUED:
            return run
        move(run, RUN, "solve", actor=actor, by=by, now=now)
        try:
            with telling(run.pk) as progress, transaction.atomic():
                planned = _plan(run, now, progress)
                move(run, RUN, "plan", actor=actor, by=by, now=now, extra_fields={**planned, "planned_at": now})
                set_timer("allocation_expiry", run.pk, now + max_age())
        except StopAsked as asked:
            run = AllocationRun.objects.get(pk=run_pk)
            move(run, RUN, "discard", actor=asked.actor, by=asked.by, now=now, extra_fields={"finished_at": now})
        except Exception as error:
            logger.exception("allocation run %s failed", run.pk)
            run = AllocationRun.objects.get(pk=run_pk)
            extra = {"error": _explained(error), "finished_at": now}
            move(run, RUN, "fail", actor=actor, by=by, now=now, extra_fields=extra)
    return run


def _plan(run: AllocationRun, now: datetime, progress: Telling) -> dict[str, Any]:
    """Write the proposals; the columns that the run gets."""
    basics = basics_at(now, serving_now())
    pinned, excluded = _settled(run)
    progress.begin(SolvingStage.GATHERING)
    policy = RunPolicy.from_data(run.policy)
    market = gather(run, policy, basics, pinned=pinned, excluded=excluded, told=progress.done)
    progress.begin(SolvingStage.SOLVING)
    solution = solved(market.problem, policy, market.pairings.fit, market.pairings.wants, report=progress.solved)
    progress.begin(SolvingStage.EXPLAINING)
    explained = {
        "diagnosis": diagnosed(market, solution),
        "pareto": pareto(market, solution),
        "blocking": blocking(market, solution),
    }
    progress.begin(SolvingStage.STORING, total=len(solution.assignment))
    Proposal.objects.bulk_create(_proposals(run, market, solution), batch_size=500)
    snapshot, models = market.snapshot(), market.models()
    return {
        "model": models[0] if len(models) == 1 else None,  # of several, the snapshot names each
        "snapshot": snapshot,
        "snapshot_digest": digest_of(snapshot),
        "solution": json.loads(solution.to_json()),
        **explained,
        "seats": sum(node.seats for node in market.problem.opportunities),
        "proposed": len(solution.assignment),
        "dropped": len(market.lost_pins.keys() - set(market.problem.excluded)),
        "value": solution.value,
        "bound": solution.bound,
        "gap": solution.gap,
    }


def solved(
    problem: Problem, policy: RunPolicy, fit: Integers, wants: Integers, *, report: Report = quietly
) -> Solution:
    """By the mechanism that the policy asks for. `fit` and `wants` go with the problem's edges. Stopped by the clock
    after the policy's seconds, with the best found."""
    until = None if policy.seconds is None else monotonic() + policy.seconds
    stop = None if until is None else lambda: monotonic() > until
    if policy.mechanism is Mechanism.STABLE:
        return solve_stable(problem, fit, wants, proposing=policy.proposing, stop=stop, report=report)
    return solve(problem, stop=stop, report=report)


def digest_of(snapshot: dict[str, Any]) -> str:
    return blake2b(canonical_json(snapshot), digest_size=32).hexdigest()


def _settled(run: AllocationRun) -> tuple[list[Pair], list[Pair]]:
    """What was pinned and excluded in the run before; from a backfill, also those whose offer was taken back."""
    if run.previous_id is None:
        return [], taken_back(run)
    rows = Proposal.objects.filter(run=run.previous_id).order_by("opportunity_id", "candidate_id")
    return (
        list(rows.filter(state=ProposalState.PINNED).values_list("opportunity_id", "candidate_id")),
        list(rows.filter(state=ProposalState.EXCLUDED).values_list("opportunity_id", "candidate_id")),
    )


def _proposals(run: AllocationRun, market: Market, solution: Solution) -> Iterable[Proposal]:
    """The assignment; and what staff settled before, so that the next plan finds it again."""
    pinned, excluded = set(market.problem.pinned), set(market.problem.excluded)
    stated = [
        (pair, ProposalState.PINNED if pair in pinned else ProposalState.PROPOSED, "") for pair in solution.assignment
    ]
    stated += [(pair, ProposalState.EXCLUDED, "") for pair in market.problem.excluded]
    stated += [(pair, ProposalState.DROPPED, why) for pair, why in market.lost_pins.items() if pair not in excluded]
    people = {pair[1] for pair, _, _ in stated if market.pairings.at(pair) is not None}
    facts = facts_of(people, on=market.basics.on, rate_set=market.basics.rates) if people else {}
    others = alternatives(market.problem, solution)
    for pair, state, reason in stated:
        edge = market.pairings.edge(pair) or Edge(0, 0, 0)
        one, person = market.scorables.get(pair[0]), facts.get(pair[1])
        contributions: list[dict[str, Any]] = []
        if market.pairings.at(pair) is not None and one is not None and person is not None:
            contributions = score(person, one.terms, model=one.scorer).fit.to_json()["contributions"]
        yield Proposal(
            run=run,
            opportunity_id=pair[0],
            candidate_id=pair[1],
            application_id=market.between.applications.get(pair),
            state=state.value,
            value=edge.value,
            fit=edge.fit,
            acceptance=edge.acceptance,
            contributions=contributions,
            alternatives=others[pair].to_data() if pair in others else None,
            reason=reason,
        )


def _explained(error: Exception) -> str:
    """Names the fault. Only our own errors' words are kept: those of others may quote a row."""
    known = isinstance(error, InvalidAllocation | DomainError)
    return f"{type(error).__name__}: {error}"[:500] if known else type(error).__name__
