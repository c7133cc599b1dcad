"""Which opportunities: the filter that exploring and saved searches share."""

from datetime import datetime

import strawberry

from accounts.api.inputs import plain
from accounts.api.nodes import public_id
from accounts.errors import InvalidInput
from marketplace.api.enums import ArrangementEnum, CommitmentEnum, OpportunityStateEnum
from marketplace.api.mutations.opportunities import MoneyInput
from marketplace.core.money import Money
from matching.actions.asked import AskedFor
from matching.api.opportunity_rules import OpportunityRuleInput, read_rule
from matching.core.rules import OPEN_TO_ALL


@strawberry.input(name="OpportunityFilter", description="Which opportunities. What is not given does not restrict.")
class OpportunityFilter:
    states: list[OpportunityStateEnum] | None = strawberry.field(
        default=None, description="Where they stand. Nobody sees more than they may: drafts are their organisation's."
    )
    commitments: list[CommitmentEnum] | None = strawberry.field(default=None, description="The kind of engagement.")
    arrangements: list[ArrangementEnum] | None = strawberry.field(default=None, description="Where the work is done.")
    countries: list[str] | None = strawberry.field(
        default=None,
        description="ISO 3166 codes of countries or regions: offered in one of these, or anywhere, and not kept out.",
    )
    skill_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="They ask for all of these.")
    organisation_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who posted them, or for whom they were posted."
    )
    min_weekly_hours: int | None = strawberry.field(default=None, description="At least so many hours a week.")
    max_weekly_hours: int | None = strawberry.field(default=None, description="At most so many hours a week.")
    min_pay: MoneyInput | None = strawberry.field(
        default=None,
        description=(
            "Some pay band reaches this figure a year, at today's rates of exchange and for the hours that are stated."
        ),
    )
    max_pay: MoneyInput | None = strawberry.field(
        default=None, description="Some pay band begins at this figure a year, or below; in the currency of `minPay`."
    )
    posted_since: datetime | None = strawberry.field(default=None, description="First published at this time or later.")
    eligible_only: bool | None = strawberry.field(
        default=None, description="Only those that are open and whose rules surely accept you. For candidates."
    )
    mine: bool | None = strawberry.field(default=None, description="Only those of the organisations you belong to.")
    where: OpportunityRuleInput | None = strawberry.field(
        default=None, description="Anything else, in the grammar of eligibility rules."
    )


NEVER_KEPT = ("states", "posted_since", "mine")
"""What a saved search cannot ask for: it finds what is newly open to everybody."""


def asked_for(by: OpportunityFilter | None, search: str | None, *, path: str = "filter") -> AskedFor:
    """What a filter asks for, but for `NEVER_KEPT`. `path` is its place in the input. Raises InvalidInput and
    FilterRefused."""
    by = by or OpportunityFilter()
    return AskedFor(
        text=search or "",
        commitments=plain(by.commitments) or (),
        arrangements=plain(by.arrangements) or (),
        countries=by.countries or (),
        skill_ids=[
            public_id(one, "Skill", field=f"{path}.skillIds[{at}]") for at, one in enumerate(by.skill_ids or ())
        ],
        organisation_id=None
        if by.organisation_id is None
        else public_id(by.organisation_id, "Organisation", field=f"{path}.organisationId"),
        min_weekly_hours=by.min_weekly_hours,
        max_weekly_hours=by.max_weekly_hours,
        min_pay=_money(by.min_pay),
        max_pay=_money(by.max_pay),
        where=OPEN_TO_ALL if by.where is None else read_rule(by.where, f"{path}.where"),
        eligible_only=bool(by.eligible_only),
        path=path,
    )


def refuse_what_is_never_kept(by: OpportunityFilter | None, *, path: str) -> None:
    """Raises InvalidInput."""
    for name in NEVER_KEPT:
        if by is not None and getattr(by, name) is not None:
            camel = "".join(part.capitalize() if at else part for at, part in enumerate(name.split("_")))
            raise InvalidInput(f"{path}.{camel}", "cannot be asked by a saved search, which finds what is newly open")


def _money(given: MoneyInput | None) -> Money | None:
    return None if given is None else Money(given.amount, given.currency)
