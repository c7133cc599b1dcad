"""Whatever is declared can be stated in answer to its question, gathered, kept and asked of the past."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from marketplace.actions.answers import state_answers
from marketplace.core.asked import Asked, as_it_was, asked
from marketplace.models import Candidate
from marketplace.queries.facts import facts_of
from marketplace.queries.history import facts_as_of
from matching.core.attributes import ATTRIBUTES, SEVERAL, Attribute, Operator
from matching.core.facts import CandidateFacts
from matching.core.rules import Compare
from matching.core.rules.grammar import plain
from tests.conformance.generators import TODAY, WORLD, Chance, facts
from tests.marketplace.factories import NOW, a_candidate, actor_of

ASKED = {name: one for name, one in ATTRIBUTES.items() if one.question}


def answer(attribute: Attribute) -> Any:
    """One that is no region's but Germany's, where it names a place."""
    value = plain(WORLD[attribute.name][0])
    return [value] if attribute.kind in SEVERAL else value


@pytest.mark.django_db
@pytest.mark.parametrize("attribute", ASKED.values(), ids=ASKED)
def test_the_question_about_a_fact_can_be_answered(attribute: Attribute) -> None:
    candidate = a_candidate(country="DE")
    subject = ATTRIBUTES[attribute.asked_as or attribute.name]

    state_answers(candidate, {subject.name: answer(subject)}, actor=actor_of(candidate), now=NOW)

    today = NOW.date()
    gathered = facts_of([candidate.pk], on=today, rate_set=None)[candidate.pk]
    assert attribute.read(gathered) is not None
    # The day they were last active is no rule's to ask for, and history does not keep it.
    as_judged = replace(gathered, last_active_on=None)
    assert facts_as_of(candidate.pk, at=timezone.now(), on=today, rate_set=None) == as_judged


def test_the_history_keeps_every_declared_fact_of_a_candidate() -> None:
    kept = {field.name for field in apps.get_model("marketplace", "CandidateFactEvent")._meta.concrete_fields}
    held = {field.name for field in Candidate._meta.concrete_fields}
    assert {one.fact for one in ATTRIBUTES.values()} & held <= kept


@pytest.mark.parametrize("name", ASKED)
def test_what_was_read_of_a_fact_is_kept_as_it_was(name: str) -> None:
    for seed in range(10):
        person = facts(Chance(seed), 1)
        read = asked(Compare(name, Operator.EXISTS, True), person)
        assert read
        kept = Asked.from_json(json.loads(json.dumps(read.to_json()))).facts
        then = as_it_was(CandidateFacts(1), kept, on=TODAY)
        assert [getattr(then, field) for field in kept] == [getattr(person, field) for field in kept]
