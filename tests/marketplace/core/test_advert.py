"""Reading adverts of several trades, layouts and currencies."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from marketplace.core.advert import ReadAdvert, read_advert
from marketplace.core.pay import number, read_pay
from marketplace.core.places import places_in
from tests.marketplace.core.test_recognition import NAMES, RECOGNISER

ADVERTS = Path(__file__).parents[1] / "adverts"


def read(name: str) -> ReadAdvert:
    return read_advert((ADVERTS / f"{name}.txt").read_text(encoding="utf-8"), RECOGNISER)


def bands(advert: ReadAdvert) -> list[tuple[str, int | float, int | float, str, list[str]]]:
    return [
        (pay.currency, float(pay.minimum), float(pay.maximum), pay.period, [place.code for place in pay.places])
        for pay in advert.pay
    ]


def names(keys: tuple[int, ...]) -> set[str]:
    return {NAMES[key] for key in keys}


@pytest.mark.parametrize(
    ("name", "title", "pay", "locations", "arrangement", "commitment"),
    [
        (
            "nurse",
            "Registered Nurse – Intensive Care",
            [("EUR", 3400, 4100, "month", [])],
            ["DE-BE/Berlin"],
            "onsite",
            "part_time",
        ),
        ("welder", "Welder", [("EUR", 18, 22, "hour", [])], ["NL/Rotterdam"], "", "temporary"),
        ("accountant", "Management Accountant", [("GBP", 65000, 80000, "year", [])], ["GB/London"], "hybrid", ""),
        ("hotel", "Receptionist", [("CHF", 4500, 5200, "month", [])], ["CH-ZH/Zurich"], "", "full_time"),
        ("charity", "Fundraiser", [], [], "remote", "volunteer"),
        (
            "contractor",
            "Data Engineer - contract, outside IR35",
            [("GBP", 550, 550, "day", [])],
            ["GB"],
            "remote",
            "contract",
        ),
        (
            "cities",
            "Product Designer",
            [
                ("EUR", 60000, 72000, "year", ["DE-BE/Berlin"]),
                ("EUR", 58000, 69000, "year", ["FR/Paris"]),
                ("USD", 120000, 150000, "year", ["US-NY/New York"]),
            ],
            ["DE-BE/Berlin", "FR/Paris", "US-NY/New York"],
            "",
            "",
        ),
        ("driver", "FORKLIFT DRIVER WANTED", [("GBP", 12.5, 12.5, "hour", [])], ["GB/Leeds"], "", "full_time"),
    ],
)
def test_an_advert_is_read_into_its_fields(
    name: str, title: str, pay: list[object], locations: list[str], arrangement: str, commitment: str
) -> None:
    advert = read(name)

    assert advert.title == title
    assert bands(advert) == pay
    assert [place.code for place in advert.locations] == locations
    assert (advert.arrangement, advert.commitment) == (arrangement, commitment)
    assert ("pay" in advert.unread) is not bool(pay)
    assert ("work arrangement" in advert.unread) is not bool(arrangement)


@pytest.mark.parametrize(
    ("name", "required", "preferred"),
    [
        ("nurse", {"wound care", "medication administration", "first aid"}, {"CPR", "EHR"}),
        ("welder", {"MIG welding", "blueprint reading"}, {"TIG welding"}),
        ("accountant", {"bookkeeping", "payroll", "Excel", "SAP"}, {"Power BI", "SQL"}),
        ("contractor", {"Python", "Apache Airflow", "dbt", "Snowflake"}, {"Go", "R"}),
        ("cities", {"Figma", "user research"}, set()),
        ("driver", {"forklift driving"}, {"order picking"}),
    ],
)
def test_headings_and_sentences_tell_required_from_preferred(
    name: str, required: set[str], preferred: set[str]
) -> None:
    advert = read(name)

    assert (names(advert.required), names(advert.preferred)) == (required, preferred)


def test_a_referral_reward_is_no_pay() -> None:
    assert read("driver").referral_reward == (Decimal(250), "GBP")


def test_a_choice_is_kept_as_a_choice() -> None:
    text = "Engineer\nRequirements:\n- At least one programming language (Python, Go, Rust)\n- Docker"
    advert = read_advert(text, RECOGNISER)

    assert names(advert.required) == {"Docker"}
    assert [names(group) for group in advert.alternatives] == [{"Python", "Go", "Rust"}]


def test_zones_get_the_places_that_the_text_gives_them_elsewhere() -> None:
    text = "Pay\n- Zone 1* $100,000-$120,000\n- Zone 2** $80,000-$90,000\n"
    text += "*Zone 1: Seattle and Boston\n**Zone 2 includes Chicago"

    assert [(str(pay), [place.city for place in pay.places]) for pay in read_pay(text).bands] == [
        ("USD 100000–120000 a year", ["Seattle", "Boston"]),
        ("USD 80000–90000 a year", ["Chicago"]),
    ]


def test_no_place_gets_two_bands() -> None:
    reading = read_pay("Salary: £30,000 to £35,000 per year\nor salary £50,000 to £60,000 per year")

    assert len(reading.bands) == 1
    assert "another band" in reading.unread[0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("60.000", "60000"),
        ("60,000", "60000"),
        ("18,50", "18.50"),
        ("18.5", "18.5"),
        ("6'500", "6500"),
        ("1.234.567,89", "1234567.89"),
        ("11,670.34", "11670.34"),
    ],
)
def test_thousands_and_decimals_are_told_apart(written: str, value: str) -> None:
    assert number(written) == Decimal(value)


def test_places_are_read_with_their_codes() -> None:
    assert [place.code for place in places_in("San Francisco, CA, New York, NY or Toledo, OH")] == [
        "US-CA/San Francisco",
        "US-NY/New York",
        "US-OH/Toledo",
    ]
    assert [place.code for place in places_in("Berlin, Germany; anywhere in the US")] == ["DE-BE/Berlin", "US"]


@pytest.mark.parametrize("text", ["", "\x00", "\n\n", "🙂" * 1000, "$" * 1000, "- \n" * 1000, "9" * 5000])
def test_nonsense_gives_an_empty_draft_that_says_so(text: str) -> None:
    advert = read_advert(text, RECOGNISER)

    assert not advert.pay and not advert.required
    assert {"pay", "locations"} <= set(advert.unread)
