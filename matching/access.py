"""The only door to allocation runs and what they propose, and to saved searches. Absent and forbidden look alike.

Members see the runs of their organisations, staff all; runs over the whole market are the staff's alone. Candidates see
the searches that they saved, staff all; nobody changes another's.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import access_organisation, organisations_of, require_right, require_staff
from accounts.core.actor import Actor, ActorKind
from accounts.errors import NotFound, NotPermitted
from accounts.models import Organisation
from matching.models import AllocationRun, Proposal, SavedSearch

Right = Literal["read", "manage"]


def planner_kind(actor: Actor) -> ActorKind:
    """In which capacity somebody who was let in to a run acts on it."""
    if actor.is_system:
        return ActorKind.SYSTEM
    return ActorKind.STAFF if actor.is_staff else ActorKind.MEMBER


def access_scope(actor: Actor, organisation_id: UUID | None) -> Organisation | None:
    """The organisation whose seats somebody may give; None is the whole market, which is the staff's. Raises NotFound,
    NotPermitted."""
    if organisation_id is not None:
        return access_organisation(actor, organisation_id, to="manage")
    require_staff(actor)
    return None


def visible_runs(actor: Actor) -> QuerySet[AllocationRun]:
    runs = AllocationRun.objects.all()
    if actor.is_staff or actor.is_system:
        return runs
    return runs.filter(organisation__in=organisations_of(actor))


def visible_proposals(actor: Actor) -> QuerySet[Proposal]:
    return Proposal.objects.filter(run__in=visible_runs(actor))


def access_run(actor: Actor, run_id: UUID, *, to: Right = "read", lock: bool = False) -> AllocationRun:
    """Raises NotFound, NotPermitted."""
    found = visible_runs(actor).filter(public_id=_uuid(run_id)).values_list("pk", "organisation_id").first()
    if found is None:
        raise NotFound("allocation run")
    pk, organisation_id = found
    if to == "manage" and organisation_id is not None:
        require_right(actor, organisation_id, "manage", kind="allocation run")
    return _run(pk, lock=lock)


def access_proposal(actor: Actor, proposal_id: UUID, *, to: Right = "read", lock: bool = False) -> Proposal:
    """The proposal with its run. `lock` locks the run, then the proposal. Raises NotFound, NotPermitted."""
    found = (
        visible_proposals(actor)
        .filter(public_id=_uuid(proposal_id))
        .values_list("pk", "run_id", "run__public_id")
        .first()
    )
    if found is None:
        raise NotFound("proposal")
    pk, _, run_id = found
    run = access_run(actor, run_id, to=to, lock=lock)
    rows = Proposal.objects.select_related("opportunity", "candidate", "application")
    proposal = (rows.select_for_update(of=("self",), no_key=True) if lock else rows).get(pk=pk)
    proposal.run = run
    return proposal


def visible_saved_searches(actor: Actor) -> QuerySet[SavedSearch]:
    searches = SavedSearch.objects.all()
    if actor.is_staff or actor.is_system:
        return searches
    if actor.user_id is None:
        return searches.none()
    return searches.filter(candidate__user_id=actor.user_id)


def access_saved_search(
    actor: Actor, search_id: UUID, *, to: Literal["read", "own"] = "read", lock: bool = False
) -> SavedSearch:
    """The search with its candidate. Raises NotFound, NotPermitted."""
    rows = visible_saved_searches(actor).select_related("candidate").filter(public_id=_uuid(search_id))
    search = (rows.select_for_update(of=("self",), no_key=True) if lock else rows).first()
    if search is None:
        raise NotFound("saved search")
    if to == "own" and (actor.user_id is None or search.candidate.user_id != actor.user_id):
        raise NotPermitted("change this saved search")
    return search


def _run(pk: int, *, lock: bool) -> AllocationRun:
    rows = AllocationRun.objects.select_related("organisation", "model", "previous")
    return (rows.select_for_update(of=("self",), no_key=True) if lock else rows).get(pk=pk)


def _uuid(value: Any) -> UUID:
    """A query by something that is no UUID would be an error of the database's, not an answer."""
    return value if isinstance(value, UUID) else UUID(int=0)
