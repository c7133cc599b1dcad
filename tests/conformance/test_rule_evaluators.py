"""All evaluators of eligibility agree: on cases written by hand, on rules and people drawn from a seed, and on those
that Hypothesis draws, which shrink to the least that still fails.

MUSTER_CONFORMANCE_PAIRS sets how many pairs are drawn (100,000 by default, ten million by `make soak`),
MUSTER_CONFORMANCE_SEED which.
"""

import os
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from math import isqrt
from typing import TypeVar

import pytest
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper
from hypothesis import given
from hypothesis import strategies as st

from matching.compile_sql import compile_rule, eligible
from matching.core.attributes import ATTRIBUTES
from matching.core.eligibility import evaluate
from matching.core.rules import All, Any, AtLeast, HasLanguage, HasSkill, LivesIn, RateWithinPay, Rule, load
from matching.core.truth import UnresolvedRule, truth
from matching.models import CandidateProjection
from tests.conformance.cases import CASES, TODAY, Case
from tests.conformance.evaluators import EVALUATORS, Outcomes, stored
from tests.conformance.generators import JUDGED_ON, WORLD, Chance, facts, rule

PAIRS = int(os.environ.get("MUSTER_CONFORMANCE_PAIRS", "100000"))
SOAK_PAIRS = int(os.environ.get("MUSTER_CONFORMANCE_PAIRS", "10000000"))
SEED = int(os.environ.get("MUSTER_CONFORMANCE_SEED", "20260615"))

T = TypeVar("T")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_evaluator_gives_the_answers_written_by_hand(evaluator: str) -> None:
    cases = iter(CASES)
    people = stored(len(CASES), lambda candidate_id: next(cases).candidate(candidate_id))
    given_answers = {}
    for case, person in zip(CASES, people, strict=True):
        judge = EVALUATORS[evaluator]([person])
        given_answers[case.name] = judge(case.resolved(), case.on)[person.candidate_id]
    assert given_answers == {case.name: case.outcome for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_verdict_gives_the_answer_written_by_hand(case: Case) -> None:
    assert evaluate(case.resolved(), case.candidate(1), on=case.on).outcome.value == case.outcome


def test_evaluators_agree_on_generated_rules_and_candidates() -> None:
    _agree(Chance(SEED), PAIRS)


@pytest.mark.soak
def test_evaluators_agree_on_millions_of_pairs() -> None:
    _agree(Chance(SEED + 1), SOAK_PAIRS)


def _agree(chance: Chance, pairs: int) -> None:
    rules = max(1, isqrt(pairs * 2 // 5))  # a rule costs more than a person: it is compiled first
    people = stored(-(-pairs // rules), lambda candidate_id: facts(chance, candidate_id))
    judges = {name: evaluator(people) for name, evaluator in EVALUATORS.items()}
    seen: set[str] = set()
    for _ in range(rules):
        drawn, on = rule(chance), chance.one(JUDGED_ON)
        answers = {name: judge(drawn, on) for name, judge in judges.items()}
        seen |= set(answers["python"].values())
        _same(answers, people, drawn, on)
    assert seen == {"eligible", "ineligible", "unknown"}


def _same(answers: dict[str, Outcomes], people: Sequence, drawn: Rule, on: date) -> None:
    expected = answers.pop("python")
    for name, given_answers in answers.items():
        wrong = [each for each in people if expected[each.candidate_id] != given_answers.get(each.candidate_id)]
        assert not wrong, (
            f"{name} disagrees on {drawn} on {on} about {len(wrong)}, such as {wrong[0]}: "
            f"{given_answers.get(wrong[0].candidate_id)}, not {expected[wrong[0].candidate_id]}"
        )


class Drawn(Chance):
    """Draws that Hypothesis makes one by one, so that it can shrink each."""

    def __init__(self, draw: Callable) -> None:
        self._draw = draw

    def one(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def some(self, options: Sequence[T], least: int = 0) -> list[T]:
        return self._draw(st.lists(st.sampled_from(options), min_size=least, unique=True))

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def maybe(self, draw: Callable[[], T]) -> T | None:
        return draw() if self._draw(st.booleans()) else None


@given(data=st.data())
def test_evaluators_agree_on_whatever_hypothesis_finds(data: st.DataObject) -> None:
    chance = Drawn(data.draw)
    drawn, on = rule(chance, levels=3), chance.one(JUDGED_ON)
    people = stored(2, lambda candidate_id: facts(chance, candidate_id))
    _same({name: evaluator(people)(drawn, on) for name, evaluator in EVALUATORS.items()}, people, drawn, on)


def test_eligible_finds_exactly_those_whom_the_rule_accepts() -> None:
    chance = Chance(SEED)
    people = stored(100, lambda candidate_id: facts(chance, candidate_id))
    for _ in range(150):
        drawn, on = rule(chance), chance.one(JUDGED_ON)
        found = set(eligible(CandidateProjection.objects.all(), drawn, on=on).values_list("candidate_id", flat=True))
        assert found == {each.candidate_id for each in people if truth(drawn, each, on=on)}, drawn


def test_compiled_conditions_are_never_null_and_never_both_true() -> None:
    chance = Chance(SEED + 1)
    stored(100, lambda candidate_id: facts(chance, candidate_id))
    for _ in range(150):
        drawn = rule(chance)
        compiled = compile_rule(drawn, on=chance.one(JUDGED_ON))
        answers = CandidateProjection.objects.values_list(
            ExpressionWrapper(compiled.is_true, BooleanField()), ExpressionWrapper(compiled.is_false, BooleanField())
        )
        assert set(answers) <= {(True, False), (False, True), (False, False)}, drawn


def test_rule_about_pay_that_is_not_known_is_refused() -> None:
    with pytest.raises(UnresolvedRule):
        compile_rule(RateWithinPay(), on=TODAY)


def test_required_skills_are_found_through_their_index() -> None:
    needs = load({"all": [{"skill": 1, "minLevel": 3}, {"skill": 2}]})
    sql = str(eligible(CandidateProjection.objects.all(), needs, on=TODAY).query)
    assert sql.count('"skill_ids" @>') == 2
    assert "NOT" not in sql.replace("IS NOT NULL", "")


def skill(skill_id: int, *counted: int, **asked: object) -> Rule:
    return HasSkill(skill_id, narrower=bool(counted), counted=counted, **asked)  # type: ignore[arg-type]


ELSEWHERE = LivesIn(("AT", "DE-BE"))
SERVED = {
    "a skill": (skill(1, min_level=3), "projection_skills_idx"),
    "a narrower skill": (skill(1, 2, 3, min_level=3, used_within_months=12), "projection_skills_idx"),
    "hundreds of narrower skills": (skill(1, *range(2, 500), min_years=Decimal(2)), "projection_skills_idx"),
    "one of two skills": (Any((skill(1, min_level=3), skill(2))), "projection_skills_idx"),
    "two of three skills": (AtLeast(2, (skill(1, min_level=3), skill(2), skill(3))), "projection_skills_idx"),
    "two of three, a place among them": (AtLeast(2, (skill(1), skill(2, 4), ELSEWHERE)), "projection_skills_idx"),
    "ten of twenty skills": (AtLeast(10, tuple(map(skill, range(1, 21)))), "projection_skills_idx"),
    "a skill and more": (All((skill(1), ELSEWHERE, HasLanguage("de", 3))), "projection_"),  # whichever is narrower
    "a place": (ELSEWHERE, "projection_place_idx"),
}


@pytest.mark.parametrize("name", SERVED)
def test_whoever_a_rule_can_accept_is_found_through_an_index(name: str) -> None:
    needs, index = SERVED[name]
    assert index in _plan(needs)


def test_skills_that_nobody_must_have_narrow_nothing_down() -> None:
    needs = AtLeast(2, (skill(1), ELSEWHERE, HasLanguage("de", 3)))
    assert "idx" not in _plan(needs)


def _plan(needs: Rule) -> str:
    """How Postgres would find the people if it read the whole table only where no index serves."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    return eligible(CandidateProjection.objects.all(), needs, on=TODAY).explain()


def test_every_attribute_is_generated() -> None:
    assert WORLD.keys() == ATTRIBUTES.keys()
