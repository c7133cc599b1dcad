"""Whoever changes a table gives it another state, in the same commit, and waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from accounts.actions.table_states import begin_states, fold_states
from accounts.models import Delivery, Organisation, TableState
from accounts.queries.table_states import table_states, told_tables
from marketplace.actions.terms import SkillTermInput
from marketplace.models import Skill
from matching.models import CopyMark, SearchWord
from tests.database import address_of
from tests.marketplace.factories import (
    NOW,
    a_candidate,
    a_published_opportunity,
    a_skill,
    an_organisation,
    exchange_rates,
)
from tests.matching.staging import copy

SKILLS, ORGANISATIONS = Skill._meta.db_table, Organisation._meta.db_table
# Of these only some columns count, or some rows.
COLUMNS = {"accounts_user": {"name"}}
SOME_ROWS = {"accounts_delivery", "matching_copymark", "matching_searchword"}


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def columns_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        return [one.name for one in connection.introspection.get_table_description(cursor, table)]


@pytest.fixture
def rows(db: None) -> None:
    """At least one in every table of which only some rows count."""
    skill = a_skill("welding")
    a_published_opportunity(an_organisation(), title="Welder", skills=[SkillTermInput(skill.public_id, True, 5, 3)])
    copy()
    a_published_opportunity(title="Riveter")
    CopyMark.objects.create(stage="projection", subject_type="opportunity", subject_id=1, since=NOW)
    exchange_rates()
    run("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")  # tables are not emptied before they are checked


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(told_tables()))
def test_every_change_of_a_table_renews_its_state(rows: None, table: str) -> None:
    statements = {
        f"INSERT INTO {table} SELECT * FROM {table} WHERE false": table not in SOME_ROWS | COLUMNS.keys(),
        f"DELETE FROM {table}": table not in COLUMNS,
        f"TRUNCATE {table} CASCADE": table not in COLUMNS,
        **{f'UPDATE {table} SET "{one}" = "{one}"': one in COLUMNS.get(table, {one}) for one in columns_of(table)},
    }
    for statement, renews in statements.items():
        before = table_states().get(table)
        try:
            with transaction.atomic():
                run(statement)
                renewed = table_states().get(table) != before
                transaction.set_rollback(True)
        except ProgrammingError as refused:
            assert "pgtrigger: Cannot update" in str(refused)
            continue  # what is never rewritten needs no other state
        assert renewed is renews, statement
        assert table_states().get(table) == before, "what was taken back has changed nothing"


@pytest.mark.django_db
def test_rows_that_do_not_count_change_nothing() -> None:
    by = an_organisation()
    copy()
    before = table_states()
    a_candidate(headline="Welder")
    SearchWord.objects.create(subject_type="candidate", word="weldress", initial="w", length=8)
    by.user.save(update_fields=["last_login"])
    assert table_states() == before
    assert Delivery.objects.filter(consumer="copies", state="pending").exists()


@pytest.mark.django_db
def test_rows_that_count_do_so_when_they_are_inserted() -> None:
    before = table_states()
    a_published_opportunity(title="Welder")
    between = table_states()
    assert between["accounts_delivery"] != before.get("accounts_delivery")
    copy()
    after = table_states()
    assert {"accounts_delivery", "matching_copymark", "matching_searchword"} <= {
        table for table, state in after.items() if between.get(table) != state
    }


@pytest.mark.django_db
def test_a_state_that_was_is_never_again() -> None:
    met = set()
    for _ in range(50):
        a_skill()
        met.add(table_states()[SKILLS])
    assert len(met) == 50


@pytest.mark.django_db
def test_tables_that_nobody_has_written_can_be_given_a_state() -> None:
    TableState.objects.all().delete()
    begin_states({SKILLS, ORGANISATIONS})
    begun = table_states()
    assert begun.keys() == {SKILLS, ORGANISATIONS}
    begin_states({SKILLS})
    assert table_states() == begun, "once"


@pytest.fixture
def others(transactional_db: None) -> Iterator[list[psycopg.Connection]]:
    """Two connections to the same database, whose statements do not wait for locks."""
    address = address_of(connection.settings_dict["NAME"])
    both = [psycopg.connect(address, options="-c lock_timeout=200") for _ in range(2)]
    yield both
    for one in both:
        one.close()


NEW_SKILL = (
    "INSERT INTO marketplace_skill (public_id, name, folded, description, kind)"
    " VALUES (gen_random_uuid(), 'x', 'x', '', 'skill')"
)


@pytest.mark.django_db(transaction=True)
def test_who_writes_waits_for_nobody_and_is_noticed_at_the_commit(others: list[psycopg.Connection]) -> None:
    one, other = others
    a_skill()
    states = [table_states()[SKILLS]]
    one.execute(NEW_SKILL)
    other.execute(NEW_SKILL)  # the lock's timeout would end it
    assert table_states()[SKILLS] == states[0], "nobody sees what is not committed"
    for writer in (other, one):
        writer.commit()
        assert table_states()[SKILLS] not in states
        states.append(table_states()[SKILLS])


@pytest.mark.django_db(transaction=True)
def test_one_part_stands_for_those_of_processes_that_are_gone(others: list[psycopg.Connection]) -> None:
    a_skill()
    met = [table_states()[SKILLS]]
    for one in others:
        one.execute(NEW_SKILL)
        one.commit()
        met.append(table_states()[SKILLS])
    backends = {one.info.backend_pid for one in others}
    others.pop().close()
    _until_gone(backends)
    fold_states()
    there = set(TableState.objects.filter(name=SKILLS).values_list("backend", flat=True))
    assert len(there & backends) == 1, "who is there keeps their own"
    assert 0 in there
    assert table_states()[SKILLS] not in met, "it must not become what it was before they came"
    folded = table_states()
    fold_states()
    assert table_states() == folded, "there is nothing left to fold"


def _until_gone(backends: set[int]) -> None:
    for _ in range(1_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [list(backends)])
            row = cursor.fetchone()
        if row == (len(backends) - 1,):
            return
    raise AssertionError("the server keeps what was closed")
