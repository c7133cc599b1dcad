"""What must not be told is planted where things go wrong, and looked for in all that is said: answers, logs, and rows
that staff read."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import Client
from django.utils.module_loading import import_string

from accounts.core.faults import described
from accounts.models import IdempotencyRecord, Organisation
from config import services
from config.celery import app
from config.embedded_postgres import EmbeddedPostgres
from config.middleware import RequestIdFilter
from tests.config.graphql_client import Asker, global_id
from tests.marketplace.factories import a_user, an_organisation

CANARY = "canary-4711"
SECRETS = (CANARY, settings.SECRET_KEY, settings.DATABASES["default"]["PASSWORD"] or CANARY)


@pytest.fixture
def heard() -> Iterator[Callable[[], str]]:
    """All that is logged meanwhile, as the settings have it written."""
    line = settings.LOGGING["formatters"]["line"]
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(import_string(line["()"])(line["format"]))
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)
    yield handler.stream.getvalue
    logging.getLogger().removeHandler(handler)


def of_an_exception() -> None:
    raise RuntimeError(CANARY)


def of_a_cause() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        raise KeyError(CANARY) from error


def of_a_context() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        raise ExceptionGroup(CANARY, [RuntimeError(CANARY)])  # noqa: B904 - that is what is tried


def of_a_row() -> None:
    """Postgres quotes the row that is there already."""
    Organisation.objects.create(name="Ship Works", slug=CANARY)
    with transaction.atomic():
        Organisation.objects.create(name="Ship Works", slug=CANARY)


def of_a_value() -> None:
    """Postgres quotes what it cannot read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer", [CANARY])


def of_a_setting() -> None:
    raise ImproperlyConfigured(f"{settings.SECRET_KEY} {settings.DATABASES}")


WAYS = [of_an_exception, of_a_cause, of_a_context, of_a_row, of_a_value, of_a_setting]


def assert_silent(*texts: str) -> None:
    for text in texts:
        assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_query_that_fails_says_nothing_of_why(
    way: Callable[[], None], monkeypatch: pytest.MonkeyPatch, heard: Callable[[], str]
) -> None:
    organisation = an_organisation()
    monkeypatch.setattr("accounts.api.queries.access_organisation", lambda *args, **kwargs: way())
    query = f'{{ organisation(id: "{global_id(organisation.organisation)}") {{ name }} }}'
    answer = Asker(organisation.user).post({"query": query}, headers={"X-Request-Id": "request-12345678"})
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "request-12345678"}
    assert "request-12345678" in heard() and way.__name__ in heard(), "who reads the log finds the place"
    assert_silent(answer.content.decode(), heard(), str(answer.headers))


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_does_a_mutation_or_what_is_kept_of_it(
    way: Callable[[], None], monkeypatch: pytest.MonkeyPatch, heard: Callable[[], str]
) -> None:
    monkeypatch.setattr("accounts.api.refusals.together", lambda *args: way())
    founding = 'mutation { createOrganisation(input: {name: "Works", idempotencyKey: "k"}) { __typename } }'
    answer = Asker(a_user()).post({"query": founding})
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert_silent(answer.content.decode(), heard(), str(IdempotencyRecord.objects.values()))


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_does_a_page_that_fails(
    way: Callable[[], None], monkeypatch: pytest.MonkeyPatch, heard: Callable[[], str]
) -> None:
    client = Client(raise_request_exception=False)
    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", lambda *args: way())
    for path in ("/healthz", "/admin/", "/_allauth/browser/v1/config"):
        answer = client.get(path)
        assert answer.status_code == 500, path
        assert_silent(answer.content.decode(), str(answer.headers))
    assert way.__name__ in heard()
    assert_silent(heard())


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nor_does_a_task(way: Callable[[], None], heard: Callable[[], str]) -> None:
    @app.task(name=f"tests.{way.__name__}")
    def fail(told: str) -> None:
        way()

    try:
        outcome: Any = fail.apply(args=[CANARY])
    finally:
        app.tasks.pop(fail.name)
    assert outcome.failed()
    assert way.__name__ in heard()
    assert_silent(heard(), described(outcome.result))


@pytest.mark.django_db
def test_nor_does_the_log_of_postgres() -> None:
    with pytest.raises(Exception, match=CANARY):
        of_a_value()
    with pytest.raises(Exception, match=CANARY):
        of_a_row()
    log = EmbeddedPostgres(services.TEST.folder, services.TEST.durable).log
    if services.status(services.TEST)["postgres"] is None:
        pytest.skip("the server is another's, and so is its log")
    assert_silent(log.read_text())


def test_an_exception_that_is_an_argument_of_a_message_is_described(heard: Callable[[], str]) -> None:
    logger = logging.getLogger("muster.canaries")
    try:
        of_an_exception()
    except RuntimeError as error:
        logger.warning("mail %d failed: %s", 7, error)
        logger.warning(error)
        logger.warning("mail %(number)d failed: %(error)s", {"number": 8, "error": error})
        raised = error
    assert "mail 7 failed: RuntimeError at" in heard() and "mail 8 failed: RuntimeError at" in heard()
    assert described(raised) == f"RuntimeError at {__name__}:{of_an_exception.__code__.co_firstlineno + 1}"
    assert_silent(heard())
