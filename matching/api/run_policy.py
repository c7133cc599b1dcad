"""What a run is to keep to, as it is asked for and as it is shown."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import strawberry

from accounts.api.nodes import public_id
from accounts.api.peers import batched, together
from accounts.api.types import OrganisationType
from accounts.core.actor import Actor
from accounts.models import Organisation
from marketplace.api.opportunities import OpportunityType
from marketplace.api.rules import RuleInput, rule_text, skills_in, written_rule
from marketplace.models import Opportunity, Skill
from marketplace.queries.naming import names_of
from matching.api.enums import MechanismEnum, ProposingEnum
from matching.core.rules import Disclosure
from matching.core.run_policy import RunPolicy
from matching.models import AllocationRun


@strawberry.input(description="The most seats that one hiring organisation is given.")
class SeatLimitInput:
    organisation_id: strawberry.ID = strawberry.field(description="Which; it hires for an opportunity in the scope.")
    seats: int = strawberry.field(description="How many at most.")


@strawberry.input(description="Seats of an opportunity that are kept for those who meet a rule besides its own.")
class ReservedShareInput:
    opportunity_id: strawberry.ID = strawberry.field(description="Which.")
    seats: int = strawberry.field(description="How many.")
    rule: RuleInput = strawberry.field(description="For whom.")


@strawberry.input(name="AllocationPolicyInput", description="What a run is to keep to. What is null is the default's.")
class PolicyInput:
    quality: int = strawberry.field(description="How well people suit: thousandths; the three weights sum to 1000.")
    fill: int = strawberry.field(description="How many seats are filled.")
    speed: int = strawberry.field(description="How soon they start.")
    min_fit_ppm: int | None = strawberry.field(
        default=None, description="The least fit, as a probability in millionths, at which somebody is offered a seat."
    )
    offers_at_once: int | None = strawberry.field(
        default=None,
        description="Live offers from allocations that one person may hold, whose hours together must fit into theirs.",
    )
    urgent_days: int | None = strawberry.field(
        default=None,
        description="So many days before an opportunity closes or begins, its seats begin to count more, up to twice.",
    )
    mechanism: MechanismEnum | None = strawberry.field(default=None, description="How seats are given.")
    proposing: ProposingEnum | None = strawberry.field(
        default=None, description="Whom a stable assignment is best for."
    )
    most_per_organisation: int | None = strawberry.field(
        default=None, description="Seats that any one hiring organisation is given at most."
    )
    limits: list[SeatLimitInput] | None = strawberry.field(
        default=None, description="The same for organisations by name, which come before it."
    )
    shares: list[ReservedShareInput] | None = strawberry.field(default=None, description="Reserved seats.")
    seconds: int | None = strawberry.field(
        default=None, description="How long the solver may take before it gives the best that it has found."
    )


_PLAIN = (
    "quality", "fill", "speed", "min_fit_ppm", "offers_at_once", "urgent_days", "mechanism", "proposing",
    "most_per_organisation", "seconds",
)  # fmt: skip


@contextmanager
def written_policy(given: PolicyInput | None, actor: Actor) -> Iterator[dict[str, Any] | None]:
    """The policy as an action reads it, with public ids in place of global ones. A refusal of one of its rules, here or
    inside, names the places of its faults in that rule's input. Raises InvalidInput, RuleRefused."""
    if given is None:
        yield None
        return
    policy: dict[str, Any] = {name: getattr(given, name) for name in _PLAIN if getattr(given, name) is not None}
    policy["limits"] = [
        {
            "organisation": public_id(one.organisation_id, "Organisation", field=f"policy.limits[{at}].organisationId"),
            "seats": one.seats,
        }
        for at, one in enumerate(given.limits or ())
    ]
    with ExitStack() as rules:
        policy["shares"] = [
            {
                "opportunity": public_id(one.opportunity_id, "Opportunity", field=f"policy.shares[{at}].opportunityId"),
                "seats": one.seats,
                "rule": rules.enter_context(written_rule(one.rule, actor)),
            }
            for at, one in enumerate(given.shares or ())
        ]
        yield policy


@strawberry.type(name="SeatLimit", description="The most seats that one hiring organisation is given.")
class SeatLimitType:
    organisation: OrganisationType = strawberry.field(description="Which.")
    seats: int = strawberry.field(description="How many at most.")


@strawberry.type(
    name="ReservedShare", description="Seats of an opportunity kept for those who meet a rule besides its own."
)
class ReservedShareType:
    opportunity: OpportunityType = strawberry.field(description="Which.")
    seats: int = strawberry.field(description="How many.")
    rule_text: str | None = strawberry.field(description="For whom, as far as it is disclosed to you.")


@strawberry.type(name="AllocationPolicy", description="What a run keeps to.")
class PolicyType:
    quality: int = strawberry.field(description="How well people suit: thousandths; the three weights sum to 1000.")
    fill: int = strawberry.field(description="How many seats are filled.")
    speed: int = strawberry.field(description="How soon they start.")
    min_fit_ppm: int = strawberry.field(
        description="The least fit, as a probability in millionths, at which somebody is offered a seat."
    )
    offers_at_once: int = strawberry.field(description="Live offers from allocations that one person may hold.")
    urgent_days: int = strawberry.field(
        description="So many days before an opportunity closes or begins, its seats begin to count more, up to twice."
    )
    mechanism: MechanismEnum = strawberry.field(description="How seats are given.")
    proposing: ProposingEnum = strawberry.field(description="Whom a stable assignment is best for.")
    most_per_organisation: int | None = strawberry.field(
        description="Seats that any one hiring organisation is given at most."
    )
    limits: list[SeatLimitType] = strawberry.field(
        description="The same for organisations by name, which come before it."
    )
    shares: list[ReservedShareType] = strawberry.field(description="Reserved seats.")
    seconds: int | None = strawberry.field(
        description="How long the solver may take before it gives the best that it has found."
    )


def policy_of(run: AllocationRun, actor: Actor) -> PolicyType:
    """For those who may see the run. Rules are told as far as they are disclosed to the organisation, or to staff."""
    audience = Disclosure.STAFF if actor.is_staff else Disclosure.ORGANISATION
    found: PolicyType = batched(run, "policy", lambda rows: _policies(rows, audience), None)
    return found


def _policies(rows: list[AllocationRun], audience: Disclosure) -> dict[int, PolicyType]:
    policies = {row.pk: RunPolicy.from_data(row.policy) for row in rows}
    limited = {key for policy in policies.values() for key in policy.limits}
    shared = {share.opportunity for policy in policies.values() for share in policy.shares}
    skills = {key for policy in policies.values() for share in policy.shares for key in skills_in(dict(share.rule))}
    organisations = {row.pk: row for row in together(Organisation.objects.filter(pk__in=limited))} if limited else {}
    opportunities = {row.pk: row for row in together(Opportunity.objects.filter(pk__in=shared))} if shared else {}
    names = names_of(dict(Skill.objects.filter(pk__in=skills).values_list("pk", "name")) if skills else {})
    return {
        pk: PolicyType(
            quality=policy.weights.quality,
            fill=policy.weights.fill,
            speed=policy.weights.speed,
            min_fit_ppm=policy.min_fit_ppm,
            offers_at_once=policy.offers_at_once,
            urgent_days=policy.urgent_days,
            mechanism=policy.mechanism,
            proposing=policy.proposing,
            most_per_organisation=policy.most_per_organisation,
            limits=[
                SeatLimitType(organisation=organisations[key], seats=seats)  # type: ignore[arg-type]
                for key, seats in sorted(policy.limits.items())
                if key in organisations
            ],
            shares=[
                ReservedShareType(
                    opportunity=opportunities[share.opportunity],  # type: ignore[arg-type]
                    seats=share.seats,
                    rule_text=rule_text(dict(share.rule), audience, names),
                )
                for share in policy.shares
                if share.opportunity in opportunities
            ],
            seconds=policy.seconds,
        )
        for pk, policy in policies.items()
    }
