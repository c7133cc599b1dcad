"""Counting attempts to log in, in Postgres: each check of a password or a code, however many come in one request.

    attempt = begin_attempt(…)      counted, or refused: TooManyAttempts
    …                               the check
    attempt.succeeded()             not counted after all

Counted first and checked then, so that many at once do not get past. An attempt takes from the first allowance with
room: the one of the device, of the address, of all strangers together. The last two take from their address's as well,
unless it is a device the account knows: a neighbour who guesses does not lock out those who share the address.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from accounts.core.attempts import BY_KNOWN, BY_STRANGERS, FROM_ADDRESS, Allowance
from accounts.errors import TooManyAttempts
from accounts.models import AttemptCounter, KnownPlace, User

KNOWN_FOR = {KnownPlace.Kind.DEVICE: timedelta(days=180), KnownPlace.Kind.ADDRESS: timedelta(days=30)}
FORGOTTEN_AFTER = timedelta(days=1)  # by then every bucket has run empty

Buckets = dict[str, Allowance]


@dataclass(frozen=True)
class Place:
    """Where a request comes from: the client's address (a network of IPv6), and the device it says it is, or ""."""

    address: str
    device: str = ""

    def digests(self) -> dict[str, str]:
        """Kind of place → keyed hash."""
        found = {KnownPlace.Kind.ADDRESS.value: digest("address", self.address)}
        return found | ({KnownPlace.Kind.DEVICE.value: digest("device", self.device)} if self.device else {})


@dataclass(frozen=True)
class Attempt:
    """One that was counted, in the buckets of these keys."""

    keys: tuple[str, ...]

    def succeeded(self) -> None:
        """Give back what this attempt took, and no more: whoever logs in to an account of their own every now and then
        is not given a fresh start at others'."""
        AttemptCounter.objects.filter(key__in=self.keys).update(level=Greatest(F("level") - 1.0, 0.0))


def begin_attempt(*, account: str, place: Place, now: datetime) -> Attempt:
    """Count an attempt at an account, whether there is one or not. `account` is an e-mail address.

    Raises TooManyAttempts with the seconds until the next one, and then counts nothing.
    """
    account = account.strip().lower()
    waits = []
    for buckets in _ways(account, place, now):
        wait = _fill(buckets, now)
        if wait == 0:
            return Attempt(tuple(buckets))
        waits.append(wait)
    raise TooManyAttempts(retry_after_seconds=min(waits))


def remember_place(*, user: User, place: Place, now: datetime) -> None:
    """Somebody has proved who they are from here: attempts at their account from here are counted apart."""
    for kind, value in place.digests().items():
        KnownPlace.objects.update_or_create(user=user, kind=kind, digest=value, defaults={"seen_at": now})


def forget_attempts(now: datetime) -> int:
    """Delete counters that have run empty and places long not seen; how many. For a periodic task."""
    deleted = AttemptCounter.objects.filter(at__lte=now - FORGOTTEN_AFTER).delete()[0]
    for kind, time in KNOWN_FOR.items():
        deleted += KnownPlace.objects.filter(kind=kind, seen_at__lte=now - time).delete()[0]
    return deleted


def digest(kind: str, text: str) -> str:
    """A hash that nobody makes without SECRET_KEY: addresses are few enough to try them all."""
    return hmac.new(_secret(), f"{kind}:{text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


@cache
def _secret() -> bytes:
    return hashlib.sha256(b"attempts:" + settings.SECRET_KEY.encode()).digest()


def _ways(account: str, place: Place, now: datetime) -> list[Buckets]:
    """What an attempt may take from, the best first."""
    digests = place.digests()
    from_address = {digest("address", place.address): FROM_ADDRESS}
    ways: list[Buckets] = []
    for kind in _known(account, digests, now):
        own = {digest(f"account from {kind}", f"{account} {digests[kind]}"): BY_KNOWN}
        ways.append(own if kind == KnownPlace.Kind.DEVICE else own | from_address)
    return [*ways, {digest("account", account): BY_STRANGERS} | from_address]


def _known(account: str, digests: dict[str, str], now: datetime) -> list[str]:
    """By what of a place its account knows it, the device first."""
    found = KnownPlace.objects.filter(user__email=account, digest__in=digests.values())
    seen = dict(found.values_list("kind", "seen_at"))
    return [kind.value for kind, time in KNOWN_FOR.items() if kind in seen and seen[kind] > now - time]


@transaction.atomic
def _fill(buckets: Buckets, now: datetime) -> int:
    """Put one attempt into each of these, if all have room: 0. Otherwise the seconds until they have."""
    AttemptCounter.objects.bulk_create([AttemptCounter(key=key, at=now) for key in buckets], ignore_conflicts=True)
    rows = list(AttemptCounter.objects.select_for_update().filter(key__in=buckets).order_by("key"))
    for row in rows:
        row.level = buckets[row.key].left_in(row.level, (now - row.at).total_seconds())
        row.at = max(row.at, now)
    wait = max(buckets[row.key].wait_seconds(row.level) for row in rows)
    if wait == 0:
        for row in rows:
            row.level += 1
        AttemptCounter.objects.bulk_update(rows, ["level", "at"])
    return wait
