"""Exporting all that is held on a person, and erasing it.

Erasing leaves rows that others rest on, seats, placements, what was paid, who did what, under a pseudonym, and nothing
that names the person or was written by or about them. What is between them and an organisation and still open comes to
its end as if they had stepped back: applications are withdrawn and with them offers, invitations are taken back.
Somebody who is at work is not erased before that ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import models, transaction

from accounts.access import require_person, require_staff, require_user
from accounts.actions.audit import record
from accounts.actions.events import append
from accounts.actions.idempotency import forget_answers
from accounts.actions.sessions import forget_sessions
from accounts.core.actor import Actor, ActorKind
from accounts.core.audit import AuditKind
from accounts.core.seal import CannotOpen
from accounts.errors import IllegalTransition, InvalidInput, LastOwner, NotFound
from accounts.models import Membership, Organisation, User
from accounts.privacy import Erasure, Held, Person, everything_held
from marketplace.actions.applications import withdraw_application
from marketplace.actions.invitations import withdraw_invitation
from marketplace.actions.mails import forget_mails
from marketplace.core.workflow import ApplicationStatus, InvitationState
from marketplace.errors import PersonAtWork, PersonBusy, PersonErased
from marketplace.models import Application, Candidate, Invitation, Offer, Placement
from marketplace.queries.persons import held_on, is_erased, person_named, person_of

ATTEMPTS = 3
NAMES = frozenset({"name", "email", "phone", "linkedin"})
SHORTEST_NAME, SHORTEST_TEXT = 4, 12  # characters


# What may be asked for


def export_oneself(*, actor: Actor, now: datetime) -> dict[str, Any]:
    """`held_on` the actor, without what is inside. Raises LoginRequired, ScopeMissing."""
    require_person(actor)
    return export_person(person_of(user_id=require_user(actor)), actor=actor, inside=False, now=now)


def export_candidate(*, actor: Actor, candidate_id: UUID, now: datetime) -> dict[str, Any]:
    """All of it, for staff, of somebody who asked them. Raises NotFound, NotPermitted."""
    require_staff(actor)
    return export_person(_person(str(candidate_id)), actor=actor, inside=True, now=now)


def erase_oneself(*, actor: Actor, email: str, now: datetime) -> Person:
    """Erase the actor, who says by their address that they mean it. Raises InvalidInput, and whatever `erase` does."""
    require_person(actor)
    user = User.objects.get(pk=require_user(actor))
    if email.strip().lower() != user.email.lower():
        raise InvalidInput("email", "is not the address that you log in with")
    return erase(person_of(user_id=user.pk), actor=actor, now=now)


def erase_candidate(*, actor: Actor, candidate_id: UUID, now: datetime) -> Person:
    """The same for staff, of somebody who asked them. Raises NotFound, NotPermitted, and whatever `erase` does."""
    require_staff(actor)
    return erase(_person(str(candidate_id)), actor=actor, now=now)


def _person(name: str) -> Person:
    person = person_named(name)
    if not (person.users or person.candidates):
        raise NotFound("person")
    return person


def export_person(person: Person, *, actor: Actor, inside: bool, now: datetime) -> dict[str, Any]:
    """`held_on` a person; that it was asked for is audited."""
    with transaction.atomic():
        found = held_on(person, now, inside=inside)
        record(AuditKind.PERSON_EXPORTED, actor=actor, now=now, subject=_subject(person))
    return found


def erase(person: Person, *, actor: Actor, now: datetime, again: bool = False) -> Person:
    """Leave nothing of a person but rows under a pseudonym, in one transaction. Killed before its end it has done
    nothing, but for mails that were removed. `again` erases what others have written since of somebody who is erased.

    Raises PersonErased, PersonAtWork, LastOwner for who alone owns an organisation that others rely on, PersonBusy.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                _step_back(person, actor, now)
                return _erase(person, actor, now, again)
        except _NotQuiet:
            continue
    raise PersonBusy


class _NotQuiet(Exception):
    """Something began, or ended otherwise, between the end of what there was and the moment that the person was
    locked."""


def _step_back(person: Person, actor: Actor, now: datetime) -> None:
    """End what is open. Before the person is locked: it locks opportunities, which come first."""
    _check_free(person)
    system = Actor.system(actor.request_id)
    try:
        for application in _open_applications(person):
            withdraw_application(actor=system, application_id=application.public_id, now=now)
        for invitation in _open_invitations(person):
            withdraw_invitation(actor=system, invitation_id=invitation.public_id, now=now)
    except IllegalTransition as moved:  # by somebody else, meanwhile
        raise _NotQuiet from moved


def _erase(person: Person, actor: Actor, now: datetime, again: bool) -> Person:
    list(
        Organisation.objects.select_for_update().filter(pk__in=_owned(person)).order_by("pk")
    )  # which orders its owners
    list(User.objects.select_for_update(no_key=True).filter(pk__in=person.users).order_by("pk"))
    list(Candidate.objects.select_for_update(no_key=True).filter(pk__in=person.candidates).order_by("pk"))
    if is_erased(person) and not again:
        raise PersonErased
    _check_free(person)
    live = Offer.objects.live().filter(candidate__in=person.candidates)
    if _open_applications(person) or _open_invitations(person) or live.exists():
        raise _NotQuiet
    subject = _subject(person)
    traces = set(_traces(person))
    addresses = _addresses(person)
    forget_mails(addresses)
    forget_sessions(users=person.users, addresses=addresses)
    forget_answers(traces, now=now)
    for held in everything_held():
        if held.before is not None:
            held.before()
        if held.erasure is Erasure.DELETE:
            held.of(person).delete()
        elif held.erasure is Erasure.CLEAR:
            _clear(held, person)
    by = ActorKind.STAFF if actor.is_staff else ActorKind.SYSTEM if actor.is_system else ActorKind.CANDIDATE
    payload = {"users": list(person.users), "candidates": list(person.candidates)}
    append(subject, "PersonErased", actor=actor, by=by, now=now, payload=payload)
    return person


def _clear(held: Held, person: Person) -> None:
    for row in held.of(person):
        for name, value in held.clear.items():
            setattr(row, name, value(row) if callable(value) else value)
        row.save(update_fields=list(held.clear))


def _check_free(person: Person) -> None:
    at_work = Placement.objects.live().filter(candidate__in=person.candidates).order_by("pk")
    if placements := list(at_work.values_list("reference", flat=True)):
        raise PersonAtWork(placements=placements)
    others = Membership.objects.filter(organisation__in=_owned(person)).exclude(user__in=person.users)
    run_by_others = others.filter(role=Membership.Role.OWNER).values("organisation")
    if others.exclude(organisation__in=run_by_others).exists():
        raise LastOwner


def _owned(person: Person) -> models.QuerySet[Membership, Any]:
    """The organisations that they own, as a subquery."""
    return Membership.objects.filter(user__in=person.users, role=Membership.Role.OWNER).values("organisation")


def _open_applications(person: Person) -> list[Application]:
    rows = Application.objects.filter(candidate__in=person.candidates, status=ApplicationStatus.ACTIVE)
    return list(rows.order_by("opportunity_id", "pk"))


def _open_invitations(person: Person) -> list[Invitation]:
    rows = Invitation.objects.filter(candidate__in=person.candidates, state=InvitationState.SENT)
    return list(rows.order_by("opportunity_id", "pk"))


def _subject(person: Person) -> models.Model:
    """Whom the record of it names: the login, or the candidate that the others were merged into."""
    if person.users:
        return User.objects.get(pk=person.users[0])
    return Candidate.objects.filter(pk__in=person.candidates).order_by("merged_into_id", "pk").last() or User()


def _addresses(person: Person) -> set[str]:
    found = set()
    for rows in (
        User.objects.filter(pk__in=person.users),
        EmailAddress.objects.filter(user__in=person.users),
        Candidate.objects.filter(pk__in=person.candidates),
    ):
        for row in rows:
            with suppress(CannotOpen):
                found.add(row.email)
    return found - {""}


def _traces(person: Person) -> Iterator[str]:
    """What answers to others may quote of somebody, as it stands in JSON. A short text that is not their name or
    contact is in anybody's answers."""
    for held in everything_held():
        for row in held.of(person) if held.quoted else ():
            for name in held.quoted:
                shortest = SHORTEST_NAME if name in NAMES else SHORTEST_TEXT
                with suppress(CannotOpen):  # what nobody can read is erased nevertheless
                    for text in _texts(getattr(row, name)):
                        if len(text) >= shortest:
                            yield json.dumps(text, ensure_ascii=False)[1:-1]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)
