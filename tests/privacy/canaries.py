"""A person of whom every table has a row, with a text of its own in each column, and a search of all there is."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import redis
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, models, transaction

from accounts.login.sessions import SessionStore
from accounts.models import User
from accounts.models.sealed import SealedField, sealed_fields
from accounts.privacy import Erasure, Held, Person, can_hold_text, everything_held
from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    ExperienceInput,
    LanguageInput,
    update_candidate,
)
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.placements import cancel_placement
from marketplace.core.money import Pay
from marketplace.models import (
    Application,
    Candidate,
    Invitation,
    Offer,
    Opportunity,
    OpportunityRevision,
    Placement,
    Seat,
)
from marketplace.queries.persons import person_of
from matching.actions import projection
from matching.models import ScoringModel
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    a_user,
    actor_of,
    an_application,
    an_invitation,
    an_organisation,
)


class Canaries:
    """Texts that occur nowhere else, each planted in one place."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        self._numbers = count(1)

    def new(self, place: str) -> str:
        canary = f"Kanari{next(self._numbers):04d}x"
        self.planted[canary] = place
        return canary

    def found_in(self, dump: bytes) -> set[str]:
        """Places whose canary is there: as it is or in small letters, in hexadecimal, or in base64, wherever it begins.
        The last does not tell which it is: all of them begin alike."""
        lower = dump.lower()
        plain = {one.decode() for one in re.findall(rb"kanari[0-9]{4}x", lower)}
        hexed = re.findall(b"(?:4b|6b)" + b"anari".hex().encode() + rb"((?:3[0-9]){4})78", lower)
        plain |= {f"kanari{bytes.fromhex(digits.decode()).decode()}x" for digits in hexed}
        found = {place for canary, place in self.planted.items() if canary.lower() in plain}
        return found | {"something in base64" for form in BASE64 if form in dump}


def _encoded(text: bytes) -> Iterator[bytes]:
    """How it reads in base64, whatever stands before and after it."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + text)
        yield whole[-(-shift * 8 // 6) : (shift + len(text)) * 8 // 6]


BASE64 = [form for text in (b"Kanari", b"kanari") for form in _encoded(text)]


def dump(*, opened: bool = True) -> bytes:
    """Every table as text, and all that Valkey holds; and what lies sealed, as its text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            with cursor.cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
                found.append(b"".join(map(bytes, rows)))
    return b"\n".join([*found, *(_opened() if opened else ()), *_valkey()])


def _opened() -> Iterator[bytes]:
    """What lies sealed."""
    for model, fields in sealed_fields():
        for row in model._base_manager.all():
            yield " ".join(getattr(row, field.name) for field in fields).encode()
    for session in Session.objects.all():
        yield repr(SessionStore(session.pk).decode(session.session_data)).encode()


def _valkey() -> Iterator[bytes]:
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter():
            kind = client.type(key).decode()
            read = {"string": client.get, "hash": client.hgetall, "set": client.smembers}.get(kind)
            values = read(key) if read else client.zrange(key, 0, -1) if kind == "zset" else client.lrange(key, 0, -1)
            yield key + b" " + repr(values).encode()


# Rows of every table that is somebody's


def everything(canaries: Canaries) -> Person:
    """A person of whom every table that is declared has a row; what can be had by actions by these."""
    owner = an_organisation()
    user = a_user(email=f"{canaries.new('login')}@example.org".lower(), name=canaries.new("login's name"))
    candidate = a_candidate(user=user, name=canaries.new("name"), headline=f"{canaries.new('headline')} welder")
    described = ExperienceInput(title=canaries.new("title"), employer="Acme", starts_on=NOW.date())
    fields = CandidateFields(resume_text=canaries.new("résumé"), experiences=[described], weekly_hours=40, **OF_ROWS)
    update_candidate(actor=actor_of(user), candidate_id=candidate.public_id, fields=fields, now=NOW)
    opportunity = a_published_opportunity(owner)
    application = an_application(opportunity, candidate)
    pay, message = Pay(Decimal(25), "EUR", "hour"), canaries.new("offer")
    offer = send_offer(actor=owner.actor, application_id=application.public_id, pay=pay, message=message, now=NOW)
    accept_offer(actor=actor_of(user), offer_id=offer.public_id, now=NOW)
    placement = Placement.objects.get()
    cancel_placement(
        actor=owner.actor, placement_id=placement.public_id, reason=canaries.new("the end's reason"), now=NOW + DAY
    )
    an_application(a_published_opportunity(owner), candidate)
    an_invitation(a_published_opportunity(owner), candidate)
    projection.refresh([candidate.pk], NOW)
    person = person_of(user_id=user.pk)
    pool: dict[type[models.Model], Any] = {
        User: user,
        Candidate: Candidate.objects.get(pk=candidate.pk),
        type(opportunity): opportunity,
        type(owner.organisation): owner.organisation,
        Application: application,
        Invitation: Invitation.objects.get(),
        Placement: placement,
        Seat: Seat.objects.first(),
        ScoringModel: ScoringModel.objects.first(),
    }
    pool[apps.get_model("marketplace.Skill")] = a_skill()
    for model, by in ACTED_IN.items():
        model._default_manager.update(**{by: user})
    for held in everything_held():
        if not held.of(person).exists():
            _row(held, pool, canaries, person)
    for held in everything_held():
        if held.erasure is not Erasure.KEEP:
            _plant(held, person, canaries)
    return person


def _row(held: Held, pool: dict[type[models.Model], Any], canaries: Canaries, person: Person) -> Any:
    """A row of a table with whatever it needs, and a reference to the person wherever there can be one."""
    model = held.table
    row = model()
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField) or (field.primary_key and field.has_default()):
            continue
        if field.is_relation:
            setattr(row, field.name, _related(field, pool, canaries, person))
        elif not field.has_default() or field.name in GIVEN.get(held.model, {}):
            setattr(row, field.attname, _some(field))
    for name, value in GIVEN.get(held.model, {}).items():
        setattr(row, name, value(pool))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        row.save(force_insert=True)
        cursor.execute("SET LOCAL session_replication_role = origin")
    pool.setdefault(model, row)
    return row


def _related(field: Any, pool: dict[type[models.Model], Any], canaries: Canaries, person: Person) -> Any:
    related = field.related_model
    if related in pool:
        return pool[related]
    if found := related._default_manager.first():
        return found
    if field.null:
        return None
    held = Held(model=related._meta.label, rows=lambda person: models.Q())
    return _row(held, pool, canaries, person)


def _some(field: Any) -> Any:
    """A value that a column may have."""
    if field.choices:
        return field.choices[0][0]
    kind = field.get_internal_type()
    if field.null:
        return None
    return {
        "DateTimeField": NOW,
        "DateField": NOW.date(),
        "JSONField": {},
        "ArrayField": [],
        "BinaryField": b"",
        "BooleanField": True,
        "GenericIPAddressField": "192.0.2.1",
        "UUIDField": None,
        "CharField": "x",
        "TextField": "x",
        "SlugField": "x",
        "SearchVectorField": "",
    }.get(kind, 1)


ACTED_IN: dict[type[models.Model], str] = {
    Offer: "sent_by",
    Invitation: "invited_by",
    Placement: "ended_by",
    Opportunity: "created_by",
    OpportunityRevision: "created_by",
}
OF_ROWS: dict[str, Any] = {
    "languages": [LanguageInput("de", 4)],
    "work_authorisations": [AuthorisationInput("DE")],
}
GIVEN: dict[str, dict[str, Any]] = {
    "marketplace.SuspectedDuplicate": {
        "kind": lambda pool: "candidate",
        "low_opportunity": lambda pool: None,
        "high_opportunity": lambda pool: None,
        "low_candidate": lambda pool: pool[Candidate],
        "high_candidate": lambda pool: a_candidate(),
        "decided_at": lambda pool: NOW,
        "state": lambda pool: "dismissed",
        "reasons": lambda pool: ["name"],
    },
    "accounts.ServiceToken": {"expires_at": lambda pool: NOW + DAY},
    "matching.AllocationProgress": {"started_at": lambda pool: NOW},
    "matching.Match": {"outcome": lambda pool: "eligible"},
    "matching.BackfillRule": {"opportunity": lambda pool: None},
    "matching.TrainingRun": {"state": lambda pool: "failed", "finished_at": lambda pool: NOW},
    "accounts.IdempotencyRecord": {"principal": lambda pool: str(pool[User].pk)},
    "sessions.Session": {"session_key": lambda pool: "of-the-person"},
    "usersessions.UserSession": {"session_key": lambda pool: "of-the-person"},
    "admin.LogEntry": {
        "object_id": lambda pool: str(pool[User].pk),
        "content_type": lambda pool: apps.get_model("contenttypes.ContentType").objects.get_for_model(User),
    },
}


def _plant(held: Held, person: Person, canaries: Canaries) -> None:
    """A canary in every column of text that erasure is to see to."""
    table = held.table._meta
    bound = {name for field in table.concrete_fields if isinstance(field, SealedField) for name in field.row}
    for row in held.of(person):
        for field in table.concrete_fields:
            if not can_hold_text(field) or field.name in held.kept or field.primary_key or field.is_relation:
                continue
            if isinstance(field, models.GenericIPAddressField) or field.name in UNPLANTABLE | bound:
                continue
            place = f"{table.label}.{field.name}"
            value = _with(field, canaries.new(place), row)
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL session_replication_role = replica")
                    type(row)._base_manager.filter(pk=row.pk).update(**{field.name: value})
                    cursor.execute("SET LOCAL session_replication_role = origin")
            except DatabaseError as refusal:
                raise AssertionError(f"no canary in {place}") from refusal


# What finds the person, or is compared with what another table says.
UNPLANTABLE = frozenset({"principal", "session_key", "timezone", "word", "words"})


def _with(field: Any, canary: str, row: Any) -> Any:
    if isinstance(field, SealedField):
        return field.sealed(row, canary)
    if isinstance(field, ArrayField):
        return [canary] if can_hold_text(field.base_field) else []
    kind = field.get_internal_type()
    if kind == "JSONField":
        return {"text": canary, canary: [canary]}
    if kind == "BinaryField":
        return canary.encode()
    if "mail" in field.name:
        return f"{canary.lower()}@example.org"
    return canary
