"""The index of open rules follows what commits, whoever commits it and in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from threading import Thread

import pytest
from django.db import OperationalError, connection, connections, transaction

from accounts.models import Organisation
from marketplace.actions.opportunities import close_opportunity, set_eligibility_rule
from marketplace.models import Opportunity, OpportunityRevision, Skill, SkillBroader, TaxonomyRevision
from marketplace.queries.rates import current_rate_set
from marketplace.queries.rules import resolved_rule
from matching.core.eligibility import OUTCOMES, Outcome
from matching.core.facts import CandidateFacts, SkillFact
from matching.core.rules import dump
from matching.core.truth import truth
from matching.queries import open_rules
from matching.queries.open_rules import OPEN_RULES, accepting
from tests.conformance import generators
from tests.conformance.generators import Chance
from tests.marketplace.factories import (
    DAY,
    NOW,
    a_published_opportunity,
    a_skill,
    an_organisation,
    exchange_rates,
    recruiter_of,
)

pytestmark = pytest.mark.django_db

GERMAN = {"attribute": "country", "op": "eq", "value": "DE"}
FRENCH = {"attribute": "country", "op": "eq", "value": "FR"}
IN_GERMANY = CandidateFacts(1, country="DE")


@pytest.fixture(autouse=True)
def _no_rules_of_the_last_test() -> None:
    """Tests empty tables whole, which no trigger sees."""
    OPEN_RULES.forget()


def found(facts: CandidateFacts = IN_GERMANY, now=NOW) -> dict[int, Outcome]:
    return accepting(facts, now=now, rate_set=current_rate_set(on=now.date()))


def scanned(facts: CandidateFacts, now=NOW) -> dict[int, Outcome]:
    """Every open rule judged in Python."""
    rates = current_rate_set(on=now.date())
    truths = {
        one.pk: truth(resolved_rule(one.current_revision, rate_set=rates), facts, on=now.date())
        for one in Opportunity.objects.public().open_at(now).select_related("current_revision")
    }
    return {pk: OUTCOMES[holds] for pk, holds in truths.items() if holds is not False}


def ask_for(opportunity: Opportunity, rule: dict | None) -> None:
    set_eligibility_rule(actor=recruiter_of(opportunity), opportunity_id=opportunity.public_id, rule=rule, now=NOW)


def revised(*skills: Skill) -> None:
    """Write down that the taxonomy has changed."""
    last = TaxonomyRevision.objects.count()
    TaxonomyRevision.objects.create(number=last + 1, summary="test", at=NOW)


def test_generated_rules_are_found_as_by_judging_them_all_while_they_change() -> None:
    chance, by = Chance(21), an_organisation()
    skills = {number: a_skill().pk for number in generators.SKILLS}
    opportunities = [a_published_opportunity(by) for _ in range(25)]
    people = [generators.facts(chance, number) for number in range(8)]
    people = [
        CandidateFacts(
            **{
                **{name: getattr(one, name) for name in CandidateFacts.__dataclass_fields__},
                "skills": {skills.get(skill, skill): fact for skill, fact in one.skills.items()},
            }
        )
        for one in people
    ]
    for _ in range(4):
        for one in opportunities:
            if chance.number(0, 1):
                _store_rule(one, generators.rule(chance, 3), skills)
        for facts in people:
            assert found(facts) == scanned(facts)


def _store_rule(opportunity: Opportunity, rule, skills: dict[int, int]) -> None:
    raw = _with_skills(dump(rule), skills)
    last = opportunity.revisions.count()
    revision = OpportunityRevision.objects.create(
        opportunity=opportunity,
        number=last + 1,
        terms=opportunity.revisions.get(number=1).terms,
        rule=raw or None,
        created_at=NOW,
    )
    Opportunity.objects.filter(pk=opportunity.pk).update(current_revision=revision)


def _with_skills(node, skills: dict[int, int]):
    if isinstance(node, dict):
        return {
            key: skills.get(value, value) if key == "skill" else _with_skills(value, skills)
            for key, value in node.items()
        }
    return [_with_skills(one, skills) for one in node] if isinstance(node, list) else node


def test_a_rule_set_anew_counts_at_once() -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    assert found() == {opportunity.pk: Outcome.ELIGIBLE}
    ask_for(opportunity, FRENCH)
    assert found() == {}
    ask_for(opportunity, {"any": [FRENCH, {"attribute": "weekly_hours", "op": "gte", "value": 10}]})
    assert found() == {opportunity.pk: Outcome.UNKNOWN}


def test_only_what_is_open_and_public_is_found() -> None:
    shown = a_published_opportunity()
    a_published_opportunity(visibility="unlisted")
    later = a_published_opportunity(opens_at=NOW + DAY)
    closed = a_published_opportunity()
    suspended = an_organisation()
    a_published_opportunity(suspended)
    suspended.organisation.suspended_at = NOW
    suspended.organisation.save()
    assert set(found()) == {shown.pk, closed.pk}
    assert set(found(now=NOW + 2 * DAY)) == {shown.pk, closed.pk, later.pk}
    close_opportunity(actor=recruiter_of(closed), opportunity_id=closed.public_id, now=NOW)
    assert set(found()) == {shown.pk}


def test_what_is_rolled_back_is_forgotten() -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    assert set(found()) == {opportunity.pk}
    with transaction.atomic():
        ask_for(opportunity, FRENCH)
        other = a_published_opportunity(rule=GERMAN)
        assert set(found()) == {other.pk}
        transaction.set_rollback(True)
    assert set(found()) == {opportunity.pk}
    assert other.pk not in OPEN_RULES._known.index


def test_skills_that_merge_or_become_narrower_count_from_then_on() -> None:
    old, new, broad = a_skill(), a_skill(), a_skill()
    merged = a_published_opportunity(rule={"skill": old.pk, "minLevel": 2})
    narrow = a_published_opportunity(rule={"skill": broad.pk, "minLevel": 2, "narrower": True})
    able = CandidateFacts(1, skills={new.pk: SkillFact(3)})
    assert found(able) == {}
    Skill.objects.filter(pk=old.pk).update(merged_into=new)
    revised()
    assert set(found(able)) == {merged.pk}
    SkillBroader.objects.create(skill=new, broader=broad)
    revised()
    assert set(found(able)) == {merged.pk, narrow.pk}


def test_new_exchange_rates_change_what_is_paid() -> None:
    dollars = a_published_opportunity(rule={"rateWithinPay": True}, pay_bands=[_dollars(Decimal(30))])
    asking = CandidateFacts(1, country="DE", hourly_rate=Decimal(28))
    exchange_rates({"USD": Decimal("1.2")})  # 25 euros
    assert found(asking) == {}
    exchange_rates({"USD": Decimal("1.0")})
    assert set(found(asking)) == {dollars.pk}


def _dollars(maximum: Decimal):
    from marketplace.actions.opportunities import PayBandInput

    return PayBandInput(minimum=Decimal(20), maximum=maximum, currency="USD", period="hour")


def test_the_day_asked_about_counts() -> None:
    opportunity = a_published_opportunity(rule={"workAuthorisation": "DE"})
    allowed = CandidateFacts(1, work_authorisations={"DE": NOW.date()})
    assert set(found(allowed)) == {opportunity.pk}
    assert found(allowed, now=NOW + DAY) == {}
    assert set(found(allowed, now=NOW - 300 * DAY)) == {opportunity.pk}


def test_opening_times_visibility_and_suspensions_are_followed() -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    assert set(found()) == {opportunity.pk}

    rows = Opportunity.objects.filter(pk=opportunity.pk)
    for closed, opened in (
        ({"closes_at": NOW - DAY}, {"closes_at": None}),
        ({"opens_at": NOW + DAY}, {"opens_at": NOW}),
        ({"visibility": Opportunity.Visibility.UNLISTED}, {"visibility": Opportunity.Visibility.PUBLIC}),
    ):
        rows.update(**closed)
        assert found() == {}, closed
        rows.update(**opened)
        assert set(found()) == {opportunity.pk}, opened

    Organisation.objects.filter(pk=opportunity.posting_organisation_id).update(suspended_at=NOW)
    assert found() == {}


def test_asking_takes_two_statements_however_many_rules_there_are(django_assert_num_queries) -> None:
    for _ in range(3):
        a_published_opportunity(rule=GERMAN)
    found()
    with django_assert_num_queries(2):
        assert len(accepting(IN_GERMANY, now=NOW, rate_set=None)) == 3


def test_a_refresh_that_fails_leaves_no_half_index(monkeypatch) -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    found()
    ask_for(opportunity, FRENCH)
    monkeypatch.setattr(open_rules, "resolved_rules", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        found()
    monkeypatch.undo()
    assert found() == {}


def refused(opportunity: Opportunity) -> None:
    """Have it stand under a rule that an earlier version stored and that this one does not read."""
    OpportunityRevision.objects.filter(current_for=opportunity).update(rule={"shoeSize": 45})


def test_a_stored_rule_that_cannot_be_read_accepts_nobody_and_holds_up_no_other(caplog) -> None:
    broken, sound = a_published_opportunity(rule=GERMAN), a_published_opportunity(rule=GERMAN)
    with connection.cursor() as cursor:  # revisions are never rewritten; what was written once may be old
        cursor.execute("SET LOCAL session_replication_role = replica")
        refused(broken)
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert found() == {sound.pk: Outcome.ELIGIBLE}
    revision = OpportunityRevision.objects.get(current_for=broken)
    assert f"the stored rule of {revision.pk} is refused" in caplog.text
    ask_for(broken, GERMAN)
    assert set(found()) == {broken.pk, sound.pk}


def test_a_refresh_that_fails_is_taken_up_where_it_ended(monkeypatch) -> None:
    opportunities = [a_published_opportunity(rule=GERMAN) for _ in range(5)]
    monkeypatch.setattr(open_rules, "CHUNK", 2)
    asked: list[list[int]] = []
    resolve = open_rules.resolved_rules

    def cut_off(revisions, **options):
        asked.append(sorted(revisions))
        if len(asked) == 2:
            raise OperationalError("canceling statement due to statement timeout")
        return resolve(revisions, **options)

    monkeypatch.setattr(open_rules, "resolved_rules", cut_off)
    with pytest.raises(OperationalError):
        found()
    assert set(found()) == {one.pk for one in opportunities}
    assert [len(revisions) for revisions in asked] == [2, 2, 2, 1]
    assert asked[1] == asked[2]


def test_a_lost_connection_does_not_cost_the_index(monkeypatch) -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    found()
    with monkeypatch.context() as broken:
        broken.setattr(OPEN_RULES, "_changes", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            found()
    assert opportunity.pk in OPEN_RULES._known.index
    ask_for(opportunity, FRENCH)
    assert found() == {}


def test_numbers_from_another_servers_dump_are_not_read_again() -> None:
    opportunity = a_published_opportunity(rule=GERMAN)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Opportunity.objects.update(changed_xid=9_000_000_000_000)
        cursor.execute("SET LOCAL session_replication_role = origin")
    OPEN_RULES.forget()
    assert set(found()) == {opportunity.pk}
    assert not OPEN_RULES._known.unsettled
    assert [row[2] for row in OPEN_RULES._changes()] == [None]
    ask_for(opportunity, FRENCH)
    assert found() == {}


@pytest.mark.django_db(transaction=True)
def test_a_reader_whose_transaction_began_long_ago_takes_nothing_from_the_others() -> None:
    skill = a_skill()
    taught = [a_published_opportunity(rule={"skill": skill.pk, "minLevel": 2}) for _ in range(3)]
    opportunity = a_published_opportunity(rule=FRENCH)
    facts = CandidateFacts(1, country="DE", skills={skill.pk: SkillFact(3)})
    assert set(found(facts)) == {one.pk for one in taught}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT 1")
        in_another_connection(lambda: ask_for(opportunity, GERMAN))
        in_another_connection(revised)
        seen: list[set[int]] = []
        in_another_connection(lambda: seen.append(set(found(facts))))
        assert seen == [{one.pk for one in [*taught, opportunity]}]
        found(facts)  # sees neither the rule nor the revision of the taxonomy
    assert set(found(facts)) == {one.pk for one in [*taught, opportunity]}
    connection.close()


def in_another_connection(act: Callable[[], None]) -> None:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_began_earlier_and_commits_later_is_not_missed() -> None:
    early, late = a_published_opportunity(rule=FRENCH), a_published_opportunity(rule=FRENCH)
    assert found() == {}
    with transaction.atomic():
        ask_for(early, GERMAN)  # draws its number first
        in_another_connection(lambda: ask_for(late, GERMAN))
        seen: list[dict[int, Outcome]] = []
        in_another_connection(lambda: seen.append(found()))
        assert seen == [{late.pk: Outcome.ELIGIBLE}]
    assert set(found()) == {early.pk, late.pk}
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_while_rules_change_never_hear_of_a_rule_that_was_replaced() -> None:
    opportunities = [a_published_opportunity(rule=GERMAN) for _ in range(4)]
    errors: list[str] = []

    def ask() -> None:
        try:
            for _ in range(15):
                for pk in found():
                    rule = OpportunityRevision.objects.get(current_for=pk).rule
                    if rule == FRENCH and pk not in changing:
                        errors.append(f"{pk} was found by a rule that had been replaced")
        finally:
            connections.close_all()

    changing: set[int] = set()
    askers = [Thread(target=ask) for _ in range(3)]
    for one in opportunities[:2]:
        ask_for(one, FRENCH)
    for asker in askers:
        asker.start()
    for one in opportunities[2:]:
        changing.add(one.pk)  # from here on either answer is right
        ask_for(one, FRENCH)
    for asker in askers:
        asker.join()
    assert not errors
    assert found() == {}
    connection.close()
