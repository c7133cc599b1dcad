"""Reading a GraphQL request from HTTP. Whatever cannot be read is the client's fault: BadRequest, and 4xx at once.

All sizes are looked at before anything takes time that grows with them.
"""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON_TYPE = "application/json"
LONGEST_DOCUMENT = 64 * 1024
"""Characters: what reads them takes a microsecond for three, long before it has counted a token."""
CLIENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@/+-]{0,59}", re.ASCII)
MOST_TAKEN_OFF = 16 * 1024 * 1024  # bytes of a body that is refused
CHUNK = 64 * 1024
MAX_NESTING = 64  # of variables
MAX_VALUES = 20_000  # in variables, lists and objects among them


class BadRequest(Exception):
    """A request that is none of GraphQL's. `message` is for the client; so are `code`, where the status does not say
    it all, the `details` beside it, and `extensions`, which are those of the whole answer."""

    def __init__(
        self,
        message: str,
        status: int = HTTPStatus.BAD_REQUEST,
        *,
        code: str = "",
        details: dict[str, Any] | None = None,
        extensions: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.details = details or {}
        self.extensions = extensions or {}
        self.headers = headers or {}


@dataclass(frozen=True)
class Asked:
    """What a request asks for. `query` is empty where `document_id` stands for it."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    document_id: str = ""


def media_type(request: HttpRequest) -> str:
    """What to answer with: what the client likes best. Raises BadRequest (406) where it takes neither."""
    for accepted in request.accepted_types:
        match accepted.main_type, accepted.sub_type:
            case "application", "graphql-response+json":
                return GRAPHQL_RESPONSE
            case ("application", "json" | "*") | ("*", "*"):
                return JSON_TYPE
    raise BadRequest(f"The answer is of type {GRAPHQL_RESPONSE} or {JSON_TYPE}.", HTTPStatus.NOT_ACCEPTABLE)


def named_client(request: HttpRequest) -> str:
    """What the program says it is, as Apollo's clients do and others may; "" where it says nothing that is a name."""
    given = request.headers.get("X-Client-Name") or request.headers.get("Apollographql-Client-Name") or ""
    return given if CLIENT_NAME.fullmatch(given) else ""


def what_is_asked(request: HttpRequest) -> Asked:
    """The document, its variables and the operation's name. Raises BadRequest."""
    if request.method == "GET":
        return _parameters(_from_address(request))
    if request.method == "POST":
        return _parameters(_from_body(request))
    raise BadRequest("Use GET or POST.", HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})


def _from_address(request: HttpRequest) -> dict[str, Any]:
    names = ("query", "operationName", "documentId")
    asked: dict[str, Any] = {name: request.GET[name] for name in names if name in request.GET}
    for name in ("variables", "extensions"):
        if request.GET.get(name):
            asked[name] = _json(request.GET[name].encode("utf-8", "surrogatepass"), f"`{name}`")
    return asked


def _from_body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != JSON_TYPE:
        raise BadRequest(f"Send a body of type {JSON_TYPE}.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.content_params and request.content_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise BadRequest("Send the body in UTF-8.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise BadRequest("Send the body as it is, not compressed.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if "Content-Length" not in request.headers and "Transfer-Encoding" in request.headers:
        raise BadRequest("Send the body's Content-Length.", HTTPStatus.LENGTH_REQUIRED)
    try:
        body = request.body
    except RequestDataTooBig as error:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        _take_off(request)
        raise BadRequest(f"A request has at most {limit} bytes.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
    except UnreadablePostError as error:
        raise BadRequest("The body could not be read.") from error
    asked = _json(body, "The body")
    if not isinstance(asked, dict):
        raise BadRequest("The body must be a JSON object with a query.")
    return asked


def _take_off(request: HttpRequest) -> None:
    """Read what is not wanted, unless it is out of all proportion. Most clients look for an answer when they have sent
    all: one that is cut off sooner would only tell of a lost connection."""
    if int(request.META["CONTENT_LENGTH"]) <= MOST_TAKEN_OFF:
        with suppress(UnreadablePostError):
            while request.read(CHUNK):
                pass


def _json(text: bytes, name: str) -> Any:
    """Raises BadRequest, also for what JSON can spell and nothing behind it can hold: lone surrogates, which no
    database column takes, and numbers beyond all bounds; and for NaN, which JSON has not."""
    if text.count(b"[") + text.count(b"{") > MAX_VALUES:
        raise BadRequest(f"{name} holds more than {MAX_VALUES} values.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        value = json.loads(text.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{name} is not JSON in UTF-8.") from error
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text[:20])
    return number


def _parameters(asked: dict[str, Any]) -> Asked:
    query, variables, operation_name = asked.get("query"), asked.get("variables"), asked.get("operationName")
    extensions = asked.get("extensions")
    if not isinstance(extensions, dict | None):
        raise BadRequest("`extensions` must be an object.")
    document_id = _document_id(asked, extensions or {})
    if query is None and document_id:
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise BadRequest("`query` must be a GraphQL document.")
    if len(query) > LONGEST_DOCUMENT:
        raise BadRequest(f"A document has at most {LONGEST_DOCUMENT} characters.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("`variables` must be an object.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadRequest("`operationName` must be a string.")
    _check_extent(variables)
    return Asked(query, variables, operation_name or None, document_id)


def _document_id(asked: dict[str, Any], extensions: dict[str, Any]) -> str:
    """The SHA-256 that stands for a document, in hexadecimal: `documentId`, with or without `sha256:` before it, or
    Apollo's `extensions.persistedQuery.sha256Hash`; "" without either."""
    persisted = extensions.get("persistedQuery")
    if persisted is not None and not isinstance(persisted, dict):
        raise BadRequest("`extensions.persistedQuery` must be an object.")
    given = asked.get("documentId")
    if given is None:
        given = (persisted or {}).get("sha256Hash", "")
    if not isinstance(given, str):
        raise BadRequest("`documentId` must be a string.")
    return given.removeprefix("sha256:").lower()


def _check_extent(variables: Any) -> None:
    """Refuses variables that are nested too deeply or too many, level by level and without recursion."""
    depth, count, level = 0, 0, [variables]
    while level := [
        inner
        for outer in level
        if isinstance(outer, dict | list)
        for inner in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_NESTING:
            raise BadRequest(f"`variables` are nested more than {MAX_NESTING} deep.")
        if count > MAX_VALUES:
            raise BadRequest(f"`variables` hold more than {MAX_VALUES} values.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
