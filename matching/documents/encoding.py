"""Facts as the fields of a search index hold them, and as queries compare them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from elasticsearch.dsl import Date, Field, Integer, Keyword, Long, Object

from matching.core.attributes import DECIMALS, Attribute, Kind
from matching.core.facts import CandidateFacts, OpportunityFacts
from matching.core.search.query import Scheme, SearchText

ENDLESS = date.max.isoformat()
WORDS = "words"
ANYWHERE = f"{WORDS}.anywhere"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def day() -> Field:
    return Date(format="strict_date")


_FIELDS: Mapping[Kind, Callable[[], Field]] = {
    Kind.WHOLE: Integer,
    Kind.DECIMAL: Long,  # in units of 0.0001, see `scaled`: no float stands between a rule and a fact
    Kind.DATE: day,
    Kind.CODE: Keyword,
    Kind.CODES: Keyword,
    Kind.IDS: Integer,
}


def attribute_fields(attributes: Iterable[Attribute]) -> dict[str, Field]:
    """The field of each declared attribute, by its name in the index."""
    return {one.index_field: _FIELDS[one.kind]() for one in attributes}


def attribute_values(attributes: Iterable[Attribute], facts: CandidateFacts | OpportunityFacts) -> dict[str, Any]:
    return {one.index_field: encoded(one.kind, one.read(facts)) for one in attributes}


def encoded(kind: Kind, value: object) -> Any:
    """A fact of a declared attribute, or what a rule compares it with, as its field holds it."""
    match value:
        case Decimal():
            return scaled(value)
        case date():
            return value.isoformat()
        case frozenset():
            return sorted(value)
        case int() if kind is Kind.DECIMAL:
            return scaled(Decimal(value))
    return value


def scaled(number: Decimal) -> int:
    """A number in units of 0.0001, which facts and rules have no fractions of. Finer ones are rounded down, so that
    comparing a fact with them by ≤ or > stays exact."""
    return int(number.scaleb(DECIMALS).to_integral_value(ROUND_FLOOR))


def microseconds(instant: datetime) -> int:
    """An instant as Postgres keeps it, in microseconds since 1970; a date field would drop the finer half."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_from(stored: int) -> datetime:
    return _EPOCH + stored * _MICROSECOND


# Words. They are made by the application and compared as they are: no analyzer has a say, so that every server that
# knows keywords gives the answers that Postgres gives.


def word_fields(scheme: Scheme) -> Field:
    """Words by field, and those of the whole document. Nothing is sorted or counted by them."""
    names = [*scheme.fields, ANYWHERE.removeprefix(f"{WORDS}.")]
    return Object(properties={name: Keyword(doc_values=False) for name in names})


def word_field(name: str) -> str:
    return f"{WORDS}.{name}"


def word_values(text: SearchText) -> dict[str, list[str]]:
    fields = {**text.fields, ANYWHERE.removeprefix(f"{WORDS}."): text.words}
    return {name: sorted(words) for name, words in fields.items() if words}


def stated(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without what is not known: a fact that is missing has no field at all, which is how a query tells."""
    return {field: value for field, value in document.items() if value not in (None, [], {})}
