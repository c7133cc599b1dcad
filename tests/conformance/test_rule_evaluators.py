"""All evaluators of eligibility agree: on cases written by hand, and on rules and people drawn from a seed.

MUSTER_CONFORMANCE_PAIRS sets how many pairs are drawn (100,000 by default), MUSTER_CONFORMANCE_SEED which.
"""

import os
from math import isqrt

import pytest
from django.db.models import BooleanField, ExpressionWrapper

from matching.compile_sql import compile_rule, eligible
from matching.core.attributes import ATTRIBUTES
from matching.core.rules import dump, load
from matching.core.truth import truth
from matching.models import CandidateProjection
from tests.conformance.cases import CASES, TODAY, Case
from tests.conformance.evaluators import EVALUATORS, stored
from tests.conformance.generators import WORLD, Chance, facts, rule

PAIRS = int(os.environ.get("MUSTER_CONFORMANCE_PAIRS", "100000"))
SEED = int(os.environ.get("MUSTER_CONFORMANCE_SEED", "20260615"))

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_evaluator_gives_the_answer_written_by_hand(evaluator: str, case: Case) -> None:
    people = stored(1, case.candidate)
    judge = EVALUATORS[evaluator](people)
    assert list(judge(load(case.rule), TODAY).values()) == [case.outcome]


def test_evaluators_agree_on_generated_rules_and_candidates() -> None:
    side = isqrt(PAIRS - 1) + 1
    chance = Chance(SEED)
    people = stored(side, lambda candidate_id: facts(chance, candidate_id))
    judges = {name: evaluator(people) for name, evaluator in EVALUATORS.items()}
    seen = set()
    for _ in range(side):
        drawn = rule(chance)
        expected = judges["python"](drawn, TODAY)
        seen |= set(expected.values())
        for name, judge in judges.items():
            answers = judge(drawn, TODAY)
            wrong = [
                (each, expected[each.candidate_id], answers.get(each.candidate_id))
                for each in people
                if expected[each.candidate_id] != answers.get(each.candidate_id)
            ]
            assert not wrong, f"{name} disagrees on {dump(drawn)} about {len(wrong)}, such as {wrong[0]}"
    assert seen == {"eligible", "ineligible", "unknown"}


def test_eligible_finds_exactly_those_whom_the_rule_accepts() -> None:
    chance = Chance(SEED)
    people = stored(100, lambda candidate_id: facts(chance, candidate_id))
    for _ in range(100):
        drawn = rule(chance)
        found = set(eligible(CandidateProjection.objects.all(), drawn, on=TODAY).values_list("candidate_id", flat=True))
        assert found == {each.candidate_id for each in people if truth(drawn, each, on=TODAY)}


def test_compiled_conditions_are_never_null_and_never_both_true() -> None:
    chance = Chance(SEED + 1)
    stored(100, lambda candidate_id: facts(chance, candidate_id))
    for _ in range(100):
        drawn = rule(chance)
        compiled = compile_rule(drawn, on=TODAY)
        answers = CandidateProjection.objects.values_list(
            ExpressionWrapper(compiled.is_true, BooleanField()), ExpressionWrapper(compiled.is_false, BooleanField())
        )
        assert set(answers) <= {(True, False), (False, True), (False, False)}, dump(drawn)


def test_required_skills_are_found_through_their_index() -> None:
    needs = load({"all": [{"skill": 1, "minLevel": 3}, {"skill": 2}]})
    sql = str(eligible(CandidateProjection.objects.all(), needs, on=TODAY).query)
    assert sql.count('"skill_ids" @>') == 2
    assert "NOT" not in sql.replace("IS NOT NULL", "")


def test_every_attribute_is_generated() -> None:
    assert WORLD.keys() == ATTRIBUTES.keys()
