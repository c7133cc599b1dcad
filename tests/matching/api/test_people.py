"""Finding people over HTTP: whom recruiters find, by what, in which order; and what stays hidden."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from marketplace.actions.candidates import CandidateFields, ExperienceInput, LanguageInput, SkillInput, update_candidate
from marketplace.core.money import Pay
from marketplace.models import Candidate, Skill, SkillBroader, SkillLabel
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    Recruiter,
    a_candidate,
    a_recruiter,
    a_skill,
    a_user,
    actor_of,
    an_organisation,
)
from tests.matching.staging import asking_for, copy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]

FIND = """
    query (
        $filter: CandidateFilter, $search: String, $orderBy: CandidateOrder, $fitFor: ID, $first: Int, $after: String
    ) {
        candidates(
            filter: $filter, search: $search, orderBy: $orderBy, fitFor: $fitFor, first: $first, after: $after
        ) {
            totalCount
            pageInfo { hasNextPage endCursor }
            nodes { headline name displayName contactsOpen }
            edges { snippets { field parts { text marked } } }
            facets { commitments { value count } countries { value count } skills { skill { name } count } }
        }
    }
"""


def somebody(headline: str, *skills: tuple[Skill, int], **facts: Any) -> Candidate:
    held = [SkillInput(skill.public_id, level) for skill, level in skills]
    return a_candidate(headline=headline, skills=held, now=timezone.now(), **facts)


@pytest.fixture
def recruiter() -> Recruiter:
    return a_recruiter(an_organisation(now=timezone.now()), now=timezone.now())


def headlines(by: Recruiter, **asked: Any) -> list[str]:
    found = Asker(by.user).ask(FIND, **asked)["candidates"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["headline"] for node in found["nodes"]]


@pytest.mark.parametrize("copied", [True, False])
def test_people_are_found_by_headline_titles_and_skills_and_by_nothing_else(recruiter: Recruiter, copied: bool) -> None:
    platform, k8s = a_skill("container orchestration"), a_skill("Kubernetes")
    SkillLabel.objects.create(skill=k8s, label="K8s", folded="k8s")
    SkillBroader.objects.create(skill=k8s, broader=platform)
    work = ExperienceInput(title="Signalman", starts_on=date(2020, 1, 1), description="Secretwork", employer="Ajax")
    private = {"name": "Ada Quill", "phone": "+4930555", "resume_text": "Wrote the Analytical Program."}
    somebody("Platform engineer", (k8s, 4), experiences=[work], **private)
    somebody("Kubernetes trainer")
    if copied:
        copy(timezone.now())
    assert headlines(recruiter, search="kubernetes") == ["Kubernetes trainer", "Platform engineer"]
    assert headlines(recruiter, search="k8s") == ["Platform engineer"]
    assert headlines(recruiter, search="container orchestration") == ["Platform engineer"]
    assert headlines(recruiter, search="signal") == ["Platform engineer"]
    for hidden in ("quill", "ada", "555", "analytical", "secretwork", "ajax"):
        assert headlines(recruiter, search=hidden) == []
    if copied:
        assert headlines(recruiter, search="kubernets") == ["Kubernetes trainer", "Platform engineer"]
    [first, second] = Asker(recruiter.user).ask(FIND, search="k8s engineers")["candidates"]["edges"] * 2
    assert {one["field"] for one in first["snippets"]} == {"headline", "skills"}
    assert second == first


def test_only_those_are_found_who_let_themselves_be(recruiter: Recruiter) -> None:
    now = timezone.now()
    somebody("Welder, seen")
    hiding, blocking, leaving = (somebody(f"Welder {n}") for n in range(3))
    copy(now)
    update_candidate(
        actor=actor_of(hiding), candidate_id=hiding.public_id, fields=CandidateFields(discoverable=False), now=now
    )
    blocks = CandidateFields(blocked_organisation_ids=[recruiter.organisation.public_id])
    update_candidate(actor=actor_of(blocking), candidate_id=blocking.public_id, fields=blocks, now=now)
    Candidate.objects.filter(pk=leaving.pk).update(suspended_at=now)
    joiner = somebody("Joiner")
    renamed = CandidateFields(headline="Welder, new")
    update_candidate(actor=actor_of(joiner), candidate_id=joiner.public_id, fields=renamed, now=now)
    rival = an_organisation(now=now)
    for _ in range(2):
        assert set(headlines(recruiter, search="welder")) - {"Welder 2"} == {"Welder, seen", "Welder, new"}
        assert "Welder 1" in headlines(rival, search="welder")
        assert "Welder 0" not in headlines(rival, search="welder")
        copy(now)
    found = Asker(recruiter.user).ask(FIND, search="seen")["candidates"]["nodes"]
    assert [(node["name"], node["contactsOpen"]) for node in found] == [(None, False)]


def test_nobody_is_found_by_those_who_do_not_recruit() -> None:
    person = somebody("Welder")
    copy(timezone.now())
    assert Asker().refusal(FIND)["code"] == "LOGIN_REQUIRED"
    assert Asker(person).ask(FIND, search="welder")["candidates"]["totalCount"] == 0
    assert Asker(a_user(is_staff=True)).ask(FIND, search="welder")["candidates"]["totalCount"] == 1


@pytest.mark.parametrize("copied", [True, False])
def test_filters_are_eligibility_rules_and_facets_count_what_is_left(recruiter: Recruiter, copied: bool) -> None:
    welding, english = a_skill("welding"), [LanguageInput("en", 4)]
    somebody("Expert", (welding, 5), country="DE", languages=english, commitments=["full_time"], weekly_hours=40)
    somebody("Novice", (welding, 1), country="FR", commitments=["full_time"], weekly_hours=10)
    somebody("Other", country="DE", region="DE-BE", commitments=["contract"], open_to_offers=True)
    if copied:
        copy(timezone.now())
    able = {"skill": {"skillId": global_id(welding), "minLevel": 3}}
    assert headlines(recruiter, filter={"where": able}) == ["Expert"]
    assert headlines(recruiter, filter={"where": {"not": able}}) == ["Other", "Novice"]
    assert headlines(recruiter, filter={"where": {"language": {"language": "en", "minLevel": "B2"}}}) == ["Expert"]
    assert headlines(recruiter, filter={"skillIds": [global_id(welding)]}) == ["Novice", "Expert"]
    assert headlines(recruiter, filter={"countries": ["DE-BE", "FR"]}) == ["Other", "Novice"]
    assert headlines(recruiter, filter={"commitments": ["FULL_TIME"], "minWeeklyHours": 20}) == ["Expert"]
    assert headlines(recruiter, filter={"openToOffers": True}) == ["Other"]
    facets = Asker(recruiter.user).ask(FIND, filter={"countries": ["DE"]})["candidates"]["facets"]
    assert facets["countries"] == [{"value": "DE", "count": 2}, {"value": "FR", "count": 1}]
    assert facets["commitments"] == [{"value": "contract", "count": 1}, {"value": "full_time", "count": 1}]
    assert facets["skills"] == [{"skill": {"name": "welding"}, "count": 1}]


def test_people_are_ranked_by_how_they_fit_an_opportunity_of_ones_own(recruiter: Recruiter) -> None:
    now, welding = timezone.now(), a_skill("welding")
    opportunity = asking_for(welding, recruiter, level=4, now=now)
    for headline, level in (("good", 4), ("poor", 1), ("fair", 2)):
        somebody(headline, (welding, level))
    somebody("none")
    copy(now)
    somebody("new", (welding, 3))
    asked = {"orderBy": "FIT", "fitFor": global_id(opportunity)}
    ranked = ["good", "new", "fair", "poor", "none"]
    assert headlines(recruiter, **asked) == ranked
    seen, after = [], None
    for _ in range(3):
        page = Asker(recruiter.user).ask(FIND, first=2, after=after, **asked)["candidates"]
        seen += [node["headline"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == ranked
    assert not page["pageInfo"]["hasNextPage"]
    rival = Asker(an_organisation(now=now).user)
    assert rival.refusal(FIND, **asked)["code"] == "NOT_PERMITTED"
    assert Asker(recruiter.user).refusal(FIND, orderBy="FIT")["field"] == "fitFor"


@pytest.mark.parametrize(
    ("where", "place", "code"),
    [
        ({"vetted": {"check": "IDENTITY"}}, "filter.where", "NOT_READABLE"),
        (
            {"not": {"attribute": {"name": "free_hours", "op": "GTE", "value": 1}}},
            "filter.where.not",
            "NOT_READABLE",
        ),
        ({"rateWithinPay": {}}, "filter.where", "NOT_READABLE"),
        (
            {"attribute": {"name": "gender", "op": "EQ", "value": "x"}},
            "filter.where.attribute.name",
            "PROTECTED_ATTRIBUTE",
        ),
        (
            {"attribute": {"name": "resume_text", "op": "EQ", "value": "x"}},
            "filter.where.attribute.name",
            "UNDECLARED_ATTRIBUTE",
        ),
        ({"skill": {"skillId": "nonsense"}}, "filter.where.skill.skillId", "UNKNOWN_SKILL"),
    ],
)
def test_filters_tell_nothing_that_a_profile_does_not(
    recruiter: Recruiter, where: dict[str, Any], place: str, code: str
) -> None:
    refusal = Asker(recruiter.user).refusal(FIND, filter={"where": where})
    [fault] = refusal["data"]["faults"]
    assert (refusal["code"], fault["path"], fault["code"]) == ("FILTER_REFUSED", place, code)


def test_a_rate_within_the_pay_is_that_of_the_opportunity(recruiter: Recruiter) -> None:
    opportunity = asking_for(a_skill(), recruiter, now=timezone.now())  # pays 30 EUR an hour
    somebody("cheap", rate=Pay(Decimal(25), "EUR", "hour"), country="DE")
    somebody("dear", rate=Pay(Decimal(35), "EUR", "hour"), country="DE")
    copy(timezone.now())
    asked = {"filter": {"where": {"rateWithinPay": {}}}, "fitFor": global_id(opportunity)}
    assert headlines(recruiter, **asked) == ["cheap"]


def test_finding_takes_as_many_statements_for_six_as_for_one(recruiter: Recruiter) -> None:
    welding = a_skill("welding")
    opportunity, asker = asking_for(welding, recruiter, now=timezone.now()), Asker(recruiter.user)

    def statements() -> list[int]:
        copy(timezone.now())
        asked = {"search": "welder", "fitFor": global_id(opportunity)}
        return [asker.statements(FIND, orderBy=order, **asked) for order in ("RELEVANCE", "FIT")]

    somebody("Welder", (welding, 3))
    few = statements()
    for _ in range(5):
        somebody("Welder", (welding, 3))
    assert statements() == few
