"""Organisations and their members."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction
from django.utils.text import slugify
from moneyed import CurrencyDoesNotExist, get_currency

from accounts.access import access_organisation, require_person, require_user
from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, LastOwner, MembershipExists, NotFound, SlugTaken
from accounts.models import Membership, Organisation, User


def create_organisation(
    *,
    actor: Actor,
    name: str,
    slug: str | None = None,
    country: str = "",
    currency: str = "EUR",
    website: str = "",
    now: datetime,
) -> Organisation:
    """Found an organisation; whoever does becomes its owner. Raises InvalidInput, SlugTaken, LoginRequired."""
    user_id = require_user(actor)
    name = clean_line(name, field="name", max_length=200)
    given, slug = slug, slugify(slug or name)[:80]
    if not slug:
        raise InvalidInput("slug", "needs at least one letter or digit")
    _check_currency(currency)
    _check_website(website)
    with transaction.atomic():
        if not given:
            slug = _free_slug(slug)
        with refusing({"accounts_organisation_slug_key": lambda: SlugTaken(slug=slug)}):
            organisation = Organisation.objects.create(
                name=name, slug=slug, country=_country(country), currency=currency, website=website
            )
        Membership.objects.create(user_id=user_id, organisation=organisation, role=Membership.Role.OWNER)
        append(organisation, "OrganisationCreated", actor=actor, by=ActorKind.MEMBER, now=now)
    return organisation


def invite_member(*, actor: Actor, organisation_id: UUID, email: str, role: str, now: datetime) -> Membership:
    """Give a person a role, by e-mail address; one who has no login yet gets one without a password. What they are
    called the others read once they have joined: whoever knows an address is not told a name for it.

    Owners only. Raises InvalidInput, MembershipExists, NotFound, NotPermitted.
    """
    email = clean_line(email, field="email", max_length=254).lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput("email", "is not an e-mail address") from error
    if role not in Membership.Role.values:
        raise InvalidInput("role", f"must be one of {', '.join(Membership.Role.values)}")
    with transaction.atomic():
        organisation = access_organisation(actor, organisation_id, to="own")
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        if user.is_service:
            raise InvalidInput("email", "belongs to a service token")
        with refusing({"one_membership_per_user_and_organisation": MembershipExists}):
            membership = Membership.objects.create(
                user=user, organisation=organisation, role=role, invited_by_id=actor.user_id, joined_at=None
            )
        append(
            organisation,
            "MemberInvited",
            actor=actor,
            by=ActorKind.MEMBER,
            now=now,
            payload={"user": user.pk, "role": role},
        )
    return membership


def accept_membership(*, actor: Actor, membership_id: UUID, now: datetime) -> Membership:
    """Say that one is a member; once is enough. Raises LoginRequired, NotFound, ScopeMissing."""
    require_person(actor)
    with transaction.atomic():
        mine = Membership.objects.select_for_update().filter(user_id=require_user(actor), public_id=membership_id)
        membership = mine.first()
        if membership is None:
            raise NotFound("membership")
        if membership.joined_at is None:
            membership.joined_at = now
            membership.save(update_fields=["joined_at"])
            _append_changed(membership, actor, now)
    return membership


def change_role(*, actor: Actor, membership_id: UUID, role: str, now: datetime) -> Membership:
    """Raises InvalidInput, LastOwner, NotFound, NotPermitted."""
    if role not in Membership.Role.values:
        raise InvalidInput("role", f"must be one of {', '.join(Membership.Role.values)}")
    with transaction.atomic():
        membership = _membership_to_change(actor, membership_id)
        if role != Membership.Role.OWNER:
            _keep_an_owner(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        _append_changed(membership, actor, now)
    return membership


def remove_member(*, actor: Actor, membership_id: UUID, now: datetime) -> None:
    """Raises LastOwner, NotFound, NotPermitted."""
    with transaction.atomic():
        membership = _membership_to_change(actor, membership_id)
        _keep_an_owner(membership)
        _append_changed(membership, actor, now)
        membership.delete()


def _membership_to_change(actor: Actor, membership_id: UUID) -> Membership:
    membership = Membership.objects.select_related("organisation", "user").filter(public_id=membership_id).first()
    if membership is None:
        raise NotFound("membership")
    access_organisation(actor, membership.organisation.public_id, to="own")
    if membership.user.is_service:
        raise InvalidInput("membership_id", "belongs to a service token, which is revoked instead")
    # The organisation's row orders changes of its members, so that two owners cannot remove each other.
    Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    return Membership.objects.select_related("organisation", "user").get(pk=membership.pk)


def _keep_an_owner(membership: Membership) -> None:
    others = Membership.objects.filter(organisation=membership.organisation, role=Membership.Role.OWNER)
    if membership.role == Membership.Role.OWNER and not others.exclude(pk=membership.pk).exists():
        raise LastOwner


def _append_changed(membership: Membership, actor: Actor, now: datetime) -> None:
    append(
        membership.organisation,
        "MembershipChanged",
        actor=actor,
        by=ActorKind.MEMBER,
        now=now,
        payload={"user": membership.user_id, "role": membership.role},
    )


def _free_slug(slug: str) -> str:
    taken = set(Organisation.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    number = 2
    candidate = slug
    while candidate in taken:
        candidate = f"{slug[:74]}-{number}"
        number += 1
    return candidate


def _check_currency(code: str) -> None:
    try:
        get_currency(code)
    except (CurrencyDoesNotExist, TypeError) as error:
        raise InvalidInput("currency", "is not an ISO 4217 currency") from error


def _country(code: str) -> str:
    from pycountry import countries

    if code and countries.get(alpha_2=code) is None:
        raise InvalidInput("country", "is not an ISO 3166 country")
    return code


def _check_website(website: str) -> None:
    if not website:
        return
    try:
        URLValidator(schemes=["http", "https"])(website)
    except ValidationError as error:
        raise InvalidInput("website", "is not a web address") from error
