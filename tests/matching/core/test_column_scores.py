"""Scores of everybody at once: the specification's, person by person, and in its order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.core.columns import Crowd, Leaves, Segment, listing
from matching.core.columns import scoring as module
from matching.core.columns.bits import packed
from matching.core.columns.passing import passing
from matching.core.columns.scoring import SCORED, Best, best, first, scored_by_columns, scores
from matching.core.columns.tie_hashes import tie_hashes
from matching.core.facts import CandidateFacts, OpportunityTerms, SkillFact, SkillTerm
from matching.core.features import FEATURES
from matching.core.ranking import Ranked, top
from matching.core.rules import normal
from matching.core.scoring import DEFAULT_MODEL, MAX_WEIGHT, Head
from matching.core.truth import truth
from tests.conformance.generators import TODAY, Chance, facts, rule, terms
from tests.matching.core.test_columns import segment

KEY = b"ties"


def weights(chance: Chance) -> Head:
    """A head in which some features weigh nothing, or less than nothing, or all that they may."""
    choices = (0, 1, -1, 700, -900, 5000, MAX_WEIGHT)
    return Head(chance.number(-(10**9), 10**9), {name: chance.one(choices) for name in chance.some(sorted(SCORED))})


def specified(person: CandidateFacts, asked: OpportunityTerms, head: Head) -> int:
    return head.intercept + sum(weight * FEATURES[name].value(person, asked) for name, weight in head.weights.items())


def divided(people: list[CandidateFacts], live: np.ndarray, *bounds: int) -> tuple[Crowd, list[CandidateFacts]]:
    """A crowd in several segments, and those of the people who have not left it."""
    edges = [0, *bounds, len(people)]
    parts: list[Segment] = []
    bits = []
    for begin, end in pairwise(edges):
        parts.append(segment(people[begin:end]))
        bits.append(packed(live[begin:end]))
    crowd = Crowd([Leaves(part) for part in parts], np.concatenate(bits))
    return crowd, [person for person, stays in zip(people, live, strict=True) if stays]


def check(crowd: Crowd, people: list[CandidateFacts], asked: OpportunityTerms, head: Head, k: int) -> None:
    found = scores(crowd, crowd.counted, asked, head)
    expected = {person.candidate_id: specified(person, asked, head) for person in people}
    assert dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True)) == expected
    ranked = [Ranked(asked.opportunity_id, pk, score) for pk, score in expected.items()]
    leading = best(crowd, crowd.counted, asked, head, k=k, key=KEY)
    assert list(zip(leading.ids.tolist(), leading.scores.tolist(), strict=True)) == [
        (one.candidate_id, one.score) for one in top(ranked, k, key=KEY)
    ]


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(0, 90))
def test_everybody_has_the_score_and_the_place_that_the_specification_gives(seed, k):
    chance = Chance(seed)
    people = [facts(chance, candidate_id) for candidate_id in range(1, 81)]
    live = np.array([chance.number(0, 9) > 0 for _ in people])
    crowd, present = divided(people, live, chance.number(0, 60), 70)
    for _ in range(4):
        check(crowd, present, terms(chance, chance.number(1, 10**9)), weights(chance), k)


@pytest.mark.parametrize("people", [3_000, pytest.param(60_000, marks=pytest.mark.soak)])
def test_skewed_people_are_ranked_as_the_specification_ranks_them(people):
    chance = Chance(7)
    crowd, present = divided(
        [skewed(chance, pk) for pk in range(1, people + 1)], np.arange(people) % 7 > 0, people // 2, people - 100
    )
    for asked in (
        OpportunityTerms(1),
        OpportunityTerms(2, weekly_hours=30, max_hourly_pay=Decimal("31.5"), skills=(SkillTerm(1, True, 3, 4),)),
        OpportunityTerms(
            3,
            starts_on=TODAY,
            allowed_places=frozenset({"DE-01"}),
            utc_offset_minutes=60,
            skills=tuple(SkillTerm(n, n % 2 == 0, n, 3, Decimal(2)) for n in range(1, 9)),
        ),
    ):
        for k in (1, 100, people):
            check(crowd, present, asked, DEFAULT_MODEL.heads["fit"], k)


def skewed(chance: Chance, candidate_id: int) -> CandidateFacts:
    """Somebody like most others: few rates that many ask, skills that nearly everybody has and that nobody else has."""
    known = facts(chance, candidate_id)
    held = {min(chance.number(1, 40), chance.number(1, 40), chance.number(1, 40)) for _ in range(6)}
    return replace(
        known,
        country=chance.one(("DE", "DE", "DE", "FR", None)),
        region=chance.one(("DE-01", "DE-02", None)),
        hourly_rate=chance.maybe(lambda: Decimal(chance.number(2000, 9000)) / 100),
        skills={pk: SkillFact(chance.number(1, 5), Decimal(chance.number(0, 90)) / 10) for pk in sorted(held)},
    )


def test_rates_that_are_all_different_are_told_apart():
    people = [CandidateFacts(n, hourly_rate=Decimal(n * 1_000_003 % 99_999_999) / 10_000) for n in range(1, 70_001)]
    crowd, present = divided(people, np.ones(len(people), np.bool_))
    assert crowd.parts[0].profiled.profiles.codes.dtype == np.uint32
    check(crowd, present, OpportunityTerms(1, max_hourly_pay=Decimal("2500.5")), Head(0, {"pay_fit": 3}), 50)


def test_only_those_asked_about_are_scored():
    chance = Chance(5)
    people = [facts(chance, pk) for pk in range(1, 201)]
    crowd, _ = divided(people, np.ones(200, np.bool_), 90)
    head = DEFAULT_MODEL.heads["interest"]
    for _ in range(40):
        asked = rule(chance)
        among = passing(normal(asked), crowd, TODAY)
        wanted = [person for person in people if truth(asked, person, on=TODAY) is not False]
        found = scores(crowd, among, terms(chance, 1), head)
        assert sorted(found.ids.tolist()) == [person.candidate_id for person in wanted], asked


@pytest.mark.parametrize("looked_up", [0, 10**6])  # each found on every list, and every list looked up among them
def test_a_handful_of_many_have_the_scores_that_all_of_them_have(monkeypatch, looked_up):
    monkeypatch.setattr(listing, "LOOKED_UP", looked_up)
    chance = Chance(6)
    people = [facts(chance, pk) for pk in range(1, 301)]
    crowd, _ = divided(people, np.ones(300, np.bool_), 190)
    few = crowd.those({3, 4, 77, 188, 250})
    for _ in range(20):
        asked, head = terms(chance, 1), weights(chance)
        everybody = scores(crowd, crowd.counted, asked, head)
        known = dict(zip(everybody.ids.tolist(), everybody.scores.tolist(), strict=True))
        found = scores(crowd, few, asked, head)
        assert {pk: known[pk] for pk in (3, 4, 77, 188, 250)} == dict(
            zip(found.ids.tolist(), found.scores.tolist(), strict=True)
        )


def test_nobody_is_best_of_nobody():
    crowd, _ = divided([], np.empty(0, np.bool_))
    for found in (
        scores(crowd, crowd.counted, OpportunityTerms(1), DEFAULT_MODEL.heads["fit"]),
        best(crowd, crowd.counted, OpportunityTerms(1), DEFAULT_MODEL.heads["fit"], k=5, key=KEY),
    ):
        assert (found.ids.tolist(), found.scores.tolist()) == ([], [])


def test_many_who_are_equal_are_ordered_by_the_same_hash_as_few(monkeypatch):
    ids = np.arange(1, 500, dtype=np.int64)
    equal = Best(ids, np.zeros(len(ids), np.int64))
    few = first(equal, 40, opportunity_id=3, key=KEY)
    monkeypatch.setattr(module, "HASHED_BY_HAND", 0)
    many = first(equal, 40, opportunity_id=3, key=KEY)
    assert few.ids.tolist() == many.ids.tolist()
    assert few.ids.tolist() != ids[:40].tolist()


@given(
    opportunity=st.integers(1, 2**63 - 1),
    candidates=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5),
    key=st.binary(min_size=1, max_size=64),
)
def test_compiled_hashes_are_the_librarys(opportunity, candidates, key):
    found = tie_hashes(opportunity, np.array(candidates, np.int64), key)
    for pk, halves in zip(candidates, found.tolist(), strict=True):
        digest = blake2b(b"%d:%d" % (opportunity, pk), digest_size=16, key=key).digest()
        assert b"".join(half.to_bytes(8, "big") for half in halves) == digest


@pytest.mark.parametrize("key", [b"", bytes(65)])
def test_a_key_that_the_hash_does_not_take_is_refused(key):
    with pytest.raises(ValueError, match="1 to 64 bytes"):
        tie_hashes(1, np.array([1]), key)


def test_every_declared_feature_is_scored_by_columns():
    assert frozenset(FEATURES) == SCORED
    assert not scored_by_columns(Head(0, {"charm": 1}))
    assert scored_by_columns(Head(0, {"charm": 0, "pay_fit": 1}))
