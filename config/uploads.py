"""How much anybody may send. A form with files is written to disk as it is read, and the middleware reads forms before
it is known who sends them: without a bound, anybody could fill the disk."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

TAKES_FILES = "/admin/"
BESIDE_FILES = 64 * 1024  # bytes of a form with a file: names, boundaries, what else was filled in


class BoundedUploads(FileUploadHandler):
    """The first of the handlers: looks at the length of a form that comes in parts, and leaves its files to the rest.
    Only staff upload any: models, at the console."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Raises RequestDataTooBig, which is answered with 400 before anything is read."""
        most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if self.request is not None and self.request.path_info.startswith(TAKES_FILES):
            most = max(most, (settings.ONNX_FILE_MEGABYTES << 20) + BESIDE_FILES)
        if content_length > most:
            raise RequestDataTooBig("A form is larger than any that is meant to come.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class _TooMuch(Exception):
    pass


def bounded(application: ASGIApplication) -> ASGIApplication:
    """An ASGI application that is sent no body beyond `DATA_UPLOAD_MAX_MEMORY_SIZE`: that is answered with 413. Django
    would keep all of it before it looks at any. One that breaks off is answered with 400, should anybody listen."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        most, taken, is_answered = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooMuch
            return message

        async def answering(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        told = dict(scope["headers"]).get(b"content-length", b"")
        status = 400
        try:
            if told.isdigit() and int(told[:20]) > most:
                raise _TooMuch
            await application(scope, counted, answering)
        except _TooMuch:
            status = 413
        if not is_answered:
            await send({"type": "http.response.start", "status": status, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body"})

    return dispatch
