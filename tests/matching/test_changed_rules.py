"""A rule that is set anew has exactly those scored again whom it judges otherwise."""

from __future__ import annotations

import random
from contextlib import suppress
from threading import Thread

import pytest
from django.db import connection, connections

from accounts.actions.deliveries import deliver_due
from marketplace.actions.opportunities import set_eligibility_rule
from marketplace.errors import RuleRefused
from marketplace.models import Candidate, Opportunity
from matching.actions import locks, marks, rescoring
from matching.actions.models import serving_now
from matching.actions.rescoring import pairs as pair_rescoring
from matching.models import Mark, Match, PairMark
from matching.queries import freshness
from matching.queries.marks import waiting
from matching.queries.matches import rechecked
from matching.queries.roster import keeper
from matching.queries.scorable import basics_at
from tests.conformance import generators
from tests.conformance.generators import Chance
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_draft,
    a_skill,
    an_application,
    recruiter_of,
)
from tests.matching.staging import asking_for, best, mark_everything, skilled, work

pytestmark = pytest.mark.django_db


def lives_in(*places: str) -> dict:
    return {"livesIn": sorted(places)}


def ask_for(opportunity: Opportunity, rule: dict | None) -> None:
    set_eligibility_rule(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW)


def told() -> None:
    """Let the consumers hear of what happened, and the worker not yet."""
    while deliver_due("rescoring", NOW):
        pass


def marked() -> set[tuple[int, int]]:
    return set(PairMark.objects.values_list("opportunity_id", "candidate_id"))


def test_among_so_many_that_all_are_in_memory_the_opportunity_is_marked_as_a_whole(settings) -> None:
    settings.ROSTER_FROM_PEOPLE = 2
    opportunity = asking_for(a_skill(), rule=lives_in("DE"))
    people_in("DE", "FR")
    work()
    ask_for(opportunity, lives_in("FR"))
    told()
    assert not marked()
    assert Mark.objects.filter(subject_type=Mark.Subject.OPPORTUNITY).values_list("subject_id").get() == (
        opportunity.pk,
    )
    keeper.forget()


def people_in(*countries: str | None) -> list[Candidate]:
    skill = a_skill()
    return [skilled(skill, country=country) for country in countries]


def test_exactly_those_are_marked_whom_the_new_rule_judges_otherwise() -> None:
    german, french, _, silent = people_in("DE", "FR", "IT", None)
    opportunity, other = asking_for(a_skill(), rule=lives_in("DE")), asking_for(a_skill(), rule=lives_in("DE"))
    work()
    ask_for(opportunity, {"all": [lives_in("FR"), {"attribute": "weekly_hours", "op": "gte", "value": 10}]})
    told()
    assert marked() == {(opportunity.pk, german.pk), (opportunity.pk, french.pk)}
    assert not Mark.objects.exists()
    work()
    assert set(best(opportunity)) == {french.pk, silent.pk}
    assert set(best(other)) == {german.pk, silent.pk}
    assert not PairMark.objects.exists()


def test_who_becomes_unknown_or_known_is_marked_too() -> None:
    german, silent = people_in("DE", None)
    opportunity = asking_for(a_skill(), rule=lives_in("DE"))
    work()
    ask_for(opportunity, {"any": [lives_in("DE"), {"attribute": "country", "op": "exists", "value": False}]})
    told()
    assert marked() == {(opportunity.pk, silent.pk)}
    work()
    assert dict(Match.objects.values_list("candidate_id", "outcome")) == {german.pk: "eligible", silent.pk: "eligible"}


def test_an_equivalent_rule_marks_nobody() -> None:
    people_in("DE", "FR", None)
    opportunity = asking_for(a_skill(), rule=lives_in("DE", "FR"))
    work()
    ask_for(opportunity, {"not": {"not": {"any": [lives_in("DE"), lives_in("FR")]}}})
    told()
    assert not waiting()


def test_a_rule_that_changes_with_other_terms_marks_the_whole_opportunity() -> None:
    people_in("DE")
    opportunity = asking_for(a_skill(), rule=lives_in("FR"))
    work()
    Opportunity.objects.filter(pk=opportunity.pk).update(weekly_hours=20)  # not yet in any revision
    ask_for(opportunity, lives_in("DE"))
    told()
    assert not marked()
    assert Mark.objects.get().subject_id == opportunity.pk


def test_the_rule_of_a_draft_marks_nobody() -> None:
    people_in("DE")
    work()
    ask_for(a_draft(), lives_in("FR"))
    told()
    assert not waiting()


def test_rules_that_follow_each_other_before_anything_is_scored_leave_what_the_last_one_says() -> None:
    _, french, _ = people_in("DE", "FR", "IT")
    opportunity = asking_for(a_skill(), rule=lives_in("DE"))
    work()
    for country in ("FR", "IT", "FR"):
        ask_for(opportunity, lives_in(country))
    work()
    assert best(opportunity) == [french.pk]


def test_somebody_who_leaves_a_full_list_has_the_opportunity_scored_as_a_whole(settings) -> None:
    settings.MATCH_TOP_K = 2
    skill = a_skill()
    opportunity = asking_for(skill)
    first, second, third = (
        skilled(skill, level, country=country) for level, country in [(5, "DE"), (2, "FR"), (1, "FR")]
    )
    work()
    assert best(opportunity) == [first.pk, second.pk]
    ask_for(opportunity, lives_in("FR"))
    work()
    assert best(opportunity) == [second.pk, third.pk]


def test_an_applicant_whom_the_new_rule_lets_in_is_kept_below_the_best(settings) -> None:
    settings.MATCH_TOP_K = 1
    skill = a_skill()
    opportunity = asking_for(skill)
    weak, strong = skilled(skill, 1, country="FR"), skilled(skill, 5, country="DE")
    an_application(opportunity, weak)
    ask_for(opportunity, lives_in("DE"))
    work()
    assert best(opportunity) == [strong.pk]
    ask_for(opportunity, lives_in("DE", "FR"))
    work()
    assert best(opportunity) == [strong.pk, weak.pk]


def test_a_pair_marked_again_while_it_is_worked_on_survives() -> None:
    [german] = people_in("DE")
    opportunity = asking_for(a_skill(), rule=lives_in("DE"))
    work()
    ask_for(opportunity, lives_in("FR"))
    told()
    claimed = locks.claim_pair_marks(10)
    ask_for(opportunity, lives_in("DE"))
    told()
    assert locks.release_pair_marks(claimed) == 0
    assert PairMark.objects.get().generation == 2
    work()
    assert best(opportunity) == [german.pk]


def test_marks_of_pairs_count_for_the_freshness() -> None:
    [german] = people_in("DE")
    opportunity = asking_for(a_skill())
    work()
    PairMark.objects.create(opportunity=opportunity, candidate=german, since=NOW - DAY)
    marks.mark_candidates([german.pk], NOW)
    assert (freshness(NOW), waiting()) == (DAY, 2)


def test_a_pair_that_cannot_be_scored_does_not_hold_up_the_others(monkeypatch) -> None:
    german, _ = people_in("DE", "FR")
    opportunity = asking_for(a_skill())
    work()
    ask_for(opportunity, lives_in("IT"))
    told()
    rescore = pair_rescoring.rescore

    def failing(pairs, now):
        if (opportunity.pk, german.pk) in pairs:
            raise RuntimeError("cannot")
        rescore(pairs, now)

    monkeypatch.setattr(pair_rescoring, "rescore", failing)
    rescoring.drain(NOW)
    assert marked() == {(opportunity.pk, german.pk)}
    assert best(opportunity) == [german.pk]


def test_a_match_that_was_not_scored_again_tells_what_the_present_rule_asks() -> None:
    [silent] = people_in(None)
    opportunity = asking_for(a_skill(), rule={"all": [lives_in("DE")]})
    work()
    ask_for(opportunity, {"all": [lives_in("DE"), {"language": "de", "minLevel": "B1"}]})
    work()
    match = Match.objects.get(candidate=silent)
    [asked] = match.verdict["unknown"]
    [present] = rechecked([match], basics_at(NOW, serving_now())).values()
    verdict = present.verdict
    assert [one.subject for one in verdict.unknown] == [asked["subject"], "language"]
    assert verdict.basis.rule_revision == opportunity.revisions.count()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 10))])
def test_rules_changed_at_random_leave_what_scoring_everything_anew_would(settings, seed: int) -> None:
    settings.MATCH_TOP_K = 4
    draw, chance = random.Random(seed), Chance(seed)
    skill = a_skill()
    opportunities = [asking_for(skill, level=draw.randint(1, 5)) for _ in range(3)]
    people = [
        skilled(
            skill,
            draw.randint(1, 5),
            country=draw.choice(["DE", "AT", "PL", None]),
            weekly_hours=draw.choice([10, 20, 21, 40]),
        )
        for _ in range(12)
    ]
    an_application(opportunities[0], people[0])
    work()
    for _ in range(12):
        for opportunity in draw.sample(opportunities, 2):
            with suppress(RuleRefused):  # a criterion too many
                ask_for(opportunity, _rule(chance))
        if draw.random() < 0.3:
            person = draw.choice(people)
            Candidate.objects.filter(pk=person.pk).update(country=draw.choice(["DE", "AT", ""]))
            marks.mark_candidates([person.pk], NOW)
        work()
        kept = {one.pk: _rows(one) for one in opportunities}
        mark_everything(NOW)
        rescoring.drain_all(NOW)
        assert {one.pk: _rows(one) for one in opportunities} == kept


def _rule(chance: Chance) -> dict:
    """About what these people differ in."""
    leaves = [
        lives_in(*chance.some(generators.WORLD["country"], least=1)),
        {"attribute": "country", "op": "in", "value": sorted(chance.some(generators.WORLD["country"], least=1))},
        {"attribute": "weekly_hours", "op": chance.one(("gte", "lt")), "value": chance.one((20, 21, 40))},
        {"language": "de", "minLevel": "B1"},
    ]
    kind = chance.one(("all", "any"))
    return {kind: chance.some(leaves, least=2)}


def _rows(opportunity: Opportunity) -> list[tuple]:
    return list(
        Match.objects.filter(opportunity=opportunity)
        .order_by("candidate_id")
        .values_list("candidate_id", "fit", "outcome")
    )


def test_a_rule_that_changes_while_candidates_are_scored_takes_those_along_who_are_marked() -> None:
    _, french = people_in("DE", "FR")
    opportunity = asking_for(a_skill(), rule=lives_in("DE"))
    work()
    ask_for(opportunity, {"any": [lives_in("DE"), lives_in("AT")]})
    marks.mark_candidates([french.pk], NOW)
    told()
    assert not marked()
    ask_for(opportunity, lives_in("DE"))
    with_batch_at_work = locks.nobody_is_alone
    try:
        locks.nobody_is_alone = lambda: False  # a batch that may have read the rule as it was
        told()
    finally:
        locks.nobody_is_alone = with_batch_at_work
    assert marked() == {(opportunity.pk, french.pk)}


@pytest.mark.django_db(transaction=True)
def test_rules_that_change_while_workers_drain_are_all_scored_in_the_end() -> None:
    skill = a_skill()
    people = [skilled(skill, 1 + n % 5, country=country) for n, country in enumerate(["DE", "FR", "IT", None] * 3)]
    opportunities = [asking_for(skill, rule=lives_in("DE")) for _ in range(3)]
    work()
    errors: list[Exception] = []

    def in_thread(act) -> Thread:
        def run() -> None:
            try:
                act()
            except Exception as error:
                errors.append(error)
            finally:
                connections.close_all()

        thread = Thread(target=run)
        thread.start()
        return thread

    def change() -> None:
        draw = random.Random(4)
        for _ in range(10):
            ask_for(draw.choice(opportunities), lives_in(*draw.sample(["DE", "FR", "IT"], draw.randint(1, 3))))
            Candidate.objects.filter(pk=draw.choice(people).pk).update(country=draw.choice(["DE", "FR", ""]))
            marks.mark_candidates([draw.choice(people).pk], NOW)

    def drain() -> None:
        for _ in range(15):
            told()
            rescoring.drain(NOW, limit=3)

    for thread in [in_thread(change), in_thread(drain), in_thread(drain)]:
        thread.join()
    assert not errors
    marks.mark_candidates([one.pk for one in people], NOW)  # countries were written past the actions
    work()
    kept = {one.pk: _rows(one) for one in opportunities}
    mark_everything(NOW)
    rescoring.drain_all(NOW)
    assert {one.pk: _rows(one) for one in opportunities} == kept
    connection.close()
