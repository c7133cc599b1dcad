"""Rules in words."""

from __future__ import annotations

import pytest
from hypothesis import given

from marketplace.queries.naming import names_of
from matching.core.names import Names
from matching.core.rules import OPEN_TO_ALL, load, text
from tests.conformance.generators import rules

HOURS = {"attribute": "weekly_hours", "op": "gte", "value": 30}
SKILL = {"skill": 7, "minLevel": 3}
GERMAN = {"language": "de", "minLevel": "B2"}
NAMES = Names(
    {7: "welding", 8: "Kafka"}, {"de": "German"}, {"DE": "Germany", "AT": "Austria"}, {"FR-75C": "Paris"}, {3: "Past"}
)
OFFICE = {"hoursOverlap": {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}}


def compare(name: str, op: str, value: object, **more: object) -> dict[str, object]:
    return {"attribute": name, "op": op, "value": value, **more}


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({}, "Open to all"),
        (HOURS, "hours wanted at least 30 hours a week"),
        ({"not": HOURS}, "hours wanted not at least 30 hours a week"),
        ({"all": [HOURS, SKILL]}, "hours wanted at least 30 hours a week and welding at level 3"),
        (
            {"all": [{"any": [GERMAN, {"workAuthorisation": "DE"}]}, {"not": SKILL}]},
            "(German at B2 or better, or may work in Germany) and no welding at level 3",
        ),
        (
            {"not": {"any": [compare("country", "in", ["DE", "CA"]), SKILL]}},
            "not (country one of CA, Germany, or welding at level 3)",
        ),
        (
            {"atLeast": {"n": 1, "of": [compare("hourly_rate", "between", [20, 30.5]), {"skill": 12}]}},
            "at least 1 of (rate asked from 20 to 30.5 EUR an hour; skill 12)",
        ),
        ({"skill": 7, "minYears": 1}, "welding for at least 1 year"),
        (
            {"skill": 8, "minLevel": 3, "minYears": 2, "usedWithinMonths": 24, "narrower": True},
            "Kafka or a narrower skill at level 3 for at least 2 years, used within 24 months",
        ),
        ({"language": "de", "minLevel": "C2"}, "German at C2"),
        ({"language": "xx"}, "language xx at A1 or better"),
        ({"livesIn": ["DE", "FR-75C", "AT"]}, "lives in Austria, Germany or Paris (FR-75C)"),
        ({"not": {"livesIn": ["PL"]}}, "does not live in PL"),
        (OFFICE, "works 4 hours on end between 09:00 and 17:00 Europe/Berlin"),
        ({"not": {"workAuthorisation": "AT"}}, "may not work in Austria"),
        ({"rateWithinPay": True}, "asks no more than is paid"),
        ({"not": {"rateWithinPay": True}}, "asks more than is paid"),
        ({"vetted": "right_to_work"}, "right to work check passed"),
        ({"not": {"vetted": "background"}}, "background check not passed"),
        (compare("available_from", "lte", "2026-07-01"), "available from 2026-07-01 or earlier"),
        (compare("region", "exists", True), "region known"),
        ({"not": compare("region", "exists", True)}, "region not known"),
        (compare("region", "eq", "FR-75C"), "region Paris (FR-75C)"),
        (compare("commitments", "in", ["full_time", "contract"]), "commitment one of contract, full time"),
        (compare("groups", "eq", 3), "group Past"),
        (compare("groups", "in", [4, 5]), "group one of the organisation's own"),
        ({**HOURS, "disclosure": "staff"}, "hours wanted at least 30 hours a week [staff only]"),
    ],
)
def test_a_rule_reads_as_one_line(raw: object, line: str) -> None:
    assert text(load(raw), NAMES) == line


def test_a_whole_rule_reads_as_one_line_with_all_its_names() -> None:
    rule = {
        "all": [
            GERMAN,
            {"skill": 8, "minLevel": 3, "usedWithinMonths": 24, "narrower": True},
            {"livesIn": ["DE", "FR-75C"]},
            OFFICE,
            {"rateWithinPay": True},
            {"vetted": "background"},
        ]
    }
    assert text(load(rule), names_of({8: "Kafka"})) == (
        "German at B2 or better, Kafka or a narrower skill at level 3, used within 24 months, lives in Germany or "
        "Paris (FR-75C), works 4 hours on end between 09:00 and 17:00 Europe/Berlin, asks no more than is paid, and "
        "background check passed"
    )


@pytest.mark.parametrize(("minutes", "said"), [(1, "1 minute"), (60, "1 hour"), (90, "1 hour 30 minutes")])
def test_durations_are_said_in_hours_and_minutes(minutes: int, said: str) -> None:
    rule = load({"hoursOverlap": {"minutes": minutes, "timezone": "UTC", "from": "22:00", "to": "02:00"}})
    assert text(rule) == f"works {said} on end between 22:00 and 02:00 UTC"


@given(rules)
def test_every_rule_can_be_put_in_words(rule) -> None:
    for names in (Names(), NAMES):
        line = text(rule, names)
        assert line
        assert "\n" not in line


def test_an_open_rule_says_so_whatever_the_names() -> None:
    assert text(OPEN_TO_ALL, NAMES) == text(OPEN_TO_ALL) == "Open to all"
