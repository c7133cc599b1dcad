"""Whom an actor is to a search."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import QuerySet, Value

from accounts.core.actor import Actor
from accounts.models import Membership, Organisation
from accounts.queries.prepared import Gap, Prepared, prepare
from marketplace.core.workflow import InvitationState
from marketplace.models import Application, Invitation
from matching.core.search.search import EVERYTHING, Reach

_ASKED = [InvitationState.SENT, InvitationState.ACCEPTED]


def reach_of(actor: Actor) -> Reach:
    """What an actor may find. One statement; `marketplace.access` says the same of rows."""
    if actor.is_staff or actor.is_system:
        return EVERYTHING
    found: dict[str, set[int]] = {"suspended": set(), "organisations": set(), "related": set()}
    for what, pk in _reach(is_user=actor.user_id is not None).tuples(user=actor.user_id):
        found[what].add(pk)
    organisations, related, suspended = (frozenset(found[name]) for name in ("organisations", "related", "suspended"))
    return Reach(organisations=organisations, related=related, suspended=suspended)


@cache
def _reach(*, is_user: bool) -> Prepared:
    """Of a Reach, by the names of its fields, the inner ids."""
    suspended = _as("suspended", Organisation.objects.filter(suspended_at__isnull=False), "pk")
    if not is_user:
        return prepare(suspended)
    user = Gap("user")
    return prepare(
        suspended.union(
            _as("organisations", Membership.objects.filter(user_id=user), "organisation_id"),
            _as("related", Invitation.objects.filter(candidate__user_id=user, state__in=_ASKED), "opportunity_id"),
            _as("related", Application.objects.filter(candidate__user_id=user), "opportunity_id"),
            all=True,
        )
    )


def _as(name: str, rows: QuerySet[Any], key: str) -> QuerySet[Any]:
    return rows.order_by().annotate(what=Value(name)).values_list("what", key)


def memberships_of(actor: Actor) -> frozenset[int]:
    """The organisations that an actor belongs to, by inner id; of staff, those they are members of."""
    if actor.user_id is None:
        return frozenset()
    return frozenset(Membership.objects.filter(user_id=actor.user_id).values_list("organisation_id", flat=True))
