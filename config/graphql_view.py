"""The GraphQL endpoint over HTTP.

POST carries any operation, GET queries alone. Whoever comes with a session cookie needs Django's CSRF token to post;
whoever comes with `Authorization: Bearer <JWT>` does not, since no browser sends that by itself. Whatever cannot be
read is answered with 4xx and a GraphQL error.
"""

import json
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from allauth.headless.tokens.strategies.jwt.internal import validate_access_token
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from accounts.api.context import Context
from accounts.core.actor import Actor
from accounts.models import User
from config.graphql_errors import formatted
from config.schema import schema

logger = logging.getLogger("muster.graphql")

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON_TYPE = "application/json"
MAX_NESTING = 64  # of variables
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


class BadRequest(Exception):
    """A request that is none of GraphQL's. `message` is for the client."""

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST, **headers: str) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = headers


@csrf_exempt  # checked below, for those who come with a cookie
def view(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and settings.DEBUG and "query" not in request.GET and _wants_page(request):
        return _workbench(request)
    try:
        media_type = _media_type(request)
    except BadRequest as error:
        return refused(error, JSON_TYPE)
    try:
        return _answer(request, media_type)
    except BadRequest as error:
        return refused(error, media_type)


def _answer(request: HttpRequest, media_type: str) -> HttpResponse:
    query, variables, operation_name = what_is_asked(request)
    context = context_of(request)
    try:
        result = schema.execute_sync(
            query,
            variable_values=variables,
            operation_name=operation_name,
            context_value=context,
            allowed_operation_types=READS if request.method == "GET" else READS_AND_WRITES,
        )
    except InvalidOperationTypeError as error:
        if request.method == "GET":
            raise BadRequest(
                "GET carries queries alone; POST the rest.", HTTPStatus.METHOD_NOT_ALLOWED, Allow="POST"
            ) from error
        raise BadRequest("Subscriptions are served at /graphql/stream.") from error
    except (CannotGetOperationTypeError, MissingQueryError) as error:
        raise BadRequest("The document has no such operation.") from error
    request_id = context.actor.request_id
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [formatted(error, request_id) for error in result.errors]
    was_executed = result.data is not None or any(error.path for error in result.errors or ())
    if was_executed:
        answer["data"] = result.data
    elif media_type != GRAPHQL_RESPONSE:
        answer["data"] = None
    if context.extensions:
        answer["extensions"] = {name: tell() for name, tell in context.extensions.items()}
    # A request that was understood but cannot be executed: what the specification of GraphQL over HTTP asks for.
    status = HTTPStatus.BAD_REQUEST if not was_executed and media_type == GRAPHQL_RESPONSE else HTTPStatus.OK
    response = _written(answer, media_type, status)
    if not result.errors:
        response.afterwards = tuple(context.afterwards)
    return response


# --- Reading


def what_is_asked(request: HttpRequest) -> tuple[str, dict[str, Any] | None, str | None]:
    """The document, its variables and the operation's name. Raises BadRequest."""
    if request.method == "GET":
        return _parameters(_from_address(request))
    if request.method == "POST":
        return _parameters(_from_body(request))
    raise BadRequest("Use GET or POST.", HTTPStatus.METHOD_NOT_ALLOWED, Allow="GET, POST")


def _from_address(request: HttpRequest) -> dict[str, Any]:
    asked: dict[str, Any] = {name: request.GET[name] for name in ("query", "operationName") if name in request.GET}
    for name in ("variables", "extensions"):
        if request.GET.get(name):
            asked[name] = _json(request.GET[name].encode("utf-8", "surrogatepass"), f"`{name}`")
    return asked


def _from_body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != JSON_TYPE:
        raise BadRequest(f"Send a body of type {JSON_TYPE}.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.content_params and request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise BadRequest("Send the body in UTF-8.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        body = request.body
    except RequestDataTooBig as error:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raise BadRequest(f"A request has at most {limit} bytes.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
    except UnreadablePostError as error:
        raise BadRequest("The body could not be read.") from error
    asked = _json(body, "The body")
    if not isinstance(asked, dict):
        raise BadRequest("The body must be a JSON object with a query.")
    return asked


def _json(text: bytes, name: str) -> Any:
    """Raises BadRequest, also for lone surrogates, which no database column takes, and for NaN, which JSON has not."""
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not JSON in UTF-8.") from error
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _parameters(asked: dict[str, Any]) -> tuple[str, dict[str, Any] | None, str | None]:
    query, variables, operation_name = asked.get("query"), asked.get("variables"), asked.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadRequest("`query` must be a GraphQL document.")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("`variables` must be an object.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadRequest("`operationName` must be a string.")
    if not isinstance(asked.get("extensions", {}), dict | None):
        raise BadRequest("`extensions` must be an object.")
    if _nesting(variables) > MAX_NESTING:
        raise BadRequest(f"`variables` are nested more than {MAX_NESTING} deep.")
    return query, variables, operation_name or None


def _nesting(value: Any) -> int:
    """How deep lists and objects are nested, without recursion; not beyond the limit."""
    depth, level = 0, [value]
    while depth <= MAX_NESTING:
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            break
        depth += 1
    return depth


# --- Who asks


def context_of(request: HttpRequest) -> Context:
    """Raises BadRequest: 401 for a token that does not hold, 403 for a cookie without its CSRF token."""
    request_id: str = getattr(request, "request_id", "")
    user = _user(request)
    actor = (
        Actor(user_id=user.pk, is_staff=user.is_staff, request_id=request_id) if user else Actor.anonymous(request_id)
    )
    return Context(request=request, actor=actor, user=user, now=timezone.now())


def bearer(authorization: str) -> User | None:
    """Whose token it is, if it holds, now."""
    scheme, _, token = authorization.partition(" ")
    found = validate_access_token(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    user: User | None = found[0] if found else None
    return user if user is not None and user.is_active else None


def _user(request: HttpRequest) -> User | None:
    authorization = request.headers.get("Authorization")
    if authorization is not None:
        user = bearer(authorization)
        if user is None:
            raise BadRequest(
                "The token is not valid, or no longer.",
                HTTPStatus.UNAUTHORIZED,
                **{"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        request.user = user
        return user
    if request.method == "POST" and settings.SESSION_COOKIE_NAME in request.COOKIES and not _has_csrf_token(request):
        raise BadRequest("The CSRF token is missing or wrong.", HTTPStatus.FORBIDDEN)
    if isinstance(request.user, AnonymousUser) or not request.user.is_authenticated:
        return None
    return request.user


def _has_csrf_token(request: HttpRequest) -> bool:
    checking = CsrfViewMiddleware(lambda _: HttpResponse())
    checking.process_request(request)
    # Exempt views pass Django's own check, so it is asked about one that is not.
    return checking.process_view(request, _workbench, (), {}) is None


# --- Writing


def _media_type(request: HttpRequest) -> str:
    """What to answer with. Raises BadRequest (406) where the client takes neither."""
    accepted = request.headers.get("Accept", "*/*")
    ranges = [part.split(";")[0].strip().lower() for part in accepted.split(",")]
    for one in ranges:
        if one == GRAPHQL_RESPONSE:
            return GRAPHQL_RESPONSE
        if one in (JSON_TYPE, "application/*", "*/*"):
            return JSON_TYPE
    raise BadRequest(f"The answer is of type {GRAPHQL_RESPONSE} or {JSON_TYPE}.", HTTPStatus.NOT_ACCEPTABLE)


def _written(answer: dict[str, Any], media_type: str, status: int = HTTPStatus.OK) -> Answer:
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    response = Answer(body, content_type=f"{media_type}; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Authorization, Cookie"
    return response


CODES = {
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "CSRF",
    HTTPStatus.TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
}


def refused(error: BadRequest, media_type: str = JSON_TYPE) -> HttpResponse:
    code = CODES.get(HTTPStatus(error.status), "BAD_REQUEST")
    answer = {"errors": [{"message": error.message, "extensions": {"code": code}}]}
    response = _written(answer, media_type, error.status)
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
