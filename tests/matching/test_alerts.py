"""Saved searches find what is newly open to everybody, each opportunity once."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actions.deliveries import deliver_due
from accounts.actions.timers import fire_due
from accounts.models import Delivery, Event, Timer
from marketplace.actions.applications import withdraw_application
from marketplace.actions.opportunities import (
    LocationInput,
    OpportunityFields,
    PayBandInput,
    close_opportunity,
    pause_opportunity,
    reopen_opportunity,
    resume_opportunity,
    set_eligibility_rule,
    suspend_opportunity,
    update_opportunity,
    waive_eligibility,
)
from marketplace.core.money import Money
from marketplace.models import (
    Candidate,
    CandidateGroup,
    CandidateGroupMembership,
    Opportunity,
    Skill,
    SkillLabel,
    TaxonomyRevision,
)
from matching import consumers
from matching.actions.alerts import alert
from matching.actions.asked import AskedFor
from matching.actions.saved_searches import delete_saved_search, update_saved_search
from matching.core.search.filters import asks_for_skill
from matching.core.search.saved import SavedQuery
from matching.core.search.search import found
from matching.models import FoundOpportunity, SavedSearch
from matching.queries.findings import searches_finding
from matching.queries.openings import opening_under, openings_of
from matching.queries.saved_searches import SAVED_SEARCHES, search_of
from tests.marketplace.factories import (
    DAY,
    HOUR,
    NOW,
    a_candidate,
    a_draft,
    a_published_opportunity,
    a_skill,
    a_staff_actor,
    actor_of,
    an_application,
    an_organisation,
    exchange_rates,
    recruiter_of,
)
from tests.matching.staging import asking_for
from tests.matching.test_saved_searches import owner_of, saved

pytestmark = pytest.mark.django_db

GERMAN = {"attribute": "country", "op": "eq", "value": "DE"}
LATER = NOW + HOUR


@pytest.fixture(autouse=True)
def _no_searches_of_the_last_test() -> None:
    """Tests empty tables whole, which no trigger sees."""
    SAVED_SEARCHES.forget()


def work(now=LATER) -> None:
    """What the worker does for this consumer."""
    while deliver_due("alerts", now):
        pass


def finds(search: SavedSearch) -> list[int]:
    """Opportunities that a search has found, the first first."""
    return list(search.found.order_by("pk").values_list("opportunity_id", flat=True))


def edit(opportunity: Opportunity, now=LATER, **fields) -> None:
    update_opportunity(
        actor=recruiter_of(opportunity),
        opportunity_id=opportunity.public_id,
        fields=OpportunityFields(**fields),
        now=now,
    )


def test_what_is_published_is_found_by_those_who_asked_for_it():
    skill, broad = a_skill("welding"), a_skill("metalwork", kind=Skill.Kind.GROUP)
    SkillLabel.objects.create(skill=skill, label="Schweißen", folded="schweissen")
    skill.broader_links.create(broader=broad)
    works = an_organisation(name="Steel & Sons")
    asked = [
        {"text": "welder"},
        {"text": "schweissen"},
        {"text": "metalwork"},
        {"text": "steel sons"},
        {"text": "frames"},
        {"skill_ids": [skill.public_id]},
        {"where": asks_for_skill([broad.pk], or_narrower=True)},
        {"countries": ["DE"], "commitments": ["full_time", "contract"], "arrangements": ["onsite"]},
        {"organisation_id": works.organisation.public_id},
        {"min_pay": Money(Decimal(60_000), "EUR")},  # 20 to 30 EUR an hour for 40 hours a week
    ]
    others = [
        {"text": "welder nights"},
        {"text": "weld", "countries": ["FR"]},
        {"text": "weldor"},
        {"commitments": ["part_time"]},
        {"skill_ids": [broad.public_id]},
        {"skill_ids": [skill.public_id, a_skill().public_id]},
        {"organisation_id": an_organisation().organisation.public_id},
        {"min_pay": Money(Decimal(70_000), "EUR")},
    ]
    hits, misses = [saved(**one) for one in asked], [saved(**one) for one in others]
    opportunity = asking_for(skill, works, locations=[LocationInput("allowed", "DE", "DE-BE")])
    work()
    assert [finds(one) for one in hits] == [[opportunity.pk]] * len(hits)
    assert [finds(one) for one in misses] == [[]] * len(misses)


def test_the_index_finds_what_the_specification_finds_one_by_one():
    draw, works = random.Random(5), [an_organisation(), an_organisation()]
    rates = exchange_rates()
    skills = [a_skill(name) for name in ("welding", "nursing", "driving")]
    words, places = ["welder", "night", "nurse", "driving", "nursing care"], ["DE", "FR", "AT"]

    def few(options: list, most: int) -> list:
        return draw.sample(options, draw.randint(0, most))

    searches = [
        saved(
            text=" ".join(few(words, 2)),
            countries=few(places, 2),
            commitments=few(["full_time", "part_time"], 1),
            skill_ids=[one.public_id for one in few(skills, 1)],
            organisation_id=draw.choice([None, None, works[0].organisation.public_id]),
            min_pay=draw.choice([None, Money(Decimal(draw.randint(10, 60) * 1000), draw.choice(["EUR", "USD"]))]),
            eligible_only=True,
        )
        for _ in range(45)
    ]
    for _ in range(10):
        asking_for(
            draw.choice(skills),
            draw.choice(works),
            title=f"{draw.choice(words)} {draw.choice(words)}",
            commitment=draw.choice(["full_time", "part_time"]),
            locations=[LocationInput("allowed", place) for place in few(places, 2)],
            pay_bands=[PayBandInput(Decimal(draw.randint(5, 20)), Decimal(draw.randint(20, 50)), "EUR", "hour")],
        )
    openings = list(openings_of(Opportunity.objects.values_list("pk", flat=True), rate_set=rates).values())
    queries = {one.pk: search_of(SavedQuery.from_json(one.query), rate_set=rates, on=NOW.date()) for one in searches}
    answers = SAVED_SEARCHES.finding(openings, on=NOW.date(), rate_set=rates)
    for opening, answer in zip(openings, answers, strict=True):
        assert answer == {pk for pk, query in queries.items() if found(query, opening) is not None}
    assert sum(map(len, answers)) > 20


def test_an_opportunity_is_found_once_however_often_it_is_opened_again():
    search = saved()
    opportunity = a_published_opportunity()
    work()
    for number, (closes, opens) in enumerate(
        [(pause_opportunity, resume_opportunity), (close_opportunity, reopen_opportunity)] * 2
    ):
        for move in (closes, opens):
            move(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, now=NOW + number * HOUR)
        work()
    Delivery.objects.filter(consumer="alerts").update(state="pending", done_at=None)
    work()
    assert finds(search) == [opportunity.pk]
    assert alert(opportunity.pk, LATER) == 0


def test_what_was_there_when_a_search_was_saved_is_found_when_it_comes_to_match():
    opportunity = a_published_opportunity(title="Fitter")
    work()
    fitter, welder, german = saved(text="fitter"), saved(text="welder"), saved(text="fitter", countries=["DE"])
    edit(opportunity, now=NOW + HOUR, description="Fit pipes.")
    work()
    assert not FoundOpportunity.objects.exists()
    edit(opportunity, now=NOW + 2 * HOUR, title="Fitter and welder", locations=[LocationInput("allowed", "FR")])
    edit(opportunity, now=NOW + 3 * HOUR, description="Fit long pipes.")
    work(now=NOW + 4 * HOUR)
    assert [finds(one) for one in (fitter, welder, german)] == [[], [opportunity.pk], []]
    edit(opportunity, now=NOW + 5 * HOUR, locations=[LocationInput("allowed", "DE")])
    work(now=NOW + 5 * HOUR)
    assert [finds(one) for one in (fitter, welder, german)] == [[], [opportunity.pk], [opportunity.pk]]


def test_a_revision_is_found_as_the_opportunity_was():
    opportunity = asking_for(
        a_skill("welding"),
        title="Night welder",
        years_experience=Decimal("2.5"),
        starts_on=NOW.date(),
        locations=[LocationInput("allowed", "DE", "DE-BE"), LocationInput("excluded", "FR")],
    )
    before = openings_of([opportunity.pk], rate_set=None)[opportunity.pk]
    edit(opportunity, title="Day fitter", skills=[], locations=[], weekly_hours=20, starts_on=None)
    opportunity.refresh_from_db()
    assert opening_under(opportunity.revisions.get(number=1), rate_set=None) == before
    assert openings_of([opportunity.pk], rate_set=None)[opportunity.pk] != before


HIDDEN: dict[str, Callable[[Opportunity], object]] = {
    "unlisted": lambda one: Opportunity.objects.filter(pk=one.pk).update(visibility="unlisted"),
    "for the invited": lambda one: Opportunity.objects.filter(pk=one.pk).update(visibility="invited"),
    "paused": lambda one: pause_opportunity(actor=recruiter_of(one), opportunity_id=one.public_id, now=NOW),
    "closed": lambda one: close_opportunity(actor=recruiter_of(one), opportunity_id=one.public_id, now=NOW),
    "suspended": lambda one: suspend_opportunity(actor=a_staff_actor(), opportunity_id=one.public_id, now=NOW),
    "over": lambda one: Opportunity.objects.filter(pk=one.pk).update(closes_at=NOW - 1000 * DAY),
    "of a suspended organisation": lambda one: (
        type(one.posting_organisation).objects.filter(pk=one.posting_organisation_id).update(suspended_at=NOW)
    ),
    "deleted": lambda one: Opportunity.objects.filter(pk=-1),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_what_not_everybody_may_find_is_told_to_nobody(how):
    search = saved()
    opportunity = a_published_opportunity() if how != "deleted" else a_draft()
    HIDDEN[how](opportunity)
    work()
    assert alert(opportunity.pk, NOW) == alert(-1, NOW) == 0
    assert finds(search) == []


def test_what_is_shown_or_opens_later_is_found_then():
    search = saved()
    hidden = a_published_opportunity(visibility="unlisted")
    later = a_published_opportunity(opens_at=NOW + DAY)
    work()
    assert finds(search) == []
    edit(hidden, visibility="public")
    work()
    assert finds(search) == [hidden.pk]
    assert Timer.objects.get(kind="alert_opening").due_at == NOW + DAY
    edit(later, opens_at=NOW + 2 * DAY)
    fire_due(NOW + DAY)  # before the change was delivered: it sets itself anew
    assert finds(search) == [hidden.pk]
    work(now=NOW + DAY)
    fire_due(NOW + 2 * DAY)
    assert finds(search) == [hidden.pk, later.pk]


def test_nobody_is_told_of_whom_they_blocked_of_who_does_not_want_them_or_of_what_they_applied_to():
    works = an_organisation()
    blocking, unwanted, applied, withdrew, merged, suspended, closed, plain = (saved() for _ in range(8))
    blocking.candidate.blocked_organisations.add(works.organisation)
    group = CandidateGroup.objects.create(
        organisation=works.organisation, name="No", kind=CandidateGroup.Kind.DO_NOT_REHIRE
    )
    CandidateGroupMembership.objects.create(group=group, candidate=unwanted.candidate)
    Candidate.objects.filter(pk=merged.candidate_id).update(merged_into=plain.candidate)
    Candidate.objects.filter(pk=suspended.candidate_id).update(suspended_at=NOW)
    closed.candidate.user.is_active = False
    closed.candidate.user.save()
    opportunity = a_published_opportunity(works)
    an_application(opportunity, applied.candidate)
    application = an_application(opportunity, withdrew.candidate)
    withdraw_application(actor=actor_of(withdrew.candidate), application_id=application.public_id, now=NOW)
    work()
    told = [blocking, unwanted, applied, withdrew, merged, suspended, closed, plain]
    assert [bool(finds(one)) for one in told] == [False, False, False, True, False, False, False, True]


def test_who_asks_only_for_what_they_are_eligible_for_is_told_of_nothing_else():
    def asking(**facts) -> SavedSearch:
        return saved(a_candidate(**facts), text="welder", eligible_only=True)

    german, french, unknown = asking(country="DE"), asking(country="FR"), asking()
    waived, anybody = asking(country="IT"), saved()
    opportunity = a_published_opportunity(rule=GERMAN)
    waive_eligibility(
        actor=a_staff_actor(),
        opportunity_id=opportunity.public_id,
        candidate_id=waived.candidate.public_id,
        reason="knows the trade",
        until=NOW + DAY,
        now=NOW,
    )
    work()
    assert [bool(finds(one)) for one in (german, french, unknown, waived, anybody)] == [True, False, False, True, True]
    later = asking(country="DE")
    rule = {"attribute": "country", "op": "in", "value": ["DE", "FR"]}
    set_eligibility_rule(
        actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW + HOUR
    )
    work()
    assert [bool(finds(one)) for one in (german, french, unknown, later)] == [True, True, False, False]


def test_a_search_that_sends_no_mails_finds_too_and_nothing_waits_with_it():
    quiet, loud = saved(frequency="none"), saved(frequency="immediately")
    a_published_opportunity()
    alert(Opportunity.objects.get().pk, NOW)
    assert list(quiet.found.values_list("waits", flat=True)) == [False]
    assert list(loud.found.values_list("waits", flat=True)) == [True]
    due = dict(SavedSearch.objects.values_list("pk", "due_at"))
    assert due == {quiet.pk: None, loud.pk: NOW + timedelta(seconds=30)}
    other = a_published_opportunity()
    alert(other.pk, NOW + timedelta(seconds=20))
    assert SavedSearch.objects.get(pk=loud.pk).due_at == NOW + timedelta(seconds=30)


def test_the_index_follows_what_is_saved_changed_deleted_and_rolled_back():
    opportunity = a_published_opportunity()

    def hits() -> list[int]:
        return searches_finding(opportunity, now=NOW)

    assert hits() == []
    search, other = saved(), saved(text="welder frames")
    assert hits() == [search.pk, other.pk]
    update_saved_search(actor=owner_of(search), search_id=search.public_id, query=AskedFor(text="fitter"), now=NOW)
    assert hits() == [other.pk]
    with transaction.atomic():
        third = saved()
        SavedSearch.objects.filter(pk=search.pk).update(query={"text": "welder"})
        assert hits() == [search.pk, other.pk, third.pk]
        transaction.set_rollback(True)
    assert hits() == [other.pk]
    delete_saved_search(actor=owner_of(other), search_id=other.public_id, now=NOW)
    assert hits() == []


def test_a_query_that_cannot_be_read_holds_up_no_other():
    broken, fine = saved(), saved()
    SavedSearch.objects.filter(pk=broken.pk).update(query={"where": {"attribute": "mood", "op": "eq", "value": 1}})
    assert searches_finding(a_published_opportunity(), now=NOW) == [fine.pk]


def test_skills_that_are_renamed_or_merged_count_from_then_on():
    old, new = a_skill("k8s"), a_skill("kubernetes")
    by_word, by_skill = saved(text="container wrangling"), saved(skill_ids=[old.public_id])
    opportunity = asking_for(new)
    assert searches_finding(opportunity, now=NOW) == []
    SkillLabel.objects.create(skill=new, label="Container wrangling", folded="container wrangling")
    Skill.objects.filter(pk=old.pk).update(merged_into=new)
    TaxonomyRevision.objects.create(number=1, summary="test", at=NOW)
    assert searches_finding(opportunity, now=NOW) == [by_word.pk, by_skill.pk]


def test_finding_takes_as_many_statements_for_eight_searches_as_for_two():
    opportunity = a_published_opportunity(rule=GERMAN)
    edit(opportunity, title="Welder and fitter")

    def statements() -> int:
        saved(a_candidate(country="DE"), text="welder", eligible_only=True)
        saved(a_candidate(country="DE"), text="fitter", eligible_only=True)
        searches_finding(opportunity, now=LATER)
        FoundOpportunity.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            assert alert(opportunity.pk, LATER, changed_at=LATER)
        return len(captured)

    statements()
    few = statements()
    for _ in range(3):
        many = statements()
    assert many == few


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_find_once_and_a_deletion_meanwhile_harms_nobody():
    searches = [saved() for _ in range(6)]
    opportunity = a_published_opportunity()

    def tell(number: int) -> None:
        try:
            if number == 3:
                delete_saved_search(actor=owner_of(searches[0]), search_id=searches[0].public_id, now=NOW)
            else:
                alert(opportunity.pk, NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, range(4)))
    assert [finds(one) for one in searches[1:]] == [[opportunity.pk]] * 5


def test_every_event_that_opens_or_changes_an_opportunity_is_heard():
    opened = {"OpportunityPublished", "OpportunityResumed", "OpportunityReopened"}
    assert consumers.alert.events == opened | {"OpportunityUpdated", "EligibilityRuleSet"}
    a_published_opportunity()
    assert Event.objects.filter(name__in=opened, deliveries__consumer="alerts").count() == 1
