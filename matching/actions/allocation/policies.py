"""Reading what is asked of a run: every part is checked, and names become rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.errors import InvalidInput, NotFound
from marketplace.actions.revisions import read_rule
from marketplace.models import Opportunity
from matching.core.allocation import Policy, Proposing
from matching.core.run_policy import (
    MOST_AT_ONCE,
    MOST_LIMITS,
    MOST_SEATS,
    MOST_SECONDS,
    MOST_SHARES,
    MOST_URGENT_DAYS,
    Mechanism,
    ReservedShare,
    RunPolicy,
)

E = TypeVar("E", bound=StrEnum)

_WEIGHTS = ("quality", "fill", "speed")
_NUMBERS = {  # the field's name outside, the least and the most
    "min_fit_ppm": ("minFitPpm", 0, 1_000_000),
    "offers_at_once": ("offersAtOnce", 1, MOST_AT_ONCE),
    "urgent_days": ("urgentDays", 0, MOST_URGENT_DAYS),
    "most_per_organisation": ("mostPerOrganisation", 0, MOST_SEATS),
    "seconds": ("seconds", 1, MOST_SECONDS),
}


def default_policy() -> RunPolicy:
    """What holds where nothing else is asked for."""
    return RunPolicy(
        min_fit_ppm=settings.ALLOCATION_MIN_FIT_PPM,
        offers_at_once=settings.ALLOCATION_OFFERS_AT_ONCE,
        urgent_days=settings.ALLOCATION_URGENT_DAYS,
        seconds=settings.ALLOCATION_SECONDS or None,
    )


def read_policy(raw: Mapping[str, Any] | None, scope: QuerySet[Opportunity]) -> RunPolicy:
    """The policy of a run over the opportunities of a scope.

    `raw` may hold the weights quality, fill and speed in thousandths that sum to 1000 (all three or none);
    `min_fit_ppm`, `offers_at_once`, `urgent_days`, `most_per_organisation` and `seconds`, whole numbers; `mechanism`
    and `proposing`, names; `limits`, each an `organisation` (UUID) that hires in the scope and its `seats`; `shares`,
    each an `opportunity` (UUID) of the scope, its `seats`, and the `rule` for them. What is not given is the default's.

    Raises InvalidInput, NotFound, RuleRefused.
    """
    default = default_policy()
    if raw is None:
        return default
    unknown = sorted(map(str, raw.keys() - {*_WEIGHTS, *_NUMBERS, "mechanism", "proposing", "limits", "shares"}))
    if unknown:
        raise InvalidInput("policy", f"says what no policy says: {', '.join(unknown)[:100]}")
    numbers: dict[str, Any] = {name: _number(name, raw, getattr(default, name)) for name in _NUMBERS}
    policy = RunPolicy(
        weights=_weights(raw) if any(name in raw for name in _WEIGHTS) else default.weights,
        mechanism=_named("mechanism", raw.get("mechanism"), Mechanism, default.mechanism),
        proposing=_named("proposing", raw.get("proposing"), Proposing, default.proposing),
        limits=_limits(raw.get("limits") or (), scope),
        shares=_shares(raw.get("shares") or (), scope),
        **numbers,
    )
    if policy.mechanism is Mechanism.STABLE and policy.is_restricted:
        problem = "can be stable only with one offer a person and without limits and reserved shares"
        raise InvalidInput("policy.mechanism", problem)
    return policy


def _weights(raw: Mapping[str, Any]) -> Policy:
    if any(name not in raw or type(raw[name]) is not int or raw[name] < 0 for name in _WEIGHTS):
        raise InvalidInput("policy", "must have the weights quality, fill and speed, whole numbers from 0")
    if sum(raw[name] for name in _WEIGHTS) != 1000:
        raise InvalidInput("policy", "must have weights that sum to 1000")
    return Policy(*(raw[name] for name in _WEIGHTS))


def _number(name: str, raw: Mapping[str, Any], default: int | None) -> int | None:
    field, least, most = _NUMBERS[name]
    value = raw.get(name)
    return default if value is None else _whole(f"policy.{field}", value, least, most)


def _whole(field: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"must be a whole number from {least} to {most}")
    return value


def _named(field: str, value: Any, known: type[E], default: E) -> E:
    if value is None:
        return default
    try:
        return known(value)
    except ValueError:
        raise InvalidInput(f"policy.{field}", f"must be one of {', '.join(one.value for one in known)}") from None


def _limits(raw: Sequence[Mapping[str, Any]], scope: QuerySet[Opportunity]) -> dict[int, int]:
    if len(raw) > MOST_LIMITS:
        raise InvalidInput("policy.limits", f"are at most {MOST_LIMITS}")
    ids = [_uuid(one.get("organisation"), "organisation") for one in raw]
    _refuse_twice("limits", ids)
    hiring = scope.filter(hiring_organisation__public_id__in=ids)
    known = dict(hiring.order_by().values_list("hiring_organisation__public_id", "hiring_organisation_id").distinct())
    found = {}
    for at, (key, one) in enumerate(zip(ids, raw, strict=True)):
        if key not in known:
            raise NotFound("organisation")
        found[known[key]] = _whole(f"policy.limits[{at}].seats", one.get("seats"), 0, MOST_SEATS)
    return found


def _shares(raw: Sequence[Mapping[str, Any]], scope: QuerySet[Opportunity]) -> tuple[ReservedShare, ...]:
    if len(raw) > MOST_SHARES:
        raise InvalidInput("policy.shares", f"are at most {MOST_SHARES}")
    ids = [_uuid(one.get("opportunity"), "opportunity") for one in raw]
    _refuse_twice("shares", ids)
    known = {row.public_id: row for row in scope.filter(public_id__in=ids)}
    found = []
    for at, (key, one) in enumerate(zip(ids, raw, strict=True)):
        if key not in known:
            raise NotFound("opportunity")
        seats = _whole(f"policy.shares[{at}].seats", one.get("seats"), 1, MOST_SEATS)
        rule = read_rule(one.get("rule"), known[key])
        if rule is None:
            raise InvalidInput(f"policy.shares[{at}].rule", "must say for whom the seats are")
        found.append(ReservedShare(known[key].pk, seats, rule))
    return tuple(found)


def _refuse_twice(field: str, ids: Sequence[UUID]) -> None:
    if len(set(ids)) != len(ids):
        raise InvalidInput(f"policy.{field}", "name one twice")


def _uuid(value: Any, kind: str) -> UUID:
    if not isinstance(value, UUID):
        raise NotFound(kind)
    return value
