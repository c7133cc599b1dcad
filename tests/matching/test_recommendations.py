"""What a candidate would want most, of all that is open and may accept them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.actions.candidates import CandidateFields, update_candidate
from marketplace.actions.opportunities import PayBandInput
from marketplace.actions.waivers import waive_eligibility
from marketplace.core.money import Pay
from marketplace.models import Application, Candidate, CandidateGroup, CandidateGroupMembership, Opportunity
from matching.actions.models import serving_now
from matching.core.scoring import HEADS
from matching.models import Match
from matching.queries import recommendations, recommendations_for
from matching.queries.scorable import basics_at
from tests.config.graphql_client import Asker
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_candidate,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    recruiter_of,
)
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

PAGE = """query ($first: Int, $after: String) { recommendations(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    nodes { id outcome fit { score contributions { amount sentence } } interest { score contributions { amount } }
        opportunity { title } candidate { displayName } revision { number } modelVersion
        verdict { outcome questions { sentence } } } } }"""


def recommended(candidate: Candidate, now=NOW) -> list[int]:
    return [pk for *_, pk in recommendations_for(candidate, basics_at(now, serving_now())).standings]


def paying(most: int, now=NOW, **fields) -> Opportunity:
    band = PayBandInput(minimum=Decimal(5), maximum=Decimal(most), currency="EUR", period="hour")
    return asking_for(a_skill(), pay_bands=[band], now=now, **fields)


def asking(rate: int = 40, now=NOW, **facts) -> Candidate:
    return a_candidate(rate=Pay(Decimal(rate), "EUR", "hour"), now=now, **facts)


def test_the_most_wanted_comes_first_though_the_candidate_is_nobodys_best(settings) -> None:
    settings.MATCH_TOP_K = 1
    skill = a_skill()
    band = {most: PayBandInput(Decimal(5), Decimal(most), "EUR", "hour") for most in (20, 30, 40)}
    poor, fair, good = (asking_for(skill, pay_bands=[band[most]]) for most in band)
    skilled(skill, 5)
    weak = asking(40)
    work()
    assert not Match.objects.filter(candidate=weak).exists()
    assert recommended(weak) == [good.pk, fair.pk, poor.pk]


def test_all_that_rules_accept_or_may_accept_is_ranked_by_interest_then_fit_then_tie() -> None:
    for most in (10, 20, 20, 30, 30, 60):
        paying(most, rule={"attribute": "country", "op": "in", "value": ["DE", "FR"]})
    paying(90, rule={"attribute": "country", "op": "eq", "value": "IT"})
    unknown = paying(25, rule={"attribute": "years_experience", "op": "gte", "value": 3})
    candidate = asking(country="DE")
    work()
    stored = Match.objects.filter(candidate=candidate).order_by("-interest", "-fit", "tie_break", "opportunity_id")
    assert recommended(candidate) == list(stored.values_list("opportunity_id", flat=True))
    assert len(stored) == 7
    assert unknown.pk in recommended(candidate)


def test_a_recommendation_is_explained_as_a_stored_match_is() -> None:
    opportunity = paying(30, rule={"attribute": "years_experience", "op": "gte", "value": 3})
    candidate = asking()
    work()
    found = recommendations_for(candidate, basics_at(NOW, serving_now()))
    [match] = found.matches(found.standings)
    stored = Match.objects.get(opportunity=opportunity, candidate=candidate)
    for name in (*HEADS, "contributions", "verdict", "outcome", "tie_break", "revision_id", "candidate_revision"):
        assert getattr(match, name) == getattr(stored, name), name


def test_recommendations_are_open_public_and_not_applied_to() -> None:
    applied, shown = paying(20), paying(20)
    paying(20, visibility="unlisted")
    later = paying(20, opens_at=NOW + DAY)
    withdrawn = paying(20)
    candidate = asking()
    an_application(applied, candidate)
    ended = an_application(withdrawn, candidate)
    Application.objects.filter(pk=ended.pk).update(status="withdrawn")
    assert set(recommended(candidate)) == {shown.pk, withdrawn.pk}
    assert set(recommended(candidate, NOW + 2 * DAY)) == {shown.pk, withdrawn.pk, later.pk}


def test_who_is_blocked_or_does_not_want_them_again_is_left_out() -> None:
    blocked, unwanting = an_organisation(), an_organisation()
    asking_for(a_skill(), blocked)
    asking_for(a_skill(), unwanting)
    shown = paying(20)
    candidate = asking()
    update_candidate(
        actor=actor_of(candidate),
        candidate_id=candidate.public_id,
        fields=CandidateFields(blocked_organisation_ids=[blocked.organisation.public_id]),
        now=NOW,
    )
    group = CandidateGroup.objects.create(
        organisation=unwanting.organisation, name="never again", kind=CandidateGroup.Kind.DO_NOT_REHIRE
    )
    CandidateGroupMembership.objects.create(group=group, candidate=candidate)
    assert recommended(candidate) == [shown.pk]


def test_who_was_waived_in_finds_it_too() -> None:
    opportunity = paying(20, rule={"attribute": "country", "op": "eq", "value": "IT"})
    candidate = asking(country="DE")
    assert recommended(candidate) == []
    waive_eligibility(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        candidate_id=candidate.public_id,
        reason="knows everybody",
        until=NOW + 10 * DAY,
        now=NOW,
    )
    assert recommended(candidate) == [opportunity.pk]


def test_beyond_a_bound_the_most_recently_published_are_ranked(monkeypatch) -> None:
    monkeypatch.setattr(recommendations, "MOST", 2)
    _, middle, new = (paying(most, now=NOW + timedelta(hours=n)) for n, most in enumerate((60, 20, 30)))
    assert recommended(asking(), NOW + DAY) == [new.pk, middle.pk]


def test_pages_neither_skip_nor_repeat_and_take_as_many_statements_for_many_as_for_one() -> None:
    now = timezone.now()
    first = paying(30, now)
    candidate = asking(now=now)
    asker = Asker(candidate)
    asker.ask(PAGE, first=50)
    one = asker.statements(PAGE, first=50)
    others = [paying(10 + n, now, rule={"attribute": "years_experience", "op": "gte", "value": n}) for n in range(1, 7)]
    asker.ask(PAGE, first=50)
    assert asker.statements(PAGE, first=50) == one
    seen: list[str] = []
    after = None
    while True:
        page = asker.ask(PAGE, first=3, after=after)["recommendations"]
        assert page["totalCount"] == 7
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(seen) == len(set(seen)) == len([first, *others])
    for node in page["nodes"]:
        for head in ("fit", "interest"):
            assert node[head]["score"] == sum(part["amount"] for part in node[head]["contributions"])


def test_a_recommendation_can_be_asked_for_again_by_its_id_and_by_nobody_else() -> None:
    now = timezone.now()
    paying(30, now)
    candidate, other = asking(now=now), asking(now=now)
    [node] = Asker(candidate).ask(PAGE)["recommendations"]["nodes"]
    query = "query ($id: ID!) { node(id: $id) { id ... on Match { outcome fit { score } } } }"
    found = Asker(candidate).ask(query, id=node["id"])["node"]
    assert (found["id"], found["fit"]["score"]) == (node["id"], node["fit"]["score"])
    assert Asker(other).ask(query, id=node["id"])["node"] is None
    assert Asker().ask(query, id=node["id"])["node"] is None
