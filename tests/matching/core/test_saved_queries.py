"""A query that is kept reads back as it was, says what it asks for, and finds what searching for it finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from matching.core.attributes import Operator, Subject
from matching.core.facts import OpportunityFacts
from matching.core.names import Names
from matching.core.rules import Compare, load, skill_ids, text
from matching.core.search.digests import MOST_LISTED, Frequency, Listed, body, next_digest_at, subject
from matching.core.search.filters import arrangement_in, asks_for_skill, commitment_in, offered_in, posted_by
from matching.core.search.query import SearchText, names, segments
from matching.core.search.saved import LONGEST_NAME, PayAsked, SavedQuery, UnreadableQuery
from matching.core.search.search import Facet, Opening, found

HOURS = {"attribute": "weekly_hours", "op": "lte", "value": 30}
FULL = SavedQuery(
    text="Nurses, ICU",
    where=load(HOURS, about=Subject.OPPORTUNITY),
    filters={
        Facet.SKILL: asks_for_skill([7, 3]),
        Facet.COUNTRY: offered_in(["FR", "DE-BE"]),
        Facet.COMMITMENT: commitment_in(["full_time", "contract"]),
        Facet.ARRANGEMENT: arrangement_in(["onsite"]),
        Facet.ORGANISATION: posted_by([9]),
    },
    pay=PayAsked(Decimal("45000.0"), Decimal(60_000), "EUR"),
    eligible_only=True,
)
NAMES = Names(
    skills={3: "nursing", 7: "triage"},
    countries={"FR": "France", "DE": "Germany"},
    regions={"DE-BE": "Berlin"},
)
TODAY = datetime(2027, 3, 1, tzinfo=UTC).date()


def an_opening(*, pay=((4_000_000, 5_000_000),), words=("nurse", "icu", "night"), **facts) -> Opening:
    stated = {"skills": frozenset(), "places": frozenset({"*"}), **facts}
    return Opening(
        facts=OpportunityFacts(1, **stated),
        text=SearchText({"title": frozenset(words)}, frozenset(words), stated["skills"], stated["skills"]),
        state="published",
        visibility="public",
        organisation=9,
        title="nurse",
        listed_at=datetime(2027, 3, 1, tzinfo=UTC),
        pay=pay,
    )


def finds(query: SavedQuery, opening: Opening, *, skills=None, merged=None, rates=None) -> bool:
    named = {name: ids for name, ids in (skills or {}).items() if name in names(query.words)}
    read = segments(query.words, named, open_end=False)
    search = query.resolved(merged or {}).search(read, rates={"EUR": Decimal(1), **(rates or {})}, on=TODAY)
    return found(search, opening) is not None


@pytest.mark.parametrize("query", [SavedQuery(), SavedQuery(text="nurse"), SavedQuery(eligible_only=True), FULL])
def test_a_query_survives_being_stored_and_equal_ones_are_stored_alike(query):
    stored = query.to_json()
    again = SavedQuery.from_json(stored)
    assert again.to_json() == stored
    assert again.fingerprint == query.fingerprint
    assert again.rule == query.rule
    assert again.is_empty is (query == SavedQuery())


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "nurse",
        {"where": {"attribute": "shoe_size", "op": "eq", "value": 1}},
        {"filters": {"mood": {}}},
        {"filters": {"country": {"attribute": "places", "op": "lt", "value": "DE"}}},
        {"filters": []},
        {"pay": {"least": "a lot", "most": None, "currency": "EUR"}},
        {"pay": {"most": None}},
    ],
)
def test_what_is_no_query_is_said_to_be_none(raw):
    with pytest.raises(UnreadableQuery):
        SavedQuery.from_json(raw)


def test_the_way_words_are_written_makes_no_other_query():
    said = SavedQuery(text="Night  NURSE").fingerprint
    assert SavedQuery(text="night nurse!").fingerprint == said
    assert SavedQuery(text="nurse night").fingerprint != said
    assert SavedQuery(text="night nurse", eligible_only=True).fingerprint != said


def test_a_query_is_called_by_what_it_asks_for():
    assert replace(FULL, text="", pay=None).name(NAMES, {9: "Charité"}) == (
        "contract or full time · onsite · Berlin (DE-BE) or France · nursing and triage · Charité ·"
        " weekly hours at most 30 hour…"
    )
    short = SavedQuery(
        text="nurse", filters={Facet.COUNTRY: offered_in(["DE"])}, pay=PayAsked(Decimal(45_000), None, "EUR")
    )
    assert short.name(NAMES, {}) == "nurse · Germany · from 45,000 EUR"
    assert SavedQuery(pay=PayAsked(Decimal(1), Decimal("2.50"), "USD")).name(NAMES, {}) == "from 1 USD up to 2.5 USD"
    assert len(SavedQuery(text="nurse " * 30).name(NAMES, {})) <= LONGEST_NAME


def test_what_was_chosen_is_read_back_from_the_filters():
    chosen = {facet: FULL.chosen(facet) for facet in Facet}
    assert chosen == {
        Facet.COMMITMENT: ("contract", "full_time"),
        Facet.ARRANGEMENT: ("onsite",),
        Facet.COUNTRY: ("DE-BE", "FR"),
        Facet.SKILL: (3, 7),
        Facet.ORGANISATION: (9,),
    }
    assert SavedQuery().chosen(Facet.COUNTRY) == ()


def test_every_part_must_hold_and_words_find_no_slips_and_nothing_that_is_only_begun():
    opening = an_opening(weekly_hours=30)
    assert finds(SavedQuery(text="nurses"), opening)
    assert not finds(SavedQuery(text="nurs"), opening)
    assert not finds(SavedQuery(text="nurze"), opening)
    assert finds(SavedQuery(text="ward", where=FULL.where), an_opening(words=["ward"], weekly_hours=20))
    assert not finds(SavedQuery(text="ward", where=FULL.where), an_opening(words=["ward"], weekly_hours=40))
    assert finds(SavedQuery(text="k8s"), an_opening(skills=frozenset({5})), skills={"k8s": (5,)})


def test_pay_is_compared_at_the_days_rates_and_finds_nothing_without_one():
    dollars = SavedQuery(pay=PayAsked(Decimal(55_000), None, "USD"))
    assert finds(dollars, an_opening(), rates={"USD": Decimal("1.1")})
    assert not finds(dollars, an_opening(), rates={"USD": Decimal("1.0")})
    assert not finds(dollars, an_opening())
    assert not finds(SavedQuery(pay=PayAsked(None, Decimal(39_000), "EUR")), an_opening())
    assert finds(SavedQuery(pay=PayAsked(Decimal(0), Decimal(40_000), "EUR")), an_opening())
    assert not finds(SavedQuery(pay=PayAsked(Decimal(1), None, "EUR")), an_opening(pay=()))


def test_merged_skills_are_followed_and_named():
    query = SavedQuery(filters={Facet.SKILL: asks_for_skill([3])}, where=asks_for_skill([7, 8]))
    assert query.skill_ids == {3, 7, 8}
    asked = frozenset({4, 7, 8})
    opening = an_opening(skills=asked, skill_families=asked)
    assert not finds(query, opening)
    assert finds(query, opening, merged={3: 4})
    listed = Compare("skills", Operator.IN, (3, 7), subject=Subject.OPPORTUNITY)
    assert skill_ids(listed) == {3, 7}
    assert text(listed, NAMES) == "skill asked for one of nursing, triage"


# When, and what a mail says

MONDAY = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("often", "zone", "now", "due"),
    [
        ("none", "", MONDAY, None),
        ("immediately", "Asia/Tokyo", MONDAY, MONDAY + timedelta(seconds=30)),
        ("daily", "", MONDAY, datetime(2027, 3, 2, 7, tzinfo=UTC)),
        ("daily", "", datetime(2027, 3, 1, 6, 59, tzinfo=UTC), datetime(2027, 3, 1, 7, tzinfo=UTC)),
        ("daily", "Europe/Berlin", MONDAY, datetime(2027, 3, 2, 6, tzinfo=UTC)),
        ("daily", "Europe/Berlin", datetime(2027, 3, 27, 9, tzinfo=UTC), datetime(2027, 3, 28, 5, tzinfo=UTC)),
        ("daily", "Moon/Crater", MONDAY, datetime(2027, 3, 2, 7, tzinfo=UTC)),
        ("weekly", "", MONDAY, datetime(2027, 3, 8, 7, tzinfo=UTC)),
        ("weekly", "", datetime(2027, 3, 1, 6, tzinfo=UTC), datetime(2027, 3, 1, 7, tzinfo=UTC)),
        ("weekly", "", datetime(2027, 3, 6, 6, tzinfo=UTC), datetime(2027, 3, 8, 7, tzinfo=UTC)),
        ("weekly", "America/New_York", datetime(2027, 3, 8, 11, tzinfo=UTC), datetime(2027, 3, 8, 12, tzinfo=UTC)),
        ("weekly", "America/New_York", datetime(2027, 3, 8, 13, tzinfo=UTC), datetime(2027, 3, 15, 11, tzinfo=UTC)),
    ],
)
def test_digests_are_due_by_the_persons_own_clock(often, zone, now, due):
    assert next_digest_at(Frequency(often), now, zone) == due


def test_a_mail_lists_what_was_found_and_counts_what_is_too_much():
    nurse = Listed("Nurse", "Charité", "20–30 EUR an hour", "https://muster.example/opportunities/OPP-1")
    unpaid = Listed("Porter", "Charité", "", "https://muster.example/opportunities/OPP-2")
    told = body(
        "nurse · Germany",
        [nurse, unpaid],
        frequency=Frequency.DAILY,
        home="https://muster.example",
        stop="https://stop",
    )
    assert subject("nurse · Germany", 2) == "2 new opportunities: nurse · Germany"
    assert told == (
        "2 new opportunities for your search “nurse · Germany”:\n\n"
        "Nurse\nCharité · 20–30 EUR an hour\nhttps://muster.example/opportunities/OPP-1\n\n"
        "Porter\nCharité\nhttps://muster.example/opportunities/OPP-2\n\n"
        "You get these mails daily. To stop them:\nhttps://stop\n"
    )
    many = body("all", [nurse] * (MOST_LISTED + 3), frequency=Frequency.WEEKLY, home="https://app", stop="https://stop")
    assert many.count("OPP-1") == MOST_LISTED
    assert "And 3 more: https://app" in many
