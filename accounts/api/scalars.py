"""Scalars, stricter than the stock ones: what a resolver gets needs no further look."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_LARGEST = 2**53 - 1


def _refusing(name: str, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        try:
            return read(value)
        except (ValueError, TypeError, InvalidOperation, OverflowError):
            # Without the value: a megabyte sent as a date must not come back in the answer.
            raise StrawberryInputCoercionError(f"This is not a value of type {name}.") from None

    return parse


def _read_date(value: Any) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError
    return date.fromisoformat(value)


def _read_instant(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(UTC)


def _read_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    text = value if isinstance(value, str) else repr(value)
    if not _DECIMAL.fullmatch(text):
        raise ValueError
    return Decimal(text)


def _write_decimal(value: Decimal) -> str:
    """Without the zeros that a column's scale adds: 52.5, not 52.500."""
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read_big(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _LARGEST:
        raise ValueError
    return value


SCALARS: dict[object, ScalarDefinition] = {
    date: strawberry.scalar(
        name="Date",
        description="A day of the calendar, ISO 8601: 2027-01-31.",
        serialize=lambda value: value.isoformat(),
        parse_value=_refusing("Date", _read_date),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, ISO 8601 with its offset from UTC: 2027-01-31T09:00:00+01:00.",
        serialize=lambda value: value.isoformat(),
        parse_value=_refusing("DateTime", _read_instant),
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description=(
            'An exact decimal number, as a string: "52.50". Numbers are read too. At most 15 digits before the point'
            " and 6 after it."
        ),
        serialize=_write_decimal,
        parse_value=_refusing("Decimal", _read_decimal),
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 53 bits, which JSON numbers carry exactly.",
        serialize=int,
        parse_value=_refusing("BigInt", _read_big),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}

__all__ = ["JSON", "SCALARS", "BigInt"]
