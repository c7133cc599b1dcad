"""The embedded servers: real ones, started in folders of the tests' own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from config import services
from config.embedded_postgres import EmbeddedPostgres
from config.services import Instance, embedded_services, ensure_services, status, stop_services

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("services")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """Where the servers' data stay from test to test: making a cluster anew for each would take most of the time."""
    folder = tmp_path_factory.mktemp("services") / "muster"
    yield folder
    services.wipe(Instance(folder, durable=False))


@pytest.fixture
def instance(folder, monkeypatch) -> Iterator[Instance]:
    """Servers that do not run, whatever tests before did."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    instance = Instance(folder, durable=False)
    yield instance
    stop_services(instance)


def stays_up(instance: Instance) -> bool:
    return all(status(instance).values())


def one_value(url: str, query: str):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def in_a_process(instance: Instance, body: str) -> subprocess.Popen:
    """A process that enters `embedded_services(instance)`, prints a line, and runs `body`."""
    code = (
        "import os, signal, sys, time, pathlib\n"
        "from config.services import *\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored by what a shell runs in the background
        f"instance = Instance(pathlib.Path({str(instance.folder)!r}), durable=False)\n"
        "with embedded_services(instance) as found:\n"
        "    print('in', flush=True)\n"
        f"    {body}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_servers_start_keep_their_data_and_stop(instance):
    with embedded_services(instance) as found:
        assert one_value(found.database_url, "SELECT current_database()") == "muster"
        assert int(one_value(found.database_url, "SHOW server_version_num")) >= 160000
        assert one_value(found.database_url, "SELECT lower('ÄÉ')") == "äé"
        with psycopg.connect(found.database_url) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with redis.Redis.from_url(found.redis_url) as client:
            assert client.ping()
    assert status(instance) == {"postgres": None, "valkey": None}
    with embedded_services(instance) as again:
        assert again == found, "addresses that somebody noted down stay true"
        assert one_value(again.database_url, "SELECT number FROM kept") == 7


def test_servers_want_a_password(instance):
    with embedded_services(instance) as found:
        wrong = found.database_url.replace("postgres:", "postgres:x")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(wrong)
        wrong = found.redis_url.replace("redis://:", "redis://:x")
        with redis.Redis.from_url(wrong) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_running_servers_are_used_again(instance):
    first = ensure_services(instance)
    since = one_value(first.database_url, "SELECT pg_postmaster_start_time()")
    with embedded_services(instance) as second:
        assert second == first
        assert one_value(second.database_url, "SELECT pg_postmaster_start_time()") == since
    assert stays_up(instance), "started to be kept"
    stop_services(instance)
    assert not any(status(instance).values())


def test_two_who_start_at_once_get_the_same_servers(instance):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: ensure_services(instance), range(2))
    assert first == second


def test_the_last_who_leaves_stops_the_servers(instance):
    other = in_a_process(instance, "time.sleep(60)")
    assert other.stdout.readline() == "in\n"
    with embedded_services(instance):
        pass
    assert stays_up(instance)
    other.send_signal(signal.SIGINT)
    other.wait(30)
    other.stdout.close()
    assert not any(status(instance).values())


def test_a_killed_parent_leaves_nothing_locked(instance):
    parent = in_a_process(instance, "os.kill(os.getpid(), 9)")
    parent.communicate()
    assert parent.returncode == -signal.SIGKILL
    began = time.monotonic()
    with embedded_services(instance) as found:
        assert time.monotonic() - began < 20
        assert one_value(found.database_url, "SELECT 1") == 1
    assert not any(status(instance).values())


def test_killed_servers_start_again_over_what_they_left(instance):
    with embedded_services(instance) as found:
        postgres = EmbeddedPostgres(instance.folder, durable=False)
        lock = postgres.data / "postmaster.pid"
        os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
        os.kill(int((instance.folder / "valkey" / "pid").read_text()), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(status(instance).values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        # The number of the dead server now belongs to somebody else, as happens when a container starts anew.
        lock.write_text(f"{os.getpid()}\n" + lock.read_text().split("\n", 1)[1])
        with embedded_services(instance) as again:
            assert again == found
            assert one_value(again.database_url, "SELECT 1") == 1


def test_another_server_on_the_recorded_port_is_not_mistaken_for_ours(instance, tmp_path):
    with embedded_services(instance) as original:
        copy = Instance(tmp_path / "copy", durable=False)
        copy.folder.mkdir()
        (copy.folder / "services.json").write_text((instance.folder / "services.json").read_text())
        try:
            with embedded_services(copy) as found:
                assert found.database_url != original.database_url
                assert found.redis_url != original.redis_url
                assert stays_up(instance)
        finally:
            services.wipe(copy)


def test_named_servers_are_used_instead(tmp_path, monkeypatch):
    instance = Instance(tmp_path / "muster", durable=False)
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/muster")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    with embedded_services(instance) as found:
        assert found.database_url == "postgresql://elsewhere/muster"
        assert found.redis_url == "redis://elsewhere/0"
    assert status(instance) == {"postgres": None, "valkey": None}
    assert not (instance.folder / "postgres").exists()
