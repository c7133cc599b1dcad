"""A process that streams and the web server before it, for all tests that follow something; and a Valkey for those of
pages that are kept.

Valkey is at an address where nobody listens: streams do without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis
from django.conf import settings
from django.db import connection
from pytest_django import Settings

from config import services, valkey
from config.processes import Processes, running, start_stream, start_web
from matching.retrieval.breaker import Breaker
from tests.config.streaming import PLAIN
from tests.database import address_of
from tests.live import eventually


@dataclass(frozen=True)
class Servers:
    direct: str
    passed_on: str


@pytest.fixture(scope="session")
def servers(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "MUSTER_ENV": "test",
        "MUSTER_DIR": str(settings.MUSTER_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": address_of(connection.settings_dict["NAME"]),
        "REDIS_URL": f"redis://127.0.0.1:{services.free_port()}/0",
        "STREAM_HEARTBEAT_SECONDS": "0.4",
        "STREAM_LOOK_SECONDS": "0.05",
    }
    stream, web = services.free_port(), services.free_port()
    with running(Processes(environment, tmp_path_factory.mktemp("log"))) as processes:
        start_stream(processes, stream)
        start_web(processes, web, stream_url=f"http://127.0.0.1:{stream}")
        found = Servers(f"http://127.0.0.1:{stream}", f"http://127.0.0.1:{web}")
        for address in (found.direct, found.passed_on):
            assert eventually(lambda address=address: answers(address), seconds=60), _logs(processes)
        yield found


def _logs(processes: Processes) -> str:
    return "\n".join(Path(child.log).read_text() for child in processes.children)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", **PLAIN).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(params=["direct", "passed_on"])
def address(request: pytest.FixtureRequest, servers: Servers) -> str:
    return f"{getattr(servers, request.param)}/graphql/stream"


@pytest.fixture
def direct(servers: Servers) -> str:
    return f"{servers.direct}/graphql/stream"


@pytest.fixture
def keeping(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """An empty Valkey in which pages are kept, which Postgres finds."""
    settings.GRAPHQL_KEPT_SECONDS, settings.ELASTICSEARCH_URL = 60, ""
    monkeypatch.setattr(valkey, "breaker", Breaker(failures=2, pause=60.0, longest_pause=60.0))
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter("muster:explored*"):
        client.delete(key)
    return client
