"""Whom an actor is to a search."""

from __future__ import annotations

from accounts.core.actor import Actor
from accounts.models import Membership, Organisation
from marketplace.core.workflow import InvitationState
from marketplace.models import Application, Invitation
from matching.core.search.search import EVERYTHING, Reach

_ASKED = [InvitationState.SENT, InvitationState.ACCEPTED]


def reach_of(actor: Actor) -> Reach:
    """What an actor may find. Four statements at the most; `marketplace.access` says the same of rows."""
    if actor.is_staff or actor.is_system:
        return EVERYTHING
    suspended = frozenset(Organisation.objects.filter(suspended_at__isnull=False).values_list("pk", flat=True))
    if actor.user_id is None:
        return Reach(suspended=suspended)
    invited = Invitation.objects.filter(candidate__user_id=actor.user_id, state__in=_ASKED)
    applied = Application.objects.filter(candidate__user_id=actor.user_id)
    return Reach(
        organisations=memberships_of(actor),
        related=frozenset(invited.order_by().values_list("opportunity_id", flat=True))
        | frozenset(applied.order_by().values_list("opportunity_id", flat=True)),
        suspended=suspended,
    )


def memberships_of(actor: Actor) -> frozenset[int]:
    """The organisations that an actor belongs to, by inner id; of staff, those they are members of."""
    if actor.user_id is None:
        return frozenset()
    return frozenset(Membership.objects.filter(user_id=actor.user_id).values_list("organisation_id", flat=True))
