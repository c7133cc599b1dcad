"""What every request passes: it gets one name, in its log records, its events and its answer; its text is readable."""

import json
import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import request_finished
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
    """Refuse JSON whose texts are none to the login endpoints, which take whatever JSON can spell.

    A lone surrogate has no UTF-8: it would only be found out when a password is hashed or a row is written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/_allauth/") and not _is_readable(request):
            error = {"code": "invalid", "message": "The body holds text that is not Unicode."}
            return JsonResponse({"status": 400, "errors": [error]}, status=400)
        return self.get_response(request)


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
