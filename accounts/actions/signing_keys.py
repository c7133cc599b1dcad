"""Replacing the key that signs tokens. What the former one signed holds until it runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts.actions.audit import record
from accounts.core.actor import Actor
from accounts.core.audit import AuditKind
from accounts.core.rsa import new_rsa_key
from accounts.errors import LastSigningKey, NotFound
from accounts.login.keys import PURPOSE, Key, forget_keys, keys, kid_of
from accounts.models import SigningKey
from accounts.sealing import sealed


def roll_signing_key(*, now: datetime, announced: timedelta) -> SigningKey:
    """Make another key that signs once it has been `announced` for so long: whoever checks signatures keeps the list
    of keys for a while. The former ones are trusted until the last token that they signed has run out.
    """
    with _alone():
        former = keys(now, at_most_seconds_old=0)
        for key in former:
            _adopt(key, now)
        SigningKey.objects.filter(trusted_until__lte=now).update(private_key="")
        made = _new_key(now, now + announced)
        longest = timedelta(
            seconds=max(settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN)
        )
        SigningKey.objects.filter(kid__in=[one.kid for one in former], trusted_until=None).update(
            trusted_until=made.signs_from + longest
        )
        record(AuditKind.SIGNING_KEY_ROLLED, actor=Actor.system(), now=now, subject=made)
    forget_keys()
    return made


def withdraw_signing_key(*, kid: str, now: datetime) -> SigningKey:
    """Trust nothing that this key has signed, from now on: it may have leaked. Sessions stay; their tokens end.

    Raises NotFound, and LastSigningKey where no other key signs.
    """
    with _alone():
        trusted = keys(now, at_most_seconds_old=0)
        withdrawn = next((key for key in trusted if key.kid == kid), None)
        if withdrawn is None:
            raise NotFound("signing key")
        if not any(key.kid != kid and key.signs_from <= now for key in trusted):
            raise LastSigningKey
        _adopt(withdrawn, now)
        SigningKey.objects.filter(kid=kid).update(trusted_until=now, private_key="")
        row = SigningKey.objects.get(kid=kid)
        record(AuditKind.SIGNING_KEY_WITHDRAWN, actor=Actor.system(), now=now, subject=row)
    forget_keys()
    return row


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction in which nobody else changes the keys."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_signingkey IN SHARE ROW EXCLUSIVE MODE")
        yield


def _new_key(now: datetime, signs_from: datetime) -> SigningKey:
    pem = new_rsa_key()
    return SigningKey.objects.create(
        kid=kid_of(pem), private_key=sealed(pem, purpose=PURPOSE), created_at=now, signs_from=signs_from
    )


def _adopt(key: Key, now: datetime) -> None:
    """The key from the settings becomes a row, so that something can be said of it."""
    SigningKey.objects.get_or_create(
        kid=key.kid,
        defaults={"private_key": sealed(key.pem, purpose=PURPOSE), "created_at": now, "signs_from": key.signs_from},
    )
