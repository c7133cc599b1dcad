"""Statements that are put together once find what their querysets find."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api.connections import NEWEST, Key, Order, nested_page, visible_by_id
from accounts.api.peers import together
from accounts.core.actor import Actor
from accounts.models import Membership, Organisation
from accounts.queries.planned import FEW
from accounts.queries.prepared import KEYS, THE_KEY, Gap, IsAmong, prepare, stand_in
from marketplace.access import visible_applications, visible_candidates, visible_offers, visible_opportunities
from marketplace.models import Application, Candidate, Opportunity
from tests.marketplace.factories import a_candidate, a_published_opportunity, actor_of, an_application, an_organisation

pytestmark = pytest.mark.django_db


def test_values_stand_where_the_gaps_were() -> None:
    by, other = an_organisation(now=timezone.now()), an_organisation(now=timezone.now())
    statement = prepare(Membership.objects.filter(user_id=Gap("user")).values_list("pk", "organisation_id"))
    for one in (by, other):
        (found,) = statement.tuples(user=one.user.pk)
        assert found[1] == one.organisation.pk
    assert statement.tuples(user=0) == []


@pytest.mark.parametrize("text", ["100 %", "%s", "it's", 'a "b"', "back\\slash", "%%s %(name)s", "é"])
def test_values_that_stay_are_written_out(text: str) -> None:
    Organisation.objects.filter(pk=an_organisation(now=timezone.now()).organisation.pk).update(name=text)
    statement = prepare(
        Organisation.objects.filter(Q(name=text), IsAmong(Gap("ids", KEYS))).values_list("name", flat=True)
    )
    ids = list(Organisation.objects.values_list("pk", flat=True))
    assert statement.tuples(ids=ids) == [(text,)]
    assert statement.tuples(ids=[]) == []


def test_nothing_is_asked_where_nothing_can_be_found() -> None:
    statement = prepare(visible_applications(stand_in(Actor.anonymous())))
    with CaptureQueriesContext(connection) as statements:
        assert statement.instances(user=None) == []
        assert statement.for_each("keys", order=[], limit="limit").tuples(keys=[1], limit=3, user=None) == []
    assert not statements.captured_queries


def test_postgres_keeps_the_plan_for_few_keys() -> None:
    statement = prepare(Organisation.objects.filter(IsAmong(Gap("ids", KEYS))).order_by())
    for ids in (list(range(FEW + 1)), [1], [1]):
        assert _kept() == 0
        statement.tuples(ids=ids)
    assert _kept() == 1


def _kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%accounts_organisation%'")
        found: int = cursor.fetchone()[0]
    return found


def test_columns_come_as_the_model_has_them() -> None:
    person = a_candidate(now=timezone.now(), phone="+49 30 1234567")
    (row,) = prepare(Candidate.objects.filter(pk=Gap("pk"))).instances(pk=person.pk)
    assert row.phone == "+49 30 1234567"  # sealed
    assert row.commitments == Candidate.objects.get(pk=person.pk).commitments  # an array
    assert row.created_at == person.created_at
    assert row == person
    assert not row.get_deferred_fields()
    application = an_application(a_published_opportunity(an_organisation(now=timezone.now())), person)
    (stored,) = prepare(Application.objects.filter(pk=Gap("pk"))).instances(pk=application.pk)
    assert stored.verdict == Application.objects.get(pk=application.pk).verdict  # JSON


# Rules of access


@pytest.fixture
def market() -> dict[str, Any]:
    now = timezone.now()
    by, other = an_organisation(now=now), an_organisation(now=now)
    people = [a_candidate(now=now) for _ in range(4)]
    opportunities = [a_published_opportunity(one, now=now) for one in (by, by, other)]
    for place, opportunity in enumerate(opportunities):
        for person in people[place:]:
            an_application(opportunity, person, now=now)
    staff = an_organisation(now=now).user
    staff.is_staff = True
    actors = {
        "nobody": Actor.anonymous(),
        "the system": Actor.system(),
        "staff": Actor(user_id=staff.pk, is_staff=True),
        "a recruiter": actor_of(by.user),
        "another": actor_of(other.user),
        "a candidate": actor_of(people[0].user),
        "a stranger": Actor(user_id=0),
    }
    return {"actors": actors, "opportunities": opportunities, "people": people}


def test_rules_let_the_same_rows_through(market: dict[str, Any]) -> None:
    found = set()
    for visible in (visible_opportunities, visible_candidates, visible_applications, visible_offers):
        ids = list(visible(Actor.system()).values_list("pk", flat=True))
        for who, actor in market["actors"].items():
            wanted = set(visible(actor).values_list("pk", flat=True))
            assert visible_by_id(visible, actor, ids).keys() == wanted, (visible, who)
            found.add((visible, len(wanted)))
    assert len({size for _, size in found}) >= 4  # they differ


def test_pages_of_several_lists_are_those_of_each(market: dict[str, Any]) -> None:
    for actor in market["actors"].values():
        _check_pages(market, actor)


def _check_pages(market: dict[str, Any], actor: Actor) -> None:
    by_source = Order("by source", (Key("source"), Key("id")))
    for order, names in ((NEWEST, ["-id"]), (by_source, ["source", "id"])):
        wanted = {
            one.pk: list(visible_applications(actor).filter(opportunity=one).order_by(*names))
            for one in market["opportunities"]
        }
        after: dict[int, str | None] = dict.fromkeys(wanted)
        for _ in range(3):  # by twos
            for pk, cursor in after.items():
                parent = together([Opportunity.objects.get(pk=pk)])[0]
                page = nested_page(
                    parent, "x", visible_applications, actor, by="opportunity", first=2, after=cursor, order=order
                )
                assert page.rows == wanted[pk][:2]
                assert page.has_next == (len(wanted[pk]) > 2)
                wanted[pk] = wanted[pk][2:]
                after[pk] = page.page_info.end_cursor or cursor


def test_a_rule_that_may_find_a_row_twice_is_refused() -> None:
    def doubled(_: Actor) -> QuerySet[Opportunity]:
        return Opportunity.objects.filter(members__user__isnull=False)

    parent = together([an_organisation(now=timezone.now()).organisation])[0]
    with pytest.raises(ValueError, match="twice"):
        nested_page(parent, "x", doubled, Actor.system(), by="posting_organisation", first=2, after=None)


def test_the_key_stands_for_each_of_several() -> None:
    by = an_organisation(now=timezone.now())
    made = [a_published_opportunity(by, now=timezone.now()) for _ in range(3)]
    rows = Opportunity.objects.filter(posting_organisation_id=THE_KEY).order_by("-pk")
    each = prepare(rows.only("pk", "title")).for_each("keys", order=[("id", True)], limit="limit")
    found = each.instances(keys=[by.organisation.pk, 0], limit=2)
    assert [(row.of_key, row.pk) for row in found] == [(by.organisation.pk, one.pk) for one in made[:0:-1]]
    assert found[0].title == made[2].title


# Columns that were left out


def test_columns_left_out_are_read_for_all_at_once() -> None:
    now = timezone.now()
    people = [a_candidate(now=now, name=f"Person {n}", phone=f"+49 30 123456{n}") for n in range(3)]
    rows = prepare(Candidate.objects.filter(IsAmong(Gap("ids", KEYS))).only("pk", "public_id"))
    found = together(rows.instances(ids=[one.pk for one in people]))
    with CaptureQueriesContext(connection) as statements:
        assert {row.name for row in found} == {"Person 0", "Person 1", "Person 2"}
        assert {row.phone for row in found} == {one.phone for one in people}
    assert len(statements) == 2  # one a column


def test_a_row_that_is_gone_is_told_so() -> None:
    now = timezone.now()
    kept, gone = a_candidate(now=now), a_candidate(now=now)
    rows = prepare(Candidate.objects.filter(IsAmong(Gap("ids", KEYS))).only("pk", "public_id"))
    found = {row.pk: row for row in together(rows.instances(ids=[kept.pk, gone.pk]))}
    gone_pk = gone.pk
    gone.delete()
    assert found[kept.pk].name == kept.name
    with pytest.raises(Candidate.DoesNotExist):
        _ = found[gone_pk].name


def test_a_row_that_was_read_whole_is_read_anew_alone() -> None:
    person = a_candidate(now=timezone.now(), name="Before")
    peers = together(Candidate.objects.filter(pk=person.pk))
    Candidate.objects.filter(pk=person.pk).update(name="After")
    peers[0].refresh_from_db(fields=["name"])
    assert peers[0].name == "After"


# Instants


@pytest.mark.parametrize(
    "text",
    ["2026-11-26 15:00:00+00", "2026-01-02 03:04:05.6+00", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"],
)
def test_instants_are_read_as_they_are(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        (found,) = cursor.fetchone()
    assert found == datetime.fromisoformat(text)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_instants_that_python_does_not_know_are_refused(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        with pytest.raises(DataError):
            cursor.fetchone()
