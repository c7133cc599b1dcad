"""Hand-written cases of eligibility, as data: every evaluator must give each of these answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from matching.core.facts import CandidateFacts, SkillFact, VettingFact
from matching.core.rules import Grounds, PayCeiling, Rule, load, resolved

TODAY = date(2026, 6, 15)


@dataclass(frozen=True)
class Case:
    """`narrower` and `ceilings` are what the rule refers to and does not hold itself; `on` is the day judged."""

    name: str
    rule: object  # as JSON
    facts: dict[str, object]
    outcome: str
    narrower: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ceilings: tuple[PayCeiling, ...] | None = None
    on: date = TODAY

    def resolved(self) -> Rule:
        """The rule, ready to be judged."""
        return resolved(load(self.rule), Grounds(narrower=self.narrower, ceilings=self.ceilings))

    def candidate(self, candidate_id: int) -> CandidateFacts:
        return CandidateFacts(candidate_id, **self.facts)  # type: ignore[arg-type]


YES, NO, UNKNOWN = "eligible", "ineligible", "unknown"
HOURS = {"attribute": "weekly_hours", "op": "gte", "value": 30}
GERMANY = {"attribute": "country", "op": "eq", "value": "DE"}
GERMAN = {"language": "de", "minLevel": "B2"}
WELDING = {"skill": 1, "minLevel": 4}
PRACTISED = {"skill": 1, "minLevel": 2, "minYears": 2.5}
PERMIT = {"workAuthorisation": "DE"}
PAST = {"attribute": "groups", "op": "in", "value": [7, 8]}
LATELY = {"skill": 1, "usedWithinMonths": 12}
ANY_WELDING = {"skill": 1, "minLevel": 3, "minYears": 2, "narrower": True}
KINDS = {1: (2, 3)}
AT_HOME = {"livesIn": ["AT", "DE-BE"]}
OFFICE = {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}}
NIGHT = {"hoursOverlap": {"minutes": 180, "timezone": "UTC", "from": "22:00", "to": "02:00"}}
NOON_TO_NOON = {"hoursOverlap": {"minutes": 1440, "timezone": "UTC", "from": "12:00", "to": "12:00"}}
PAID = {"rateWithinPay": True}
BANDS = (PayCeiling("", Decimal(40)), PayCeiling("DE", Decimal(50)), PayCeiling("DE-BE", Decimal("60.5")))
CHECKED = {"vetted": "background"}


def compare(name: str, op: str, value: object) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value}


def works(starts: int | None, ends: int | None, offset: int | None) -> dict[str, object]:
    """Working hours in minutes after midnight, and how far that clock is ahead of UTC."""
    return {"work_starts_minute": starts, "work_ends_minute": ends, "utc_offset_minutes": offset}


def asks(rate: object, country: str | None = None, region: str | None = None) -> dict[str, object]:
    return {"hourly_rate": None if rate is None else Decimal(str(rate)), "country": country, "region": region}


CASES = (
    Case("an empty rule is open to all", {}, {}, YES),
    Case("no rule is open to all", None, {}, YES),
    Case("exactly the hours asked", HOURS, {"weekly_hours": 30}, YES),
    Case("an hour short", HOURS, {"weekly_hours": 29}, NO),
    Case("hours not given", HOURS, {}, UNKNOWN),
    Case("not enough hours, negated", {"not": HOURS}, {"weekly_hours": 29}, YES),
    Case("hours not given stay unknown when negated", {"not": HOURS}, {}, UNKNOWN),
    Case("double negation", {"not": {"not": HOURS}}, {"weekly_hours": 30}, YES),
    Case("no hours at all is a fact", compare("free_hours", "lt", 1), {"free_hours": 0}, YES),
    Case("the country", GERMANY, {"country": "DE"}, YES),
    Case("another country", GERMANY, {"country": "AT"}, NO),
    Case("any country but one", {"not": GERMANY}, {"country": "AT"}, YES),
    Case("no country is not any country but one", {"not": GERMANY}, {}, UNKNOWN),
    Case("one of several countries", compare("country", "in", ["DE", "AT"]), {"country": "AT"}, YES),
    Case("none of several countries", {"not": compare("country", "in", ["DE", "AT"])}, {"country": "FR"}, YES),
    Case("none of several countries, not given", {"not": compare("country", "in", ["DE", "AT"])}, {}, UNKNOWN),
    Case("a cent below the limit", compare("hourly_rate", "lt", 50), {"hourly_rate": Decimal("49.99")}, YES),
    Case("at the limit is not below it", compare("hourly_rate", "lt", 50), {"hourly_rate": Decimal("50.0000")}, NO),
    Case("a ten-thousandth above", compare("hourly_rate", "lte", 50), {"hourly_rate": Decimal("50.0001")}, NO),
    Case(
        "a tenth of a year counts", compare("years_experience", "gte", 0.3), {"years_experience": Decimal("0.3")}, YES
    ),
    Case("above", compare("years_experience", "gt", 2), {"years_experience": Decimal("2.0")}, NO),
    Case("between includes its low end", compare("weekly_hours", "between", [20, 30]), {"weekly_hours": 20}, YES),
    Case("between includes its high end", compare("weekly_hours", "between", [20, 30]), {"weekly_hours": 30}, YES),
    Case("outside", {"not": compare("weekly_hours", "between", [20, 30])}, {"weekly_hours": 31}, YES),
    Case("outside, not given", {"not": compare("weekly_hours", "between", [20, 30])}, {}, UNKNOWN),
    Case(
        "available on the day",
        compare("available_from", "lte", "2026-07-01"),
        {"available_from": date(2026, 7, 1)},
        YES,
    ),
    Case(
        "available too late", compare("available_from", "lte", "2026-07-01"), {"available_from": date(2026, 7, 2)}, NO
    ),
    Case("a fact that is there", compare("region", "exists", True), {"region": "DE-BE"}, YES),
    Case("a fact that is not", compare("region", "exists", True), {}, NO),
    Case("an empty text is no fact", compare("region", "exists", True), {"region": ""}, NO),
    Case("an empty text is unknown", {"not": compare("region", "eq", "DE-BE")}, {"region": ""}, UNKNOWN),
    Case("a fact that must not be there", compare("region", "exists", False), {}, YES),
    Case(
        "one of several commitments",
        compare("commitments", "eq", "contract"),
        {"commitments": frozenset({"contract", "full_time"})},
        YES,
    ),
    Case("another commitment", compare("commitments", "eq", "contract"), {"commitments": frozenset({"full_time"})}, NO),
    Case("commitments not given", compare("commitments", "in", ["contract"]), {}, UNKNOWN),
    Case(
        "commitments that overlap",
        compare("commitments", "in", ["contract", "part_time"]),
        {"commitments": frozenset({"part_time"})},
        YES,
    ),
    Case("a past worker", PAST, {"groups": frozenset({8, 9})}, YES),
    Case("in no group is known", PAST, {}, NO),
    Case("not on the do-not-rehire list", {"not": PAST}, {}, YES),
    Case("on the do-not-rehire list", {"not": PAST}, {"groups": frozenset({7})}, NO),
    Case("the level asked", WELDING, {"skills": {1: SkillFact(4)}}, YES),
    Case("a level short", WELDING, {"skills": {1: SkillFact(3)}}, NO),
    Case("another skill", WELDING, {"skills": {2: SkillFact(5)}}, NO),
    Case("a skill that must not be", {"not": WELDING}, {"skills": {2: SkillFact(5)}}, YES),
    Case("a skill that must not be at that level", {"not": WELDING}, {"skills": {1: SkillFact(3)}}, YES),
    Case("a skill long enough", PRACTISED, {"skills": {1: SkillFact(2, Decimal("2.5"))}}, YES),
    Case("a skill not long enough", PRACTISED, {"skills": {1: SkillFact(2, Decimal("2.4"))}}, NO),
    Case("a skill of unknown length", PRACTISED, {"skills": {1: SkillFact(2)}}, UNKNOWN),
    Case("too low, whatever the years", PRACTISED, {"skills": {1: SkillFact(1)}}, NO),
    Case("a skill of unknown length, negated", {"not": PRACTISED}, {"skills": {1: SkillFact(2)}}, UNKNOWN),
    Case("the language", GERMAN, {"languages": {"de": 4}}, YES),
    Case("the language, not well enough", GERMAN, {"languages": {"de": 3, "en": 6}}, NO),
    Case("other languages only", GERMAN, {"languages": {"en": 6}}, NO),
    Case("no languages given", GERMAN, {}, UNKNOWN),
    Case("a language named like an operator", {"language": "lt", "minLevel": "A2"}, {"languages": {"lt": 2}}, YES),
    Case("must not speak, and does not", {"not": GERMAN}, {"languages": {"en": 6}}, YES),
    Case("a permit without end", PERMIT, {"work_authorisations": {"DE": None}}, YES),
    Case("a permit on its last day", PERMIT, {"work_authorisations": {"DE": TODAY}}, YES),
    Case("a permit that ended yesterday", PERMIT, {"work_authorisations": {"DE": date(2026, 6, 14)}}, NO),
    Case("a permit for elsewhere", PERMIT, {"work_authorisations": {"FR": None}}, NO),
    Case("no permits given", PERMIT, {}, UNKNOWN),
    Case("no permits given, negated", {"not": PERMIT}, {}, UNKNOWN),
    Case("no permit, negated", {"not": PERMIT}, {"work_authorisations": {"FR": None}}, YES),
    Case("false and unknown is false", {"all": [GERMANY, HOURS]}, {"country": "AT"}, NO),
    Case("true and unknown is unknown", {"all": [GERMANY, HOURS]}, {"country": "DE"}, UNKNOWN),
    Case("true or unknown is true", {"any": [GERMANY, HOURS]}, {"country": "DE"}, YES),
    Case("false or unknown is unknown", {"any": [GERMANY, HOURS]}, {"country": "AT"}, UNKNOWN),
    Case("neither", {"not": {"any": [GERMANY, HOURS]}}, {"country": "AT", "weekly_hours": 10}, YES),
    Case("neither, one unknown", {"not": {"any": [GERMANY, HOURS]}}, {"country": "AT"}, UNKNOWN),
    Case("not both", {"not": {"all": [GERMANY, HOURS]}}, {"country": "AT"}, YES),
    Case(
        "two of three",
        {"atLeast": {"n": 2, "of": [GERMANY, HOURS, WELDING]}},
        {"country": "DE", "weekly_hours": 40},
        YES,
    ),
    Case(
        "one of three and one unknown",
        {"atLeast": {"n": 2, "of": [GERMANY, HOURS, WELDING]}},
        {"country": "DE"},
        UNKNOWN,
    ),
    Case(
        "none of three and one unknown", {"atLeast": {"n": 2, "of": [GERMANY, HOURS, WELDING]}}, {"country": "AT"}, NO
    ),
    Case("not two of three", {"not": {"atLeast": {"n": 2, "of": [GERMANY, HOURS, WELDING]}}}, {"country": "AT"}, YES),
    Case(
        "not two of three, undecided",
        {"not": {"atLeast": {"n": 2, "of": [GERMANY, HOURS, WELDING]}}},
        {"country": "DE"},
        UNKNOWN,
    ),
    Case("used on the last day that counts", LATELY, {"skills": {1: SkillFact(1, None, date(2025, 6, 15))}}, YES),
    Case("used a day too long ago", LATELY, {"skills": {1: SkillFact(1, None, date(2025, 6, 14))}}, NO),
    Case("used who knows when", LATELY, {"skills": {1: SkillFact(1)}}, UNKNOWN),
    Case("used who knows when, negated", {"not": LATELY}, {"skills": {1: SkillFact(1)}}, UNKNOWN),
    Case("not used lately, as asked", {"not": LATELY}, {"skills": {1: SkillFact(1, None, date(2020, 1, 1))}}, YES),
    Case("never used at all", LATELY, {"skills": {2: SkillFact(5, None, TODAY)}}, NO),
    Case(
        "a month before the end of a long one is the end of a short one",
        {"skill": 1, "usedWithinMonths": 1},
        {"skills": {1: SkillFact(1, None, date(2026, 2, 28))}},
        YES,
        on=date(2026, 3, 31),
    ),
    Case(
        "too long ago, whatever the years",
        {"skill": 1, "minYears": 2, "usedWithinMonths": 12},
        {"skills": {1: SkillFact(1, None, date(2020, 1, 1))}},
        NO,
    ),
    Case(
        "too short, whatever the last use",
        {"skill": 1, "minYears": 2, "usedWithinMonths": 12},
        {"skills": {1: SkillFact(1, Decimal(1))}},
        NO,
    ),
    Case(
        "long enough, last use not given",
        {"skill": 1, "minYears": 2, "usedWithinMonths": 12},
        {"skills": {1: SkillFact(1, Decimal(2))}},
        UNKNOWN,
    ),
    Case("a narrower skill counts", ANY_WELDING, {"skills": {3: SkillFact(3, Decimal(2))}}, YES, KINDS),
    Case("the skill itself counts still", ANY_WELDING, {"skills": {1: SkillFact(3, Decimal(2))}}, YES, KINDS),
    Case("a skill that is no narrower one", ANY_WELDING, {"skills": {4: SkillFact(5, Decimal(9))}}, NO, KINDS),
    Case(
        "a narrower skill does not count unless asked",
        {"skill": 1, "minLevel": 3},
        {"skills": {2: SkillFact(5)}},
        NO,
        KINDS,
    ),
    Case(
        "one skill has the level and another the years",
        ANY_WELDING,
        {"skills": {1: SkillFact(5, Decimal(1)), 2: SkillFact(1, Decimal(9))}},
        NO,
        KINDS,
    ),
    Case(
        "one narrower skill falls short and another is unknown",
        ANY_WELDING,
        {"skills": {2: SkillFact(1), 3: SkillFact(3)}},
        UNKNOWN,
        KINDS,
    ),
    Case(
        "one narrower skill is unknown and another will do",
        ANY_WELDING,
        {"skills": {2: SkillFact(3), 3: SkillFact(4, Decimal(3))}},
        YES,
        KINDS,
    ),
    Case("no narrower skill either", {"not": ANY_WELDING}, {"skills": {2: SkillFact(2)}}, YES, KINDS),
    Case(
        "a narrower skill that must not be", {"not": ANY_WELDING}, {"skills": {2: SkillFact(3, Decimal(2))}}, NO, KINDS
    ),
    Case("nothing is narrower", ANY_WELDING, {"skills": {2: SkillFact(5, Decimal(9))}}, NO),
    Case("in the country", AT_HOME, {"country": "AT"}, YES),
    Case("in a region of the country", AT_HOME, {"country": "AT", "region": "AT-9"}, YES),
    Case("in the region", AT_HOME, {"country": "DE", "region": "DE-BE"}, YES),
    Case("the region alone tells", AT_HOME, {"region": "DE-BE"}, YES),
    Case("in another region", AT_HOME, {"country": "DE", "region": "DE-BY"}, NO),
    Case("in a country of which one region would do", AT_HOME, {"country": "DE"}, UNKNOWN),
    Case("an empty region is none", AT_HOME, {"country": "DE", "region": ""}, UNKNOWN),
    Case("in a country of which none would", AT_HOME, {"country": "PL"}, NO),
    Case("nowhere", AT_HOME, {}, UNKNOWN),
    Case("nowhere, and empty", AT_HOME, {"country": "", "region": ""}, UNKNOWN),
    Case("not in a place, nowhere known", {"not": AT_HOME}, {}, UNKNOWN),
    Case("elsewhere, as asked", {"not": AT_HOME}, {"country": "PL"}, YES),
    Case("an excluded region", {"not": AT_HOME}, {"country": "DE", "region": "DE-BE"}, NO),
    Case("an excluded region, perhaps", {"not": AT_HOME}, {"country": "DE"}, UNKNOWN),
    Case("exactly the overlap asked", OFFICE, works(780, 1260, 120), YES),
    Case("a minute short of the overlap", OFFICE, works(781, 1260, 120), NO),
    Case("the overlap from the morning side", OFFICE, works(300, 780, 120), YES),
    Case("the overlap from a clock far west", OFFICE, works(420, 900, -240), YES),
    Case("a minute short on a clock far west", OFFICE, works(421, 900, -240), NO),
    Case("from noon UTC in summer, when the window ends at three", OFFICE, works(720, 1140, 0), NO),
    Case("from noon UTC in winter, when it ends at four", OFFICE, works(720, 1140, 0), YES, on=date(2026, 1, 15)),
    Case("hours not given do not overlap yet", OFFICE, works(None, 1020, 120), UNKNOWN),
    Case("hours without an end", OFFICE, works(540, None, 120), UNKNOWN),
    Case("hours on an unknown clock", OFFICE, works(540, 1020, None), UNKNOWN),
    Case("hours not given, negated", {"not": OFFICE}, works(None, None, 120), UNKNOWN),
    Case("no overlap, as asked", {"not": OFFICE}, works(0, 360, 120), YES),
    Case("hours over midnight meet a window over midnight", NIGHT, works(1380, 360, 0), YES),
    Case("hours before midnight alone", NIGHT, works(1260, 1439, 0), NO),
    Case("hours after midnight alone", NIGHT, works(0, 540, 0), NO),
    Case("hours that touch both ends do not add up", NIGHT, works(60, 1380, 0), NO),
    Case("hours from the day before on UTC", NIGHT, works(420, 780, 600), YES),
    Case("round the clock meets any window", NIGHT, works(480, 480, 0), YES),
    Case("round the clock meets round the clock", NOON_TO_NOON, works(480, 480, 0), YES),
    Case("all but a minute of the day", NOON_TO_NOON, works(480, 479, 0), NO),
    Case("the rate is what is paid", PAID, asks("60.5", "DE", "DE-BE"), YES, ceilings=BANDS),
    Case("the rate is above what is paid", PAID, asks("60.5001", "DE", "DE-BE"), NO, ceilings=BANDS),
    Case(
        "the region has a band of its own, the next has the country's",
        PAID,
        asks(55, "DE", "DE-BY"),
        NO,
        ceilings=BANDS,
    ),
    Case("the country's band", PAID, asks(50, "DE", "DE-BY"), YES, ceilings=BANDS),
    Case("the band of everywhere else", PAID, asks(40, "PL"), YES, ceilings=BANDS),
    Case("above the band of everywhere else", PAID, asks(41, "PL"), NO, ceilings=BANDS),
    Case("the region decides and is not known", PAID, asks(55, "DE"), UNKNOWN, ceilings=BANDS),
    Case("low enough for every region", PAID, asks(50, "DE"), YES, ceilings=BANDS),
    Case("too high for every region", PAID, asks(61, "DE"), NO, ceilings=BANDS),
    Case("low enough for everywhere", PAID, asks(40), YES, ceilings=BANDS),
    Case("too high for anywhere", PAID, asks(61), NO, ceilings=BANDS),
    Case("the place decides and is not known", PAID, asks(45), UNKNOWN, ceilings=BANDS),
    Case("the rate is not given", PAID, asks(None, "PL"), UNKNOWN, ceilings=BANDS),
    Case("the rate is not given, negated", {"not": PAID}, asks(None, "PL"), UNKNOWN, ceilings=BANDS),
    Case("dearer than what is paid, as asked", {"not": PAID}, asks(41, "PL"), YES, ceilings=BANDS),
    Case("no band at all", PAID, asks(1, "PL"), NO, ceilings=()),
    Case("no band where they live", PAID, asks(1, "PL"), NO, ceilings=(PayCeiling("DE", Decimal(50)),)),
    Case("no band where they live, and no rate", PAID, asks(None, "PL"), NO, ceilings=(PayCeiling("DE", Decimal(50)),)),
    Case("a band perhaps, and no rate", PAID, asks(None), UNKNOWN, ceilings=(PayCeiling("DE", Decimal(50)),)),
    Case("no hourly figure asks for nothing", PAID, asks(None, "DE"), YES, ceilings=(PayCeiling("DE", None),)),
    Case("no hourly figure, elsewhere no band", PAID, asks(99, "PL"), NO, ceilings=(PayCeiling("DE", None),)),
    Case("no hourly figure here, perhaps", PAID, asks(99), UNKNOWN, ceilings=(PayCeiling("DE", None),)),
    Case(
        "no hourly figure in one region",
        PAID,
        asks(99, "DE"),
        UNKNOWN,
        ceilings=(PayCeiling("DE", Decimal(50)), PayCeiling("DE-BE", None)),
    ),
    Case("a check passed for good", CHECKED, {"vetting": {"background": VettingFact(True)}}, YES),
    Case("a check on its last day", CHECKED, {"vetting": {"background": VettingFact(True, TODAY)}}, YES),
    Case("a check that ran out", CHECKED, {"vetting": {"background": VettingFact(True, date(2026, 6, 14))}}, NO),
    Case("a check failed", CHECKED, {"vetting": {"background": VettingFact(False)}}, NO),
    Case("a check failed and run out", CHECKED, {"vetting": {"background": VettingFact(False, date(2020, 1, 1))}}, NO),
    Case("another check", CHECKED, {"vetting": {"identity": VettingFact(True)}}, UNKNOWN),
    Case("no check yet", CHECKED, {}, UNKNOWN),
    Case("no check yet, negated", {"not": CHECKED}, {}, UNKNOWN),
    Case("a check failed, negated", {"not": CHECKED}, {"vetting": {"background": VettingFact(False)}}, YES),
)
