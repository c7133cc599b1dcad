"""The search index answers like the other evaluators: on the cases written by hand, and on rules and people drawn from
a seed.

MUSTER_CONFORMANCE_SEED sets which are drawn; `make soak` draws many more, MUSTER_CONFORMANCE_PAIRS says how many.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import isqrt

import pytest
from elasticsearch.dsl import MultiSearch, Search
from elasticsearch.dsl.query import Bool, Query

from matching.compile_elastic import compile_rule
from matching.core.attributes import Subject
from matching.core.eligibility import Outcome
from matching.core.facts import CandidateFacts
from matching.core.rules import RateWithinPay, Rule, dump
from matching.core.truth import UnresolvedRule
from matching.documents import clients
from tests.conformance.cases import CASES
from tests.conformance.evaluators import EVALUATORS, stored
from tests.conformance.generators import JUDGED_ON, TODAY, Chance, facts, rule
from tests.elasticsearch import an_index, fill, needs_elasticsearch

PAIRS = 20_000
SOAK_PAIRS = int(os.environ.get("MUSTER_CONFORMANCE_PAIRS", "2000000"))
SEED = int(os.environ.get("MUSTER_CONFORMANCE_SEED", "20260615"))
AT_ONCE = 50  # rules in one request

Judged = tuple[Rule, date]


@pytest.fixture
def index() -> Iterator[str]:
    with an_index(Subject.CANDIDATE) as name:
        yield name


def elastic(index: str, people: Sequence[CandidateFacts], judged: Sequence[Judged]) -> Iterator[Mapping[int, str]]:
    """The outcome of each person under each rule, as the index tells it."""
    for start in range(0, len(judged), AT_ONCE):
        searches = MultiSearch(using=clients.for_building(), index=index)
        for drawn, on in judged[start : start + AT_ONCE]:
            compiled = compile_rule(drawn, on=on)
            searches = searches.add(_matching(compiled.is_true)).add(_matching(compiled.is_false))
        found = [{int(hit.meta.id) for hit in response} for response in searches.execute()]
        for eligible, ineligible in zip(found[::2], found[1::2], strict=True):
            assert not eligible & ineligible
            yield {each.candidate_id: _outcome(each.candidate_id, eligible, ineligible) for each in people}


def _matching(query: Query) -> Search:
    return Search().query(Bool(filter=[query])).source(False)[:10_000]


def _outcome(candidate_id: int, eligible: set[int], ineligible: set[int]) -> str:
    if candidate_id in eligible:
        return Outcome.ELIGIBLE.value
    return Outcome.INELIGIBLE.value if candidate_id in ineligible else Outcome.UNKNOWN.value


@needs_elasticsearch
@pytest.mark.django_db
def test_index_gives_the_answers_written_by_hand(index: str) -> None:
    cases = iter(CASES)
    people = stored(len(CASES), lambda candidate_id: next(cases).candidate(candidate_id))
    assert fill(index, Subject.CANDIDATE) == len(people)
    answers = elastic(index, people, [(case.resolved(), case.on) for case in CASES])
    given = {case.name: outcomes[one.candidate_id] for case, one, outcomes in zip(CASES, people, answers, strict=True)}
    assert given == {case.name: case.outcome for case in CASES}


@needs_elasticsearch
@pytest.mark.django_db
def test_index_agrees_with_all_evaluators_on_generated_rules_and_candidates(index: str) -> None:
    _compare(index, Chance(SEED), isqrt(PAIRS - 1) + 1)


@needs_elasticsearch
@pytest.mark.soak
@pytest.mark.django_db
def test_index_agrees_with_all_evaluators_on_very_many_pairs(index: str) -> None:
    _compare(index, Chance(SEED + 1), isqrt(SOAK_PAIRS - 1) + 1)


def _compare(index: str, chance: Chance, side: int) -> None:
    people = stored(side, lambda candidate_id: facts(chance, candidate_id))
    assert fill(index, Subject.CANDIDATE) == len(people)
    judges = {name: evaluator(people) for name, evaluator in EVALUATORS.items()}
    judged = [(rule(chance), chance.one(JUDGED_ON)) for _ in range(side)]
    seen = set()
    for (drawn, on), answers in zip(judged, elastic(index, people, judged), strict=True):
        for name, judge in judges.items():
            expected = judge(drawn, on)
            wrong = [
                (each, expected[each.candidate_id], answers[each.candidate_id])
                for each in people
                if expected[each.candidate_id] != answers[each.candidate_id]
            ]
            assert not wrong, f"differs from {name} on {dump(drawn)} on {on} about {len(wrong)}, such as {wrong[0]}"
        seen |= set(answers.values())
    assert seen == {outcome.value for outcome in Outcome}


def test_queries_need_no_script() -> None:
    chance = Chance(SEED)
    for _ in range(500):
        compiled = compile_rule(rule(chance), on=TODAY)
        assert "script" not in json.dumps([compiled.is_true.to_dict(), compiled.is_false.to_dict()])


def test_rule_about_pay_that_is_not_known_is_refused() -> None:
    with pytest.raises(UnresolvedRule):
        compile_rule(RateWithinPay(), on=TODAY)
