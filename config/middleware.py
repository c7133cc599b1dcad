"""What every request passes: it gets one name, in its log records, its events and its answer; its text is readable."""

import json
import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.signals import request_finished
from django.db import DataError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError

HEADER = "X-Request-Id"
# What a proxy may hand us. Anything else is replaced, so that nobody writes line breaks or pages of text to our logs.
ACCEPTABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)

request_id_var: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request being served in this context, or "" outside of one."""
    return request_id_var.get()


class RequestIdMiddleware:
    """Take over a well-formed `X-Request-Id`, make one otherwise, keep it on `request.request_id`, answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        request_id_var.set(request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


class ReadableTextMiddleware:
    """Refuse what nobody could mean before, or where, it breaks what others have written.

    The login endpoints take whatever JSON can spell: a lone surrogate, which has no UTF-8, would only be found out when
    a password is hashed or a row is written. Those of the provider look for programs by whatever they are sent, a NUL
    say, which the database does not take. An address of thousands of parameters is found out wherever one is asked for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.GET  # noqa: B018 - which is read here, and kept
        except TooManyFieldsSent:
            error = {"message": "The address has too many parameters.", "extensions": {"code": "BAD_REQUEST"}}
            return JsonResponse({"errors": [error]}, status=400)
        if request.path_info.startswith("/_allauth/") and not _is_readable(request):
            error = {"code": "invalid", "message": "The body holds text that is not Unicode."}
            return JsonResponse({"status": 400, "errors": [error]}, status=400)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError) and request.path_info.startswith("/identity/"):
            return JsonResponse({"error": "invalid_request"}, status=400)  # RFC 6749, 5.2
        return None


def _is_readable(request: HttpRequest) -> bool:
    try:
        if b"\\u" in request.body:
            json.dumps(json.loads(request.body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    except (ValueError, RecursionError, RequestDataTooBig, UnreadablePostError):
        return True  # no JSON at all: for the endpoint to say
    return True


@receiver(request_finished)
def _forget(**kwargs: Any) -> None:
    """Only now, not when the middleware is left: Django logs failed requests in between."""
    request_id_var.set("")


class RequestIdFilter(logging.Filter):
    """Put the request id on every log record as `request_id` ("-" outside of a request)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id_var.get() or "-"
        return True
