"""One migrated database, of which every test database is a copy: migrating takes long, copying does not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

# Of one run: two runs on one server are told apart by MUSTER_TEST_SUFFIX, as their test databases are.
TEMPLATE = f"{settings.DATABASES['default']['TEST']['NAME']}_migrated"
LOCK = 0x6D757374  # "must", among the server's advisory locks
# What Django keeps of the models that there are; the same after every test.
KEPT = ("django_migrations", "django_content_type", "auth_permission")


def migrated_template(run: str) -> str:
    """The name of a migrated database for others to be copied from. The first process of a `run` to ask makes it."""
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        made_by = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [TEMPLATE]
        ).fetchone()
        if made_by != (run,):
            drop_database(TEMPLATE)
            _execute(server, "ALTER DATABASE {} RENAME TO {}", _migrate_test_database(), TEMPLATE)
            _execute(server, "COMMENT ON DATABASE {} IS {}", TEMPLATE, sql.Literal(run))
    return TEMPLATE


@contextlib.contextmanager
def copied_database(name: str, template: str) -> Iterator[str]:
    """The address of a copy of the template, which is dropped in the end."""
    with _server() as server:
        _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _execute(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield address_of(name)
    finally:
        drop_database(name)


def empty_tables(case: Any = None) -> None:
    """Delete what a test committed. Django's own way makes every table anew, filled or not, and then all content types
    and permissions: a quarter of a second after each such test. Triggers are off meanwhile: they guard history."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            sql.SQL(
                """
                DO $$ DECLARE name text; BEGIN
                    FOR name IN SELECT tablename FROM pg_tables
                                WHERE schemaname = 'public' AND tablename <> ALL({kept}::text[]) LOOP
                        EXECUTE format('DELETE FROM %I', name);
                    END LOOP;
                END $$
                """
            ).format(kept=sql.Literal(list(KEPT)))
        )


def drop_database(name: str) -> None:
    with _server() as server:
        _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def address_of(name: str) -> str:
    return urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))


def _server() -> psycopg.Connection:
    return psycopg.connect(address_of("postgres"), autocommit=True)


def _execute(server: psycopg.Connection, statement: str, *names: Any) -> None:
    server.execute(
        sql.SQL(statement).format(*(sql.Identifier(name) if isinstance(name, str) else name for name in names))
    )


def _migrate_test_database() -> str:
    """Have Django make this process's test database, and let go of it again."""
    original = connection.settings_dict["NAME"]
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = original
    return name
