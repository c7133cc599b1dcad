"""Passing on what is meant for the process that streams, so that one address serves everything without a proxy before
it, as in development.

A stream keeps a thread of the web server for as long as it lasts. The server has more threads for them than it lets
answer ordinary requests at the same time, which are no more and no slower than without streams.
"""

import http.client
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

PATH = "/graphql/stream"
ANSWERING, STREAMING = 8, 24
"""Threads: for ordinary requests, of which more would wait for each other; and for streams, which only wait."""

CONNECT_SECONDS = 5.0
# Those that are about one connection, and the length, which is another's to count.
_OWN = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

Environ = Mapping[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Any, Any], Iterable[bytes]]


def with_streams(application: Application, address: str) -> Application:
    """An application that passes streams on to `address`, and leaves the rest to another."""
    streaming = threading.BoundedSemaphore(STREAMING)
    # As a semaphore, in C: under load one in Python takes longer than the requests.
    turns: SimpleQueue[None] = SimpleQueue()
    for _ in range(ANSWERING):
        turns.put(None)
    to = urlsplit(address)
    assert to.hostname and to.port

    def dispatch(environ: Environ, start_response: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            turns.get()
            try:
                return application(environ, start_response)
            finally:
                turns.put(None)
        if not streaming.acquire(blocking=False):
            return _refuse(start_response, "503 Service Unavailable")
        try:
            return _pass_on(environ, start_response, to.hostname, to.port, streaming.release)
        except (OSError, http.client.HTTPException):
            streaming.release()
            return _refuse(start_response, "502 Bad Gateway")

    return dispatch


def _pass_on(
    environ: Environ, start_response: Start, host: str | None, port: int | None, release: Callable[[], None]
) -> "_Passed":
    """Raises OSError or HTTPException where the other process cannot be talked to; nothing is begun then."""
    body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)  # one more than it will take
    upstream = http.client.HTTPConnection(host or "", port, timeout=CONNECT_SECONDS)
    try:
        query = environ.get("QUERY_STRING", "")
        upstream.request(environ["REQUEST_METHOD"], PATH + (f"?{query}" if query else ""), body, _headers(environ))
        response = upstream.getresponse()
    except BaseException:
        upstream.close()
        raise
    headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _OWN]
    start_response(f"{response.status} {response.reason}", headers)
    if upstream.sock is not None:
        # Longer silent than that it is dead, and not merely slow.
        upstream.sock.settimeout(max(3 * settings.STREAM_HEARTBEAT_SECONDS, CONNECT_SECONDS))
    return _Passed(upstream, response, release)


def _headers(environ: Environ) -> dict[str, str]:
    given = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        given["content-type"] = environ["CONTENT_TYPE"]
    return {name: value for name, value in given.items() if name not in _OWN | {"content-length", "expect"}}


class _Passed:
    """The other's bytes as they come. Gives everything back once, at its end or when the client has left."""

    def __init__(
        self, upstream: http.client.HTTPConnection, response: http.client.HTTPResponse, release: Callable[[], None]
    ) -> None:
        self._upstream, self._response, self._release = upstream, response, release
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            part = self._response.read1(65_536)
        except (OSError, http.client.HTTPException, ValueError):
            part = b""  # it ends here: the client sees no `complete`, and comes back
        if not part:
            self.close()
            raise StopIteration
        return part

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._response.close()
            self._upstream.close()
            self._release()


def _refuse(start_response: Start, status: str) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json"), ("Retry-After", "5")])
    message = "The process that streams does not answer." if status.startswith("502") else "Too many follow something."
    return [f'{{"errors":[{{"message":"{message}","extensions":{{"code":"UNAVAILABLE"}}}}]}}'.encode()]
