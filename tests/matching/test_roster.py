"""The roster follows the database: whatever has committed is in it, in whatever order it did."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.test import override_settings

from accounts.core.actor import Actor
from marketplace.models import Candidate
from matching.core.columns import JudgedRule
from matching.core.rules import normal
from matching.models import CandidateProjection, Departure
from matching.queries import roster as module
from matching.queries.eligibility import CountedRule, found_by
from matching.queries.roster import Keeper, Outrun, Roster, TooLarge
from tests.conformance.evaluators import stored
from tests.conformance.generators import TODAY, Chance, facts, rule

STAFF = Actor(is_staff=True)


def a_roster(people: int = 40, seed: int = 1) -> tuple[Roster, Chance]:
    chance = Chance(seed)
    stored(people, lambda candidate_id: facts(chance, candidate_id))
    roster = Roster(most_bytes=2**30)
    roster.build()
    return roster, chance


def check(roster: Roster, chance: Chance, rules: int = 12) -> None:
    crowd = roster.crowd()
    assert crowd.people == found_by(STAFF).count()
    for _ in range(rules):
        tree = normal(rule(chance))
        counted = CountedRule(tree, found_by(STAFF), TODAY).criteria([])
        assert JudgedRule(tree, crowd, TODAY).criteria([]) == counted


def change(pk: int, **columns: object) -> None:
    assert CandidateProjection.objects.filter(pk=pk).update(**columns)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
def test_random_changes_merges_and_departures_are_followed(seed):
    roster, chance = a_roster(seed=seed)
    rng = random.Random(seed)
    for _ in range(25):
        with transaction.atomic():
            for pk in rng.sample(list(CandidateProjection.objects.values_list("pk", flat=True)), rng.randint(1, 6)):
                match rng.randint(0, 5):
                    case 0:
                        CandidateProjection.objects.filter(pk=pk).delete()
                    case 1:
                        change(pk, present=rng.random() < 0.5)
                    case 2:
                        change(pk, discoverable=rng.random() < 0.5)
                    case _:
                        change(
                            pk, weekly_hours=rng.choice([None, 10, 20, 21, 40]), country=rng.choice(["DE", "AT", None])
                        )
            stored(rng.randint(0, 4), lambda candidate_id: facts(chance, candidate_id))
        check(roster, chance, rules=3)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_began_early_and_commits_late_is_not_missed():
    roster, chance = a_roster()
    early, late = CandidateProjection.objects.order_by("pk").values_list("pk", flat=True)[:2]
    wrote, go = Event(), Event()

    def first() -> None:
        try:
            with transaction.atomic():
                change(early, weekly_hours=1)
                wrote.set()
                assert go.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(first)
        assert wrote.wait(20)
        change(late, weekly_hours=2)
        check(roster, chance)  # the later one is in, the earlier one is not seen yet
        change(late, weekly_hours=3)
        check(roster, chance)
        go.set()
        running.result(20)
    check(roster, chance)
    [hours] = hours_in(roster, early)
    assert hours == 1


@pytest.mark.django_db(transaction=True)
def test_an_earlier_transaction_may_bring_back_whom_a_later_one_removed():
    roster, chance = a_roster()
    pk = CandidateProjection.objects.order_by("pk").values_list("pk", flat=True)[0]
    row = CandidateProjection.objects.get(pk=pk)
    began, go = Event(), Event()

    def first() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_current_xact_id()")  # its number is drawn now
                began.set()
                assert go.wait(20)
                CandidateProjection.objects.bulk_create([row])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(first)
        assert began.wait(20)
        CandidateProjection.objects.filter(pk=pk).delete()
        check(roster, chance)
        assert hours_in(roster, pk) == []
        go.set()
        running.result(20)
    check(roster, chance)
    assert len(hours_in(roster, pk)) == 1


def hours_in(roster: Roster, pk: int) -> list[int | None]:
    """The hours of one person, from whichever segment holds them now."""
    roster.crowd()
    found: list[int | None] = []
    for part in roster._parts:
        for row in part.leaves.segment.rows_of(module.np.array([pk])):
            numbers = part.leaves.segment.numbers["weekly_hours"]
            if part.live[row]:
                missing = bool(numbers.missing[row])
                found.append(None if missing else int(numbers.stored[row]) * numbers.unit // 10_000)
    return found


@pytest.mark.django_db
def test_what_the_asking_transaction_wrote_itself_is_in():
    roster, chance = a_roster()
    pk = CandidateProjection.objects.order_by("pk").values_list("pk", flat=True)[0]
    for hours in (5, 6):
        change(pk, weekly_hours=hours)
        assert hours_in(roster, pk) == [hours]
    check(roster, chance)


@pytest.mark.django_db(transaction=True)
def test_what_the_asking_transaction_wrote_is_neither_kept_after_a_rollback_nor_told_to_others():
    roster, chance = a_roster()
    pk, *_ = CandidateProjection.objects.filter(discoverable=True, present=True).values_list("pk", flat=True)
    change(pk, weekly_hours=7)
    assert hours_in(roster, pk) == [7]
    others: list[list[int | None]] = []

    def another() -> None:
        try:
            others.append(hours_in(roster, pk))
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as threads:
        change(pk, weekly_hours=8)
        assert hours_in(roster, pk) == [8]
        threads.submit(another).result(20)
        assert others == [[7]]
        assert hours_in(roster, pk) == [8]
        transaction.set_rollback(True)
    assert hours_in(roster, pk) == [7]
    check(roster, chance)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_read_twice_while_a_long_transaction_holds_the_horizon(monkeypatch):
    roster, _ = a_roster()
    roster.crowd()  # other databases of the server may hold the horizon, too: read once what was written meanwhile
    pks = list(CandidateProjection.objects.order_by("pk").values_list("pk", flat=True)[:6])
    read: list[list[int]] = []
    segment_of = module.segment_of
    monkeypatch.setattr(module, "segment_of", lambda ids: (read.append(sorted(ids)), segment_of(ids))[1])
    wrote, go = Event(), Event()

    def long() -> None:
        try:
            with transaction.atomic():
                change(pks[5], weekly_hours=1)
                wrote.set()
                assert go.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(long)
        assert wrote.wait(20)
        for pk in pks[:3]:
            change(pk, weekly_hours=9)
            roster.crowd()
        roster.crowd()
        go.set()
        running.result(20)
    roster.crowd()
    assert read == [[pks[0]], [pks[1]], [pks[2]], [pks[5]]]


@pytest.mark.django_db(transaction=True)
def test_numbers_from_another_servers_dump_are_passed_over(monkeypatch):
    roster, chance = a_roster()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE matching_candidateprojection SET changed_xid = 9000000000000")
        cursor.execute("RESET session_replication_role")
    monkeypatch.setattr(module, "segment_of", lambda ids: pytest.fail("was read again"))
    roster.crowd()
    monkeypatch.undo()
    pk = CandidateProjection.objects.order_by("pk").values_list("pk", flat=True)[0]
    change(pk, weekly_hours=33)
    assert hours_in(roster, pk) == [33]
    check(roster, chance)


@pytest.mark.django_db(transaction=True)
def test_segments_stay_few_however_often_people_change():
    roster, chance = a_roster(60)
    pks = list(CandidateProjection.objects.values_list("pk", flat=True))
    for turn in range(60):
        change(pks[turn], weekly_hours=turn)
        roster.crowd()
    assert len(roster._parts) <= 5
    check(roster, chance)


@pytest.mark.django_db
def test_those_left_out_are_not_counted():
    roster, _ = a_roster(10)
    pks = list(found_by(STAFF).values_list("pk", flat=True))
    assert roster.crowd(without=[pks[0], pks[3], 0]).people == 8
    assert roster.crowd().people == 10


@pytest.mark.django_db
def test_a_roster_beyond_its_memory_is_not_built():
    stored(3, lambda candidate_id: facts(Chance(1), candidate_id))
    with pytest.raises(TooLarge):
        Roster(most_bytes=100).build()


@pytest.mark.django_db
def test_too_many_changes_ask_for_a_new_roster(monkeypatch):
    roster, _ = a_roster(3)
    monkeypatch.setattr(module, "MOST_NEWS", 2)
    CandidateProjection.objects.update(weekly_hours=1)
    with pytest.raises(Outrun):
        roster.crowd()


@pytest.mark.django_db(transaction=True)
def test_the_first_who_asks_has_it_built_and_nobody_waits(monkeypatch):
    keeper, go = Keeper(), Event()
    stored(3, lambda candidate_id: facts(Chance(1), candidate_id))
    build: Callable[[Roster], None] = Roster.build
    monkeypatch.setattr(Roster, "build", lambda self: (go.wait(20), build(self))[1])
    with override_settings(ROSTER_FROM_PEOPLE=3, ROSTER_MEGABYTES=64):
        assert keeper.crowd() is None
        assert keeper.crowd() is None
        go.set()
        keeper.wait()
        crowd = keeper.crowd()
        assert crowd is not None
        assert crowd.people == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("settings", [{"ROSTER_FROM_PEOPLE": 4}, {"ROSTER_MEGABYTES": 0}])
def test_few_people_and_no_memory_need_no_roster(settings):
    keeper = Keeper()
    stored(3, lambda candidate_id: facts(Chance(1), candidate_id))
    with override_settings(**{"ROSTER_FROM_PEOPLE": 1, "ROSTER_MEGABYTES": 64, **settings}):
        assert keeper.crowd() is None
        keeper.wait()
        assert keeper.crowd() is None


@pytest.mark.django_db(transaction=True)
def test_a_roster_that_cannot_be_built_is_not_tried_again_at_once(monkeypatch, caplog):
    keeper, tries = Keeper(), []

    def fail(self: Roster) -> None:
        tries.append(self)
        raise TooLarge("too many")

    stored(1, lambda candidate_id: facts(Chance(1), candidate_id))
    monkeypatch.setattr(Roster, "build", fail)
    with override_settings(ROSTER_FROM_PEOPLE=1, ROSTER_MEGABYTES=64):
        for _ in range(3):
            assert keeper.crowd() is None
            keeper.wait()
    assert len(tries) == 1
    assert "counted in SQL" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_candidate_who_is_deleted_departs():
    roster, chance = a_roster()
    pk = found_by(STAFF).values_list("pk", flat=True)[0]
    Candidate.objects.filter(pk=pk).delete()
    assert Departure.objects.filter(candidate_id=pk).exists()
    assert hours_in(roster, pk) == []
    check(roster, chance)
