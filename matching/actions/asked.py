"""What somebody asks opportunities for, as it is handed in, made into a query: to be answered now, or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from accounts.core.text import clean_line
from accounts.errors import InvalidInput
from accounts.models import Organisation
from marketplace.actions import checks
from marketplace.core.codes import check_area
from marketplace.core.money import Money, check_money
from marketplace.models import Opportunity, Skill
from marketplace.models.candidate import Commitment
from marketplace.queries.rates import current_rate_set, rates_of
from marketplace.queries.skills import survivors
from matching.core.attributes import Operator, Subject
from matching.core.rules import OPEN_TO_ALL, All, Compare, Rule
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.search.saved import PayAsked, SavedQuery
from matching.core.search.search import Facet

LONGEST_TEXT = 200
MOST_CHOSEN = 20  # of each kind
HOURS_A_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFor:
    """`countries` are ISO 3166 codes of countries or regions; pay is for a year; `where` is a rule about opportunities.
    `path` is where the filters stand in what was handed in, for refusals to name."""

    text: str = ""
    commitments: Sequence[str] = ()
    arrangements: Sequence[str] = ()
    countries: Sequence[str] = ()
    skill_ids: Sequence[UUID] = ()
    organisation_id: UUID | None = None
    min_weekly_hours: int | None = None
    max_weekly_hours: int | None = None
    min_pay: Money | None = None
    max_pay: Money | None = None
    where: Rule = OPEN_TO_ALL
    eligible_only: bool = False
    path: str = "filter"

    @property
    def text_path(self) -> str:
        """The words stand beside the filter."""
        return f"{self.path.removesuffix('filter')}search"


def kept_query(asked: AskedFor, now: datetime) -> SavedQuery:
    """A query that may be kept. Raises InvalidInput, also for what asks for nothing, and NotFound."""
    query = read_query(asked, now)
    if query.text and not query.words:
        raise InvalidInput(asked.text_path, "has no word to look for")
    if query.is_empty:
        raise InvalidInput(asked.text_path, "or the filter must ask for something")
    return query


def read_query(asked: AskedFor, now: datetime) -> SavedQuery:
    """Raises InvalidInput and NotFound."""
    return SavedQuery(
        text=clean_line(asked.text, field=asked.text_path, max_length=LONGEST_TEXT, required=False),
        where=_where(asked),
        filters=_filters(asked),
        pay=_pay(asked, now),
        eligible_only=checks.flag(asked.eligible_only, field=f"{asked.path}.eligibleOnly"),
    )


def _filters(asked: AskedFor) -> dict[Facet, Rule]:
    filters = {
        Facet.COMMITMENT: commitment_in(
            choices(asked.commitments, field=f"{asked.path}.commitments", among=Commitment.values)
        ),
        Facet.ARRANGEMENT: arrangement_in(
            choices(asked.arrangements, field=f"{asked.path}.arrangements", among=Opportunity.Arrangement.values)
        ),
        Facet.COUNTRY: offered_in(areas(asked.countries, field=f"{asked.path}.countries")),
        Facet.SKILL: asks_for_skill(skills(asked.skill_ids, field=f"{asked.path}.skillIds")),
        Facet.ORGANISATION: posted_by(
            checks.primary_keys(
                Organisation, [asked.organisation_id] if asked.organisation_id is not None else [], kind="organisation"
            ).values()
        ),
    }
    return {facet: rule for facet, rule in filters.items() if rule != OPEN_TO_ALL}


def choices(values: Sequence[str], *, field: str, among: Sequence[str]) -> list[str]:
    """Codes, few enough, each of those there are. Raises InvalidInput, as do all of these."""
    several = checks.several(values, field=field, at_most=MOST_CHOSEN)
    return [checks.choice(one, field=field, among=among) for one in several]


def areas(codes: Sequence[str], *, field: str) -> list[str]:
    """Countries and regions."""
    several = checks.several(codes, field=field, at_most=MOST_CHOSEN)
    return [check_area(one, field=f"{field}[{at}]") for at, one in enumerate(several)]


def skills(ids: Sequence[UUID], *, field: str) -> list[int]:
    """Inner ids, merged skills as what they became. Also raises NotFound."""
    found = checks.primary_keys(Skill, checks.several(ids, field=field, at_most=MOST_CHOSEN), kind="skill").values()
    became = survivors(found)
    return sorted({became.get(pk, pk) for pk in found})


def hours(value: int, *, field: str) -> int:
    return checks.whole(value, field=field, low=0, high=HOURS_A_WEEK)


def _where(asked: AskedFor) -> Rule:
    rules = [] if asked.where == OPEN_TO_ALL else [asked.where]
    for op, value, name in (
        (Operator.GTE, asked.min_weekly_hours, "minWeeklyHours"),
        (Operator.LTE, asked.max_weekly_hours, "maxWeeklyHours"),
    ):
        if value is not None:
            wanted = hours(value, field=f"{asked.path}.{name}")
            rules.append(Compare("weekly_hours", op, wanted, subject=Subject.OPPORTUNITY))
    return rules[0] if len(rules) == 1 else All(tuple(rules))


def _pay(asked: AskedFor, now: datetime) -> PayAsked | None:
    least, most = (
        None if given is None else check_money(given, field=f"{asked.path}.{name}")
        for given, name in ((asked.min_pay, "minPay"), (asked.max_pay, "maxPay"))
    )
    known = least or most
    if known is None:
        return None
    if least is not None and most is not None:
        if least.currency != most.currency:
            raise InvalidInput(f"{asked.path}.maxPay.currency", "must be that of minPay")
        if least.amount > most.amount:
            raise InvalidInput(f"{asked.path}.minPay.amount", "must not be above that of maxPay")
    pay = PayAsked(least.amount if least else None, most.amount if most else None, known.currency)
    if pay.in_cents(rates_of(current_rate_set(on=now.astimezone(UTC).date()))) is None:
        name = "minPay" if least else "maxPay"
        raise InvalidInput(f"{asked.path}.{name}.currency", "has no exchange rate to compare by")
    return pay
