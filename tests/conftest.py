"""Before anything of Django is imported: the tests' own Postgres and Valkey, and settings that know they are tested.

Servers that DATABASE_URL or REDIS_URL name are used instead. Workers of xdist inherit the controller's addresses; each
has a database of its own on either server.
"""

import contextlib
import os

import pytest

from config import services

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


def pytest_unconfigure(config: pytest.Config) -> None:
    _started.close()
