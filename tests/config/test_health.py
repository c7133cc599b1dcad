"""The probes, and the request id that every answer carries."""

import logging
import socket
import threading
import time

import pytest
from django.core.cache import cache
from django.test import Client

from config import health, services
from config.middleware import RequestIdFilter, current_request_id
from tests.elasticsearch import needs_elasticsearch


@pytest.fixture
def heartbeat(settings):
    def beat(seconds_ago: float) -> None:
        cache.set(settings.WORKER_HEARTBEAT_KEY, time.time() - seconds_ago)

    yield beat
    cache.delete(settings.WORKER_HEARTBEAT_KEY)


def test_alive_asks_nothing_of_anybody(client: Client):
    response = client.get("/healthz")  # without the database mark, a query would fail the test
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.django_db(transaction=True)
def test_ready_when_everything_it_leans_on_is_there(client: Client, heartbeat, settings):
    heartbeat(1)
    settings.ELASTICSEARCH_URL = ""
    response = client.get("/readyz")
    assert response.json() == {
        "ready": True,
        "checks": {"postgres": "ok", "redis": "ok", "worker": "ok", "migrations": "ok"},
    }
    assert response.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_ready_without_elasticsearch_which_is_named(client: Client, heartbeat, settings):
    heartbeat(1)
    settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{services.free_port()}"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["copies"] == {"elasticsearch": "unreachable"}
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and answers nothing
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["copies"] == {"elasticsearch": "no answer within 0.5 s"}


@needs_elasticsearch
@pytest.mark.django_db(transaction=True)
def test_elasticsearch_that_is_there_is_named(client: Client, heartbeat):
    heartbeat(1)
    assert client.get("/readyz").json()["copies"] == {"elasticsearch": "ok"}


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_a_worker(client: Client, heartbeat):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["worker"] == "no heartbeat"
    heartbeat(100)
    assert client.get("/readyz").json()["checks"]["worker"] == "last heartbeat 100 s ago"


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_redis(client: Client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["redis"] == "unreachable"
    assert response.json()["checks"]["postgres"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_check_that_hangs_is_given_up(client: Client, heartbeat, monkeypatch):
    heartbeat(1)
    hanging = threading.Event()
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.3)
    monkeypatch.setitem(health.CHECKS, "redis", lambda: hanging.wait(60))
    try:
        began = time.monotonic()
        response = client.get("/readyz")
        assert time.monotonic() - began < 30, "it was waited for"
    finally:
        hanging.set()
    assert response.json()["checks"]["redis"] == "no answer within 0.3 s"


def test_the_cache_is_empty_while_redis_is_away(settings):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    cache.set("key", 1)
    assert cache.get("key", "nothing") == "nothing"
    assert cache.add("key", 1) is True  # nobody has it
    assert cache.delete("key") is False


def test_a_well_formed_request_id_is_taken_over(client: Client):
    assert client.get("/healthz", headers={"X-Request-Id": "from-proxy-1"})["X-Request-Id"] == "from-proxy-1"


@pytest.mark.parametrize("given", ["short", "a" * 65, "line\nbreak-in-it", "späte-anfrage", "semi;colon-x"])
def test_any_other_request_id_is_replaced(client: Client, given: str):
    answered = client.get("/healthz", headers={"X-Request-Id": given})["X-Request-Id"]
    assert answered != given
    assert len(answered) == 32


def test_log_records_name_the_request_and_forget_it_after(client: Client):
    record = logging.LogRecord("muster", logging.INFO, "here", 1, "said", None, None)
    client.get("/healthz")
    assert current_request_id() == ""
    assert RequestIdFilter().filter(record)
    assert record.request_id == "-"
