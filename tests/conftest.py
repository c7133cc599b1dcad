"""Before anything of Django is imported: the tests' own Postgres and Valkey, and settings that know they are tested.

Servers that DATABASE_URL or REDIS_URL name are used instead. Workers of xdist inherit the controller's addresses; each
has a database of its own on either server.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from config import services

if TYPE_CHECKING:
    from tests.live import LiveMuster

os.environ["MUSTER_ENV"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

_started = contextlib.ExitStack()
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

if _worker:
    address = os.environ["REDIS_URL"].rsplit("/", 1)[0]
    os.environ["REDIS_URL"] = f"{address}/{1 + int(_worker.removeprefix('gw'))}"
else:
    os.environ.update(_started.enter_context(services.embedded_services(services.TEST)).environment())

import django  # noqa: E402 - only now

django.setup()


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator["LiveMuster"]:
    """A whole Muster of its own, with a small demo market; for the tests of `xdist_group("live")`, which share it."""
    from tests.live import live_muster

    folder = tmp_path_factory.mktemp("live")
    with live_muster(folder, "--candidates", "60", "--opportunities", "8") as live:
        yield live


def pytest_unconfigure(config: pytest.Config) -> None:
    _started.close()
