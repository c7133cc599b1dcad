"""Statements whose plans Postgres keeps."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.errors import FeatureNotSupported

from accounts.queries.planned import FEW, _Planned, array_of, cursor_for

pytestmark = pytest.mark.django_db

_ASKED = "SELECT id FROM accounts_user WHERE id = ANY(%(ids)s::bigint[])"


def ask(rows: int) -> None:
    with cursor_for(rows) as cursor:
        cursor.execute(_ASKED, {"ids": array_of(range(3))})
        assert cursor.fetchall() == []


def kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT id FROM accounts_user WHERE%'"
        )
        found: int = cursor.fetchone()[0]
        return found


def test_the_plan_for_few_rows_is_kept_from_the_second_time_on() -> None:
    ask(FEW)
    assert kept() == 0
    ask(FEW)
    assert kept() == 1


def test_many_rows_are_planned_for_their_number() -> None:
    for _ in range(3):
        ask(FEW + 1)
    assert kept() == 0


def test_nothing_is_kept_where_a_pooler_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)  # as DATABASE_KEEPS_PLANS=false has it
    for _ in range(3):
        ask(FEW)
    assert kept() == 0


def test_what_is_asked_by_a_plan_that_is_kept_stands_in_the_log_of_statements() -> None:
    ask(FEW)
    with CaptureQueriesContext(connection) as captured:
        ask(FEW)
        ask(FEW)
    assert [one["sql"] for one in captured] == ["SELECT id FROM accounts_user WHERE id = ANY($1::bigint[])"] * 2


def test_a_plan_that_fits_no_more_fails_once() -> None:
    other = connection.copy()  # which is in no transaction: rolling one back would drop all plans
    try:
        with other.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE counted (n int)")
            planned = _Planned(other.connection)
            asked = "SELECT n FROM counted WHERE n = %s::int", [1]
            for _ in range(3):
                planned.execute(*asked)
            cursor.execute("DO $$ BEGIN ALTER TABLE counted ALTER n TYPE bigint; END $$")
            with pytest.raises(FeatureNotSupported):
                planned.execute(*asked)
            assert planned.execute(*asked).fetchall() == []
    finally:
        other.close()
