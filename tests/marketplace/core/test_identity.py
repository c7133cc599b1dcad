"""Which profiles are likely one person's."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.identity import (
    LIKELY,
    MOST_BEARERS,
    WEIGHTS,
    Person,
    Signal,
    email_address,
    likeness,
    linkedin_profile,
    read_person,
    says_more,
    signals,
)
from marketplace.core.phones import phone_number
from marketplace.core.similarity import read_posting, resemblance
from marketplace.demo.market import draw_market
from tests.marketplace.core.test_similarity import PROFILES, TODAY


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("Ann.Lee@Example.ORG ", "ann.lee@example.org"),
        ("ann.lee+jobs+2@example.org", "ann.lee@example.org"),
        ("annlee@example.org", "annlee@example.org"),
        ("A.n.n.Lee+x@googlemail.com", "annlee@gmail.com"),
        ("+@example.org", "+@example.org"),
        ("...@gmail.com", "...@gmail.com"),
        ("ann", ""),
        ("@example.org", ""),
        ("", ""),
    ],
)
def test_addresses_of_one_mailbox_are_one(typed: str, compared: str) -> None:
    assert email_address(typed) == compared


@pytest.mark.parametrize(
    ("typed", "country", "compared"),
    [
        ("+49 (0)30 / 123 456-7", "", "+49301234567"),
        ("0049 30 1234567", "FR", "+49301234567"),
        ("Tel. 030.1234567 ext. 5", "DE", "+49301234567"),
        ("٠٣٠١٢٣٤٥٦٧", "DE", "+49301234567"),
        ("030 1234567", "", ""),  # of which country?
        ("(555) 234-5678", "US", "+15552345678"),
        ("1-555-234-5678", "CA", "+15552345678"),
        ("011 49 30 1234567", "US", "+49301234567"),
        ("234-5678", "US", ""),
        ("06 698 12345", "IT", "+390669812345"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("06 1 234 5678", "HU", "+3612345678"),
        ("020 7183 8750", "GB", "+442071838750"),
        ("+999 123456789", "", ""),
        ("000 000 000 00", "DE", ""),
        ("+1 111 111 1111", "", ""),
        ("12345", "DE", ""),
        ("+49 30 12345678901234567", "", ""),
        ("ring me", "DE", ""),
        ("", "", ""),
    ],
)
def test_telephone_numbers_are_read_as_dialled(typed: str, country: str, compared: str) -> None:
    assert phone_number(typed, country) == compared


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("https://www.linkedin.com/in/Ann-Lee/", "in/ann-lee"),
        ("http://de.linkedin.com/in/ann-lee/de?trk=x#top", "in/ann-lee"),
        ("linkedin.com/in/ann%2Dlee", "in/ann-lee"),
        ("https://linkedin.com/pub/ann-lee/1/2b/3c", "pub/ann-lee/1/2b/3c"),
        ("https://linkedin.com/in/", ""),
        ("https://linkedin.com.evil.example/in/ann-lee", ""),
        ("https://example.org/in/ann-lee", ""),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_linkedin_addresses_of_one_profile_are_one(typed: str, compared: str) -> None:
    assert linkedin_profile(typed) == compared


ANN: dict[str, Any] = {
    "name": "Ann Marie Lee",
    "emails": ["ann@example.org"],
    "country": "DE",
    "region": "DE-BE",
    "employers": ["Steelyard GmbH", "Rail & Co."],
    "titles": ["Welder", "Welder, 5 years"],
    "skills": [1, 2, 3, 4],
}


def person(**other: Any) -> Person:
    return read_person(**{**ANN, "emails": ["other@example.org"], **other})


STRANGER: dict[str, Any] = {
    "name": "Bo Berg", "country": "DE", "region": "DE-HH", "employers": [], "titles": [], "skills": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        ({}, {**STRANGER, "emails": ["Ann+2@example.org"]}, ("same_email", "other_region", "other_name")),
        (
            {"phone": "030 1234567"},
            {**STRANGER, "region": "DE-BE", "phone": "+49 30 1234567"},
            ("same_phone", "other_name"),  # a household shares the place as well
        ),
        (
            {"linkedin": "linkedin.com/in/ann"},
            {**STRANGER, "linkedin": "https://www.linkedin.com/in/Ann/"},
            ("same_linkedin", "other_region", "other_name"),
        ),
        (
            {},
            {"name": "LEE, Ann-Marie", "employers": [], "titles": [], "region": ""},
            ("same_rare_name", "same_skills", "same_country"),
        ),
        (
            {},
            {"employers": ["steelyard gmbh"], "titles": ["Plumber"], "skills": [], "country": "SE", "region": "",
             "emails": ["ann@example.org"]},
            ("same_email", "same_rare_name", "same_employer", "other_country"),
        ),
        ({}, {}, ("same_rare_name", "same_employer", "same_region", "same_job_title", "same_skills")),
    ],
)  # fmt: skip
def test_what_two_profiles_share_makes_them_likely_one(
    one: dict[str, Any], other: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    ann, twin = read_person(**{**ANN, **one}), person(**other)
    alike = likeness(ann, twin, bearers={})
    assert alike is not None
    assert alike.reasons == reasons
    assert 50 <= alike.strength <= 99
    assert sum(WEIGHTS[reason] for reason in reasons) >= LIKELY
    assert likeness(twin, ann, bearers={}) == alike
    assert set(signals(ann)) & set(signals(twin))


@pytest.mark.parametrize(
    "other",
    [
        {**STRANGER},
        {"employers": [], "titles": [], "skills": []},  # the name and the country alone
        {"employers": [], "skills": [], "titles": ["Welder"], "region": "DE-HH"},  # one of the trade, elsewhere
        {**STRANGER, "name": "Ann Marie Lee", "country": "", "region": ""},  # the name alone
        # A telephone in a household, of two who each have a profile of their own.
        {**STRANGER, "phone": "030 1234567", "linkedin": "linkedin.com/in/bo"},
        {**STRANGER, "name": "", "emails": [], "phone": "", "country": ""},
    ],
)
def test_too_little_in_common_is_no_suspicion(other: dict[str, Any]) -> None:
    ann = read_person(**ANN, phone="030 1234567", linkedin="linkedin.com/in/ann")
    assert likeness(ann, person(**other), bearers={}) is None


def test_what_many_share_identifies_nobody() -> None:
    ann, twin = read_person(**ANN, phone="030 1234567"), person(**STRANGER, phone="030 1234567")
    assert likeness(ann, twin, bearers={("phone", ann.phone): MOST_BEARERS}) is not None
    assert likeness(ann, twin, bearers={("phone", ann.phone): MOST_BEARERS + 1}) is None

    namesake = person(employers=[], skills=[], titles=["Welder"])
    bearers = dict.fromkeys(signals(ann), 5)
    assert likeness(ann, namesake, bearers={}) is not None
    assert likeness(ann, namesake, bearers=bearers) is None
    assert likeness(ann, person(), bearers=bearers) is not None  # a name like many, and everything else besides


def test_only_what_speaks_for_one_person_is_more() -> None:
    assert says_more(["same_name", "same_phone"], ["same_name"])
    assert not says_more(["same_rare_name", "other_phone"], ["same_name", "same_phone"])
    assert not says_more([], ["same_name"])


@given(st.text(max_size=60), st.sampled_from(["", "DE", "US", "RU", "XX"]))
def test_whatever_was_typed_is_read_or_left_unread(typed: str, country: str) -> None:
    one = read_person(name=typed, emails=[typed], phone=typed, linkedin=typed, country=country, employers=[typed])
    posting = read_posting(typed, typed, organisation=1, cities=[typed])
    assert one.phone == phone_number(one.phone)  # reading twice is reading once
    assert one.emails == frozenset(filter(None, map(email_address, one.emails)))
    assert resemblance(posting, posting) in (0, 100)
    assert len({*signals(one)}) == len(signals(one))


def test_nobody_of_two_thousand_in_the_demo_market_is_taken_for_another_of_them() -> None:
    people = [
        read_person(
            name=one.name,
            emails=[one.email],
            country=one.town.country,
            region=one.town.region,
            titles=[one.headline],
            skills=[fact.skill for fact in one.skills],
        )
        for one in draw_market(PROFILES, seed=1, today=TODAY).candidates
    ]
    holders: dict[Signal, list[Person]] = {}
    for one in people:
        for signal in signals(one):
            holders.setdefault(signal, []).append(one)
    bearers = {signal: len(those) for signal, those in holders.items()}
    compared = [pair for those in holders.values() for pair in combinations(those, 2)]
    assert compared  # some share a name and a country
    assert [pair for pair in compared if likeness(*pair, bearers=bearers)] == []
