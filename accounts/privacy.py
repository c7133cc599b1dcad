"""What is held on people: declared once for every table, and followed by the export and by erasure.

Each app declares its own tables (`settings.PERSONAL_DATA`): which of their rows are about a person, what an export of
them leaves out, and what erasure does to them. What is not declared fails the tests: a table, and a column that can
hold a text of somebody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.models import User

ERASED_DOMAIN = "erased.invalid"
ACTED = "says that somebody did something, under their pseudonym"
CODES = "codes and ids"
LONGEST_CODE = 30
_PLAIN = frozenset(
    {"AutoField", "BigAutoField", "BigIntegerField", "BooleanField", "DateField", "DateTimeField", "DecimalField"}
    | {"FloatField", "IntegerField", "PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"}
    | {"SmallIntegerField", "UUIDField"}
)


@dataclass(frozen=True, slots=True)
class Person:
    """One human being by inner ids: their logins, and the candidates that were found to be the same one."""

    users: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()


class Erasure(StrEnum):
    DELETE = "delete"
    CLEAR = "clear"  # the row stays under a pseudonym, without what is personal in it
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Held:
    """Rows of one table that are about a person, or made by them.

    `rows` finds them. `secret` columns are in no export; `inside` ones, and rows that are inside as a whole, in
    that for staff alone: what organisations note of people, and by which criteria they judge, is not for these to
    read. Of rows that somebody only acted in, for others, an export says which and when. Where it does not name
    what rows refer to, that may be nothing the person knows of. `clear` says what cleared columns become: a value,
    or what makes one of the row. `kept` names the columns of text that stay although the row is the person's, and
    `why` says why they, or the rows, may. `quoted` columns may stand in answers that are kept for others. `before`
    is called before any of the rows goes: it waits for those who copy them.
    """

    model: str
    rows: Callable[[Person], Q]
    part: str = ""  # where a table is declared twice
    erasure: Erasure = Erasure.KEEP
    clear: Mapping[str, Any] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()
    is_inside: bool = False
    is_acted: bool = False
    is_named: bool = True
    quoted: frozenset[str] = frozenset()
    exported: bool = True
    before: Callable[[], None] | None = None
    why: str = ""

    @property
    def table(self) -> Any:
        return apps.get_model(self.model)

    @property
    def name(self) -> str:
        return f"{self.model}.{self.part}" if self.part else self.model

    def of(self, person: Person) -> models.QuerySet[Any]:
        return self.table._base_manager.filter(self.rows(person)).order_by("pk")


@dataclass(frozen=True)
class Declared:
    """What an app declares. `nobodys` are the tables that hold nothing of anybody, and why."""

    held: tuple[Held, ...]
    nobodys: Mapping[str, str]


@cache
def declared() -> tuple[Declared, ...]:
    return tuple(import_string(name) for name in settings.PERSONAL_DATA)


def everything_held() -> Iterator[Held]:
    """In the order in which it is erased."""
    for one in declared():
        yield from one.held


def of_user(*paths: str) -> Callable[[Person], Q]:
    return lambda person: _any(paths, person.users)


def of_candidate(*paths: str) -> Callable[[Person], Q]:
    return lambda person: _any(paths, person.candidates)


def _any(paths: tuple[str, ...], ids: tuple[int, ...]) -> Q:
    found = Q(pk__in=[])
    for path in paths:
        found |= Q(**{f"{path}__in": ids})
    return found


def deleted(model: str, rows: Callable[[Person], Q], **more: Any) -> Held:
    return Held(model=model, rows=rows, erasure=Erasure.DELETE, **more)


def kept(model: str, rows: Callable[[Person], Q], why: str, **more: Any) -> Held:
    return Held(model=model, rows=rows, why=why, **more)


def can_hold_text(column: Any) -> bool:
    """Whether a column can hold what somebody has written. Short ones, and those with choices, hold codes."""
    if isinstance(column, ArrayField):
        return can_hold_text(column.base_field)
    if isinstance(column, models.CharField):
        return not column.choices and (column.max_length or 0) > LONGEST_CODE
    return column.get_internal_type() not in _PLAIN and not column.is_relation


def acted(model: str, path: str, *, part: str = "by") -> Held:
    """Rows that somebody made or changed on behalf of an organisation, or as staff: they say that they did."""
    return Held(model=model, rows=of_user(path), part=part, why=ACTED, is_acted=True, is_named=False)


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _about(**kinds: str) -> Callable[[Person], Q]:
    """By a pair of columns that name a table and a row."""

    def rows(person: Person) -> Q:
        kind, key = kinds["kind"], kinds["key"]
        users = Q(**{kind: "user", f"{key}__in": person.users})
        return users | Q(**{kind: "candidate", f"{key}__in": person.candidates}) | Q(actor__in=person.users)

    return rows


def _logged(person: Person) -> Q:
    """What Django's log of the console says of somebody, who it called by their name until it was told not to."""

    def about(label: str, ids: Any) -> Q:
        content_type = ContentType.objects.get_for_model(apps.get_model(label))
        return Q(content_type=content_type, object_id__in=list(map(str, ids)))

    addresses = EmailAddress.objects.filter(user__in=person.users).values_list("pk", flat=True)
    return (
        about("accounts.User", person.users)
        | about("marketplace.Candidate", person.candidates)
        | about("account.EmailAddress", addresses)
    )


def _sessions(person: Person) -> Q:
    return Q(session_key__in=_session_keys(person))


def _session_keys(person: Person) -> list[str]:
    return list(UserSession.objects.filter(user__in=person.users).values_list("session_key", flat=True))


def _answers(person: Person) -> Q:
    return Q(principal__in=[str(pk) for pk in person.users])


def pseudonym(public_id: uuid.UUID) -> str:
    return f"Erased {public_id.hex[:12]}"


def no_address(user: User) -> str:
    return f"{user.public_id.hex}@{ERASED_DOMAIN}"


HELD = Declared(
    held=(
        Held(
            model="admin.LogEntry", rows=_logged, part="about", erasure=Erasure.CLEAR, exported=False,
            clear={"object_repr": "", "change_message": ""}, kept=names("object_id"), why="an id",
        ),
        acted("admin.LogEntry", "user"),
        deleted("sessions.Session", _sessions, exported=False),
        deleted("usersessions.UserSession", of_user("user"), secret=names("session_key")),
        deleted("account.EmailConfirmation", of_user("email_address__user"), exported=False),
        deleted("account.EmailAddress", of_user("user"), quoted=names("email")),
        deleted("mfa.Authenticator", of_user("user"), secret=names("data")),
        deleted("socialaccount.SocialToken", of_user("account__user"), secret=names("token token_secret")),
        deleted("socialaccount.SocialAccount", of_user("user")),
        deleted("allauth_idp_oidc.Token", of_user("user"), secret=names("hash data")),
        Held(
            model="allauth_idp_oidc.Client", rows=of_user("owner"), erasure=Erasure.CLEAR, clear={"owner": None},
            secret=names("secret data"), why="a program, which others use",
            kept=names(
                "id name secret scopes default_scopes grant_types redirect_uris cors_origins response_types data"
            ),
        ),
        deleted("accounts.KnownPlace", of_user("user"), secret=names("digest")),
        deleted("accounts.IdempotencyRecord", _answers, secret=names("response fingerprint")),
        deleted("accounts.Membership", of_user("user")),
        acted("accounts.Membership", "invited_by"),
        acted("accounts.ServiceToken", "created_by", part=""),
        deleted("accounts.User_groups", of_user("user")),
        deleted("accounts.User_user_permissions", of_user("user")),
        Held(
            model="accounts.User", rows=of_user("pk"), erasure=Erasure.CLEAR, secret=names("password"),
            quoted=names("email name"),
            clear={
                "email": no_address, "name": "", "password": lambda user: make_password(None), "last_login": None,
                "is_active": False, "is_staff": False, "is_superuser": False,
            },
            why="what they did refers to it",
        ),
        kept("accounts.Event", _about(kind="aggregate_type", key="aggregate_id"), "ids and names of fields"),
        Held(
            model="accounts.Transition", rows=_about(kind="subject_type", key="subject_id"), part="by",
            why="moves and ids; the reason is the organisation's own", is_acted=True,
        ),
        kept(
            "accounts.AuditEntry", _about(kind="subject_type", key="subject_id"), "ids and names of fields",
            inside=names("actor request_id"),
        ),
    ),
    nobodys={
        "auth.Permission": "what there is to be allowed",
        "auth.Group": "roles of staff",
        "auth.Group_permissions": "roles of staff",
        "contenttypes.ContentType": "the tables there are",
        "pghistory.Context": "not used: facts are tracked without their context",
        "pghistory.Events": "no table",
        "pghistory.MiddlewareEvents": "no table",
        "socialaccount.SocialApp": "providers",
        "accounts.TrustedDocument": "operations of programs",
        "accounts.DeprecatedUse": "counts of programs",
        "accounts.AttemptCounter": "keyed hashes, forgotten after a day",
        "accounts.Organisation": "organisations",
        "accounts.AuditSeal": "hashes",
        "accounts.AggregateSequence": "counts",
        "accounts.Delivery": "states; of errors type and place, never what they say",
        "accounts.SigningKey": "our own keys",
        "accounts.TableState": "random numbers",
        "accounts.Timer": "due times; of errors type and place, never what they say",
    },
)  # fmt: skip
"""The order matters: what is found through another table goes before that table's rows."""
