"""Subscriptions over server-sent events, at `/graphql/stream`: GraphQL over SSE, in its mode of distinct connections.

    POST or GET with `Accept: text/event-stream`, and what `/graphql` takes
    event: next        an answer; its id is the position after it, or a digest of what it says
    event: complete    the end
    :                  a heartbeat

Whoever comes back with `Last-Event-ID` has missed nothing, and is not sent again what they know already: either each
event tells the whole present state of what is followed, or its id says where to go on. Errors that end a stream have
none: whoever was refused an event is told of it when they may be.

Who asks is asked again before each event and each heartbeat: a token that was revoked or has run out ends the stream
with an error, and the client comes back with another. Each event after the first takes from the budget what the request
took; where that is used up the stream ends, too.
"""

import asyncio
import hashlib
import json
import logging
import weakref
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    OperationType,
    execute_subscription_event,
    get_operation_ast,
    map_source_to_response_event,
)
from graphql.execution import create_source_event_stream

from accounts.api.context import Context
from accounts.api.watching import in_thread
from accounts.login.principals import bearer, person
from config.graphql_budget import spend
from config.graphql_errors import broken, formatted
from config.graphql_operations import cost_of, faults, is_stranger, log_reads, parsed
from config.graphql_request import Asked, BadRequest
from config.graphql_view import CODES, admitted, follow_up, refused, watch_uses
from config.schema import schema

logger = logging.getLogger("muster.graphql")

EVENT_STREAM = "text/event-stream"
RETRY_MS = 1_000  # after which a browser comes back
BEAT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
_OVER = object()
_over = GraphQLError("The token or session is not valid, or no longer.", extensions={"code": "UNAUTHENTICATED"})


@csrf_exempt  # `context_of` checks, as for /graphql
async def stream(request: HttpRequest) -> HttpResponseBase:
    if not isinstance(request, ASGIRequest):
        return refused(BadRequest("Streams are served by another process.", HTTPStatus.NOT_FOUND))
    try:
        followed = await in_thread(_begin, request)
        place = _places.take(followed.principal)
    except BadRequest as error:
        return refused(error)
    except Exception as error:
        logger.exception("%s before a stream", type(error).__name__)
        return refused(broken(error, getattr(request, "request_id", "")))
    response = StreamingHttpResponse(_events(followed, place), content_type=f"{EVENT_STREAM}; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept, Authorization, Cookie"
    response["X-Accel-Buffering"] = "no"
    weakref.finalize(response, place)  # also where the client leaves before the first event
    return response


# --- Who may follow what


@dataclass(frozen=True)
class Followed:
    """A subscription as it was asked for, and by whom."""

    request: HttpRequest
    context: Context
    document: DocumentNode
    operation_name: str | None
    executor: Executor
    cost: int  # of each event
    at_first: tuple[Callable[[], None], ...]  # what is done once, whatever events follow

    @property
    def principal(self) -> int:
        assert self.context.user is not None
        return self.context.user.pk

    def holds(self) -> bool:
        """Whether whoever asked is still who they were. Looks it up."""
        authorization = self.request.headers.get("Authorization")
        if authorization is not None:
            found = bearer(authorization)
        else:
            sessions = import_module(settings.SESSION_ENGINE)
            session = sessions.SessionStore(self.request.session.session_key)
            user: Any = get_user(SimpleNamespace(session=session))  # type: ignore[arg-type]
            found = person(user, session) if user.is_authenticated else None
        actor = self.context.actor
        return found is not None and found.actor(actor.request_id) == actor


def _begin(request: HttpRequest) -> Followed:
    """Raises BadRequest."""
    accepted = [part.split(";")[0].strip().lower() for part in request.headers.get("Accept", "*/*").split(",")]
    if not {EVENT_STREAM, "text/*", "*/*"} & set(accepted):
        raise BadRequest(f"The answer is of type {EVENT_STREAM}.", HTTPStatus.NOT_ACCEPTABLE)
    asked, context = admitted(request)
    if context.user is None:
        raise BadRequest("Log in to follow anything.", HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    document = _document(asked, context)
    executor = Executor.build(
        schema._schema,
        document,
        context_value=context,
        raw_variable_values=asked.variables,
        operation_name=asked.operation_name,
        hide_suggestions=is_stranger(context),
    )
    if isinstance(executor, list):
        raise BadRequest(executor[0].message)
    context.known = request.headers.get("Last-Event-ID", "")
    watch_uses(asked, context)
    cost = cost_of(schema._schema, asked.query, asked.variables or {}, context)
    return Followed(request, context, document, asked.operation_name, executor, cost, tuple(context.afterwards))


def _document(asked: Asked, context: Context) -> DocumentNode:
    try:
        document = parsed(asked.query)
        found = faults(schema._schema, document, asked.variables or {}, asked.operation_name, context)
    except GraphQLError as error:
        found = [error]
    if found:
        raise BadRequest(found[0].message)
    operation = get_operation_ast(document, asked.operation_name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        raise BadRequest("Subscriptions alone are served here; the rest is at /graphql.")
    return document


class Places:
    """How many follow something in this process. A place is given back once, however often it is called."""

    def __init__(self) -> None:
        self._taken: Counter[int] = Counter()

    def take(self, principal: int) -> Callable[[], None]:
        """Raises BadRequest: 429 for whoever has enough of them, 503 where all are taken."""
        if self._taken[principal] >= settings.STREAMS_EACH:
            message = f"You follow {settings.STREAMS_EACH} things already."
            raise BadRequest(message, HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": "15"})
        if self._taken.total() >= settings.STREAMS_AT_ONCE:
            raise BadRequest(
                "Too many follow something.", HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "15"}
            )
        self._taken[principal] += 1
        held = [principal]

        def give_back() -> None:
            if held:
                self._taken[held.pop()] -= 1

        return give_back


_places = Places()


# --- Events


async def _events(followed: Followed, give_back: Callable[[], None]) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream."""
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        known = followed.context.known
        if followed.at_first:
            await in_thread(follow_up, followed.at_first)
        async with aclosing(_answers(followed)) as answers:
            async for answer in answers:
                if answer is None:
                    yield BEAT
                    continue
                text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
                if "data" not in answer:
                    yield f"event: next\ndata: {text}\n\n".encode()
                    continue
                name = followed.context.position or hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
                if name != known:
                    known = name
                    if fault := await in_thread(_log, followed):
                        yield f"event: next\ndata: {json.dumps(fault)}\n\n".encode()
                        break
                    yield f"event: next\nid: {name}\ndata: {text}\n\n".encode()
                    if "errors" not in answer and followed.context.afterwards:
                        await in_thread(follow_up, tuple(followed.context.afterwards))
        yield COMPLETE
    finally:
        give_back()


def _log(followed: Followed) -> dict[str, Any] | None:
    """Log what an event shows of people, before it is sent; what is answered instead where that fails. Of one that is
    not sent, for it says what the last one said, nobody has read anything."""
    try:
        log_reads(followed.context, followed.document, followed.operation_name)
    except Exception as error:
        faults_ = [GraphQLError(str(error), original_error=error)]
        schema.process_errors(faults_)
        return {"errors": [formatted(one, followed.context.actor.request_id) for one in faults_]}
    return None


async def _answers(followed: Followed) -> AsyncGenerator[dict[str, Any] | None, None]:
    """What there is to tell; None where for a while there was nothing. Ends with the subscription, or with an error
    that ends it."""
    request_id = followed.context.actor.request_id
    results = _results(followed)
    upcoming: asyncio.Future[Any] | None = None
    try:
        while True:
            upcoming = upcoming or asyncio.ensure_future(_next(results))
            done, _ = await asyncio.wait({upcoming}, timeout=settings.STREAM_HEARTBEAT_SECONDS)
            if not await in_thread(followed.holds):
                yield {"errors": [formatted(_over, request_id)]}
                return
            if not done:
                yield None
                continue
            result, upcoming = upcoming.result(), None
            if result is _OVER:
                return
            answer: dict[str, Any] = {}
            if result.errors:
                schema.process_errors(result.errors)
                answer["errors"] = [formatted(error, request_id) for error in result.errors]
            yield answer | ({} if result.data is None else {"data": result.data})
            if result.data is None:
                return
    finally:
        if upcoming is not None:
            upcoming.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await upcoming
        await results.aclose()


async def _next(results: AsyncGenerator[ExecutionResult, None]) -> Any:
    return await anext(results, _OVER)


async def _results(followed: Followed) -> AsyncGenerator[ExecutionResult, None]:
    """One for each event, executed where the database may be asked. What the source raises is the last."""
    context, is_paid = followed.context, True  # the first was, by the request

    async def execute(executor: Executor) -> ExecutionResult:
        nonlocal is_paid
        context.begin(timezone.now())
        if not is_paid:
            await in_thread(spend, context, followed.cost)
        is_paid = False
        result: Any = await in_thread(execute_subscription_event, executor)
        return result

    try:
        source: Any = create_source_event_stream(followed.executor)
        if followed.executor.is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield source
            return
        async with aclosing(source), aclosing(map_source_to_response_event(followed.executor, source, execute)) as all_:
            async for result in all_:
                yield result
    except BadRequest as error:
        code = CODES[HTTPStatus(error.status)]
        yield ExecutionResult(None, [GraphQLError(error.message, extensions={"code": code, **error.details})])
    except Exception as error:
        yield ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
