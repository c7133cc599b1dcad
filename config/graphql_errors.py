"""Errors of a GraphQL response: refusals with their code, malformed requests as they are, bugs masked."""

from typing import Any

from django.db import OperationalError
from graphql import GraphQLError
from psycopg.errors import QueryCanceled

from accounts.api.refusals import values_of
from accounts.errors import DomainError

MASKED = "Something went wrong."
TOO_SLOW = "This took too long."


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
    cause = cause_of(error)
    answer: dict[str, Any]
    if isinstance(cause, DomainError):
        values = values_of(cause)
        message = values["message"]
        extensions = {"code": values["code"].value, "field": values["field"], "data": values["data"]}
    elif cause is not None:
        slow = isinstance(cause, OperationalError) and isinstance(cause.__cause__, QueryCanceled)
        message = TOO_SLOW if slow else MASKED
        extensions = {"code": "TIMEOUT" if slow else "INTERNAL", "requestId": request_id}
    else:
        message = error.message
        extensions = {"code": "BAD_REQUEST", **(error.extensions or {})}
    answer = {"message": message}
    if error.locations:
        answer["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        answer["path"] = list(error.path)
    answer["extensions"] = extensions
    return answer


def refused(error: DomainError) -> dict[str, Any]:
    """A refusal of the whole request, before anything is executed."""
    values = values_of(error)
    return {
        "message": values["message"],
        "extensions": {"code": values["code"].value, "field": values["field"], "data": values["data"]},
    }
