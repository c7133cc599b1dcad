"""The only door to each row of the marketplace. Absent and forbidden look alike.

Candidates see their own and what is public, members what is their organisation's, staff all. `visible_*` says the
same for lists. Rows fetched to be changed (`to` other than `read`) keep their opportunity as it is until the
transaction ends; `lock=True` also locks the row itself. Nobody manages what is about themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, Literal, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from accounts.access import may, require_right, require_user
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotFound, NotPermitted
from accounts.models import Membership
from accounts.queries.prepared import KEYS, Gap, IsAmong, Prepared, prepare
from marketplace.core.workflow import InvitationState, OfferState, OpportunityState
from marketplace.models import Application, Candidate, Invitation, Offer, Opportunity, Placement

Right = Literal["read", "manage", "own"]
Row = TypeVar("Row", Application, Invitation, Offer, Placement)

# Asked before whatever is done to a row: written out, it takes a third of the time.
_WHOSE = """
    SELECT one.id, one.opportunity_id, candidate.user_id, opportunity.posting_organisation_id
    FROM {table} one
    JOIN marketplace_opportunity opportunity ON opportunity.id = one.opportunity_id
    JOIN marketplace_candidate candidate ON candidate.id = one.candidate_id
    WHERE one.public_id = %s
"""
_LIVE_OR_ACCEPTED = [InvitationState.SENT, InvitationState.ACCEPTED]


def kind_for(actor: Actor, row: models.Model) -> ActorKind:
    """In which capacity the actor acts on a row they have been let in to."""
    if actor.is_system:
        return ActorKind.SYSTEM
    if actor.user_id is not None and actor.user_id == _user_of(row):
        return ActorKind.CANDIDATE
    return ActorKind.STAFF if actor.is_staff else ActorKind.MEMBER


def keep_opportunity(opportunity_id: int) -> None:
    """Have an opportunity (by inner id) stay as it is until the transaction ends; wait for whoever is changing it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM marketplace_opportunity WHERE id = %s FOR KEY SHARE", [opportunity_id])


# Candidates


def own_candidate(actor: Actor, *, lock: bool = False) -> Candidate:
    """The actor's own profile. Raises LoginRequired, NotFound."""
    candidates = Candidate.objects.filter(user_id=require_user(actor))
    candidate = (candidates.select_for_update(no_key=True) if lock else candidates).first()
    if candidate is None:
        raise NotFound("candidate profile")
    return candidate


def access_candidate(
    actor: Actor, candidate_id: UUID, *, to: Literal["read", "own", "contact"] = "read", lock: bool = False
) -> Candidate:
    """`own` is for the person and for staff, `contact` for those who may see name, contacts and résumé.

    Raises NotFound, or NotPermitted to those who may read but not do that.
    """
    candidate = _first(visible_candidates(actor), candidate_id, lock=lock)
    if candidate is None:
        raise NotFound("candidate")
    if to == "own" and not (_is_own(actor, candidate) or actor.is_staff or actor.is_system):
        raise NotPermitted("change this profile")
    if to == "contact" and not contacts_open_to(actor, candidate):
        raise NotPermitted("see the contacts of this candidate")
    return candidate


def visible_candidates(actor: Actor) -> QuerySet[Candidate]:
    """One's own; for members, those who let themselves be found and those who have to do with their organisation,
    but never those who blocked it."""
    candidates = Candidate.objects.all()
    if actor.is_staff or actor.is_system:
        return candidates
    if actor.user_id is None:
        return candidates.none()
    # One membership must both be unblocked and have the relation; hence one condition per membership.
    organisation = OuterRef("organisation_id")
    candidate = OuterRef(OuterRef("pk"))
    related = Exists(
        Application.objects.filter(candidate=candidate, opportunity__posting_organisation_id=organisation)
    ) | Exists(
        Invitation.objects.filter(
            candidate=candidate,
            opportunity__posting_organisation_id=organisation,
            state__in=_LIVE_OR_ACCEPTED,
        )
    )
    blocked = Exists(
        Candidate.blocked_organisations.through.objects.filter(candidate=candidate, organisation_id=organisation)
    )
    memberships = Membership.objects.filter(user_id=actor.user_id).filter(~blocked)
    found = Q(discoverable=True, merged_into=None, suspended_at=None) & Exists(memberships)
    return candidates.filter(Q(user_id=actor.user_id) | found | Q(Exists(memberships.filter(related))))


def contacts_open_to(actor: Actor, candidate: Candidate) -> bool:
    """Whether name, contacts and résumé are open: to the person, to staff, and to members of an organisation that the
    candidate turned to: by applying, or by accepting an invitation or an offer."""
    return candidate.pk in contacts_open(actor, [candidate.pk])


def contacts_open(actor: Actor, candidate_ids: Collection[int]) -> set[int]:
    """Of these candidates (inner ids), those whose contacts are open to the actor. One query."""
    return set(contacts_opened_by(actor, candidate_ids))


def contacts_opened_by(actor: Actor, candidate_ids: Collection[int]) -> dict[int, int | None]:
    """Of these candidates (inner ids), those whose contacts are open to the actor, each with the organisation (inner
    id) that they turned to, the oldest of several; None for oneself and for staff. One query."""
    if actor.is_staff or actor.is_system:
        return dict.fromkeys(candidate_ids)
    if actor.user_id is None or not candidate_ids:
        return {}
    found = _contacts_opened().tuples(user=actor.user_id, candidates=list(candidate_ids))
    return {pk: None if is_own else by for pk, is_own, by in found if is_own or by is not None}


@cache
def _contacts_opened() -> Prepared:
    """Of the candidates, to which organisation of the user's each turned, and whether it is the user."""
    organisation = OuterRef("organisation_id")
    candidate = OuterRef(OuterRef("pk"))
    ours = {"candidate": candidate, "opportunity__posting_organisation_id": organisation}
    turned_to = (
        Exists(Application.objects.filter(**ours).exclude(source=Application.Source.ALLOCATION))
        | Exists(Invitation.objects.filter(**ours, state=InvitationState.ACCEPTED))
        | Exists(Offer.objects.filter(**ours, state=OfferState.ACCEPTED))
    )
    blocked = Exists(
        Candidate.blocked_organisations.through.objects.filter(candidate=candidate, organisation_id=organisation)
    )
    memberships = Membership.objects.filter(turned_to, user_id=Gap("user")).filter(~blocked)
    organisations = memberships.order_by("organisation_id").values("organisation_id")
    candidates = Candidate.objects.filter(IsAmong(Gap("candidates", KEYS))).order_by()
    is_own = ExpressionWrapper(Q(user_id=Gap("user"), user_id__isnull=False), BooleanField())
    return prepare(candidates.annotate(own=is_own, by=Subquery(organisations[:1])).values_list("pk", "own", "by"))


# Opportunities


def visible_opportunities(actor: Actor) -> QuerySet[Opportunity]:
    """What lists may show: public ones, the organisation's own, and those one was invited or applied to."""
    if actor.is_staff or actor.is_system:
        return Opportunity.objects.all()
    public = Q(
        state=OpportunityState.PUBLISHED,
        visibility=Opportunity.Visibility.PUBLIC,
        posting_organisation__suspended_at=None,
    )
    if actor.user_id is None:
        return Opportunity.objects.filter(public)
    return Opportunity.objects.filter(public | _own_opportunity(actor.user_id))


def access_opportunity(
    actor: Actor, opportunity_id: UUID, *, to: Literal["read", "manage"] = "read", lock: bool = False
) -> Opportunity:
    """Whoever has the address of an unlisted opportunity may read it. Raises NotFound, NotPermitted."""
    opportunities = visible_opportunities(actor)
    if not (actor.is_staff or actor.is_system):
        unlisted = Q(
            state=OpportunityState.PUBLISHED,
            visibility=Opportunity.Visibility.UNLISTED,
            posting_organisation__suspended_at=None,
        )
        opportunities = opportunities | Opportunity.objects.filter(unlisted)
    found = opportunities.filter(public_id=_uuid(opportunity_id)).values_list("pk", "posting_organisation_id").first()
    if found is None:
        raise NotFound("opportunity")
    pk, organisation_id = found
    if to == "manage":
        _require_manage(actor, organisation_id, kind="opportunity", is_public=True)
    rows = Opportunity.objects.select_related("posting_organisation", "current_revision")
    # FOR UPDATE, not weaker: it must wait for those who keep the opportunity as it is.
    return (rows.select_for_update(of=("self",)) if lock else rows).get(pk=pk)


def _own_opportunity(user_id: int) -> Q:
    members = Membership.objects.filter(user_id=user_id, organisation_id=OuterRef("posting_organisation_id"))
    invited = Invitation.objects.filter(
        opportunity_id=OuterRef("pk"), candidate__user_id=user_id, state__in=_LIVE_OR_ACCEPTED
    )
    applied = Application.objects.filter(opportunity_id=OuterRef("pk"), candidate__user_id=user_id)
    not_draft = ~Q(state__in=[OpportunityState.DRAFT, OpportunityState.IN_REVIEW])
    return Q(Exists(members)) | (not_draft & (Q(Exists(invited)) | Q(Exists(applied))))


# What hangs on an opportunity and a candidate


def visible_applications(actor: Actor) -> QuerySet[Application]:
    return _visible(Application.objects.all(), actor)


def visible_invitations(actor: Actor) -> QuerySet[Invitation]:
    return _visible(Invitation.objects.all(), actor)


def visible_offers(actor: Actor) -> QuerySet[Offer]:
    return _visible(Offer.objects.all(), actor)


def visible_placements(actor: Actor) -> QuerySet[Placement]:
    return _visible(Placement.objects.all(), actor)


def access_application(actor: Actor, application_id: UUID, *, to: Right = "read", lock: bool = False) -> Application:
    """Raises NotFound, NotPermitted."""
    return _access(Application, actor, application_id, to, lock, "application", "revision")


def access_invitation(actor: Actor, invitation_id: UUID, *, to: Right = "read", lock: bool = False) -> Invitation:
    """Raises NotFound, NotPermitted."""
    return _access(Invitation, actor, invitation_id, to, lock, "invitation")


def access_offer(
    actor: Actor, offer_id: UUID, *, to: Right = "read", lock: bool = False, with_candidate: bool = False
) -> Offer:
    """With `lock` its application is locked before it and, if asked for, the candidate after it: in one statement,
    which returns all three as they then are. Raises NotFound, NotPermitted."""
    if not lock:
        return _access(Offer, actor, offer_id, to, lock, "offer", "application", "revision")
    pk = _let_in(Offer, actor, offer_id, to, "offer", keep=True)
    locked = ("application", "self", "candidate") if with_candidate else ("application", "self")  # in this order
    offers = Offer.objects.select_related("application", "candidate", "revision")
    return offers.select_for_update(of=locked, no_key=True).get(pk=pk)


def access_placement(actor: Actor, placement_id: UUID, *, to: Right = "read", lock: bool = False) -> Placement:
    """Raises NotFound, NotPermitted."""
    return _access(Placement, actor, placement_id, to, lock, "placement", "offer", "seat")


def _visible(rows: QuerySet[Row], actor: Actor) -> QuerySet[Row]:
    if actor.is_staff or actor.is_system:
        return rows
    if actor.user_id is None:
        return rows.none()
    members = Membership.objects.filter(
        user_id=actor.user_id, organisation_id=OuterRef("opportunity__posting_organisation_id")
    )
    return rows.filter(Q(candidate__user_id=actor.user_id) | Q(Exists(members)))


def _access(model: type[Row], actor: Actor, public_id: UUID, to: Right, lock: bool, kind: str, *also: str) -> Row:
    pk = _let_in(model, actor, public_id, to, kind, keep=to != "read" or lock)
    related = ("opportunity__posting_organisation", "opportunity__current_revision", "candidate", *also)
    fetched = model._default_manager.select_related(*related)
    return (fetched.select_for_update(of=("self",), no_key=True) if lock else fetched).get(pk=pk)


def _let_in(model: type[Row], actor: Actor, public_id: UUID, to: Right, kind: str, *, keep: bool) -> int:
    """The inner id of a row that the actor may see and may do that with. `keep` keeps its opportunity as it is.

    Says of one row what `_visible` says of lists, without the price of asking it in SQL. Raises NotFound, NotPermitted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WHOSE.format(table=model._meta.db_table), [_uuid(public_id)])
        found = cursor.fetchone()
    if found is None:
        raise NotFound(kind)
    pk, opportunity_id, user_id, organisation_id = found
    if user_id is not None and user_id == actor.user_id:
        if to == "manage":
            raise NotPermitted("decide this, which nobody does about themselves")
    else:
        require_right(actor, organisation_id, "manage" if to == "manage" else "read", kind=kind)
        if to == "own" and not actor.is_system:
            raise NotPermitted(f"answer for the person this {kind} is about")
    if keep:
        keep_opportunity(opportunity_id)
    return int(pk)


def _require_manage(actor: Actor, organisation_id: int, *, kind: str, is_public: bool = False) -> None:
    """`is_public` rows are known to strangers too: these read NotPermitted, for NotFound would be a lie."""
    if is_public and not may(actor, organisation_id, "read"):
        raise NotPermitted("recruit for this organisation")
    require_right(actor, organisation_id, "manage", kind=kind)


def _first(rows: QuerySet[Candidate], public_id: UUID, *, lock: bool) -> Candidate | None:
    pk = rows.filter(public_id=_uuid(public_id)).values_list("pk", flat=True).first()
    if pk is None:
        return None
    candidates = Candidate.objects.filter(pk=pk)
    return (candidates.select_for_update(no_key=True) if lock else candidates).first()


def _uuid(value: Any) -> UUID:
    """A query by something that is no UUID would be an error of the database's, not an answer."""
    return value if isinstance(value, UUID) else UUID(int=0)


def _is_own(actor: Actor, candidate: Candidate) -> bool:
    return actor.user_id is not None and candidate.user_id == actor.user_id


def _user_of(row: Any) -> int | None:
    """Whom the row is about, if it is about somebody who can log in."""
    if isinstance(row, Candidate):
        return row.user_id
    return row.candidate.user_id if hasattr(row, "candidate_id") else None
