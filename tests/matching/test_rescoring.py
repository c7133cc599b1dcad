"""Matches follow what changes: marks, drains, projections, and the true top K."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection, connections, transaction

from accounts.actions.deliveries import deliver_due
from marketplace.actions.candidates import (
    AuthorisationInput,
    CandidateFields,
    LanguageInput,
    SkillInput,
    update_candidate,
)
from marketplace.actions.offers import accept_offer, send_offer
from marketplace.actions.opportunities import OpportunityFields, close_opportunity, update_opportunity
from marketplace.actions.terms import SkillTermInput
from marketplace.core.money import Pay
from marketplace.models import Candidate, Opportunity, OpportunityRevision, Skill, TaxonomyRevision
from marketplace.queries.facts import current_rate_set, facts_of, terms_of
from matching.actions import bells, locks, marks, projection, rescoring
from matching.actions.models import live_model
from matching.actions.rescoring import candidates as candidate_rescoring
from matching.actions.rescoring import opportunities as opportunity_rescoring
from matching.core.scoring import HEADS, LinearModel, score
from matching.models import CandidateProjection, Mark, Match
from matching.queries import freshness, matches_for
from matching.queries.open_rules import OPEN_RULES
from matching.queries.projection import facts_from, projected_facts
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_skill,
    actor_of,
    an_application,
    an_organisation,
    exchange_rates,
    recruiter_of,
)
from tests.matching.staging import EUROS, asking_for, best, mark_everything, skilled, work

pytestmark = pytest.mark.django_db


def edit(candidate: Candidate, **facts) -> None:
    update_candidate(
        actor=actor_of(candidate), candidate_id=candidate.public_id, fields=CandidateFields(**facts), now=NOW
    )


def reword(opportunity: Opportunity, skill: Skill, level: int) -> None:
    """It asks for another skill from now on."""
    fields = OpportunityFields(skills=[SkillTermInput(skill.public_id, min_level=level)])
    update_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, fields=fields, now=NOW)


# Marks


def test_a_thousand_edits_make_one_mark_that_keeps_the_oldest_moment():
    for minute in range(5):
        marks.mark_candidates([7, 7, 8], NOW + timedelta(minutes=minute))
    mark = Mark.objects.get(subject_type="candidate", subject_id=7)
    assert (mark.generation, mark.since) == (5, NOW)
    assert Mark.objects.count() == 2


def test_a_mark_raised_while_it_is_worked_on_survives():
    marks.mark_candidates([7, 8], NOW)
    claimed = locks.claim_marks("candidate", 10)
    marks.mark_candidates([8], NOW)
    assert locks.release_marks(claimed) == 1
    assert list(Mark.objects.values_list("subject_id", "generation")) == [(8, 2)]


def test_who_had_a_turn_stands_in_line_again_at_once_and_only_once(monkeypatch):
    asked: list[float] = []
    monkeypatch.setattr(bells.current_app, "send_task", lambda task, *, countdown, **_: asked.append(countdown))
    bell = bells.Bell("a.task", gather_seconds=60)
    bell.ring_again()
    bell.ring_again()
    bell.ring()
    assert asked == [0]
    other = bells.Bell("a.task", gather_seconds=60)
    other.ring()
    other.ring_again()
    assert asked == [0, 60]


def test_freshness_is_the_age_of_the_oldest_mark():
    assert freshness(NOW) == timedelta()
    marks.mark_candidates([7], NOW - timedelta(minutes=3))
    marks.mark_opportunities([7], NOW - timedelta(minutes=1))
    assert freshness(NOW) == timedelta(minutes=3)


def test_a_stored_rule_that_cannot_be_read_matches_nobody_and_holds_up_no_other(caplog) -> None:
    skill = a_skill()
    broken, sound = asking_for(skill), asking_for(skill)
    candidate = skilled(skill)
    work()
    with connection.cursor() as cursor:  # revisions are never rewritten; what was written once may be old
        cursor.execute("SET LOCAL session_replication_role = replica")
        OpportunityRevision.objects.filter(current_for=broken).update(rule={"shoeSize": 45})
        cursor.execute("SET LOCAL session_replication_role = origin")
    OPEN_RULES.forget()
    mark_everything(NOW)
    rescoring.drain_all(NOW)
    assert not Mark.objects.exists()
    assert (best(broken), best(sound)) == ([], [candidate.pk])
    assert "is refused" in caplog.text


def test_a_subject_that_cannot_be_scored_does_not_hold_up_the_others(monkeypatch):
    bad, good = a_candidate(), a_candidate()
    deliver_due("rescoring", NOW)
    rescore = candidate_rescoring.rescore

    def failing(candidate_ids, now):
        if bad.pk in candidate_ids:
            raise RuntimeError("cannot")
        rescore(candidate_ids, now)

    monkeypatch.setattr(candidate_rescoring, "rescore", failing)
    rescoring.drain(NOW)
    assert list(Mark.objects.values_list("subject_id", flat=True)) == [bad.pk]
    assert CandidateProjection.objects.filter(pk=good.pk).exists()


# Projections


def test_a_projection_gives_back_exactly_the_facts_it_was_made_of():
    exchange_rates()
    skill = a_skill()
    candidate = a_candidate(
        country="DE",
        region="DE-BE",
        latitude=52.5,
        longitude=13.4,
        timezone="Europe/Berlin",
        work_starts_minute=480,
        work_ends_minute=1020,
        years_experience=Decimal("4.5"),
        weekly_hours=30,
        rate=Pay(Decimal("45.5"), "USD", "hour"),
        commitments=["full_time", "contract"],
        available_from=date(2027, 4, 1),
        skills=[SkillInput(skill.public_id, 4, Decimal("2.5"), date(2026, 1, 1))],
        languages=[LanguageInput("de", 6)],
        work_authorisations=[AuthorisationInput("DE"), AuthorisationInput("FR", date(2028, 1, 1))],
    )
    nobody = a_candidate()
    projection.refresh([candidate.pk, nobody.pk], NOW)
    facts = facts_of([candidate.pk, nobody.pk], on=NOW.date(), rate_set=current_rate_set(on=NOW.date()))
    assert {one.candidate_id: one for one in projected_facts([candidate.pk, nobody.pk])} == facts


def test_a_late_writer_never_overwrites_a_newer_projection():
    candidate = a_candidate(headline="old")
    facts = facts_of([candidate.pk], on=NOW.date(), rate_set=None)
    edit(candidate, country="FR")
    projection.refresh([candidate.pk], NOW)
    projection.write(facts, None, NOW)
    row = CandidateProjection.objects.get(pk=candidate.pk)
    assert (row.country, facts_from(row).revision) == ("FR", facts[candidate.pk].revision + 1)


# Matches


def test_everybody_who_passes_is_matched_and_explained():
    skill = a_skill()
    opportunity = asking_for(skill, rule={"attribute": "country", "op": "in", "value": ["DE", "FR"]})
    good, poor = skilled(skill, 5, country="DE"), skilled(skill, 1, country="FR")
    silent = skilled(skill, 5)
    skilled(skill, 5, country="IT")
    work()
    outcomes = dict(Match.objects.filter(opportunity=opportunity).values_list("candidate_id", "outcome"))
    assert outcomes == {good.pk: "eligible", poor.pk: "eligible", silent.pk: "unknown"}
    assert best(opportunity)[-1] == poor.pk
    for match in Match.objects.all():
        assert match.verdict["outcome"] == match.outcome
        for head in HEADS:
            assert getattr(match, head) == sum(part["amount"] for part in match.contributions[head])


def test_a_match_is_what_scoring_the_facts_gives():
    skill = a_skill()
    opportunity, candidate = asking_for(skill), skilled(skill, 2, country="DE")
    work()
    scored = score(
        facts_of([candidate.pk], on=NOW.date(), rate_set=None)[candidate.pk],
        terms_of([opportunity.pk], rate_set=None, on=NOW.date())[opportunity.pk],
        model=LinearModel.from_json(live_model().definition),
    )
    match = Match.objects.get()
    assert (match.fit, match.interest, match.acceptance) == (
        scored.fit.score,
        scored.interest.score,
        scored.acceptance.score,
    )


def test_an_applicant_is_kept_however_low_they_rank(settings):
    settings.MATCH_TOP_K = 2
    skill = a_skill()
    opportunity = asking_for(skill)
    strong = [skilled(skill, 5) for _ in range(3)]
    weak, weaker = skilled(skill, 1), skilled(skill, 1)
    an_application(opportunity, weak)
    work()
    assert set(best(opportunity)) <= {*(one.pk for one in strong), weak.pk}
    assert len(best(opportunity)) == 3
    an_application(opportunity, weaker)
    work()
    assert {weak.pk, weaker.pk} <= set(best(opportunity))
    assert len(best(opportunity)) == 4


def test_who_is_suspended_blocks_or_hides_is_no_longer_matched():
    skill, by = a_skill(), an_organisation()
    opportunity = asking_for(skill, by)
    suspended, blocking, hidden, stays = (skilled(skill) for _ in range(4))
    work()
    assert len(best(opportunity)) == 4
    Candidate.objects.filter(pk=suspended.pk).update(suspended_at=NOW)
    marks.mark_candidates([suspended.pk], NOW)
    edit(blocking, blocked_organisation_ids=[by.organisation.public_id])
    edit(hidden, discoverable=False)
    work()
    assert best(opportunity) == [stays.pk]


def test_a_closed_opportunity_keeps_no_matches():
    skill = a_skill()
    opportunity = asking_for(skill)
    skilled(skill)
    work()
    assert best(opportunity)
    close_opportunity(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW)
    work()
    assert not best(opportunity)


@pytest.mark.parametrize("k", [4, 5, 10])  # with none, one and two to spare
def test_one_change_after_another_leaves_the_best_that_scoring_everything_anew_would(settings, k: int):
    settings.MATCH_TOP_K = k
    if k == 5:  # as any that was imported: then terms are kept in memory from one batch to the next
        TaxonomyRevision.objects.create(number=1, at=NOW)
    draw = random.Random(7)
    skills = [a_skill() for _ in range(3)]
    opportunities = [asking_for(draw.choice(skills), level=draw.randint(1, 5)) for _ in range(4)]
    opportunities.append(
        asking_for(skills[0], rule={"attribute": "country", "op": "in", "value": ["DE", "FR"]}, level=2)
    )
    people = [skilled(draw.choice(skills), draw.randint(1, 5), country=draw.choice(["DE", "IT"])) for _ in range(14)]
    work()
    for step in range(10):
        for person in draw.sample(people, draw.choice([1, 1, 3])):
            kind = draw.randint(0, 3)
            if kind == 0:
                edit(person, discoverable=draw.random() < 0.6)
            elif kind == 1:
                edit(person, country=draw.choice(["DE", "IT", None]), region=None)
            else:
                skill, level = draw.choice(skills), draw.randint(1, 5)
                edit(person, skills=[SkillInput(skill.public_id, level, Decimal(1))])
        if step == 4:
            an_application(opportunities[0], people[0])
        if step % 3 == 2:
            reword(draw.choice(opportunities), draw.choice(skills), draw.randint(1, 5))
        work()
        kept = [best(one) for one in opportunities]
        with transaction.atomic():
            mark_everything(NOW)
            rescoring.drain_all(NOW)
            anew = [best(one) for one in opportunities]
            transaction.set_rollback(True)  # what is left goes on to change
        for had, has in zip(kept, anew, strict=True):
            assert had[:k] == has[:k]
            assert had == [pk for pk in has if pk in had]
            assert k >= 5 or had == has


def test_a_list_with_one_to_spare_lets_go_of_one_without_looking_for_another(settings, monkeypatch):
    settings.MATCH_TOP_K = 5
    skill = a_skill()
    opportunity = asking_for(skill)
    everybody = {one.pk: one for one in (skilled(skill, 5) for _ in range(8))}
    work()
    scored, rescore = [], opportunity_rescoring.rescore
    monkeypatch.setattr(opportunity_rescoring, "rescore", lambda ids, now: (scored.extend(ids), rescore(ids, now)))
    first, second, *others = best(opportunity)
    assert len(others) == 4
    edit(everybody[first], discoverable=False)
    work()
    assert (best(opportunity), scored) == ([second, *others], [])
    edit(everybody[second], discoverable=False)
    work()
    assert scored == [opportunity.pk]
    assert best(opportunity)[:4] == others
    assert len(best(opportunity)) == 6


def test_free_hours_change_the_matches_of_whoever_is_placed():
    skill = a_skill()
    taken, other = asking_for(skill, weekly_hours=30), asking_for(skill, weekly_hours=30)
    candidate = skilled(skill)
    application = an_application(taken, candidate)
    work()
    before = Match.objects.get(opportunity=other).fit
    offer = send_offer(actor=recruiter_of(taken), application_id=application.public_id, pay=EUROS, now=NOW)
    accept_offer(actor=actor_of(candidate), offer_id=offer.public_id, now=NOW)
    work()
    assert Match.objects.get(opportunity=other).fit < before
    assert CandidateProjection.objects.get(pk=candidate.pk).free_hours == 10


# Reading


def test_matches_come_best_first_in_a_constant_number_of_statements(django_assert_num_queries):
    skill = a_skill()
    opportunity = asking_for(skill)
    for level in (1, 5, 3):
        skilled(skill, level)
    work()
    with django_assert_num_queries(2):
        found = list(matches_for(opportunity))
        people = [match.candidate.pk for match in found]
    assert people == best(opportunity)
    assert [match.fit for match in found] == sorted((match.fit for match in found), reverse=True)


@pytest.mark.django_db(transaction=True)
def test_workers_that_drain_at_once_do_everything_and_nothing_twice():
    skill = a_skill()
    opportunities = [asking_for(skill) for _ in range(6)]
    people = [skilled(skill, 1 + number % 5) for number in range(30)]
    mark_everything(NOW)
    errors: list[Exception] = []

    def drain():
        try:
            while rescoring.drain(NOW, limit=4):
                pass
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    workers = [Thread(target=drain) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not errors
    rescoring.drain_all(NOW)
    assert not Mark.objects.exists()
    assert CandidateProjection.objects.count() == len(people)
    for opportunity in opportunities:
        assert len(best(opportunity)) == len(people)
    connection.close()
