"""Small builders of real rows, through the actions or as they leave them.

Every builder takes `now` (the moment tests happen at) and makes whatever it needs that was not handed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction

from accounts.actions.events import append
from accounts.actions.organisations import accept_membership, create_organisation, invite_member
from accounts.actions.transitions import move
from accounts.core.actor import Actor, ActorKind
from accounts.models import Membership, Organisation, User
from marketplace.actions.applications import apply
from marketplace.actions.candidates import CandidateFields, register_candidate
from marketplace.actions.invitations import invite_candidate
from marketplace.actions.opportunities import (
    OpportunityFields,
    PayBandInput,
    draft_opportunity,
    publish_opportunity,
    set_eligibility_rule,
)
from marketplace.actions.rates import publish_rates
from marketplace.actions.terms import CheckedFields, check_fields
from marketplace.core.workflow import OPPORTUNITY
from marketplace.models import (
    Application,
    Candidate,
    ExchangeRateSet,
    Invitation,
    Opportunity,
    OpportunityRevision,
    PayBand,
    PayBandPlace,
    Seat,
    Skill,
)
from marketplace.queries.terms import Terms, snapshot

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

_numbers = count(1)

PAY_BAND = PayBandInput(minimum=Decimal(20), maximum=Decimal(30), currency="EUR", period="hour")
COMPLETE = {
    "title": "Welder",
    "description": "Weld frames.",
    "commitment": "full_time",
    "arrangement": "onsite",
    "weekly_hours": 40,
    "pay_bands": [PAY_BAND],
}
"""What publishing needs."""


@dataclass(frozen=True)
class Recruiter:
    """A member of an organisation, who can act."""

    user: User
    organisation: Organisation
    actor: Actor


def actor_of(row: User | Candidate) -> Actor:
    user = row.user if isinstance(row, Candidate) else row
    assert user is not None
    return Actor(user_id=user.pk, is_staff=user.is_staff)


def a_user(**fields: Any) -> User:
    number = next(_numbers)
    return User.objects.create_user(**{"email": f"person{number}@example.org", "name": f"Person {number}", **fields})


def a_staff_actor() -> Actor:
    return actor_of(a_user(is_staff=True))


def an_organisation(*, name: str | None = None, now: datetime = NOW) -> Recruiter:
    """A new organisation, in the hands of its owner."""
    owner = a_user()
    actor = actor_of(owner)
    if name:
        return Recruiter(owner, create_organisation(actor=actor, name=name, now=now), actor)
    number = next(_numbers)
    with transaction.atomic():
        organisation = Organisation.objects.create(name=f"Works {number}", slug=f"works-{number}", currency="EUR")
        Membership.objects.create(user=owner, organisation=organisation, role=Membership.Role.OWNER)
        append(organisation, "OrganisationCreated", actor=actor, by=ActorKind.MEMBER, now=now)
    return Recruiter(owner, organisation, actor)


def a_recruiter(owner: Recruiter | None = None, *, role: str = "recruiter", now: datetime = NOW) -> Recruiter:
    """Another member of the owner's organisation, or of a new one."""
    owner = owner or an_organisation(now=now)
    user = a_user()
    membership = invite_member(
        actor=owner.actor, organisation_id=owner.organisation.public_id, email=user.email, role=role, now=now
    )
    accept_membership(actor=actor_of(user), membership_id=membership.public_id, now=now)
    return Recruiter(user, owner.organisation, actor_of(user))


def a_skill(name: str | None = None, **fields: Any) -> Skill:
    name = name or f"skill {next(_numbers)}"
    return Skill.objects.create(name=name, folded=name.casefold(), **fields)


def a_candidate(*, user: User | None = None, now: datetime = NOW, **facts: Any) -> Candidate:
    """A registered candidate; `facts` as `CandidateFields` takes them."""
    return register_candidate(actor=actor_of(user or a_user()), fields=CandidateFields(**facts), now=now)


def a_draft(by: Recruiter | None = None, *, now: datetime = NOW, **fields: Any) -> Opportunity:
    """A draft that lacks nothing; `fields` as `OpportunityFields` takes them."""
    by = by or an_organisation(now=now)
    return draft_opportunity(
        actor=by.actor,
        organisation_id=by.organisation.public_id,
        fields=OpportunityFields(**{**COMPLETE, "seats": 1, **fields}),
        now=now,
    )


def a_published_opportunity(
    by: Recruiter | None = None,
    *,
    seats: int = 1,
    rule: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    **fields: Any,
) -> Opportunity:
    by = by or an_organisation(now=now)
    if not by.actor.is_staff and fields.keys() <= _PLAIN and all(fields.values()):
        return _published(by, seats, rule, now, fields)
    opportunity = a_draft(by, now=now, seats=seats, **fields)
    if rule:
        set_eligibility_rule(actor=by.actor, opportunity_id=opportunity.public_id, rule=dict(rule), now=now)
    return publish_opportunity(actor=by.actor, opportunity_id=opportunity.public_id, now=now)


# What a thousand tests ask for, as the actions leave it, in a third of their statements: `test_factories` compares.

_PLAIN = {"title", "description", "commitment", "arrangement", "visibility", "weekly_hours", "skills", "locations"}
_PAY_BAND = {"minimum": PAY_BAND.minimum, "maximum": PAY_BAND.maximum, "currency": "EUR", "period": "hour"}


def _published(
    by: Recruiter, seats: int, rule: Mapping[str, Any] | None, now: datetime, fields: dict[str, Any]
) -> Opportunity:
    said = {"actor": by.actor, "by": ActorKind.MEMBER, "now": now}
    with transaction.atomic():
        opportunity = Opportunity(
            posting_organisation=by.organisation, hiring_organisation=by.organisation, created_by_id=by.user.pk
        )
        columns = {name: value for name, value in COMPLETE.items() if name != "pay_bands"}
        checked = check_fields(OpportunityFields(**{**columns, **fields}), opportunity, actor=by.actor)
        checked.write_columns(opportunity)
        opportunity.save()
        band = PayBand.objects.create(opportunity=opportunity, **_PAY_BAND)
        PayBandPlace.objects.create(band=band, opportunity=opportunity, place="")
        checked.write_rows(opportunity)
        append(opportunity, "OpportunityDrafted", **said)
        numbers = range(1, seats + 1)
        for seat in Seat.objects.bulk_create(Seat(opportunity=opportunity, number=n, opened_at=now) for n in numbers):
            append(seat, "SeatOpened", payload={"opportunity": opportunity.pk}, **said)
        if rule:
            opportunity = set_eligibility_rule(
                actor=by.actor, opportunity_id=opportunity.public_id, rule=dict(rule), now=now
            )
        else:
            opportunity.current_revision = OpportunityRevision.objects.create(
                opportunity=opportunity, number=1, terms=_terms(opportunity, checked), created_by_id=by.user.pk,
                created_at=now,
            )  # fmt: skip
            opportunity.save(update_fields=["current_revision"])
        done = {"extra_fields": {"published_at": now}, "payload": {"revision": 1}}
        move(opportunity, OPPORTUNITY, "publish", **done, **said)
    return opportunity


_known_terms: dict[str, Terms] = {}


def _terms(opportunity: Opportunity, checked: CheckedFields) -> Terms:
    """The snapshot, read once for all that say the same in their own columns."""
    if checked.rows:
        return snapshot(opportunity)
    key = repr(sorted(checked.columns.items()))
    if key not in _known_terms:
        _known_terms[key] = snapshot(opportunity)
    return {**_known_terms[key], "hiringOrganisation": opportunity.hiring_organisation_id}


def recruiter_of(opportunity: Opportunity) -> Actor:
    """Somebody who may manage an opportunity."""
    membership = opportunity.posting_organisation.memberships.managing().order_by("pk").first()
    assert membership is not None
    return Actor(user_id=membership.user_id)


def an_application(
    opportunity: Opportunity | None = None,
    candidate: Candidate | None = None,
    *,
    answers: Mapping[str, Any] | None = None,
    preference_rank: int | None = None,
    now: datetime = NOW,
) -> Application:
    opportunity = opportunity or a_published_opportunity(now=now)
    candidate = candidate or a_candidate(now=now)
    return apply(
        actor=actor_of(candidate),
        opportunity_id=opportunity.public_id,
        answers=dict(answers) if answers else None,
        preference_rank=preference_rank,
        now=now,
    )


def an_invitation(
    opportunity: Opportunity | None = None, candidate: Candidate | None = None, *, now: datetime = NOW
) -> Invitation:
    opportunity = opportunity or a_published_opportunity(now=now)
    candidate = candidate or a_candidate(now=now)
    return invite_candidate(
        actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, candidate_id=candidate.public_id, now=now
    )


def exchange_rates(rates: Mapping[str, Decimal] | None = None, *, now: datetime = NOW) -> ExchangeRateSet:
    return publish_rates(
        actor=a_staff_actor(),
        on=now.date(),
        source="test",
        rates=rates or {"USD": Decimal("1.1"), "GBP": Decimal("0.85")},
        now=now,
    )


def everything(models: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    """All rows of some tables, to prove that nothing was written."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
