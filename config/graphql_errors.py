"""Errors of a GraphQL response: refusals with their code, malformed requests as they are, bugs masked."""

from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from graphql import GraphQLError
from psycopg.errors import QueryCanceled

from accounts.api.refusals import values_of
from accounts.errors import DomainError
from config.graphql_request import BadRequest

MASKED = "Something went wrong."
TOO_SLOW = "This took too long."
LONGEST_MESSAGE = 1_000
UNAVAILABLE = "Muster cannot answer at this moment."


def cause_of(error: GraphQLError) -> Exception | None:
    """The exception behind an error; None where the request itself is at fault."""
    cause: Exception | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None:
        return None
    if error.path is None and error.nodes and not isinstance(cause, DomainError):
        return None  # a variable that could not be read: the message says so, in our words
    return cause


def formatted(error: GraphQLError, request_id: str) -> dict[str, Any]:
    """An error as the client reads it. Whatever is neither a refusal nor the client's fault says nothing of itself."""
    if told := getattr(error, "told", None):
        return dict(told)  # before, under the same idempotency key
    cause = cause_of(error)
    answer: dict[str, Any]
    if isinstance(cause, DomainError):
        values = values_of(cause)
        message = values["message"]
        extensions = {"code": values["code"].value, "field": values["field"], "data": values["data"]}
    elif cause is not None:
        if isinstance(cause, OperationalError | InterfaceError):
            slow = isinstance(cause.__cause__, QueryCanceled)
            message, code = (TOO_SLOW, "TIMEOUT") if slow else (UNAVAILABLE, "UNAVAILABLE")
        else:
            message, code = MASKED, "INTERNAL"
        extensions = {"code": code, "requestId": request_id}
    else:
        message = error.message[:LONGEST_MESSAGE]  # it may quote the whole request
        extensions = {"code": "BAD_REQUEST", **(error.extensions or {})}
    answer = {"message": message}
    if error.locations:
        answer["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        answer["path"] = list(error.path)
    answer["extensions"] = extensions
    return answer


def broken(error: Exception, request_id: str) -> BadRequest:
    """What failed before or beside all fields, such as a look-up of who asks: masked like any bug. 503 where the
    database is away, which passes."""
    if isinstance(error, OperationalError | InterfaceError):
        return BadRequest(
            UNAVAILABLE,
            HTTPStatus.SERVICE_UNAVAILABLE,
            code="UNAVAILABLE",
            details={"requestId": request_id},
            headers={"Retry-After": "5"},
        )
    return BadRequest(MASKED, HTTPStatus.INTERNAL_SERVER_ERROR, code="INTERNAL", details={"requestId": request_id})
