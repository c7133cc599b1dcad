"""Probes: `/healthz` says the process is alive, `/readyz` that what it leans on is there."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from matching.documents import clients

logger = logging.getLogger(__name__)

# Each check's bound. A probe that hangs tells an orchestrator less than one that says no.
CHECK_SECONDS = 3.0
# That of copies, which nothing depends on: the answer must not be late for their sake.
COPY_SECONDS = 0.5


class NotReady(Exception):
    """What is missing, in words that may be shown to anyone."""


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Alive. No I/O: a database that is away is no reason to restart this process."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every check passed, else 503; the body says which: `{"ready": …, "checks": {name: "ok" | problem}}`.

    Where copies are in use, `copies` says the same of them. They decide nothing: what they do not answer Postgres does.
    """
    copies = COPIES if settings.ELASTICSEARCH_URL else {}
    pool = ThreadPoolExecutor(max_workers=len(CHECKS) + len(copies), thread_name_prefix="readyz")
    try:
        asked, copied = _started(pool, CHECKS), _started(pool, copies)
        began = time.monotonic()
        body: dict[str, Any] = {"checks": _outcomes(asked, CHECK_SECONDS, began)}
        if copied:
            body["copies"] = _outcomes(copied, COPY_SECONDS, began)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    ready = all(outcome == "ok" for outcome in body["checks"].values())
    return JsonResponse({"ready": ready, **body}, status=200 if ready else 503)


def _started(pool: ThreadPoolExecutor, checks: Mapping[str, Callable[[], None]]) -> dict[str, Future[None]]:
    return {name: pool.submit(_in_own_connection, check) for name, check in checks.items()}


def _outcomes(asked: Mapping[str, Future[None]], seconds: float, began: float) -> dict[str, str]:
    return {name: _outcome(name, future.result, seconds, began) for name, future in asked.items()}


def _in_own_connection(check: Callable[[], None]) -> None:
    try:
        check()
    finally:
        connection.close()  # the thread's own; the request's is another


def _outcome(name: str, result: Callable[[float], None], seconds: float, began: float) -> str:
    try:
        result(max(0.0, began + seconds - time.monotonic()))
    except FutureTimeoutError:
        return f"no answer within {seconds:g} s"
    except NotReady as problem:
        return str(problem)
    except Exception as error:
        logger.warning("Readiness check %s failed", name, exc_info=error)
        return "unreachable"
    return "ok"


def check_postgres() -> None:
    """A connection of our own, not the pool's: an exhausted pool is busy, not broken."""
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if parameters.get(key)}
    with psycopg.connect(**wanted, connect_timeout=int(CHECK_SECONDS)) as own:
        own.execute("SELECT 1")


def check_redis() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=CHECK_SECONDS, socket_connect_timeout=CHECK_SECONDS
    ) as client:
        client.ping()


def check_worker() -> None:
    """The heartbeat travels beat → broker → worker → cache, so it proves all of them at once."""
    beat = cache.get(settings.WORKER_HEARTBEAT_KEY)
    if beat is None:
        raise NotReady("no heartbeat")
    age = time.time() - float(beat)
    if age > settings.WORKER_HEARTBEAT_MAX_AGE_SECONDS:
        raise NotReady(f"last heartbeat {age:.0f} s ago")


def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise NotReady(f"{len(missing)} unapplied")


def check_elasticsearch() -> None:
    clients.for_search().cluster.health(timeout="1s")


CHECKS: dict[str, Callable[[], None]] = {
    "postgres": check_postgres,
    "redis": check_redis,
    "worker": check_worker,
    "migrations": check_migrations,
}
COPIES: dict[str, Callable[[], None]] = {"elasticsearch": check_elasticsearch}
