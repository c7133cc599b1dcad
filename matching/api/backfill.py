"""What becomes of seats that come free: asked, said, and proposed."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from accounts.api.context import Info
from accounts.api.nodes import public_id
from accounts.api.peers import together
from accounts.api.refusals import Keyed, mutation
from accounts.api.types import OrganisationType
from accounts.core.scopes import Scope
from accounts.errors import NotPermitted
from accounts.models import Organisation
from marketplace.access import access_opportunity
from marketplace.api.opportunities import OpportunityType
from marketplace.models import Opportunity
from matching.actions import backfill
from matching.api.allocation import HEAVY, AllocationRunType
from matching.api.enums import BackfillPolicyEnum, BackfillSourceEnum
from matching.models import Vacancy
from matching.queries.backfill import policies_of, rule_of, undecided_backfill


@strawberry.type(name="Backfill", description="What becomes of seats that come free.")
class BackfillType:
    opportunity: OpportunityType | None = strawberry.field(description="Of which opportunity; null: an organisation's.")
    organisation: OrganisationType = strawberry.field(description="Of which organisation.")
    policy: BackfillPolicyEnum | None = strawberry.field(
        description="What holds; null for an organisation that has said nothing."
    )
    source: BackfillSourceEnum = strawberry.field(description="Where that was said.")
    vacancies: int = strawberry.field(description="Seats that came free and nobody looks for somebody for yet.")
    proposal: AllocationRunType | None = strawberry.field(
        description="The run that waits for somebody to commit it, or is being planned."
    )
    said_at: datetime | None = strawberry.field(description="When it was said.")


def _of_opportunity(opportunity: Opportunity) -> Any:
    policy, source = policies_of([opportunity])[opportunity.pk]
    rule, run = rule_of(opportunity), undecided_backfill(opportunity).defer(*HEAVY).first()
    return BackfillType(
        opportunity=together([opportunity])[0],  # type: ignore[arg-type]
        organisation=opportunity.posting_organisation,  # type: ignore[arg-type]
        policy=BackfillPolicyEnum(policy.value),
        source=BackfillSourceEnum(source.value),
        vacancies=Vacancy.objects.open().filter(opportunity=opportunity).count(),
        proposal=together([run])[0] if run else None,  # type: ignore[arg-type]
        said_at=rule.set_at if rule else None,
    )


def _of_organisation(organisation: Organisation) -> Any:
    rule = rule_of(organisation)
    return BackfillType(
        opportunity=None,
        organisation=organisation,  # type: ignore[arg-type]
        policy=BackfillPolicyEnum(rule.policy) if rule else None,
        source=BackfillSourceEnum.ORGANISATION if rule else BackfillSourceEnum.USUAL,
        vacancies=Vacancy.objects.open().filter(opportunity__posting_organisation=organisation).count(),
        proposal=None,
        said_at=rule.set_at if rule else None,
    )


@strawberry.input(description="Says what becomes of seats that come free: of an opportunity, or of an organisation.")
class SetBackfillInput(Keyed):
    opportunity_id: strawberry.ID | None = strawberry.field(default=None, description="Of which opportunity.")
    organisation_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of which organisation, for all its opportunities that say nothing else."
    )
    policy: BackfillPolicyEnum | None = strawberry.field(
        default=None, description="What becomes of them; null takes back what was said."
    )


@strawberry.type
class BackfillQuery:
    @strawberry.field(description="What becomes of an opportunity's seats that come free. For its organisation.")
    def backfill(
        self, info: Info, opportunity: Annotated[strawberry.ID, strawberry.argument(description="Which, by id.")]
    ) -> BackfillType:
        asked = access_opportunity(info.context.actor, public_id(opportunity, "Opportunity", field="opportunity"))
        if not info.context.reads(asked.posting_organisation_id):
            raise NotPermitted("see what becomes of its seats")
        return _of_opportunity(asked)


@strawberry.type
class BackfillMutation:
    @mutation(
        BackfillType,
        "Say what becomes of seats that come free: offered at once, proposed, or left open.",
        scope=Scope.ALLOCATION,
    )
    def set_backfill(*, info: Info, input: SetBackfillInput) -> Any:
        opportunity, organisation = input.opportunity_id, input.organisation_id
        subject = backfill.set_backfill(
            actor=info.context.actor,
            opportunity_id=public_id(opportunity, "Opportunity", field="opportunityId") if opportunity else None,
            organisation_id=public_id(organisation, "Organisation", field="organisationId") if organisation else None,
            policy=input.policy.value if input.policy else None,
            now=info.context.now,
        )
        return _of_opportunity(subject) if isinstance(subject, Opportunity) else _of_organisation(subject)
