"""Before anything of Django is imported: the tests' own Postgres and Valkey, and settings that know they are tested.

Servers that DATABASE_URL or REDIS_URL name are used instead. Workers of xdist inherit the controller's addresses; each
has a database of its own on either server, in Postgres a copy of one that was migrated once.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from pytest_django import DjangoDbBlocker

from config import garbage, services

if TYPE_CHECKING:
    from tests.live import LiveMuster

# How long a draw or an example takes says something of the machine, and nothing of Muster. `make test` draws the same
# few each time, so that what it says of a commit stays true; `make soak` draws anew, and far more.
ANY_SPEED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("repeatable", parent=ANY_SPEED, derandomize=True, max_examples=25)
hypothesis.settings.register_profile("searching", parent=ANY_SPEED, derandomize=False, max_examples=2_000)
hypothesis.settings.load_profile("repeatable")

os.environ["MUSTER_ENV"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

_started = contextlib.ExitStack()
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

if not _worker:
    os.environ.update(_started.enter_context(services.embedded_services(services.TEST)).environment())

import django  # noqa: E402 - only now

django.setup()

from django.db import transaction  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from tests.database import TEMPLATE, copied_database, drop_database, empty_tables, migrated_template  # noqa: E402

TransactionTestCase._fixture_teardown = empty_tables


@pytest.fixture(scope="session")
def migrated(testrun_uid: str, django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> str:
    """The name of a migrated database to copy, made by whichever worker of this run asks first."""
    with django_db_blocker.unblock():
        return migrated_template(testrun_uid)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, migrated: str) -> None:
    """Have pytest-django copy the migrated database instead of migrating another."""
    from django.conf import settings

    settings.DATABASES["default"]["TEST"] |= {"TEMPLATE": migrated, "MIGRATE": False}


@pytest.fixture(scope="module")
def shared_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For fixtures of a module that make many rows: all its tests share them, and each takes back only what is its own.
    Such a module is an xdist_group, and no test of it commits."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def own_taxonomy() -> Iterator[None]:
    """A process keeps what it recognises skills by for each state of the taxonomy; the taxonomies of tests, which are
    rolled back, are all of the same number."""
    from marketplace.queries.taxonomy import forget_recogniser

    yield
    forget_recogniser()


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory, migrated: str) -> Iterator["LiveMuster"]:
    """A whole Muster of its own, with a small demo market; for the tests of `xdist_group("live")`, which share it."""
    from tests.live import live_muster

    folder = tmp_path_factory.mktemp("live")
    with (
        copied_database(f"{TEMPLATE}_live{_worker}", migrated) as database_url,
        live_muster(folder, database_url, "--candidates", "40", "--opportunities", "8") as live,
    ):
        yield live


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """A database of Valkey for each worker, told before it starts: pytest-django reads settings ahead of this file."""
    address = os.environ["REDIS_URL"].rsplit("/", 1)[0]
    for number, spec in enumerate(specs, start=1):
        spec.env["REDIS_URL"] = f"{address}/{number}"


# What takes long as one piece, and so begins first; it waits more than it works.
FIRST = ("live", "house", "allocation", "services", "learning")


def pytest_collection_finish() -> None:
    """All that is imported by now stays: every full collection would walk it, a tenth of the time that tests take."""
    garbage.settle()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """What nobody holds any more is found once; at its end pytest looks five times through all that there is."""
    garbage.settle()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups come first; last what commits: it leaves a database without the rows that migrations wrote."""

    def place(item: pytest.Item) -> int:
        group = item.get_closest_marker("xdist_group")
        name = group.args[0] if group else ""
        if name in FIRST:
            return FIRST.index(name)
        database = item.get_closest_marker("django_db")
        commits = database is not None and database.kwargs.get("transaction", False)
        return len(FIRST) + (2 if commits and not group else 1 if commits else 0)

    items.sort(key=place)


def pytest_unconfigure(config: pytest.Config) -> None:
    with _started:
        if not _worker:
            drop_database(TEMPLATE)
