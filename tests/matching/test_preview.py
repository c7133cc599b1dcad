"""What a rule would do, counted before it is set; and what was shown, logged."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import product
from uuid import uuid4

import numpy as np
import pycountry
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.core.actor import Actor
from accounts.errors import NotFound, NotPermitted
from marketplace.actions.groups import standard_group
from marketplace.core.money import Pay
from marketplace.errors import RuleRefused
from matching.core.columns import CriterionCounts, Split
from matching.core.rules import dump, literals, load, normal, parse
from matching.core.suppression import FEW, FEWEST, Told, told, told_all
from matching.queries import preview as module
from matching.queries.preview import Preview, preview
from matching.queries.roster import Roster
from tests.conformance.evaluators import stored
from tests.conformance.generators import Chance, facts
from tests.conformance.generators import rule as drawn_rule
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_draft,
    a_staff_actor,
    actor_of,
    an_organisation,
)
from tests.matching.staging import work

pytestmark = pytest.mark.django_db

STAFF = Actor(is_staff=True)
IN_GERMANY = {"attribute": "country", "op": "eq", "value": "DE"}
FULL_TIME = {"attribute": "weekly_hours", "op": "gte", "value": 35}
WITHIN_PAY = {"rateWithinPay": True}


def values(*counts: Told) -> tuple[int | None, ...]:
    return tuple(count.value for count in counts)


def test_a_rule_is_counted_with_what_each_criterion_keeps_out():
    for country, hours in [("DE", 40), ("DE", 20), ("FR", 40), ("FR", 40), ("FR", 20), (None, 40), ("DE", None)]:
        a_candidate(country=country, weekly_hours=hours)
    a_candidate(country="DE", weekly_hours=40, discoverable=False)
    work()
    found = preview({"all": [IN_GERMANY, FULL_TIME]}, actor=a_staff_actor(), now=NOW)
    assert values(found.eligible, found.unknown, found.ineligible) == (1, 2, 4)
    country, hours = found.per_criterion
    assert [country.path, hours.path] == ["$.all[0]", "$.all[1]"]
    assert values(country.fail, country.unknown, country.alone, country.gain) == (3, 1, 2, 3)
    assert values(hours.fail, hours.unknown, hours.alone, hours.gain) == (2, 1, 1, 2)
    assert country.sentence == "country Germany"
    assert found.relaxations[0].path == "$.all[0]"
    assert found.relaxations[0].rule["all"][0]["value"] == ["DE", "FR"]
    assert found.relaxations[0].gain.value == 2


def test_an_empty_rule_is_open_to_all_who_can_be_found():
    by = an_organisation()
    for _ in range(10):
        a_candidate()
    a_candidate(blocked_organisation_ids=[by.organisation.public_id])
    work()
    found = preview(None, actor=by.actor, now=NOW)
    assert values(found.eligible, found.unknown, found.ineligible) == (10, 0, 0)
    assert found.per_criterion == found.relaxations == ()
    assert preview(None, actor=a_staff_actor(), now=NOW).eligible.value == 11


def test_relaxations_are_rules_with_more_people_and_the_least_given_up_comes_first():
    for years in (5, 4, 4, 4, 3, 1, 1, 1, 1):
        a_candidate(years_experience=years)
    work()
    rule = {"attribute": "years_experience", "op": "gte", "value": 5}
    found = preview(rule, actor=STAFF, now=NOW).relaxations
    assert [(one.before, one.after, one.gain.value) for one in found] == [
        ("experience at least 5 years", "experience at least 4 years", 3),
        ("experience at least 5 years", "experience at least 3 years", 4),
        ("experience at least 5 years", None, 8),
    ]
    assert [preview(one.rule, actor=STAFF, now=NOW).eligible.value for one in found] == [4, 5, 9]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_every_relaxation_of_a_generated_rule_gains_what_it_says(seed):
    chance = Chance(seed)
    stored(60, lambda candidate_id: facts(chance, candidate_id))
    told_of = 0
    for _ in range(12):
        asked = dump(drawn_rule(chance, 3))
        try:
            parse(asked, known_skills=range(10))
        except module.InvalidRule:
            continue
        found = counted(asked)
        for one in found.relaxations:
            assert one.gain.value == counted(one.rule).eligible.value - found.eligible.value, (asked, one)
            told_of += 1
    assert told_of


def counted(raw: dict) -> Preview:
    """A preview of a rule whose skills and groups need not exist, with the pay that the generators pay."""
    return module.previewed(load(raw), module.Grounds(ceilings=()), actor=STAFF, now=NOW)


@pytest.mark.parametrize("seed", range(3))
def test_the_roster_and_sql_give_the_same_preview(seed, monkeypatch):
    chance = Chance(seed)
    stored(60, lambda candidate_id: facts(chance, candidate_id))
    roster = Roster(most_bytes=2**30)
    roster.build()
    for _ in range(10):
        asked = dump(drawn_rule(chance, 3))
        in_sql = counted(asked)
        with monkeypatch.context() as patched:
            patched.setattr(module.keeper, "crowd", roster.crowd)
            assert counted(asked) == in_sql, asked


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
    for spying in (rule, {"attribute": "groups", "op": "exists", "value": True}):
        with pytest.raises(RuleRefused) as refused:
            preview({"all": [IN_GERMANY, spying]}, actor=by.actor, now=NOW)
        assert [(fault["path"], fault["code"]) for fault in refused.value.data["faults"]] == [
            ("$.all[1]", "UNKNOWN_GROUP")
        ]
    assert preview(rule, actor=rival.actor, now=NOW).eligible == FEW
    with pytest.raises(RuleRefused):
        preview(rule, actor=STAFF, now=NOW, opportunity_id=a_draft(by).public_id)


def test_a_rule_about_pay_needs_an_opportunity_that_one_recruits_for():
    by, rival = an_organisation(), an_organisation()
    for rate in (25, 35):
        a_candidate(country="DE", rate=rate_of(rate))
    work()
    opportunity = a_draft(by)  # pays at most 30 an hour
    rule = {"all": [IN_GERMANY, {"not": WITHIN_PAY}]}
    with pytest.raises(RuleRefused) as refused:
        preview(rule, actor=STAFF, now=NOW)
    [fault] = refused.value.data["faults"]
    assert (fault["path"], fault["code"]) == ("$.all[1].not", "NEEDS_OPPORTUNITY")
    found = preview(rule, actor=STAFF, now=NOW, opportunity_id=opportunity.public_id)
    assert values(found.eligible, found.unknown, found.ineligible) == (1, 0, 1)
    with pytest.raises(NotFound):
        preview(rule, actor=rival.actor, now=NOW, opportunity_id=opportunity.public_id)
    with pytest.raises(NotFound):
        preview(rule, actor=by.actor, now=NOW, opportunity_id=uuid4())


def rate_of(amount: int) -> Pay:
    return Pay(Decimal(amount), "EUR", "hour")


def test_the_number_of_statements_does_not_grow_with_the_people(django_assert_max_num_queries):
    for _ in range(3):
        a_candidate(country="DE")
    work()
    with django_assert_max_num_queries(5):
        preview({"all": [IN_GERMANY, FULL_TIME]}, actor=STAFF, now=NOW)


# What those who recruit are told


SIZES = (0, 1, 5, 9, 10, 11, 19, 20, 50, 999, 10_000, 123_456)


def test_nobody_who_subtracts_from_all_learns_a_count_under_ten():
    for parts in product(SIZES, repeat=3):
        split = Split(*parts)
        shown = told(split)
        cells = (shown.eligible, shown.unknown, shown.ineligible)
        open_sum = sum(part for part, cell in zip(parts, cells, strict=True) if not cell.exact)
        for part, cell in zip(parts, cells, strict=True):
            assert (cell == FEW) == (part < FEWEST)
        if FEW in cells:
            assert [cell.exact for cell in cells].count(False) >= 2, split
            assert open_sum >= 2 * FEWEST or not any(cell.exact for cell in cells), split


def test_an_estimate_is_within_five_in_a_hundred_and_what_is_told_is_true():
    for parts in product(SIZES, repeat=3):
        shown = told(Split(*parts))
        for part, cell in zip(parts, (shown.eligible, shown.unknown, shown.ineligible), strict=True):
            if cell.value is not None:
                assert cell.value == part if cell.exact else (abs(cell.value - part) <= part / 20 and part >= 10_000)
            assert cell.at_most is None or part <= cell.at_most
            assert cell.label
    assert told_all(9).eligible == FEW
    assert told_all(10).eligible.value == 10


def test_a_hidden_count_does_not_follow_from_the_counts_of_two_criteria():
    """All that an answer says is a system of equations: no hidden small number may be determined by it."""
    rule = load({"all": [IN_GERMANY, FULL_TIME]})
    telling = module.Telling(rule, module.NO_NAMES, openly=False)
    first, second = literals(normal(rule))
    rng = random.Random(7)
    hidden = 0
    for _ in range(1_500):
        cells = {pair: rng.choice((0, 0, 1, 3, 9, 12, 40, 300)) for pair in product("tuf", repeat=2)}
        whole = Split(
            cells["t", "t"], sum(n for pair, n in cells.items() if "u" in pair and "f" not in pair),
            sum(n for pair, n in cells.items() if "f" in pair),
        )  # fmt: skip
        one, two = (Split(*(sum(n for pair, n in cells.items() if pair[at] == way) for way in "tuf")) for at in (0, 1))
        shown = telling.rule_split(whole)
        a = telling.criterion(CriterionCounts(first, one, two), whole)
        b = telling.criterion(CriterionCounts(second, two, one), whole)
        names = ["E", "U", "I", "f1", "u1", "a1", "g1", "f2", "u2", "a2", "g2"]
        counts = [shown.eligible, shown.unknown, shown.ineligible]
        for each in (a, b):
            counts += [each.fail, each.unknown, each.alone, each.gain]
        identities = [{"E": 1, "U": 1, "I": 1}, {"a1": 1, "I": -1, "f2": 1}, {"a2": 1, "I": -1, "f1": 1}]
        identities += [{"g1": 1, "E": 1, "f2": 1, "u2": 1}, {"g2": 1, "E": 1, "f1": 1, "u1": 1}]
        rows = [[identity.get(name, 0) for name in names] for identity in identities]
        rows += [unit(at) for at, count in enumerate(counts) if count.exact]
        rows += [
            np.add(unit(0), unit(at)).tolist() for at in (6, 10) if counts[at].at_most and counts[at] != FEW
        ]  # eligible without it
        rank = np.linalg.matrix_rank(np.array(rows))
        for at, count in enumerate(counts):
            if count == FEW:
                hidden += 1
                assert np.linalg.matrix_rank(np.array([*rows, unit(at)])) > rank, (cells, names[at], counts)
    assert hidden > 100


def unit(at: int) -> list[int]:
    return [int(place == at) for place in range(11)]


def test_recruiters_are_told_labels_where_staff_see_numbers():
    by = an_organisation()
    for hours in [40] * 12 + [20] * 30 + [30] * 3:
        a_candidate(weekly_hours=hours)
    work()
    rule = {"attribute": "weekly_hours", "op": "gte", "value": 41}
    found, openly = (preview(rule, actor=actor, now=NOW) for actor in (by.actor, STAFF))
    assert found.eligible == FEW
    assert (found.eligible.label, found.ineligible.label) == ("fewer than 10", "at most 45")
    assert values(openly.eligible, openly.unknown, openly.ineligible) == (0, 0, 45)
    [first, *_] = found.relaxations
    assert (first.after, first.gain.value, first.gain.at_most) == ("hours wanted at least 36 hours a week", None, 45)
    assert openly.relaxations[0].gain.value == 12


def test_the_largest_rule_is_counted_in_statements_that_stay_small() -> None:
    """Where no roster stands: every criterion is asked once a statement, however many rules are made of it."""
    a_candidate(country="DE")
    work()
    codes = sorted(region.code for region in pycountry.subdivisions)
    lists = [codes[first : first + 200] for first in range(64)]
    with CaptureQueriesContext(connection) as captured:
        found = preview({"all": [{"not": {"livesIn": each}} for each in lists]}, actor=STAFF, now=NOW)
    assert len(found.per_criterion) == 40
    # One criterion takes some three kilobytes, and is asked for where it holds and where it fails.
    assert sum(len(each["sql"]) for each in captured) < 5_000_000
