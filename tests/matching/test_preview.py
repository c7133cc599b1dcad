"""What a rule would do, counted before it is set; and what was shown, logged."""

from __future__ import annotations

import pytest

from accounts.core.actor import Actor
from accounts.errors import NotPermitted
from marketplace.actions.groups import standard_group
from marketplace.errors import RuleRefused
from matching.actions.decisions import log_shown
from matching.models import Decision
from matching.queries import matches_for
from matching.queries.eligibility import preview
from tests.marketplace.factories import NOW, a_candidate, a_skill, actor_of, an_organisation
from tests.matching.staging import asking_for, skilled, work

pytestmark = pytest.mark.django_db

IN_GERMANY = {"attribute": "country", "op": "eq", "value": "DE"}
FULL_TIME = {"attribute": "weekly_hours", "op": "gte", "value": 35}


def test_a_rule_is_counted_with_what_each_criterion_keeps_out():
    for country, hours in [("DE", 40), ("DE", 20), ("FR", 40), ("FR", 40), ("FR", 20), (None, 40), ("DE", None)]:
        a_candidate(country=country, weekly_hours=hours)
    a_candidate(country="DE", weekly_hours=40, discoverable=False)
    work()
    found = preview({"all": [IN_GERMANY, FULL_TIME]}, actor=an_organisation().actor, now=NOW)
    assert (found.eligible, found.unknown, found.ineligible) == (1, 2, 4)
    country, hours = found.per_criterion
    assert (country.path, country.fail, country.unknown, country.alone, country.gain) == ("$.all[0]", 3, 1, 2, 3)
    assert (hours.path, hours.fail, hours.unknown, hours.alone, hours.gain) == ("$.all[1]", 2, 1, 1, 2)
    assert found.binding == country
    assert country.sentence


def test_an_empty_rule_is_open_to_all_who_can_be_found():
    by = an_organisation()
    a_candidate()
    a_candidate(blocked_organisation_ids=[by.organisation.public_id])
    work()
    found = preview(None, actor=by.actor, now=NOW)
    assert (found.eligible, found.unknown, found.ineligible, found.per_criterion) == (1, 0, 0, ())
    assert found.binding is None


@pytest.mark.parametrize(
    "rule",
    [
        {"attribute": "age", "op": "lt", "value": 30},
        {"attribute": "country", "op": "eq", "value": 7},
        {"skill": 999_999_999},
        {"any": []},
        [],
        "country",
    ],
)
def test_a_rule_that_could_not_be_set_is_refused(rule):
    with pytest.raises(RuleRefused):
        preview(rule, actor=an_organisation().actor, now=NOW)


def test_only_recruiters_ask_and_nobody_reads_another_organisations_lists():
    by, rival = an_organisation(), an_organisation()
    group = standard_group(actor=rival.actor, organisation_id=rival.organisation.public_id, kind="favourites")
    rule = {"attribute": "groups", "op": "eq", "value": group.pk}
    for actor in (Actor.anonymous(), actor_of(a_candidate())):
        with pytest.raises(NotPermitted):
            preview(IN_GERMANY, actor=actor, now=NOW)
    with pytest.raises(RuleRefused):
        preview(rule, actor=by.actor, now=NOW)
    assert preview(rule, actor=rival.actor, now=NOW).eligible == 0


def test_the_number_of_statements_does_not_grow_with_the_people(django_assert_num_queries):
    actor = an_organisation().actor
    for _ in range(3):
        a_candidate(country="DE")
    work()
    with django_assert_num_queries(2):
        preview({"all": [IN_GERMANY, FULL_TIME]}, actor=actor, now=NOW)


def test_what_was_shown_is_logged_with_its_rank_and_its_features():
    skill, by = a_skill(), an_organisation()
    opportunity = asking_for(skill, by)
    people = {skilled(skill, level).pk for level in (1, 3, 5)}
    work()
    page = list(matches_for(opportunity))
    assert log_shown(actor=by.actor, surface="matches", matches=page, first_rank=11, now=NOW) == 3
    rows = list(Decision.objects.order_by("rank"))
    assert [(row.rank, row.candidate_id) for row in rows] == [
        (11 + at, one.candidate_id) for at, one in enumerate(page)
    ]
    assert {row.candidate_id for row in rows} == people
    assert all(row.viewer_id == by.user.pk and row.propensity == 1.0 for row in rows)
    assert all(0 <= value <= 1000 for row in rows for value in row.features.values())
    assert "required_skills" in rows[0].features
