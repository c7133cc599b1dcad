"""Verdicts over HTTP: as of any moment, and without inner ids."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.actions.groups import add_to_group, standard_group
from marketplace.models import Application, Candidate, Opportunity
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import a_candidate, a_published_opportunity, a_skill, actor_of, an_organisation

VERDICT = """query ($opportunity: ID!, $at: DateTime) { eligibility(opportunity: $opportunity, at: $at) {
    outcome on reasons { sentence } } }"""
IN_GERMANY = {"attribute": "country", "op": "eq", "value": "DE"}


def judged(person: Candidate, opportunity: Opportunity, at: datetime) -> dict:
    asked = Asker(person).ask(VERDICT, opportunity=global_id(opportunity), at=at.isoformat())
    verdict: dict = asked["eligibility"]
    return verdict


@pytest.mark.django_db(transaction=True)
def test_a_past_verdict_is_judged_by_what_was_known_then() -> None:
    """In real time: the history's clock is the database's."""
    before = timezone.now()
    opportunity = a_published_opportunity(rule=IN_GERMANY, now=before)
    person = a_candidate(country="DE")
    then = timezone.now()
    moved = CandidateFields(country="FR")
    update_candidate(actor=actor_of(person), candidate_id=person.public_id, fields=moved, now=timezone.now())

    assert judged(person, opportunity, then)["outcome"] == "ELIGIBLE"
    assert judged(person, opportunity, timezone.now())["outcome"] == "INELIGIBLE"
    coming = judged(person, opportunity, then + timedelta(days=400))
    assert coming["outcome"] == "INELIGIBLE"
    assert coming["on"] == (then + timedelta(days=400)).date().isoformat()
    refusal = Asker(person).refusal(
        VERDICT, opportunity=global_id(opportunity), at=(before - timedelta(days=1)).isoformat()
    )
    assert refusal["code"] == "HISTORY_MISSING"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_judged_by_terms_that_did_not_exist_yet() -> None:
    person = a_candidate(country="FR")
    between = timezone.now()
    opportunity = a_published_opportunity(rule=IN_GERMANY, now=timezone.now())
    refusal = Asker(person).refusal(VERDICT, opportunity=global_id(opportunity), at=between.isoformat())
    assert refusal["code"] == "HISTORY_MISSING"


@pytest.mark.django_db
def test_a_refusal_names_skills_by_public_ids_and_holds_no_inner_ids() -> None:
    skill = a_skill("welding")
    opportunity = a_published_opportunity(rule={"skill": skill.pk, "minLevel": 4}, now=timezone.now())
    person = a_candidate(skills=[SkillInput(skill.public_id, 2)])
    refused = Asker(person).do("apply", {"opportunityId": global_id(opportunity)})
    assert refused["code"] == "NOT_ELIGIBLE"
    [reason] = refused["data"]["verdict"]["reasons"]
    assert (reason["skill"], reason["sentence"]) == (str(skill.public_id), "welding is needed at level 4, not 2.")
    assert not re.search(r'"(skill_id|key|basis|exchange_rates)"', json.dumps(refused))
    assert not Application.objects.exists()


@pytest.mark.django_db
def test_sentences_hold_no_ids_of_lists() -> None:
    now = timezone.now()
    owner = an_organisation(now=now)
    groups = [
        standard_group(actor=owner.actor, organisation_id=owner.organisation.public_id, kind=kind)
        for kind in ("favourites", "past_workers")
    ]
    wanted, had = groups
    person = a_candidate()
    add_to_group(actor=owner.actor, group_id=had.public_id, candidate_id=person.public_id, now=now)
    rule = {"attribute": "groups", "op": "in", "value": [wanted.pk]}
    opportunity = a_published_opportunity(owner, rule=rule, now=now)
    [reason] = judged(person, opportunity, timezone.now() + timedelta(seconds=5))["reasons"]
    assert reason["sentence"] == "group must be one of the organisation's own."
