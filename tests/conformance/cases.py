"""Hand-written cases of eligibility, as data: every evaluator must give each of these answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.core.facts import CandidateFacts, SkillFact

TODAY = date(2026, 6, 15)


@dataclass(frozen=True)
class Case:
    name: str
    rule: object  # as JSON
    facts: dict[str, object]
    outcome: str

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


def compare(name: str, op: str, value: object) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value}


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
)
