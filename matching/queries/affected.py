"""Whom a change of everything affects: what has to be copied and scored anew, and nothing else.

A scope is a small JSON object that says what has changed. It is read when the work begins, from what is stored then,
so that scopes add up: whatever else has changed in between is found as well.

    {"kind": "everything"}                  after a bulk load
    {"kind": "day"}                         another day to judge by
    {"kind": "models"}                      other models serve
    {"kind": "skills", "ids": [4, 17]}      these were merged, or put below or above others
    {"kind": "rates", "from": 3}            other exchange rates than those of this set (null: than none)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from marketplace.models import Candidate, ExchangeRateSet, Opportunity, PayBand
from marketplace.queries.facts import terms_of
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.rules import resolved_rules
from marketplace.queries.skills import survivors
from matching.core.clock import utc_offset_minutes
from matching.core.facts import OpportunityTerms
from matching.core.rules import Compare, HasSkill, Rule, criteria
from matching.models import CandidateProjection
from matching.queries.scorable import SCORED_STATES
from matching.queries.serving import scored_by_another

Scope = Mapping[str, Any]
EVERYTHING: Scope = {"kind": "everything"}
NEW_DAY: Scope = {"kind": "day"}
OTHER_MODELS: Scope = {"kind": "models"}

SETTLED_AT_MOST = 2_000  # of more people it takes longer to score each for all opportunities than the other way round
AT_ONCE = 2_000  # opportunities whose terms are held at a time


@dataclass
class Affected:
    """Queries for inner ids. `copied` are people whose facts come out otherwise, `settled` those of them who are to be
    scored for all opportunities; `scored` are opportunities to be scored against all people."""

    copied: list[QuerySet[Candidate]] = field(default_factory=list)
    settled: list[QuerySet[Candidate]] = field(default_factory=list)
    scored: list[QuerySet[Opportunity]] = field(default_factory=list)
    scores_all: bool = False


def open_opportunities() -> QuerySet[Opportunity]:
    """Those that have scores."""
    return Opportunity.objects.filter(state__in=SCORED_STATES)


def affected(scopes: Iterable[Scope], now: datetime) -> Affected:
    """What these scopes are about, at this moment. ValueError for one that nobody knows."""
    found, on = Affected(), now.astimezone(UTC).date()
    for scope in scopes:
        match scope:
            case {"kind": "everything"}:
                found.copied.append(Candidate.objects.all())
                _score_all(found)
            case {"kind": "day"}:
                found.copied += [_on_another_clock(on), _paid_otherwise(on)]
                _score_all(found)
            case {"kind": "models"}:
                found.scored.append(open_opportunities().filter(pk__in=scored_by_another(on=on)))
            case {"kind": "skills", "ids": ids}:
                touched = frozenset(ids) | frozenset(survivors(ids).values())
                found.copied.append(_holding(touched))
                found.scored.append(open_opportunities().filter(pk__in=_asking(touched, on)))
            case {"kind": "rates", "from": earlier}:
                _change_rates(found, earlier, on)
            case _:
                raise ValueError(f"unknown scope {scope!r:.80}")
    return found


def _score_all(found: Affected) -> None:
    found.scored.append(open_opportunities())
    found.scores_all = True


# Days


def _on_another_clock(on: date) -> QuerySet[Candidate]:
    """People whose zone's offset from UTC is not what was noted: summer time begins or ends."""
    noted = CandidateProjection.objects.exclude(timezone=None).values_list("timezone", "utc_offset_minutes").distinct()
    moved = Q(pk__in=())
    for zone, minutes in noted.order_by():
        if utc_offset_minutes(zone, on) != minutes:
            moved |= Q(projection__timezone=zone, projection__utc_offset_minutes=minutes)
    return Candidate.objects.filter(moved)


# Rates


def _paid_otherwise(on: date) -> QuerySet[Candidate]:
    """People whose rate comes to something else in euros than at the set that it was copied by."""
    present = current_rate_set(on=on)
    differs = Q(pk__in=())
    noted = CandidateProjection.objects.order_by().values_list("rate_set", flat=True).distinct()
    for set_id in noted:
        if set_id != (present.pk if present else None):
            currencies = _changed_currencies(_set(set_id), present)
            differs |= Q(projection__rate_set=set_id, rate_currency__in=currencies)
    return Candidate.objects.filter(differs)


def _change_rates(found: Affected, earlier: int | None, on: date) -> None:
    people = _paid_otherwise(on)
    if people[: SETTLED_AT_MOST + 1].count() > SETTLED_AT_MOST:
        found.copied.append(people)
        _score_all(found)
        return
    found.settled.append(people)
    currencies = _changed_currencies(_set(earlier), current_rate_set(on=on))
    bands = PayBand.objects.filter(currency__in=currencies)
    found.scored.append(open_opportunities().filter(pk__in=bands.values("opportunity")))


def set_before(set_id: int, now: datetime) -> int | None:
    """The set that held on this day until the one of that id was published; None where there was none."""
    earlier = ExchangeRateSet.objects.filter(pk__lt=set_id, on__lte=now.astimezone(UTC).date())
    return earlier.order_by("-on", "-id").values_list("pk", flat=True).first()


def _set(set_id: int | None) -> ExchangeRateSet | None:
    return ExchangeRateSet.objects.filter(pk=set_id).first() if set_id is not None else None


def _changed_currencies(one: ExchangeRateSet | None, other: ExchangeRateSet | None) -> list[str]:
    before: Mapping[str, Decimal] = rates_of(one)
    after: Mapping[str, Decimal] = rates_of(other)
    return sorted(code for code in before.keys() | after.keys() if before.get(code) != after.get(code))


# Skills


def _holding(touched: frozenset[int]) -> QuerySet[Candidate]:
    """People who hold or mention one of these, by what they stated or by what was copied of it."""
    ids = sorted(touched)
    held = Candidate.objects.filter(skills__skill__in=ids).order_by().values("pk")
    told = Q(skill_ids__overlap=ids) | Q(mentioned_skills__overlap=ids)
    copied = CandidateProjection.objects.filter(told).values("pk")
    return Candidate.objects.filter(Q(pk__in=held) | Q(pk__in=copied))


def _asking(touched: frozenset[int], on: date) -> list[int]:
    """Opportunities whose scores or verdicts depend on one of these skills: asked for or near to what is, described, or
    named by the rule, itself or as a narrower kind. Both ends of a link are touched that comes or goes, so looking at
    the taxonomy as it is now finds those, too, that depended on it as it was."""
    found: list[int] = []
    rates = current_rate_set(on=on)
    ids = list(open_opportunities().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        block = ids[start : start + AT_ONCE]
        revisions = {
            row.pk: row.current_revision
            for row in Opportunity.objects.filter(pk__in=block).select_related("current_revision")
        }
        rules = resolved_rules(revisions, rate_set=rates)
        terms = terms_of(block, rate_set=rates, on=on)
        found += [pk for pk in block if touched & (_asked(terms[pk]) | _named(rules[pk]))]
    return found


def _asked(terms: OpportunityTerms) -> frozenset[int]:
    near = {skill_id for term in terms.skills for skill_id, _ in term.near}
    return terms.described_skills.union(near, (term.skill_id for term in terms.skills))


def _named(rule: Rule) -> frozenset[int]:
    named: set[int] = set()
    for criterion in criteria(rule):
        if isinstance(criterion, HasSkill):
            named.update(criterion.accepted)
        elif isinstance(criterion, Compare):
            named.update(criterion.skills)
    return frozenset(named)
