"""Files and forms that nobody means, and requests that are none of HTTP's: refused in words, and nothing is kept."""

from __future__ import annotations

import json
import socket
import zipfile
import zlib
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from matching.actions.models import live_model
from matching.core.scoring import DEFAULT_MODEL
from matching.models import ScoringModel
from tests.live import eventually

pytestmark = pytest.mark.django_db

MEGABYTE = 1 << 20


def fuzzing() -> Any:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(suppress_health_check=checks, deadline=None)


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief@muster.example", "s3cret-pass-phrase", name="Chief"))
    return client


def a_bomb() -> bytes:
    """50 MB of nothing in 50 kB."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("model.onnx", bytes(50 * MEGABYTE))
    return packed.getvalue()


def add_address() -> str:
    return reverse("admin:matching_scoringmodel_add")


def uploaded(console: Client, name: str, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("x", content)
    file._name = name  # as it is said on the way, not as a careful client would say it
    return console.post(add_address(), {"segment": live_model().segment_id, "definition": "", "file": file, **fields})


DEFINITION = json.dumps(DEFAULT_MODEL.to_json() | {"version": "v"})
CONTENTS = {
    "empty": b"",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "no UTF-8": DEFINITION.encode()[:-1] + b"\xff}",
    "with a NUL": DEFINITION.replace('"v"', '"v\\u0000"').encode(),
    "half a letter": DEFINITION.replace('"v"', '"v\\ud800"').encode(),
    "nested": b"[" * 200_000,
    "a number of a million digits": b'{"version": ' + b"9" * MEGABYTE + b"}",
    "beyond all numbers": b'{"version": "v", "heads": 1e999999}',
    "not a number": b'{"version": NaN}',
    "a list": b"[]",
    "null": b"null",
    "too much": b" " * (5 * MEGABYTE),
    "a bomb": a_bomb(),
    "gzip": b"\x1f\x8b\x08" + zlib.compress(bytes(10 * MEGABYTE)),
}


@pytest.mark.parametrize("what", CONTENTS)
def test_a_file_that_is_no_model_is_refused_in_words(console: Client, what: str) -> None:
    page = uploaded(console, "model.json", CONTENTS[what])
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.context["errors"], "the form says why"
    assert ScoringModel.objects.count() == 1


@pytest.mark.parametrize("what", ["empty", "a picture", "a bomb"])
def test_a_file_that_is_no_network_is_refused_in_words(console: Client, what: str) -> None:
    page = uploaded(console, "model.onnx", CONTENTS[what])
    assert (page.status_code, bool(page.context["errors"])) == (200, True)
    assert ScoringModel.objects.count() == 1


NAMES = (
    "../../../etc/passwd",
    "C:\\windows\\x.json",
    "a\0b.json",
    "\r\nX-Evil: 1.json",
    "." * 300,
    "é" * 200,
    "'\"<b>.json",
)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_a_file_is_called_is_no_path_and_no_header(console: Client, name: str) -> None:
    answer = uploaded(console, name, DEFINITION.encode())
    assert answer.status_code in (200, 302)
    assert [model.version for model in ScoringModel.objects.exclude(version=live_model().version)] in ([], ["v"])
    assert "X-Evil" not in answer.headers


@given(name=st.text(max_size=40), content=st.binary(max_size=300), extra=st.text(max_size=20))
@fuzzing()
def test_files_drawn_by_chance_are_refused(console: Client, name: str, content: bytes, extra: str) -> None:
    fields = {"version": extra, "manifest": extra[::-1]}
    answer = uploaded(console, f"{name}.json".encode("utf-8", "replace").decode(), content, **fields)
    assert answer.status_code in (200, 400)
    assert ScoringModel.objects.count() == 1


# Forms

START = b'--x\r\nContent-Disposition: form-data; name="file"; filename="m.json"\r\n'
FORMS = {
    "nothing": b"",
    "no end": START + b"\r\n{}",
    "no content": START,
    "an unknown encoding": START + b"Content-Transfer-Encoding: base64\r\n\r\n%%%%\r\n--x--\r\n",
    "a long header": START + b"X: " + b"y" * 200_000 + b"\r\n\r\n{}\r\n--x--\r\n",
    "many fields": b"".join(b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n' for _ in range(2_000)),
    "many files": b"".join(START + b"\r\n1\r\n" for _ in range(300)) + b"--x--\r\n",
    "no name": b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
    "another charset": START + b"Content-Type: text/plain; charset=utf-99\r\n\r\n1\r\n--x--\r\n",
    "NULs": bytes(1_000),
}
KINDS = (
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/form-data; boundary=\xff",
    "text/x; charset=é",
)


@pytest.mark.parametrize("what", FORMS)
@pytest.mark.parametrize("kind", KINDS, ids=range(len(KINDS)))
def test_a_form_that_cannot_be_read_is_the_sender_s_fault(console: Client, what: str, kind: str) -> None:
    anonymous = Client(enforce_csrf_checks=True)
    anonymous.cookies["csrftoken"] = "x" * 32
    for http, path in ((console, add_address()), (anonymous, "/admin/login/"), (anonymous, "/identity/o/api/token")):
        assert http.generic("POST", path, FORMS[what], content_type=kind).status_code < 500
    assert ScoringModel.objects.count() == 1


@pytest.mark.parametrize(("path", "most"), [("/admin/login/", 20 * MEGABYTE), ("/identity/o/api/token", 2 * MEGABYTE)])
def test_nobody_fills_the_disk(monkeypatch: pytest.MonkeyPatch, path: str, most: int) -> None:
    """Forms are read before it is known who sends them: what they say of their length decides."""
    kept: list[int] = []
    for handler in (MemoryFileUploadHandler, TemporaryFileUploadHandler):
        monkeypatch.setattr(handler, "receive_data_chunk", lambda self, data, start: kept.append(len(data)))
    http = Client(enforce_csrf_checks=True)
    http.cookies["csrftoken"] = "x" * 32
    for size, taken in ((MEGABYTE, MEGABYTE), (most + MEGABYTE, 0)):
        kept.clear()
        form = START + b"\r\n" + bytes(size) + b"\r\n--x--\r\n"
        answer = http.generic("POST", path, form, content_type=KINDS[0])
        assert 400 <= answer.status_code < 500
        assert sum(kept) == taken


# Requests that are none: over a connection of their own, for a careful client would not send them


def told(method: bytes = b"POST", path: bytes = b"/graphql", *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: 127.0.0.1", *headers, b"", body])


JSON = b"Content-Type: application/json"
BODY = b'{"query": "{ __typename }"}'
REQUESTS = {
    "longer than said": told(b"POST", b"/graphql", JSON, b"Content-Length: 5", body=BODY),
    "shorter than said": told(b"POST", b"/graphql", JSON, b"Content-Length: 500", body=BODY),
    "of a negative length": told(b"POST", b"/graphql", JSON, b"Content-Length: -1", body=BODY),
    "of no number's length": told(b"POST", b"/graphql", JSON, b"Content-Length: many", body=BODY),
    "of two lengths": told(b"POST", b"/graphql", JSON, b"Content-Length: 5", b"Content-Length: 27", body=BODY),
    "of a length and in chunks": told(
        b"POST", b"/graphql", JSON, b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "in chunks that are none": told(b"POST", b"/graphql", JSON, b"Transfer-Encoding: chunked", body=b"zz\r\n"),
    "larger than anything": told(b"POST", b"/graphql", JSON, b"Content-Length: 99999999999999999999", body=BODY),
    "a header of 100 kB": told(b"GET", b"/graphql", b"X: " + b"y" * 100_000),
    "two thousand headers": told(b"GET", b"/graphql", *(b"X-%d: y" % number for number in range(2_000))),
    "a header with a NUL": told(b"GET", b"/graphql?query={__typename}", b"X-Request-Id: a\0b"),
    "a host that is none": told(b"GET", b"/graphql?query={__typename}").replace(b"127.0.0.1", b"a b/../%00"),
    "an address of 100 kB": told(b"GET", b"/graphql?query=" + b"y" * 100_000),
    "an address that climbs": told(b"GET", b"/../../etc/passwd"),
    "an address with a NUL": told(b"GET", b"/graphql%00?query=%00%ff"),
    "no request": b"\x16\x03\x01\x02\x00" + bytes(200),
    "a method that is none": told(b"P\xc3\xb6ST"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("stream")
@pytest.mark.parametrize("which", ["direct", "passed_on"])
def test_what_is_no_request_breaks_no_server(servers: Any, which: str) -> None:
    address = urlsplit(getattr(servers, which))
    for what, sent in REQUESTS.items():
        for path in (b"/graphql", b"/graphql/stream"):
            with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
                try:
                    connection.sendall(sent.replace(b"/graphql", path, 1))
                    connection.shutdown(socket.SHUT_WR)
                    answer = connection.recv(4096)
                except TimeoutError:
                    raise
                except OSError:
                    continue  # cut off: that is an answer, too
            assert not answer or answer[9:10] in (b"2", b"4"), (what, path, answer[:200])
    assert eventually(lambda: httpx.get(f"{getattr(servers, which)}/healthz").status_code == 200, seconds=5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.xdist_group("stream")
def test_the_process_that_streams_keeps_no_more_than_it_will_read(servers: Any) -> None:
    address = f"{servers.direct}/graphql/stream"
    too_much = configured.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    assert httpx.post(address, content=b"x" * too_much).status_code == 413

    def endless() -> Any:
        for _ in range(100):
            yield bytes(MEGABYTE)

    try:
        answered = httpx.post(address, content=endless(), timeout=10).status_code
    except httpx.HTTPError:
        answered = 0
    assert answered in (0, 413)
