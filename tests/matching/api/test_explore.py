"""Exploring opportunities over HTTP: what is found, in which order, how it is shown, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation
from marketplace.actions.opportunities import close_opportunity, pause_opportunity
from marketplace.actions.terms import LocationInput, PayBandInput, SkillTermInput
from marketplace.models import Opportunity, Skill, SkillBroader, SkillLabel
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import (
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_user,
    an_application,
    an_invitation,
    an_organisation,
    exchange_rates,
    recruiter_of,
)
from tests.matching.staging import copy, skilled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]

EXPLORE = """
    query ($filter: OpportunityFilter, $search: String, $orderBy: OpportunityOrder, $first: Int, $after: String) {
        opportunities(filter: $filter, search: $search, orderBy: $orderBy, first: $first, after: $after) {
            totalCount
            pageInfo { hasNextPage endCursor }
            nodes { title }
            edges { snippets { field parts { text marked } } }
            facets {
                commitments { value count } arrangements { value count } countries { value count }
                skills { skill { name } count } organisations { organisation { name } count }
            }
        }
    }
"""
TITLES = """
    query ($filter: OpportunityFilter, $search: String, $orderBy: OpportunityOrder, $first: Int, $after: String) {
        opportunities(filter: $filter, search: $search, orderBy: $orderBy, first: $first, after: $after) {
            totalCount pageInfo { hasNextPage endCursor } nodes { title }
        }
    }
"""


def posted(title: str, *skills: Skill, minutes: int = 60, **fields: Any) -> Opportunity:
    """Published so many minutes ago."""
    terms = [SkillTermInput(skill.public_id) for skill in skills]
    return a_published_opportunity(
        title=title,
        skills=terms,
        now=timezone.now() - timedelta(minutes=minutes),
        **{"description": "Good work.", **fields},
    )


def titles(asker: Asker | None = None, **asked: Any) -> list[str]:
    found = (asker or Asker()).ask(TITLES, **asked)["opportunities"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["title"] for node in found["nodes"]]


@pytest.fixture(params=["copied", "not copied yet"])
def kubernetes(request: pytest.FixtureRequest, source: str) -> None:
    """A few opportunities; what is found does not depend on whether they have been copied."""
    platform, python = a_skill("container orchestration"), a_skill("Python")
    k8s = a_skill("Kubernetes")
    SkillLabel.objects.create(skill=k8s, label="K8s", folded="k8s")
    SkillBroader.objects.create(skill=k8s, broader=platform)
    posted("Platform engineer", k8s, minutes=50, description="You run our clusters and write runbooks for them.")
    posted("Kubernetes administrator", k8s, python, minutes=40)
    posted("Data engineer", python, minutes=30, description="Some Kubernetes is a plus.")
    posted("Crêpe maker", minutes=20, description="Make crêpes.")
    posted("Écailler", minutes=10)
    if request.param == "copied":
        copy(timezone.now())


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("kubernetes", ["Kubernetes administrator", "Platform engineer", "Data engineer"]),
        ("KUBERNETES engineer", ["Platform engineer", "Data engineer"]),  # a skill outweighs a text
        ("k8s", ["Kubernetes administrator", "Platform engineer"]),
        ("container orchestration", ["Kubernetes administrator", "Platform engineer"]),  # by a narrower skill
        ("kuber", ["Kubernetes administrator", "Platform engineer", "Data engineer"]),
        ("kuber ", []),  # finished, and so no beginning of anything
        ("crepes", ["Crêpe maker"]),
        ("ecailler", ["Écailler"]),
        ("the engineers", ["Data engineer", "Platform engineer"]),
        ("welder", []),
        ("engineer welder", []),
        ("!!! ???", []),
        ("\U0001f600", []),
        ("'); DROP TABLE x; -- & | ! <-> :*", []),
        ("", ["Écailler", "Crêpe maker", "Data engineer", "Kubernetes administrator", "Platform engineer"]),
    ],
)
@pytest.mark.usefixtures("kubernetes")
def test_words_are_found_as_typed_begun_misspelt_or_as_a_skill(search: str, found: list[str]) -> None:
    assert titles(search=search) == found


@pytest.mark.parametrize("typed", ["kubernetse", "kubernets", "kuberntees", "Kubrenetes", "ukbernetes"])
def test_words_that_nothing_has_are_taken_for_those_that_they_resemble(kubernetes: None, typed: str) -> None:
    copy(timezone.now())  # words of what is not copied yet are not known
    assert titles(search=typed) == ["Kubernetes administrator", "Platform engineer", "Data engineer"]


@pytest.mark.usefixtures("kubernetes")
def test_snippets_mark_what_was_searched_for() -> None:
    edges = Asker().ask(EXPLORE, search="k8s")["opportunities"]["edges"]
    assert [[one["field"] for one in edge["snippets"]] for edge in edges] == [["skills"], ["skills"]]
    [described] = Asker().ask(EXPLORE, search="runbook")["opportunities"]["edges"]
    [text] = described["snippets"]
    assert text["field"] == "description"
    assert [part["text"] for part in text["parts"] if part["marked"]] == ["runbooks"]
    assert "".join(part["text"] for part in text["parts"]) == "You run our clusters and write runbooks for them."


@pytest.mark.parametrize("copied", [True, False])
def test_facets_are_counted_under_all_filters_but_their_own(copied: bool) -> None:
    welding, works = a_skill("welding"), an_organisation(name="Works", now=timezone.now())
    in_germany, in_france = [LocationInput("allowed", "DE", "DE-BE")], [LocationInput("allowed", "FR")]
    posted("Welder", welding, by=works, commitment="full_time", locations=in_germany)
    posted("Fitter", welding, by=works, commitment="contract", locations=in_germany)
    posted("Joiner", by=works, commitment="contract", arrangement="remote")
    posted("Painter", by=works, commitment="contract", locations=in_france)
    if copied:
        copy(timezone.now())
    asked = {"commitments": ["CONTRACT"], "countries": ["DE"]}
    found = Asker().ask(EXPLORE, filter=asked)["opportunities"]
    assert sorted(node["title"] for node in found["nodes"]) == ["Fitter", "Joiner"]  # who works anywhere works there
    facets = found["facets"]
    assert facets["commitments"] == [{"value": "contract", "count": 2}, {"value": "full_time", "count": 1}]
    assert facets["arrangements"] == [{"value": "onsite", "count": 1}, {"value": "remote", "count": 1}]
    assert facets["countries"] == [{"value": "DE", "count": 1}, {"value": "FR", "count": 1}]
    assert facets["skills"] == [{"skill": {"name": "welding"}, "count": 1}]
    assert facets["organisations"] == [{"organisation": {"name": "Works"}, "count": 2}]


def test_pay_is_compared_by_the_year_in_any_currency_band_by_band() -> None:
    now = timezone.now()
    exchange_rates({"USD": Decimal("1.25")}, now=now - timedelta(days=2))

    def band(least: int, most: int, currency: str = "EUR", period: str = "year", place: str = "") -> PayBandInput:
        return PayBandInput(Decimal(least), Decimal(most), currency, period, [place] if place else [])

    posted("hourly", pay_bands=[band(20, 30, period="hour")], weekly_hours=20, minutes=50)
    posted("dollars", pay_bands=[band(60_000, 75_000, "USD")], minutes=40)
    posted("two bands", pay_bands=[band(10_000, 20_000, place="IN"), band(90_000, 95_000)], minutes=30)
    posted("project", pay_bands=[band(500, 900, period="project")], minutes=20)
    copy(now)

    def paying(least: int | None = None, most: int | None = None, currency: str = "EUR") -> list[str]:
        bounds = {"minPay": least, "maxPay": most}
        asked = {name: {"amount": str(amount), "currency": currency} for name, amount in bounds.items() if amount}
        return titles(filter=asked, orderBy="PAY")

    assert paying() == ["two bands", "dollars", "hourly", "project"]
    assert paying(31_200) == ["two bands", "dollars", "hourly"]
    assert paying(31_201) == ["two bands", "dollars"]
    assert paying(75_000, currency="USD") == ["two bands", "dollars"]  # to the cent
    assert paying(30_000, 60_000) == ["dollars", "hourly"]  # and no band of the third does
    assert Asker().refusal(TITLES, filter={"minPay": {"amount": "1", "currency": "CHF"}})["field"] == (
        "filter.minPay.currency"
    )


def test_order_is_by_date_end_pay_title_or_fit() -> None:
    skill, now = a_skill("welding"), timezone.now()
    posted("Beta", minutes=30, closes_at=now + timedelta(days=2))
    posted("alpha", skill, minutes=20, closes_at=now + timedelta(days=1))
    posted("Gamma", minutes=10)
    me = Asker(skilled(skill, 5, now=now))
    assert titles(me) == ["Gamma", "alpha", "Beta"]
    assert titles(me, orderBy="CLOSING") == ["alpha", "Beta", "Gamma"]
    assert titles(me, orderBy="TITLE") == ["alpha", "Beta", "Gamma"]
    assert titles(me, orderBy="FIT")[0] == "alpha"
    assert Asker().refusal(TITLES, orderBy="FIT")["code"] == "LOGIN_REQUIRED"
    copy(now)
    assert titles(me, orderBy="FIT")[0] == "alpha"


@pytest.mark.parametrize("order", ["RELEVANCE", "NEWEST", "PAY", "CLOSING", "TITLE", "FIT"])
def test_pages_neither_skip_nor_repeat_while_others_come_and_go(order: str) -> None:
    now = timezone.now()
    rows = {f"Welder {n}": posted(f"Welder {n}", minutes=100 - n) for n in range(7)}
    copy(now)
    me, seen, after = Asker(a_candidate(now=now)), list[str](), None
    for turn in range(4):
        found = me.ask(TITLES, search="welder", orderBy=order, first=2, after=after)["opportunities"]
        seen += [node["title"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if turn == 0:
            posted("Welder, new", minutes=1)
            gone = next(title for title in rows if title not in seen)
            close_opportunity(actor=recruiter_of(rows[gone]), opportunity_id=rows[gone].public_id, now=now)
    assert len(seen) == len(set(seen))
    assert set(seen) - {"Welder, new"} == rows.keys() - {gone}
    assert not found["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("copied", ["before", "after"])
def test_what_is_paused_private_or_suspended_is_not_even_counted(copied: str) -> None:
    now = timezone.now()
    shown = posted("Welder")
    paused, hidden, draft = posted("Welder"), posted("Welder", visibility="invited"), a_draft(title="Welder", now=now)
    suspended = posted("Welder")
    if copied == "before":
        copy(now)
    pause_opportunity(actor=recruiter_of(paused), opportunity_id=paused.public_id, now=now)
    Organisation.objects.filter(pk=suspended.posting_organisation_id).update(suspended_at=now)
    if copied == "after":
        copy(now)
    for asker in (Asker(), Asker(a_candidate(now=now)), Asker(an_organisation(now=now).user)):
        found = asker.ask(EXPLORE, search="welder")["opportunities"]
        assert (found["totalCount"], len(found["nodes"])) == (1, 1)
        assert found["facets"]["arrangements"] == [{"value": "onsite", "count": 1}]
        [organisation] = found["facets"]["organisations"]
        assert organisation["organisation"]["name"] == shown.posting_organisation.name
    member = Asker(draft.posting_organisation.members.get())
    assert titles(member, filter={"mine": True, "states": ["DRAFT"]}) == ["Welder"]
    assert len(titles(member, search="welder")) == 2
    assert len(titles(Asker(a_user(is_staff=True)), search="welder")) == 5
    invited = an_invitation(hidden, now=now).candidate
    assert len(titles(Asker(invited), search="welder")) == 2


def test_an_opportunity_of_ones_own_is_found_at_once_and_what_is_applied_to_stays() -> None:
    now = timezone.now()
    opportunity = posted("Welder")
    application = an_application(opportunity, now=now)
    copy(now)
    close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=now)
    assert titles(Asker(application.candidate), search="welder") == ["Welder"]
    assert titles(search="welder") == []


def test_only_what_one_is_eligible_for() -> None:
    now = timezone.now()
    german = {"attribute": "country", "op": "eq", "value": "DE"}
    posted("for all")
    posted("for Germans", rule=german)
    posted("for the French", rule={"attribute": "country", "op": "eq", "value": "FR"})
    copy(now)
    me = Asker(a_candidate(country="DE", now=now))
    assert sorted(titles(me, filter={"eligibleOnly": True})) == ["for Germans", "for all"]
    assert titles(Asker(a_candidate(now=now)), filter={"eligibleOnly": True}) == ["for all"]  # unknown is not sure
    assert Asker().refusal(TITLES, filter={"eligibleOnly": True})["code"] == "LOGIN_REQUIRED"
    assert Asker(a_user()).refusal(TITLES, filter={"eligibleOnly": True})["code"] == "NOT_FOUND"


def test_filters_speak_the_grammar_of_rules() -> None:
    family, skill = a_skill("metalwork"), a_skill("welding")
    SkillBroader.objects.create(skill=skill, broader=family)
    posted("Welder", skill, weekly_hours=40, years_experience=Decimal(3), minutes=30)
    posted("Joiner", weekly_hours=20, locations=[LocationInput("allowed", "DE")], minutes=20)
    posted("Baker", weekly_hours=30, locations=[LocationInput("excluded", "DE")], minutes=10)

    def where(rule: dict[str, Any]) -> list[str]:
        return titles(filter={"where": rule})

    hours = {"attribute": {"name": "weekly_hours", "op": "BETWEEN", "value": [20, 30]}}
    assert where(hours) == ["Baker", "Joiner"]
    assert where({"not": hours}) == ["Welder"]
    assert where({"skill": {"skillId": global_id(family)}}) == []
    assert where({"skill": {"skillId": global_id(family), "narrower": True}}) == ["Welder"]
    assert where({"offeredIn": ["DE-BE"]}) == ["Joiner", "Welder"]
    years = {"attribute": {"name": "years_experience", "op": "LTE", "value": 5}}
    assert where({"any": [years, {"offeredIn": ["FR"]}]}) == ["Baker", "Welder"]
    assert where({"atLeast": {"n": 2, "of": [hours, years, {"offeredIn": ["DE"]}]}}) == ["Joiner", "Welder"]
    assert where({"not": years}) == []  # of the others it is not known
    assert titles(filter={"minWeeklyHours": 25, "maxWeeklyHours": 35}) == ["Baker"]
    assert titles(filter={"postedSince": (timezone.now() - timedelta(minutes=25)).isoformat()}) == ["Baker", "Joiner"]


@pytest.mark.parametrize(
    ("asked", "code", "place"),
    [
        ({"search": "x" * 10_000}, "INVALID_INPUT", "search"),
        ({"search": "a\x00b"}, "INVALID_INPUT", "search"),
        ({"first": -1}, "INVALID_INPUT", "first"),
        ({"first": 101}, "INVALID_INPUT", "first"),
        ({"after": "forged"}, "INVALID_INPUT", "after"),
        ({"after": "A" * 5_000}, "INVALID_INPUT", "after"),
        ({"filter": {"minWeeklyHours": 500}}, "INVALID_INPUT", "filter.minWeeklyHours"),
        ({"filter": {"skillIds": ["nonsense"]}}, "INVALID_INPUT", "filter.skillIds[0]"),
        ({"filter": {"countries": ["Germany"]}}, "INVALID_INPUT", "filter.countries[0]"),
        ({"filter": {"minPay": {"amount": "-1", "currency": "EUR"}}}, "INVALID_INPUT", "filter.minPay.amount"),
        ({"filter": {"minPay": {"amount": "1", "currency": "XYZ"}}}, "INVALID_INPUT", "filter.minPay.currency"),
        (
            {"filter": {"where": {"not": {"attribute": {"name": "skills", "op": "EQ", "value": 1}}}}},
            "FILTER_REFUSED",
            "filter.where.not.attribute.name",
        ),
        (
            {"filter": {"where": {"all": [{"attribute": {"name": "weekly_hours", "op": "EQ", "value": "x"}}]}}},
            "FILTER_REFUSED",
            "filter.where.all[0].attribute.value",
        ),
        ({"filter": {"where": {"any": []}}}, "FILTER_REFUSED", "filter.where.any"),
        ({"filter": {"where": {"postedBy": "nobody"}}}, "FILTER_REFUSED", "filter.where.postedBy"),
        ({"filter": {"where": {"all": [{"offeredIn": ["DE"]}] * 65}}}, "FILTER_REFUSED", "filter.where.all[64]"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(asked: dict[str, Any], code: str, place: str) -> None:
    refusal = Asker().refusal(TITLES, **asked)
    faults = [fault["path"] for fault in (refusal["data"] or {}).get("faults", ())]
    assert (refusal["code"], faults or [refusal["field"]]) == (code, [place])


def test_a_cursor_of_another_order_is_refused() -> None:
    posted("Welder")
    posted("Joiner")
    cursor = Asker().ask(TITLES, first=1, orderBy="TITLE")["opportunities"]["pageInfo"]["endCursor"]
    assert Asker().refusal(TITLES, after=cursor, orderBy="NEWEST")["field"] == "after"


def test_a_cursor_of_a_source_that_is_gone_says_so(source: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    posted("Welder")
    posted("Joiner")
    copy(timezone.now())
    monkeypatch.setattr("matching.retrieval.postgres.Postgres.name", "elasticsearch")
    cursor = Asker().ask(TITLES, first=1)["opportunities"]["pageInfo"]["endCursor"]
    monkeypatch.undo()
    if source == "elasticsearch":
        assert len(Asker().ask(TITLES, first=1, after=cursor)["opportunities"]["nodes"]) == 1
        settings.ELASTICSEARCH_URL = ""
    assert Asker().refusal(TITLES, after=cursor)["code"] == "SEARCH_SOURCE_GONE"


def test_the_response_says_which_source_answered(source: str) -> None:
    assert Asker().answer(TITLES)["extensions"]["search"] == {"source": source, "fellBack": None}
    fitting = Asker(a_candidate(now=timezone.now())).answer(TITLES, orderBy="FIT")
    assert fitting["extensions"]["search"] == {"source": "postgres", "fellBack": None}


def test_exploring_takes_as_many_statements_for_six_as_for_one() -> None:
    skill, now = a_skill("welding"), timezone.now()
    me = Asker(skilled(skill, now=now))

    def statements() -> list[int]:
        return [me.statements(EXPLORE, search="welder", orderBy=order) for order in ("RELEVANCE", "FIT")]

    posted("Welder", skill)
    copy(now)
    few = statements()
    for _ in range(5):
        posted("Welder", skill)
    copy(now)
    assert statements() == few


def test_a_search_within_a_change_sees_it_and_takes_it_back() -> None:
    opportunity, now = posted("Welder"), timezone.now()
    copy(now)
    with transaction.atomic():
        pause_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=now)
        assert titles() == []
        transaction.set_rollback(True)
    assert titles() == ["Welder"]
