"""Searches as values: what they find, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.attributes import Operator, Subject
from matching.core.facts import CandidateFacts, OpportunityFacts
from matching.core.rules import Compare
from matching.core.search.query import SearchText
from matching.core.search.search import (
    EVERYTHING,
    NO_END,
    PEOPLE_SORT_KEYS,
    SORT_KEYS,
    Facet,
    Opening,
    PayRange,
    Person,
    Reach,
    Search,
    Sort,
    comes_before,
    found,
    place,
    sort_keys,
)

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
NO_TEXT = SearchText({}, frozenset(), frozenset(), frozenset())
OURS, THEIRS = 1, 2


def opening(pk: int = 1, *, facts: dict | None = None, **known) -> Opening:
    usual = {"state": "published", "visibility": "public", "organisation": THEIRS, "title": "", "listed_at": NOW}
    return Opening(OpportunityFacts(pk, **facts or {}), NO_TEXT, **{**usual, **known})  # type: ignore[arg-type]


def person(pk: int = 1, *, discoverable: bool = True, present: bool = True, blocked: tuple = ()) -> Person:
    return Person(CandidateFacts(pk), NO_TEXT, discoverable, present, frozenset(blocked))


def openings(**known) -> Search:
    return Search(Subject.OPPORTUNITY, **known)


def people(**known) -> Search:
    return Search(Subject.CANDIDATE, **known)


ANYBODY, US = Reach(), Reach(organisations=frozenset({OURS}))
ASKED = Reach(related=frozenset({1}))
WARNED = Reach(suspended=frozenset({THEIRS}))


@pytest.mark.parametrize(
    ("asker", "one", "is_open"),
    [
        (ANYBODY, opening(), True),
        (ANYBODY, opening(visibility="unlisted"), False),
        (ANYBODY, opening(state="paused"), False),
        (ANYBODY, opening(state="draft"), False),
        (WARNED, opening(), False),
        (Reach(related=frozenset({1}), suspended=frozenset({THEIRS})), opening(), True),
        (US, opening(state="draft", organisation=OURS), True),
        (US, opening(state="draft"), False),
        (ASKED, opening(state="closed", visibility="unlisted"), True),
        (ASKED, opening(2, state="closed"), False),
        (ASKED, opening(state="draft"), False),
        (ASKED, opening(state="in_review"), False),
        (EVERYTHING, opening(state="draft", visibility="unlisted"), True),
        (ANYBODY, person(), False),
        (US, person(), True),
        (US, person(discoverable=False), False),
        (US, person(present=False), False),
        (US, person(blocked=(OURS,)), False),
        (US, person(blocked=(THEIRS,)), True),
        (Reach(organisations=frozenset({OURS, THEIRS})), person(blocked=(OURS,)), True),
        (Reach(organisations=frozenset({OURS, THEIRS})), person(blocked=(OURS, THEIRS)), False),
        (EVERYTHING, person(discoverable=False, blocked=(OURS,)), True),
        (EVERYTHING, person(present=False), False),
    ],
)
def test_who_finds_whom(asker: Reach, one: Opening | Person, is_open: bool) -> None:
    about = openings if isinstance(one, Opening) else people
    assert one.is_open_to(asker) is is_open
    assert (found(about(reach=asker), one) is not None) is is_open


@pytest.mark.parametrize(
    ("least", "most", "finds"),
    [
        (None, None, True),
        (0, None, True),
        (40, None, True),
        (41, None, False),
        (None, 30, True),
        (None, 10, True),
        (None, 9, False),
        (21, 29, False),  # between the bands
        (20, 21, True),
        (21, 30, True),
        (15, 16, True),  # within one
        (41, 50, False),
    ],
)
def test_some_band_meets_the_pay_asked(least: int | None, most: int | None, finds: bool) -> None:
    asked = openings(pay=PayRange(least, most))
    assert (found(asked, opening(pay=((10, 20), (30, 40)))) is not None) is finds
    assert found(asked, opening()) is None, "unknown pay is not known to meet it"


def test_every_part_that_is_given_must_hold() -> None:
    def of(**known: object) -> int | None:
        return found(openings(**known), opening(facts={"weekly_hours": 40}, state="paused", organisation=OURS))

    assert of(reach=US) == 0
    assert of(reach=US, states=frozenset({"paused", "closed"})) == 0
    assert of(reach=US, states=frozenset({"published"})) is of(reach=US, states=frozenset()) is None
    assert of(reach=US, among=frozenset({1, 5})) == 0
    assert of(reach=US, among=frozenset({5})) is of(reach=US, among=frozenset()) is None
    assert of(reach=US, listed_since=NOW) == 0
    assert of(reach=US, listed_since=NOW + timedelta(microseconds=1)) is None
    assert of(reach=US, nothing=True) is None
    assert of(reach=US, rule=_hours(40)) == 0
    assert of(reach=US, rule=_hours(41)) is None
    assert (
        of(reach=US, filters={Facet.COMMITMENT: Compare("commitment", Operator.EXISTS, True, subject=_OPENING)}) is None
    )


_OPENING = Subject.OPPORTUNITY


def _hours(least: int) -> Compare:
    return Compare("weekly_hours", Operator.GTE, least, subject=_OPENING)


def test_a_facet_is_counted_without_its_own_filter_and_with_all_others() -> None:
    one, other, skill = _hours(1), _hours(2), _hours(3)
    asked = openings(filters={Facet.COUNTRY: one, Facet.COMMITMENT: other, Facet.SKILL: skill})
    assert asked.without(Facet.COUNTRY).filters == {Facet.COMMITMENT: other, Facet.SKILL: skill}
    assert asked.without(Facet.SKILL) is asked, "each skill more narrows it"
    assert asked.without(Facet.ORGANISATION) is asked, "there is no such filter"


def test_values_of_facets() -> None:
    facts = {
        "places": frozenset({"DE", "DE-BE", "AT", "AT-*", "*"}),
        "skills": frozenset({3}),
        "skill_families": frozenset({3, 4}),
        "commitment": "contract",
        "organisations": frozenset({8, 9}),
    }
    one = opening(facts=facts, organisation=9)
    assert one.values(Facet.COUNTRY) == {"DE", "AT"}
    assert one.values(Facet.SKILL) == {3}
    assert one.values(Facet.COMMITMENT) == {"contract"}
    assert one.values(Facet.ARRANGEMENT) == frozenset()
    assert one.values(Facet.ORGANISATION) == {8, 9}


# Order

moments = st.sampled_from([NOW, NOW + timedelta(microseconds=1), NOW - timedelta(days=1)])
documents = st.builds(
    lambda pk, title, listed_at, closes_at, pay: opening(
        pk, title=title, listed_at=listed_at, closes_at=closes_at, pay=tuple(pay)
    ),
    st.integers(1, 10**12),
    st.sampled_from(["", "a", "ab", "b", "é", "\U0001f680", "ｚ"]),
    moments,
    st.one_of(moments, st.just(NO_END)),
    st.lists(st.sampled_from([(0, 0), (1, 5), (5, 5), (2, 9)]), max_size=2),
)
placed = st.lists(st.tuples(documents, st.integers(0, 3)), max_size=8, unique_by=lambda pair: pair[0].pk)

EXPECTED = {
    Sort.RELEVANCE: lambda one, worth: (-worth, -one.listed_at.timestamp(), -one.pk),
    Sort.NEWEST: lambda one, worth: (-one.listed_at.timestamp(), -one.pk),
    Sort.PAY: lambda one, worth: (-max([most for _, most in one.pay], default=-1), -one.pk),
    Sort.CLOSING: lambda one, worth: (one.closes_at, -one.pk),
    Sort.TITLE: lambda one, worth: (one.title.encode(), -one.pk),  # byte by byte, as Postgres and the index do
}


@given(st.sampled_from(tuple(Sort)), placed)
def test_places_are_in_one_order_that_leaves_no_two_documents_equal(sort: Sort, pairs) -> None:
    asked = openings(sort=sort)

    def compared(one, other) -> int:
        before, after = comes_before(asked, one, other), comes_before(asked, other, one)
        assert not (before and after)
        return -1 if before else 1 if after else 0

    places = sorted((place(asked, *pair) for pair in pairs), key=cmp_to_key(compared))
    assert places == [place(asked, *pair) for pair in sorted(pairs, key=lambda pair: EXPECTED[sort](*pair))]
    assert all(comes_before(asked, one, other) for one, other in combinations(places, 2))
    assert not any(comes_before(asked, one, one) for one in places)


@pytest.mark.parametrize(("about", "orders"), [(openings, SORT_KEYS), (people, PEOPLE_SORT_KEYS)])
def test_every_order_ends_with_the_id_and_others_are_not_known(about, orders) -> None:
    for sort in Sort:
        if sort in orders:
            assert sort_keys(about(sort=sort))[-1].name == "id"
        else:
            with pytest.raises(KeyError):
                sort_keys(about(sort=sort))


def test_people_stand_by_relevance_or_by_who_came_last() -> None:
    assert place(people(sort=Sort.RELEVANCE), person(7), 40) == (40, 7)
    assert place(people(sort=Sort.NEWEST), person(7), 40) == (7,)
