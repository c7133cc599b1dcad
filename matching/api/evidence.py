"""What proves a run: the check of its solution, the prices, and all that a client needs to check it themselves."""

from typing import Any

import strawberry

from accounts.api.nodes import global_id
from accounts.api.peers import together
from accounts.api.scalars import BigInt
from accounts.models import Organisation
from marketplace.api.opportunities import OpportunityType
from marketplace.models import Opportunity
from matching.actions.allocation import publish_run, verify_run
from matching.core.allocation import Certificate
from matching.core.allocation.problem import parse_json
from matching.models import AllocationRun


@strawberry.type(
    name="Certificate",
    description="What the stored solution proves of itself, checked with none of the solver's code.",
)
class CertificateType:
    feasible: bool = strawberry.field(description="Every limit, pin and exclusion is kept.")
    valid: bool = strawberry.field(description="Feasible, proven, and every number as claimed.")
    value: BigInt = strawberry.field(description="What the assignment is worth.")
    bound: BigInt | None = strawberry.field(description="No assignment is worth more; null where nothing is proven.")
    gap: BigInt | None = strawberry.field(description="Bound less value: 0 is the best there is.")
    problems: list[str] = strawberry.field(description="What is wrong, in words.")
    relaxation: str = strawberry.field(
        description="What the bound is of: `assignment`, the problem itself; `knapsack`, people by themselves."
    )
    scale: int = strawberry.field(description="Prices are in units of one in so many of a value.")
    solver: str = strawberry.field(description="What found the solution, with its version.")
    work: BigInt = strawberry.field(description="Steps that it took: the same on every machine.")
    stopped: bool = strawberry.field(description="Whether a limit ended it before it was done.")


@strawberry.type(name="SeatPrice", description="What one more seat of an opportunity would add to the total value.")
class SeatPriceType:
    opportunity: OpportunityType = strawberry.field(description="Of which opportunity.")
    price: BigInt = strawberry.field(description="How much.")


def certificates(rows: list[AllocationRun]) -> dict[int, CertificateType]:
    solved = AllocationRun.objects.filter(pk__in=[row.pk for row in rows], solution__isnull=False)
    return {run.pk: _certificate(run, verify_run(run)) for run in solved}


def _certificate(run: AllocationRun, found: Certificate) -> CertificateType:
    solution = run.solution or {}
    return CertificateType(
        feasible=found.feasible,
        valid=found.valid,
        value=found.value,  # type: ignore[arg-type]
        bound=found.bound,  # type: ignore[arg-type]
        gap=found.gap,  # type: ignore[arg-type]
        problems=list(found.problems),
        relaxation=solution.get("relaxation", "assignment"),
        scale=solution.get("scale", 1),
        solver=solution["solver"],
        work=solution["work"],
        stopped=solution.get("stopped", False),
    )


def prices(rows: list[AllocationRun]) -> dict[int, list[SeatPriceType]]:
    solutions = dict(AllocationRun.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "solution"))
    listed = {pk: (solution["seat_prices"], solution.get("scale", 1)) for pk, solution in solutions.items() if solution}
    keys = {key for of_one, _ in listed.values() for key, _ in of_one}
    found = {one.pk: one for one in together(Opportunity.objects.filter(pk__in=keys))}
    return {
        pk: [
            SeatPriceType(opportunity=found[key], price=price // scale)  # type: ignore[arg-type]
            for key, price in sorted(of_one, key=lambda item: (-item[1], item[0]))
            if key in found
        ]
        for pk, (of_one, scale) in listed.items()
    }


def proofs(rows: list[AllocationRun]) -> dict[int, dict[str, Any]]:
    """By run: the problem and the solution with rows numbered anew, the ids of opportunities and organisations by
    number, and both sides' orders. Candidates are numbers and nothing else."""
    solved = AllocationRun.objects.filter(pk__in=[row.pk for row in rows], solution__isnull=False)
    found = {run.pk: (run, publish_run(run)) for run in solved}
    keys = {key for _, one in found.values() for key in one.opportunities}
    hiring = {key for _, one in found.values() for key in one.limits}
    opportunities = {row.pk: global_id(row) for row in Opportunity.objects.filter(pk__in=keys).only("pk", "public_id")}
    organisations = {row.pk: global_id(row) for row in Organisation.objects.filter(pk__in=hiring)} if hiring else {}
    return {
        pk: {
            "problem": parse_json(one.problem.to_json()),
            "solution": parse_json(one.solution.to_json()),
            "opportunities": [opportunities.get(key) for key in one.opportunities],
            "organisations": [organisations.get(key) for key in one.limits],
            "scores": (run.snapshot or {}).get("scores"),
        }
        for pk, (run, one) in found.items()
    }
