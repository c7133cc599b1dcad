"""Who a person is, and all that is held on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q

from accounts.core.seal import CannotOpen
from accounts.models import User
from accounts.privacy import Held, Person, everything_held, no_address, pseudonym
from marketplace.core.workflow import SuspicionState
from marketplace.models import Candidate, SuspectedDuplicate

FORMAT = 1
AT_ONCE = 500
LABELS = ("reference", "title", "name")
"""What a row that is referred to is called, where it is nobody's."""
NAMED = ("opportunity", "organisation", "skill", "occupation", "scoringmodel", "candidategroup")


def person_of(*, user_id: int | None = None, candidate_id: int | None = None) -> Person:
    """All that is this person (inner ids): candidates merged into one another, and their logins. A duplicate that staff
    have confirmed is the same person too, where nobody logs in as it: one who does speaks for themselves."""
    users = {user_id} - {None}
    candidates = {candidate_id} - {None}
    known = -1
    while known != (known := len(users) + len(candidates)):
        for related in _related(users, candidates):  # one by one: each has an index, and no OR of joins has
            for pk, user, into in Candidate.objects.filter(related).values_list("pk", "user_id", "merged_into_id"):
                candidates |= {pk, into} - {None}
                users |= {user} - {None}
    return Person(tuple(sorted(pk for pk in users if pk)), tuple(sorted(pk for pk in candidates if pk)))


def _related(users: set[Any], candidates: set[Any]) -> Iterator[Q]:
    yield Q(user__in=users)
    yield Q(pk__in=candidates)
    yield Q(merged_into__in=candidates)
    yield Q(pk__in=_confirmed(candidates), user=None)


def person_named(name: str) -> Person:
    """By an e-mail address, or the public id of a login or a candidate. Empty where there is nobody."""
    try:
        validate_email(name)
    except ValidationError:
        return _person_with(name)
    verified = User.objects.filter(emailaddress__email=name, emailaddress__verified=True)
    user = User.objects.filter(email=name).first() or verified.first()  # one by one: each has an index, and no OR has
    if user is not None:
        return person_of(user_id=user.pk)
    # Contacts cannot be asked for where they are sealed. Few candidates have one of their own: those without a login.
    without_login = Candidate.objects.filter(user=None).exclude(email="").only("pk", "public_id", "email")
    found = [row.pk for row in without_login.iterator() if row.email.lower() == name.lower()]
    return person_of(candidate_id=found[0]) if len(found) == 1 else Person()


def _person_with(public_id: str) -> Person:
    for model, key in ((User, "user_id"), (Candidate, "candidate_id")):
        try:
            row = model._default_manager.filter(public_id=public_id).first()
        except ValidationError:
            return Person()
        if row is not None:
            return person_of(**{key: row.pk})
    return Person()


def is_erased(person: Person) -> bool:
    """Whether an erasure has been through with them."""
    logins, candidates = User.objects.filter(pk__in=person.users), Candidate.objects.filter(pk__in=person.candidates)
    return all(logins.filter(email=no_address(one)).exists() for one in logins) and all(
        one.name == pseudonym(one.public_id) for one in candidates.only("public_id", "name")
    )


def held_on(person: Person, now: datetime, *, inside: bool) -> dict[str, Any]:
    """All that is held on a person, as JSON: by table, each row by the names of its columns.

    `inside`: also what organisations note of them, which is for staff to weigh before they hand it out. Secrets are
    left out: passwords, keys of second factors, tokens; and what tables say of others. References are public ids,
    with titles and names where they name no person. What cannot be opened is null. Not small: all that they were
    ever shown is in it.
    """
    return {
        "format": FORMAT,
        "exportedAt": now.isoformat(),
        "person": {
            "users": _public_ids(User, person.users),
            "candidates": _public_ids(Candidate, person.candidates),
        },
        "held": {
            held.name: rows
            for held in everything_held()
            if held.exported and (inside or not held.is_inside) and (rows := list(_rows(held, person, inside)))
        },
    }


def _confirmed(candidates: set[Any]) -> list[int]:
    pairs = SuspectedDuplicate.objects.filter(state=SuspicionState.CONFIRMED).filter(
        Q(low_candidate__in=candidates) | Q(high_candidate__in=candidates)
    )
    return [pk for pair in pairs.values_list("low_candidate", "high_candidate") for pk in pair if pk]


def _public_ids(model: type[models.Model], ids: tuple[int, ...]) -> list[str]:
    found = model._default_manager.filter(pk__in=ids).order_by("pk").values_list("public_id", flat=True)
    return [str(one) for one in found]


def _rows(held: Held, person: Person, inside: bool) -> Iterator[dict[str, Any]]:
    shown = [
        field
        for field in held.table._meta.concrete_fields
        if field.name not in held.secret
        and (inside or field.name not in held.inside)
        and (not held.is_acted or _says_which_and_when(field))
        and not isinstance(field, SearchVectorField)
        and not (field.primary_key and not field.is_relation)
    ]
    related = [field.name for field in shown if field.is_relation]
    rows = held.of(person).select_related(*related) if related else held.of(person)
    for row in rows.iterator(chunk_size=AT_ONCE):
        yield {field.name: _value(row, field, is_named=held.is_named) for field in shown}


def _says_which_and_when(field: Any) -> bool:
    if field.is_relation:
        return field.related_model not in (User, Candidate)
    return field.get_internal_type() in ("DateField", "DateTimeField", "UUIDField")


def _value(row: models.Model, field: Any, *, is_named: bool) -> Any:
    if not field.is_relation:
        try:
            return _plain(getattr(row, field.name))
        except CannotOpen:
            return None
    other = getattr(row, field.name)
    if other is None:
        return None
    told = {"id": str(getattr(other, "public_id", other.pk))}
    if is_named and other._meta.model_name in NAMED:
        told |= {label: str(getattr(other, label)) for label in LABELS if hasattr(other, label)}
    return told


def _plain(value: Any) -> Any:
    """Values of columns as JSON has them: exact numbers, instants and days as text, bytes in hexadecimal."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case bytes() | memoryview():
            return bytes(value).hex()
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
