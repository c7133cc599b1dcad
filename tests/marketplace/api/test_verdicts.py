"""Verdicts over HTTP: as of any moment, and without inner ids."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.utils import timezone

from marketplace.actions.candidates import CandidateFields, SkillInput, update_candidate
from marketplace.actions.groups import add_to_group, remove_from_group, standard_group
from marketplace.actions.opportunities import set_eligibility_rule, waive_eligibility
from marketplace.actions.vetting import record_vetting
from marketplace.actions.waivers import revoke_waiver
from marketplace.core.money import Pay
from marketplace.models import Application, Candidate, Opportunity
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    a_candidate,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    a_user,
    actor_of,
    an_organisation,
    exchange_rates,
)

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


FULL = """query ($opportunity: ID!, $candidate: ID, $at: DateTime) {
    eligibility(opportunity: $opportunity, candidate: $candidate, at: $at) {
        outcome on waived waiver { until reason grantedBy { email } }
        basis { ruleRevision candidateRevision taxonomyRevision exchangeRates { on } }
        reasons { kind sentence has needs } questions { subject askedOfCandidate sentence } } }"""


@pytest.mark.django_db
def test_a_waiver_shows_its_grounds_inside_and_its_end_to_the_candidate() -> None:
    now = timezone.now()
    owner = an_organisation(now=now)
    opportunity, person = a_published_opportunity(owner, rule=IN_GERMANY, now=now), a_candidate(country="FR")
    until = now + timedelta(days=7)
    recruiter = Asker(owner.user)
    waiver = {"opportunityId": global_id(opportunity), "candidateId": global_id(person), "reason": "moves in May"}
    recruiter.do("waiveEligibility", {**waiver, "until": until.isoformat()})

    mine = Asker(person).ask(FULL, opportunity=global_id(opportunity))["eligibility"]
    assert (mine["outcome"], mine["waived"]) == ("ELIGIBLE", True)
    assert mine["waiver"] == {"until": until.isoformat(), "reason": None, "grantedBy": None}
    given = {"until": until.isoformat(), "reason": "moves in May", "grantedBy": {"email": owner.user.email}}
    theirs = recruiter.ask(FULL, opportunity=global_id(opportunity), candidate=global_id(person))["eligibility"]
    assert theirs["waiver"] == given
    assert theirs["reasons"][0]["has"] == "France"

    Asker(person).do("apply", {"opportunityId": global_id(opportunity)})
    query = "{ applications { nodes { verdict { waived waiver { until reason grantedBy { email } } } } } }"
    [kept] = recruiter.ask(query)["applications"]["nodes"]
    assert kept["verdict"] == {"waived": True, "waiver": given}


@pytest.mark.django_db
def test_a_check_that_waits_for_staff_is_not_asked_of_the_candidate() -> None:
    now = timezone.now()
    opportunity, person = a_published_opportunity(rule={"vetted": "identity"}, now=now), a_candidate()
    asked = Asker(person).ask(FULL, opportunity=global_id(opportunity))["eligibility"]
    assert asked["outcome"] == "UNKNOWN"
    [question] = asked["questions"]
    assert (question["subject"], question["askedOfCandidate"]) == ("vetted", False)
    assert "verdict" in Asker(person).do(
        "apply", {"opportunityId": global_id(opportunity)}, "verdict { outcome }", thing="Application"
    )


@pytest.mark.django_db
def test_vetting_is_recorded_by_staff_and_read_by_those_who_may() -> None:
    now = timezone.now()
    owner, person, staff = an_organisation(now=now), a_candidate(), Asker(a_user(is_staff=True))
    opportunity = a_published_opportunity(owner, now=now)
    last_day = (now + timedelta(days=100)).date().isoformat()
    given = {"candidateId": global_id(person), "kind": "LICENCE", "passed": True, "until": last_day}
    fields = "revision vetting { kind passed until }"
    recorded = staff.do("recordVetting", given, fields, thing="Candidate")
    assert recorded["vetting"] == [{"kind": "LICENCE", "passed": True, "until": last_day}]
    assert recorded["revision"] == 2
    assert Asker(owner.user).do("recordVetting", given)["code"] == "NOT_PERMITTED"
    assert Asker(person).do("recordVetting", given)["code"] == "NOT_PERMITTED"
    assert staff.do("recordVetting", {**given, "passed": False})["field"] == "until"

    query = "query ($id: ID!) { node(id: $id) { ... on Candidate { vetting { kind } } } }"
    readers = {"own": Asker(person), "recruiter": Asker(owner.user)}
    seen = {name: reader.ask(query, id=global_id(person))["node"]["vetting"] for name, reader in readers.items()}
    assert seen == {"own": [{"kind": "LICENCE"}], "recruiter": None}
    readers["own"].do("apply", {"opportunityId": global_id(opportunity)})
    assert readers["recruiter"].ask(query, id=global_id(person))["node"]["vetting"] == [{"kind": "LICENCE"}]


@pytest.mark.django_db(transaction=True)
def test_a_past_verdict_stands_though_everything_has_changed_since() -> None:
    """In real time. Facts, rule, pay, rates, vetting and the waiver are other ones now."""
    start = timezone.now()
    owner, staff = an_organisation(now=start), a_staff_actor()
    exchange_rates({"USD": Decimal(2)}, now=start)
    rule = {"all": [{"rateWithinPay": True}, {"vetted": "identity"}, IN_GERMANY]}
    opportunity = a_published_opportunity(owner, rule=rule, now=timezone.now())
    person = a_candidate(country="DE", rate=Pay(Decimal(50), "USD", "hour"))
    vetting = {"actor": staff, "candidate_id": person.public_id, "kind": "identity"}
    record_vetting(**vetting, passed=True, now=timezone.now())
    eligible_at = timezone.now()

    update_candidate(
        actor=actor_of(person), candidate_id=person.public_id, fields=CandidateFields(country="FR"), now=timezone.now()
    )
    waived = {"actor": owner.actor, "opportunity_id": opportunity.public_id}
    waiver = waive_eligibility(
        **waived, candidate_id=person.public_id, reason="moves", until=start + timedelta(days=9), now=timezone.now()
    )
    waived_at = timezone.now()
    revoke_waiver(actor=owner.actor, waiver_id=waiver.public_id, now=timezone.now())
    record_vetting(**vetting, passed=False, now=timezone.now())
    exchange_rates({"USD": Decimal("1.1")}, now=timezone.now())
    set_eligibility_rule(**waived, rule={"all": [*rule["all"], {"language": "de"}]}, now=timezone.now())

    asker = Asker(owner.user)

    def then(at: datetime | None = None) -> dict:
        given = {"opportunity": global_id(opportunity), "candidate": global_id(person)}
        verdict: dict = asker.ask(FULL, **given, at=at.isoformat() if at else None)["eligibility"]
        return verdict

    first, second, present = then(eligible_at), then(waived_at), then()
    assert (first["outcome"], first["waived"], first["reasons"]) == ("ELIGIBLE", False, [])
    assert (first["basis"]["ruleRevision"], first["basis"]["candidateRevision"]) == (1, 2)
    assert (second["outcome"], second["waived"], second["waiver"]["reason"]) == ("ELIGIBLE", True, "moves")
    assert [reason["kind"] for reason in second["reasons"]] == ["AttributeFails"]
    assert (present["outcome"], present["waived"], present["waiver"]) == ("INELIGIBLE", False, None)
    assert (present["basis"]["ruleRevision"], present["basis"]["candidateRevision"]) == (2, 4)
    assert {reason["kind"] for reason in present["reasons"]} == {"RateAbovePay", "VettingFailed", "AttributeFails"}
    refusal = asker.refusal(
        FULL,
        opportunity=global_id(opportunity),
        candidate=global_id(person),
        at=(start - timedelta(seconds=1)).isoformat(),
    )
    assert refusal["code"] == "HISTORY_MISSING"


@pytest.mark.django_db(transaction=True)
def test_of_facts_that_were_erased_nothing_is_judged() -> None:
    opportunity = a_published_opportunity(rule=IN_GERMANY, now=timezone.now())
    person = a_candidate(country="DE")
    then = timezone.now()
    apps.get_model("marketplace", "CandidateFactEvent").objects.all().delete()
    asked = {"opportunity": global_id(opportunity), "at": then.isoformat()}
    assert Asker(person).refusal(FULL, **asked)["code"] == "HISTORY_MISSING"


@pytest.mark.django_db(transaction=True)
def test_lists_that_somebody_was_taken_off_since_count_for_the_past() -> None:
    owner, person = an_organisation(now=timezone.now()), a_candidate()
    group = standard_group(actor=owner.actor, organisation_id=owner.organisation.public_id, kind="favourites")
    rule = {"attribute": "groups", "op": "eq", "value": group.pk}
    opportunity = a_published_opportunity(owner, rule=rule, now=timezone.now())
    listed = {"actor": owner.actor, "group_id": group.public_id, "candidate_id": person.public_id}
    add_to_group(**listed, now=timezone.now())
    then = timezone.now()
    remove_from_group(**listed, now=timezone.now())
    assert judged(person, opportunity, then)["outcome"] == "ELIGIBLE"
    assert judged(person, opportunity, timezone.now())["outcome"] == "INELIGIBLE"
