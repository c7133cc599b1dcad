"""The GraphQL endpoint over HTTP.

POST carries any operation, GET queries alone. Whoever comes with a session cookie needs Django's CSRF token to post;
whoever comes with `Authorization: Bearer <JWT>` does not, since no browser sends that by itself. Whatever cannot be
read is answered with 4xx and a GraphQL error.
"""

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from accounts.actions.deprecated_uses import count_deprecated_uses
from accounts.api.context import Context
from accounts.core.actor import Actor
from accounts.login.principals import Principal, bearer, person
from config.graphql_budget import spend
from config.graphql_deprecations import deprecated_uses
from config.graphql_errors import broken, formatted
from config.graphql_kept import Kept, kept_or_executed
from config.graphql_operations import cost_of, parsed
from config.graphql_request import (
    GRAPHQL_RESPONSE,
    JSON_TYPE,
    Asked,
    BadRequest,
    media_type,
    named_client,
    what_is_asked,
)
from config.graphql_trusted import trusted
from config.schema import schema

logger = logging.getLogger("muster.graphql")

READS = frozenset({OperationType.QUERY})
READS_AND_WRITES = frozenset({OperationType.QUERY, OperationType.MUTATION})


class Answer(HttpResponse):
    """Does what was left for afterwards when the server has sent the body and closes the response."""

    afterwards: Sequence[Callable[[], None]] = ()

    def close(self) -> None:
        afterwards, self.afterwards = self.afterwards, ()
        follow_up(afterwards)
        super().close()


def follow_up(afterwards: Iterable[Callable[[], None]]) -> None:
    """Do what was left for when an answer is out."""
    for do in afterwards:
        try:
            do()
        except Exception:  # nobody waits; what is left is for who reads the log
            logger.exception("what follows an answer failed")


@csrf_exempt  # checked below, for those who come with a cookie
def view(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and settings.DEBUG and "query" not in request.GET and _wants_page(request):
        return _workbench(request)
    answer_as = JSON_TYPE
    try:
        answer_as = media_type(request)
        return _answer(request, answer_as)
    except BadRequest as error:
        return refused(error, answer_as)
    except Exception as error:
        logger.exception("%s outside of any field", type(error).__name__)
        return refused(broken(error, getattr(request, "request_id", "")), answer_as)


def _answer(request: HttpRequest, answer_as: str) -> HttpResponse:
    asked, context = admitted(request)
    result = kept_or_executed(asked, context, lambda: _executed(request, asked, context))
    if isinstance(result, Kept):
        return _whole(result, asked, context, answer_as)
    request_id = context.actor.request_id
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [formatted(error, request_id) for error in result.errors]
    was_executed = result.data is not None or any(error.path for error in result.errors or ())
    if was_executed:
        answer["data"] = result.data
        watch_uses(asked, context)
    elif answer_as != GRAPHQL_RESPONSE:
        answer["data"] = None
    if context.extensions:
        answer["extensions"] = {name: tell() for name, tell in context.extensions.items()}
    # A request that was understood but cannot be executed: what the specification of GraphQL over HTTP asks for.
    status = HTTPStatus.BAD_REQUEST if not was_executed and answer_as == GRAPHQL_RESPONSE else HTTPStatus.OK
    response = _written(answer, answer_as, status)
    if not result.errors:
        response.afterwards = tuple(context.afterwards)
    return response


def _executed(request: HttpRequest, asked: Asked, context: Context) -> ExecutionResult:
    """Raises BadRequest for what this address does not execute."""
    try:
        return schema.execute_sync(
            asked.query,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            context_value=context,
            allowed_operation_types=READS if request.method == "GET" else READS_AND_WRITES,
        )
    except InvalidOperationTypeError as error:
        if request.method == "GET":
            raise BadRequest(
                "GET carries queries alone; POST the rest.", HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}
            ) from error
        raise BadRequest("Subscriptions are served at /graphql/stream.") from error
    except (CannotGetOperationTypeError, MissingQueryError) as error:
        raise BadRequest("The document has no such operation.") from error


def _whole(kept: Kept, asked: Asked, context: Context, answer_as: str) -> HttpResponse:
    """An answer that is kept, with what each request is told of its own."""
    watch_uses(asked, context)
    extensions = {name: tell() for name, tell in context.extensions.items()} | kept.extensions
    more = b',"extensions":' + orjson.dumps(extensions) if extensions else b""
    response = _sent(b'{"data":' + kept.data + more + b"}", answer_as)
    response.afterwards = tuple(context.afterwards)
    return response


def admitted(request: HttpRequest) -> tuple[Asked, Context]:
    """What is asked for, and by whom, once it is known that they may ask at all. Raises BadRequest."""
    asked = what_is_asked(request)
    context = context_of(request)
    asked, registered_by = trusted(asked)
    context.client = registered_by or named_client(request)
    spend(context, cost_of(schema._schema, asked.query, asked.variables or {}, context))
    return asked, context


def watch_uses(asked: Asked, context: Context) -> None:
    """Have what was used of what is deprecated counted, afterwards."""
    uses = deprecated_uses(schema._schema, parsed(asked.query), asked.variables or {}, asked.operation_name)
    if uses:
        context.afterwards.append(
            partial(count_deprecated_uses, elements=uses, client=context.client, day=context.now.date())
        )


# --- Who asks


def context_of(request: HttpRequest) -> Context:
    """Raises BadRequest: 401 for a token that does not hold, 403 for a cookie without its CSRF token."""
    request_id: str = getattr(request, "request_id", "")
    found = _principal(request)
    actor = found.actor(request_id) if found else Actor.anonymous(request_id)
    return Context(request=request, actor=actor, user=found.user if found else None, now=timezone.now())


def _principal(request: HttpRequest) -> Principal | None:
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        found = bearer(authorization)
        if found is None:
            raise BadRequest(
                "The token is not valid, or no longer.",
                HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        request.user = found.user
        return found
    if request.method == "POST" and settings.SESSION_COOKIE_NAME in request.COOKIES and not _has_csrf_token(request):
        raise BadRequest("The CSRF token is missing or wrong.", HTTPStatus.FORBIDDEN)
    if isinstance(request.user, AnonymousUser) or not request.user.is_authenticated:
        return None
    return person(request.user, request.session)


def _has_csrf_token(request: HttpRequest) -> bool:
    checking = CsrfViewMiddleware(lambda _: HttpResponse())
    checking.process_request(request)
    # Exempt views pass Django's own check, so it is asked about one that is not.
    return checking.process_view(request, _workbench, (), {}) is None


# --- Writing


def _written(answer: dict[str, Any], answer_as: str, status: int = HTTPStatus.OK) -> Answer:
    return _sent(orjson.dumps(answer), answer_as, status)


def _sent(body: bytes, answer_as: str, status: int = HTTPStatus.OK) -> Answer:
    response = Answer(body, content_type=f"{answer_as}; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Authorization, Cookie"
    return response


CODES = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "CSRF",
    HTTPStatus.TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
}


def refused(error: BadRequest, answer_as: str = JSON_TYPE) -> HttpResponse:
    code = error.code or CODES.get(HTTPStatus(error.status), "BAD_REQUEST")
    answer: dict[str, Any] = {"errors": [{"message": error.message, "extensions": {"code": code, **error.details}}]}
    if error.extensions:
        answer["extensions"] = error.extensions
    response = _written(answer, answer_as, error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


@ensure_csrf_cookie
def _workbench(request: HttpRequest) -> HttpResponse:
    """Development's page to try queries on. The cookie is for its requests. It is whole: no address but ours is asked
    for anything, so that it works without the internet, and the browser holds it to that."""
    nonce = secrets.token_urlsafe(16)
    response = render(request, "graphql.html", {"nonce": nonce})
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return response
