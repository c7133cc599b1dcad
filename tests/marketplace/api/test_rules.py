"""Rules over HTTP: every form is written and read back, and a fault names its place in what was sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from marketplace.actions.candidates import SkillInput
from marketplace.actions.groups import standard_group
from marketplace.api.rule_paths import input_path
from marketplace.models import Opportunity, OpportunityRevision, Skill
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_user,
    an_organisation,
)

pytestmark = pytest.mark.django_db

GERMANY = {"workAuthorisation": {"country": "DE"}}
WINDOW = {"minutes": 240, "timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}


class Board:
    """A draft and whoever writes its rule."""

    def __init__(self) -> None:
        self.owner: Recruiter = an_organisation(now=timezone.now())
        self.draft: Opportunity = a_draft(self.owner, now=timezone.now())
        self.asker = Asker(self.owner.user)

    def write(self, rule: Any) -> Any:
        given = {"opportunityId": global_id(self.draft), "rule": rule}
        return self.asker.do("setEligibilityRule", given, "currentRevision { rule ruleText }", thing="Opportunity")

    def faults(self, rule: Any) -> list[tuple[str, str]]:
        """Places and codes; nothing was written."""
        answer = self.write(rule)
        assert answer["code"] == "RULE_REFUSED", answer
        assert not OpportunityRevision.objects.exists()
        return [(fault["path"], fault["code"]) for fault in answer["data"]["faults"]]


def test_every_form_is_stored_and_shown_again() -> None:
    board, skill = Board(), a_skill("Kafka")
    given = {"actor": board.owner.actor, "organisation_id": board.owner.organisation.public_id}
    group = standard_group(**given, kind="past_workers")
    rule = {
        "all": [
            {"skill": {"skillId": global_id(skill), "minLevel": 3, "usedWithinMonths": 24, "narrower": True}},
            {"not": {"livesIn": {"places": ["FR-75C", "US"]}}},
            {"hoursOverlap": {**WINDOW, "disclosure": "ORGANISATION"}},
            {"rateWithinPay": {}},
            {"vetted": {"check": "RIGHT_TO_WORK", "disclosure": "STAFF"}},
            {"attribute": {"name": "groups", "op": "IN", "value": [global_id(group)]}},
        ]
    }
    answer = board.write(rule)
    stored = [
        {"skill": skill.pk, "minLevel": 3, "usedWithinMonths": 24, "narrower": True},
        {"not": {"livesIn": ["FR-75C", "US"]}},
        {"hoursOverlap": WINDOW, "disclosure": "organisation"},
        {"rateWithinPay": True},
        {"vetted": "right_to_work", "disclosure": "staff"},
        {"attribute": "groups", "op": "in", "value": [group.pk]},
    ]
    assert OpportunityRevision.objects.get().rule == {"all": stored}
    shown = answer["currentRevision"]["rule"]["all"]
    assert [shown[0]["skill"], shown[4]["value"]] == [global_id(skill), [global_id(group)]]
    assert shown[1:4] == stored[1:4]  # what only staff may see is left out
    text = answer["currentRevision"]["ruleText"]
    assert "Kafka or a narrower skill at level 3, used within 24 months" in text
    assert "Past workers" in text
    assert "check" not in text


def test_each_audience_reads_its_part_of_the_rule() -> None:
    owner = an_organisation(now=timezone.now())
    rule = {
        "all": [
            {"attribute": "weekly_hours", "op": "gte", "value": 30},
            {"rateWithinPay": True, "disclosure": "organisation"},
            {"vetted": "background", "disclosure": "staff"},
        ]
    }
    opportunity = a_published_opportunity(owner, rule=rule, now=timezone.now())
    query = "query ($id: ID!) { opportunity(id: $id) { currentRevision { rule ruleText } } }"

    def read(asker: Asker) -> dict[str, Any]:
        revision: dict[str, Any] = asker.ask(query, id=global_id(opportunity))["opportunity"]["currentRevision"]
        return revision

    public, inside, staff = read(Asker()), read(Asker(owner.user)), read(Asker(a_user(is_staff=True)))
    assert (public["rule"], public["ruleText"]) == (None, "hours wanted at least 30 hours a week")
    assert [len(one["rule"]["all"]) for one in (inside, staff)] == [2, 3]
    assert "background" not in inside["ruleText"]
    assert "background" in staff["ruleText"]


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        ({"all": []}, [("rule.all", "EMPTY_GROUP")]),
        (
            {"all": [GERMANY, {"attribute": {"name": "weekly_hours", "op": "GTE", "value": "many"}}]},
            [("rule.all[1].attribute.value", "WRONG_TYPE")],
        ),
        (
            {"any": [{"not": {"attribute": {"name": "religion", "op": "EQ", "value": "x"}}}, GERMANY]},
            [("rule.any[0].not.attribute.name", "PROTECTED_ATTRIBUTE")],
        ),
        (
            {"attribute": {"name": "cоuntry", "op": "EQ", "value": "DE"}},  # the second letter is Cyrillic
            [("rule.attribute.name", "UNDECLARED_ATTRIBUTE")],
        ),
        (
            {"attribute": {"name": "country", "op": "IN", "value": ["DE", "D\u0415", 7]}},
            [("rule.attribute.value[1]", "BAD_CODE"), ("rule.attribute.value[2]", "WRONG_TYPE")],
        ),
        (
            {"attribute": {"name": "country", "op": "IN", "value": ["DE"] * 201}},
            [("rule.attribute.value", "LONG_LIST")],
        ),
        ({"atLeast": {"n": 3, "of": [GERMANY]}}, [("rule.atLeast.n", "BAD_COUNT")]),
        (
            {"atLeast": {"n": 1, "of": [GERMANY, {"workAuthorisation": {"country": "Germany"}}]}},
            [("rule.atLeast.of[1].workAuthorisation.country", "BAD_CODE")],
        ),
        ({"livesIn": {"places": ["DE", "Paris"]}}, [("rule.livesIn.places[1]", "BAD_CODE")]),
        ({"livesIn": {"places": []}}, [("rule.livesIn.places", "EMPTY_LIST")]),
        (
            {"hoursOverlap": {**WINDOW, "minutes": 0, "timezone": "Mars/Olympus", "to": "25:00"}},
            [
                ("rule.hoursOverlap.minutes", "OUT_OF_RANGE"),
                ("rule.hoursOverlap.timezone", "BAD_CODE"),
                ("rule.hoursOverlap.to", "WRONG_TYPE"),
            ],
        ),
        ({"language": {"language": "German", "minLevel": "B2"}}, [("rule.language.language", "BAD_CODE")]),
    ],
)
def test_a_fault_names_its_place_in_what_was_sent(rule: Any, faults: list[tuple[str, str]]) -> None:
    assert Board().faults(rule) == faults


def test_faults_of_skills_name_their_places() -> None:
    board, skill = Board(), a_skill()
    asked = {"skillId": global_id(skill), "minLevel": 9, "minYears": "0.00001", "usedWithinMonths": 0}
    assert board.faults({"all": [GERMANY, {"skill": asked}]}) == [
        ("rule.all[1].skill.minLevel", "OUT_OF_RANGE"),
        ("rule.all[1].skill.minYears", "BAD_NUMBER"),
    ]
    asked = {"skillId": global_id(skill), "usedWithinMonths": 0}
    assert board.faults({"skill": asked}) == [("rule.skill.usedWithinMonths", "OUT_OF_RANGE")]


def test_ids_that_lead_nowhere_are_all_named() -> None:
    board, other = Board(), an_organisation()
    foreign = standard_group(actor=other.actor, organisation_id=other.organisation.public_id, kind="favourites")
    gone = a_skill()
    unknown, gone_id = global_id(board.draft), global_id(gone)
    gone.delete()
    rule = {
        "any": [
            {"skill": {"skillId": unknown}},
            {"not": {"skill": {"skillId": gone_id}}},
            {"attribute": {"name": "groups", "op": "EQ", "value": global_id(foreign)}},
            {"attribute": {"name": "groups", "op": "IN", "value": [7, "nonsense"]}},
        ]
    }
    assert board.faults(rule) == [
        ("rule.any[0].skill.skillId", "UNKNOWN_SKILL"),
        ("rule.any[1].not.skill.skillId", "UNKNOWN_SKILL"),
        ("rule.any[2].attribute.value", "UNKNOWN_GROUP"),
        ("rule.any[3].attribute.value[0]", "UNKNOWN_GROUP"),
        ("rule.any[3].attribute.value[1]", "UNKNOWN_GROUP"),
    ]


def test_rules_too_large_are_refused_before_they_cost_anything() -> None:
    board, skill = Board(), a_skill()
    many = [{"skill": {"skillId": global_id(skill), "minLevel": 1 + at % 5}} for at in range(65)]
    assert board.faults({"any": [{"all": many[:40]}, {"all": many[40:]}]}) == [
        ("rule.any[1].all[24]", "TOO_MANY_CRITERIA")
    ]
    deep: Any = GERMANY
    for _ in range(9):
        deep = {"not": deep}
    assert board.faults(deep) == [("rule" + ".not" * 8, "TOO_DEEP")]


@pytest.mark.parametrize(
    ("path", "stored", "shown"),
    [
        ("$", {"skill": 1}, "rule"),
        ("$.skill", {"skill": 1}, "rule.skill.skillId"),
        ("$.not", {"not": {}}, "rule.not"),
        ("$.all[0].not.disclosure", {"all": [{"not": {"vetted": "x"}}]}, "rule.all[0].not.vetted.disclosure"),
        ("$.all[7].value", {"all": []}, "rule.all[7].value"),
        ("$.hoursOverlap", {"hoursOverlap": 5}, "rule.hoursOverlap"),
    ],
)  # fmt: skip
def test_stored_places_become_those_of_the_input(path: str, stored: Any, shown: str) -> None:
    assert input_path(path, stored) == shown


def test_a_rule_follows_the_merge_of_its_skill_everywhere() -> None:
    owner = an_organisation(now=timezone.now())
    old, new = a_skill("JS"), a_skill("JavaScript")
    opportunity = a_published_opportunity(owner, rule={"skill": old.pk, "minLevel": 2}, now=timezone.now())
    old.merged_into = new
    old.save()
    person = a_candidate(skills=[SkillInput(new.public_id, 1)])

    query = """query ($id: ID!) { opportunity(id: $id) { currentRevision { rule ruleText } }
        eligibility(opportunity: $id) { reasons { sentence has needs skill { id } } } }"""
    mine = Asker(person).ask(query, id=global_id(opportunity))
    assert mine["opportunity"]["currentRevision"]["ruleText"] == "JavaScript at level 2"
    [reason] = mine["eligibility"]["reasons"]
    assert reason == {
        "sentence": "JavaScript is needed at level 2, not 1.",
        "has": "level 1",
        "needs": "level 2",
        "skill": {"id": global_id(new)},
    }
    shown = Asker(owner.user).ask(
        "query ($id: ID!) { opportunity(id: $id) { currentRevision { rule } } }", id=global_id(opportunity)
    )
    assert shown["opportunity"]["currentRevision"]["rule"]["skill"] == global_id(new)


def test_a_skill_that_is_gone_from_the_database_lets_nobody_in() -> None:
    """Nothing of Muster deletes skills; should it happen all the same, verdicts stay honest and pages open."""
    owner, skill = an_organisation(now=timezone.now()), a_skill()
    opportunity = a_published_opportunity(owner, rule={"skill": skill.pk}, now=timezone.now())
    Skill.objects.all().delete()
    query = """query ($id: ID!) { opportunity(id: $id) { currentRevision { ruleText } }
        eligibility(opportunity: $id) { outcome reasons { skill { id } } } }"""
    answer = Asker(a_candidate()).ask(query, id=global_id(opportunity))
    assert answer["eligibility"] == {"outcome": "INELIGIBLE", "reasons": [{"skill": None}]}
    assert answer["opportunity"]["currentRevision"]["ruleText"] == f"skill {skill.pk}"
