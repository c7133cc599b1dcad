"""Stored rules made ready to be judged: merged skills followed, narrower ones counted, the pay known.

Whoever judges, filters or indexes by a stored rule gets it here. The number of SQL statements does not depend on how
many rules are asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from marketplace.core.money import hourly_eur
from marketplace.models import ExchangeRateSet
from marketplace.queries.rates import rates_of
from marketplace.queries.skills import narrower_skills, survivors
from matching.core.rules import (
    OPEN_TO_NOBODY,
    Grounds,
    HasSkill,
    InvalidRule,
    PayCeiling,
    Rule,
    criteria,
    load,
    resolved,
    skill_ids,
)

logger = logging.getLogger(__name__)

Key = TypeVar("Key")


def ceilings_of(terms: Mapping[str, Any], rates: Mapping[str, Decimal]) -> tuple[PayCeiling, ...]:
    """The most that a revision's terms pay in each region, country and elsewhere, in EUR an hour.

    A city's band counts for all of its region: in which city somebody lives is not known. Where several bands meet,
    the highest counts, and one without an hourly figure above all.
    """
    ceilings: dict[str, Decimal | None] = {}
    for band in terms["pay"]:
        hourly = hourly_eur(Decimal(band["maximum"]), band["currency"], band["period"], rates)
        for place in band["places"] or [""]:
            area = place.partition("/")[0]
            known = ceilings.get(area, hourly)
            ceilings[area] = None if known is None or hourly is None else max(known, hourly)
    return tuple(PayCeiling(place, hourly) for place, hourly in sorted(ceilings.items()))


class Stated(Protocol):
    """A rule as it is stored, with the terms that it stands in: a revision, or as much of one as was read."""

    @property
    def rule(self) -> dict[str, Any] | None: ...
    @property
    def terms(self) -> dict[str, Any]: ...


def resolved_rules(revisions: Mapping[Key, Stated | None], *, rate_set: ExchangeRateSet | None) -> dict[Key, Rule]:
    """The rules of revisions, ready to be judged; no revision, and one without a rule, is open to all. Skills are those
    of the present taxonomy. A stored rule that cannot be read accepts nobody, and holds up no other."""
    rules = {key: _loaded(key, revision.rule if revision else None) for key, revision in revisions.items()}
    rates = rates_of(rate_set)
    became, narrower = _taxonomy_of(rules.values())
    return {
        key: resolved(rule, Grounds(became, narrower, ceilings_of(revision.terms, rates)))
        if (revision := revisions[key]) is not None
        else rule
        for key, rule in rules.items()
    }


def resolved_rule(revision: Stated | None, *, rate_set: ExchangeRateSet | None) -> Rule:
    return resolved_rules({None: revision}, rate_set=rate_set)[None]


def resolved_draft(rule: Rule, ceilings: tuple[PayCeiling, ...] | None = None) -> Rule:
    """A rule that no revision holds yet, ready to be judged. One about pay needs `ceilings`."""
    became, narrower = _taxonomy_of([rule])
    return resolved(rule, Grounds(became, narrower, ceilings))


def _loaded(key: object, raw: dict[str, Any] | None) -> Rule:
    try:
        return load(raw)
    except InvalidRule:
        logger.exception("the stored rule of %s is refused: nobody is accepted by it", key)
        return OPEN_TO_NOBODY


def _taxonomy_of(rules: Iterable[Rule]) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """What the skills that rules name became, and the narrower kinds of those of which they count. Two queries."""
    named: set[int] = set()
    broad: set[int] = set()
    for rule in rules:
        named |= skill_ids(rule)
        broad.update(one.skill_id for one in criteria(rule) if isinstance(one, HasSkill) and one.narrower)
    became = survivors(named)
    return became, narrower_skills(became.get(skill_id, skill_id) for skill_id in broad)
