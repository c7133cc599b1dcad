"""What a plan is explained by: why seats stay empty, what other weights would bring, which pairs block it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from marketplace.models import Opportunity
from matching.core.allocation import Cause, Chances, EmptySeats, Solution, blocking_pairs, diagnose, dial, frontier
from matching.core.columns import JudgedRule
from matching.core.rules import normal
from matching.queries.eligibility import binding
from matching.queries.kept_out import kept_out
from matching.queries.market import Market

MOST_BLOCKING = 1000  # pairs that are kept; all are counted
PARETO_WORK = 4_000_000_000  # of the solver for all points together, a minute at most; then the best found counts


def diagnosed(market: Market, solution: Solution) -> list[dict[str, Any]]:
    """Why seats stay empty, as data, with sentences, public ids, and the criterion that keeps most people out."""
    given = Counter(key for key, _ in solution.assignment)
    short = [market.scorables[node.key] for node in market.problem.opportunities if node.seats > given[node.key]]
    kept = kept_out(short, market.at_hand, market.between, market.policy, market.basics) if short else {}
    found = diagnose(market.problem, solution, kept_out=kept, acceptance=market.pairings.acceptance_ppm)
    spoken_of = {key for one in found for key in one.opportunities}
    rows = Opportunity.objects.filter(pk__in=spoken_of).values_list("pk", "title", "public_id")
    titles, public_ids = {pk: title for pk, title, _ in rows}, {pk: str(public_id) for pk, _, public_id in rows}
    return [_told(one, market, titles, public_ids) for one in found]


def _told(one: EmptySeats, market: Market, titles: dict[int, str], public_ids: dict[int, str]) -> dict[str, Any]:
    data = one.to_data() | {
        "sentence": one.sentence(titles),
        "loosened": [loosening.to_data() | {"sentence": loosening.sentence()} for loosening in one.loosened],
        "public_id": str(market.scorables[one.opportunity].opportunity.public_id),
        "public_ids": [public_ids[key] for key in one.opportunities if key in public_ids],
        "criterion": None,
    }
    if one.cause in {Cause.NOBODY_PASSES, Cause.COMPETITION}:
        rule = market.scorables[one.opportunity].rule
        found = binding(rule, JudgedRule(normal(rule), market.at_hand.crowd, market.basics.on))
        data["criterion"] = asdict(found) if found is not None else None
    return data


def pareto(market: Market, solution: Solution) -> list[dict[str, Any]]:
    """The curve of fill against quality around the chosen weights."""
    pairings, policies = market.pairings, dial(market.problem.policy)
    chances = Chances(pairings.fit_ppm, pairings.acceptance_ppm, pairings.days, pairings.urgency)
    points = frontier(market.problem, solution, chances, policies=policies, work_limit=PARETO_WORK // len(policies))
    return [point.to_data() for point in points]


def blocking(market: Market, solution: Solution) -> dict[str, Any] | None:
    """Pairs that would both rather have each other than what they are given; None in markets where that is not
    defined, because people take several seats or limits and shares restrict them."""
    if not market.problem.plain:
        return None
    pairs = blocking_pairs(market.problem, solution.assignment, market.pairings.fit, market.pairings.wants)
    return {"count": len(pairs), "pairs": [list(pair) for pair in pairs[:MOST_BLOCKING]]}
