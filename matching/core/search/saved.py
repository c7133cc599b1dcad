"""A search that somebody keeps: what they typed and chose, from which every day's search is made.

It is stored as JSON. What hangs on the day is not: which skills the words name, what merged skills have become, what
pay in another currency comes to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from marketplace.core.money import amount_text, yearly_eur_cents
from matching.core.attributes import Subject, Value
from matching.core.names import Names
from matching.core.rules import OPEN_TO_ALL, All, Compare, Grounds, InvalidRule, Rule, criteria, dump, load, resolved
from matching.core.rules import skill_ids as skills_of
from matching.core.rules import text as wording
from matching.core.search.query import Segment, typed_words
from matching.core.search.search import FACETS, Facet, PayRange, Search

LONGEST_NAME = 120

_ATTRIBUTES = {
    Facet.COMMITMENT: "commitment",
    Facet.ARRANGEMENT: "arrangement",
    Facet.COUNTRY: "places",
    Facet.SKILL: "skills",
    Facet.ORGANISATION: "organisations",
}


class UnreadableQuery(ValueError):
    """What is stored is no query, or none that can still be read."""


@dataclass(frozen=True, slots=True)
class PayAsked:
    """A year's pay, both ends included; None where an end is open."""

    least: Decimal | None
    most: Decimal | None
    currency: str  # ISO 4217

    def in_cents(self, rates: Mapping[str, Decimal]) -> PayRange | None:
        """The same in cents of euros; None for a currency without a rate."""

        def cents(end: Decimal) -> int | None:
            return yearly_eur_cents(end, self.currency, "year", None, rates)

        if cents(Decimal(0)) is None:
            return None
        return PayRange(*(None if end is None else cents(end) for end in (self.least, self.most)))


@dataclass(frozen=True)
class SavedQuery:
    """What is asked of opportunities. `text` stands as typed; `filters` by facet are rules, and so is `where`."""

    text: str = ""
    where: Rule = OPEN_TO_ALL
    filters: Mapping[Facet, Rule] = field(default_factory=dict)
    pay: PayAsked | None = None
    eligible_only: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return typed_words(self.text)

    @property
    def is_empty(self) -> bool:
        """Whether it finds everything."""
        return not self.words and self.rule == OPEN_TO_ALL and self.pay is None and not self.eligible_only

    @property
    def rule(self) -> Rule:
        """The filters as one rule."""
        filters = (self.filters[facet] for facet in sorted(self.filters))
        parts = [rule for rule in (self.where, *filters) if rule != OPEN_TO_ALL]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    @property
    def skill_ids(self) -> frozenset[int]:
        """Every skill that the filters name."""
        return skills_of(self.rule)

    def chosen(self, facet: Facet) -> tuple[Any, ...]:
        """The values that the filter by a facet names, codes or inner ids, in order."""
        found: dict[Value, None] = {}
        for one in criteria(self.filters.get(facet, OPEN_TO_ALL)):
            if isinstance(one, Compare) and one.name == _ATTRIBUTES[facet]:
                found.update(dict.fromkeys(one.value if isinstance(one.value, tuple) else [one.value]))
        return tuple(value for value in found if "*" not in str(value))

    def resolved(self, merged_into: Mapping[int, int]) -> SavedQuery:
        """The same with the skills that merged ones became."""
        grounds = Grounds(merged_into)
        filters = {facet: resolved(rule, grounds) for facet, rule in self.filters.items()}
        return replace(self, where=resolved(self.where, grounds), filters=filters)

    def search(self, segments: tuple[Segment, ...], *, rates: Mapping[str, Decimal], on: date) -> Search:
        """What finds it on a day, for anybody. `segments` are those of its words; it is resolved."""
        return replace(remainder(segments, self.pay, rates), rule=self.where, filters=self.filters, on=on)

    def to_json(self) -> dict[str, Any]:
        """`from_json` gives the same query back, and equal queries give equal JSON."""
        stored: dict[str, Any] = {}
        if self.text:
            stored["text"] = self.text
        if self.where != OPEN_TO_ALL:
            stored["where"] = dump(self.where)
        filters = {facet.value: dump(rule) for facet, rule in self.filters.items() if rule != OPEN_TO_ALL}
        if filters:
            stored["filters"] = dict(sorted(filters.items()))
        if self.pay is not None:
            ends = {"least": _stored(self.pay.least), "most": _stored(self.pay.most)}
            stored["pay"] = {**ends, "currency": self.pay.currency}
        if self.eligible_only:
            stored["eligibleOnly"] = True
        return stored

    @classmethod
    def from_json(cls, raw: Any) -> SavedQuery:
        """Raises UnreadableQuery."""
        try:
            pay = raw.get("pay")
            return cls(
                text=str(raw.get("text", "")),
                where=load(raw.get("where"), about=Subject.OPPORTUNITY),
                filters={
                    Facet(facet): load(rule, about=Subject.OPPORTUNITY)
                    for facet, rule in raw.get("filters", {}).items()
                },
                pay=None if pay is None else PayAsked(_amount(pay["least"]), _amount(pay["most"]), pay["currency"]),
                eligible_only=bool(raw.get("eligibleOnly", False)),
            )
        except (InvalidRule, InvalidOperation, AttributeError, KeyError, TypeError, ValueError) as error:
            raise UnreadableQuery(str(error)) from error

    @property
    def fingerprint(self) -> str:
        """Equal for queries that ask for the same: however their words are written."""
        asked = json.dumps({**self.to_json(), "text": " ".join(self.words)}, sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()

    def name(self, names: Names, organisations: Mapping[int, str]) -> str:
        """In words, for lists and subjects: `nurse · Germany · from 45,000 EUR`."""
        said: dict[Facet, Callable[[Any], str]] = {
            Facet.COMMITMENT: lambda code: code.replace("_", " "),
            Facet.ARRANGEMENT: str,
            Facet.COUNTRY: names.place,
            Facet.SKILL: names.skill,
            Facet.ORGANISATION: lambda pk: organisations.get(pk, "an organisation"),
        }
        parts = [self.text]
        for facet in FACETS[Subject.OPPORTUNITY]:
            word = " and " if facet is Facet.SKILL else " or "
            parts.append(word.join(map(said[facet], self.chosen(facet))))
        parts.append(wording(self.where, names) if self.where != OPEN_TO_ALL else "")
        parts.append(_pay_text(self.pay) if self.pay is not None else "")
        parts.append("eligible for me" if self.eligible_only else "")
        line = " · ".join(part for part in parts if part)
        return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1].rstrip()}…"


def remainder(segments: tuple[Segment, ...], pay: PayAsked | None, rates: Mapping[str, Decimal]) -> Search:
    """What is left to ask of an opportunity that the filters let through: words and pay. Pay in a currency that has no
    rate finds nothing: it cannot be told whether it is met."""
    asked = None if pay is None else pay.in_cents(rates)
    return Search(about=Subject.OPPORTUNITY, segments=segments, pay=asked, nothing=pay is not None and asked is None)


def _stored(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount.normalize(), "f")


def _amount(raw: Any) -> Decimal | None:
    return None if raw is None else Decimal(raw)


def _pay_text(pay: PayAsked) -> str:
    parts = [
        f"{word} {amount_text(end, pay.currency)}"
        for word, end in (("from", pay.least), ("up to", pay.most))
        if end is not None
    ]
    return " ".join(parts)
