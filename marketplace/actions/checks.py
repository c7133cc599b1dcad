"""Values handed to actions, checked before anything is written. Every check raises InvalidInput."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sized
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from accounts.core.text import clean_line
from accounts.errors import InvalidInput, NotFound

T = TypeVar("T", bound=Sized)


def whole(value: object, *, field: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidInput(field, f"must be a whole number from {low} to {high}")
    return value


def decimal(value: object, *, field: str, low: int, high: int, places: int = 1) -> Decimal:
    """A number within bounds, with at most so many decimals."""
    problem = f"must be a number from {low} to {high} with at most {places} decimals"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise InvalidInput(field, problem)
    try:
        number = Decimal(str(value)[:40])
    except InvalidOperation as error:
        raise InvalidInput(field, problem) from error
    if not number.is_finite() or not low <= number <= high or number != round(number, places):
        raise InvalidInput(field, problem)
    return number


def real(value: object, *, field: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not math.isfinite(value):
        raise InvalidInput(field, "must be a number")
    if not low <= value <= high:
        raise InvalidInput(field, f"must be from {low:g} to {high:g}")
    return float(value)


def day(value: object, *, field: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidInput(field, "must be a date")
    return value


def instant(value: object, *, field: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput(field, "must be a moment with its time zone")
    return value


def flag(value: object, *, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(field, "must be true or false")
    return value


def choice(value: object, *, field: str, among: Iterable[str]) -> str:
    options = [str(option) for option in among]
    if not isinstance(value, str) or value not in options:
        raise InvalidInput(field, f"must be one of {', '.join(options)}")
    return str(value)


def web_address(value: object, *, field: str) -> str:
    text = clean_line(value, field=field, max_length=200, required=False)
    if text:
        try:
            URLValidator(schemes=["http", "https"])(text)
        except ValidationError as error:
            raise InvalidInput(field, "is not a web address") from error
    return text


def several(values: T | None, *, field: str, at_most: int) -> T | tuple[()]:
    """A list that is not too long; None is an empty one."""
    if values is None:
        return ()
    if isinstance(values, str | bytes) or not isinstance(values, list | tuple | set | frozenset):
        raise InvalidInput(field, "must be a list")
    if len(values) > at_most:
        raise InvalidInput(field, f"must have at most {at_most} entries")
    return values


def once_each(values: Iterable[Any], *, field: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise InvalidInput(field, f"names {value} twice")
        seen.add(value)


def primary_keys(model: Any, public_ids: Iterable[UUID], *, kind: str) -> dict[UUID, int]:
    """Inner ids by public ones. Raises NotFound if any is missing."""
    wanted = set(public_ids)
    if not all(isinstance(public_id, UUID) for public_id in wanted):
        raise NotFound(kind)
    found = dict(model.objects.filter(public_id__in=wanted).values_list("public_id", "pk")) if wanted else {}
    if len(found) != len(wanted):
        raise NotFound(kind)
    return found
