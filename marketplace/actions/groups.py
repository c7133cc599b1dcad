"""An organisation's own lists of people: favourites, do-not-rehire, past workers, and lists of its own making.

They are facts to its eligibility rules, so joining one makes the candidate's revision grow.
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain, count
from uuid import UUID

from django.db import transaction

from accounts.access import access_organisation, require_right
from accounts.actions.events import append
from accounts.constraints import refusing
from accounts.core.actor import Actor, ActorKind
from accounts.core.text import clean_line
from accounts.errors import InvalidInput, NotFound
from marketplace.access import access_candidate
from marketplace.actions import checks
from marketplace.errors import GroupNameTaken
from marketplace.models import Candidate, CandidateGroup, CandidateGroupMembership, Placement

_NAMES = {
    CandidateGroup.Kind.FAVOURITES: "Favourites",
    CandidateGroup.Kind.DO_NOT_REHIRE: "Do not rehire",
    CandidateGroup.Kind.PAST_WORKERS: "Past workers",
}


def standard_group(*, actor: Actor, organisation_id: UUID, kind: str) -> CandidateGroup:
    """The organisation's one list of a standard kind, made when it is first asked for.

    Raises InvalidInput, NotFound, NotPermitted.
    """
    kind = checks.choice(kind, field="kind", among=[standard.value for standard in _NAMES])
    with transaction.atomic():
        organisation = access_organisation(actor, organisation_id, to="manage")
        group, _ = CandidateGroup.objects.get_or_create(
            organisation=organisation, kind=kind, defaults={"name": _NAMES[CandidateGroup.Kind(kind)]}
        )
    return group


def create_group(*, actor: Actor, organisation_id: UUID, name: str) -> CandidateGroup:
    """A list of the organisation's own making. Raises InvalidInput, GroupNameTaken, NotFound, NotPermitted."""
    name = clean_line(name, field="name", max_length=100)
    if name in _NAMES.values():
        raise InvalidInput("name", "is that of a standard list")
    with transaction.atomic():
        organisation = access_organisation(actor, organisation_id, to="manage")
        with refusing({"candidate_group_name_is_unique": GroupNameTaken}):
            return CandidateGroup.objects.create(organisation=organisation, name=name)


def add_to_group(*, actor: Actor, group_id: UUID, candidate_id: UUID, now: datetime) -> CandidateGroup:
    """Put somebody on a list. Twice is once. Raises NotFound, NotPermitted."""
    with transaction.atomic():
        group = _access_group(actor, group_id)
        candidate = access_candidate(actor, candidate_id, lock=True)
        _, is_new = CandidateGroupMembership.objects.get_or_create(
            group=group, candidate=candidate, defaults={"added_by_id": actor.user_id}
        )
        if is_new:
            _append_changed(candidate, group, actor, now)
    return group


def remove_from_group(*, actor: Actor, group_id: UUID, candidate_id: UUID, now: datetime) -> CandidateGroup:
    """Take somebody off a list. Raises NotFound, NotPermitted."""
    with transaction.atomic():
        group = _access_group(actor, group_id)
        # Whoever is on the list may be taken off it, also one who has since blocked the organisation.
        candidate = (
            Candidate.objects.select_for_update(no_key=True)
            .filter(public_id=candidate_id, group_memberships__group=group)
            .first()
        )
        if candidate is None:
            raise NotFound("candidate")
        CandidateGroupMembership.objects.filter(group=group, candidate=candidate).delete()
        _append_changed(candidate, group, actor, now)
    return group


def keep_past_worker(placement: Placement, candidate: Candidate, *, actor: Actor, now: datetime) -> None:
    """Put somebody whose work ran its course on the past workers' lists of those they worked for, in the caller's
    transaction. Whoever is on a do-not-rehire list is left out. Twice is once. The caller has locked the candidate."""
    opportunity = placement.opportunity
    for organisation_id in sorted({opportunity.posting_organisation_id, opportunity.hiring_organisation_id}):
        unwanted = candidate.groups.filter(organisation_id=organisation_id, kind=CandidateGroup.Kind.DO_NOT_REHIRE)
        if unwanted.exists():
            continue
        group, _ = CandidateGroup.objects.get_or_create(
            organisation_id=organisation_id,
            kind=CandidateGroup.Kind.PAST_WORKERS,
            defaults={"name": _free_name(organisation_id, _NAMES[CandidateGroup.Kind.PAST_WORKERS])},
        )
        _, is_new = CandidateGroupMembership.objects.get_or_create(group=group, candidate=candidate)
        if is_new:
            _append_changed(candidate, group, actor, now)


def _free_name(organisation_id: int, name: str) -> str:
    """The name, numbered where a list of the organisation's own has it already."""
    taken = set(CandidateGroup.objects.filter(organisation_id=organisation_id).values_list("name", flat=True))
    return next(one for one in chain([name], (f"{name} {number}" for number in count(2))) if one not in taken)


def _access_group(actor: Actor, group_id: UUID) -> CandidateGroup:
    group = CandidateGroup.objects.filter(public_id=group_id).first()
    if group is None:
        raise NotFound("group")
    require_right(actor, group.organisation_id, "manage", kind="group")
    return group


def _append_changed(candidate: Candidate, group: CandidateGroup, actor: Actor, now: datetime) -> None:
    candidate.revision += 1
    candidate.save(update_fields=["revision"])
    append(
        candidate,
        "CandidateUpdated",
        actor=actor,
        by=ActorKind.SYSTEM if actor.is_system else ActorKind.STAFF if actor.is_staff else ActorKind.MEMBER,
        now=now,
        payload={"changed": ["groups"], "group": group.pk},
    )
