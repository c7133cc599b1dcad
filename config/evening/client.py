"""Talking to the API: documents, people, and refusals told apart from failures."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

T = TypeVar("T")
R = TypeVar("R")
Json = dict[str, Any]
CLIENTS = 6  # people who act at the same moment


class EveningFailed(Exception):
    """Something answered in a way that it must not."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A typed refusal: part of the game."""

    mutation: str
    code: str
    message: str
    data: Any


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    token: str
    organisation: str = ""


class Market:
    """The endpoint, and a tally of what was asked of it."""

    def __init__(self, graphql: str) -> None:
        self.graphql = graphql
        self.web = graphql.removesuffix("/graphql")
        self._http = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=CLIENTS + 2))
        self._lock = threading.Lock()
        self.requests = 0
        self.seconds: list[float] = []
        self.refusals: Counter[str] = Counter()

    def __enter__(self) -> Market:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def post(self, path: str, body: Json, **headers: str) -> Json:
        """A plain JSON request, as sign-up needs it."""
        response = self._http.post(self.web + path, json=body, headers=headers)
        if response.status_code >= 400 and response.status_code != 401:
            raise EveningFailed(f"{path} answered {response.status_code}: {response.text[:300]}")
        return response.json()

    def ask(self, person: Person, document: str, **variables: Any) -> Json:
        """The `data` of an operation. Raises EveningFailed on anything but a clean answer."""
        started = time.perf_counter()
        response = self._http.post(
            self.graphql,
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {person.token}"},
        )
        with self._lock:
            self.requests += 1
            self.seconds.append(time.perf_counter() - started)
        try:
            body = response.json()
        except ValueError:
            raise EveningFailed(f"not JSON, status {response.status_code}: {response.text[:300]}") from None
        if response.status_code != 200 or body.get("errors"):
            raise EveningFailed(f"{person.email}: {response.status_code} {str(body.get('errors', body))[:600]}")
        return body["data"]

    def act(self, person: Person, mutation: str, selection: str, **fields: Any) -> Json | Refused:
        """Send one mutation: the thing it made, or its refusal."""
        kind = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation {kind}($input: {kind}Input!) {{ {mutation}(input: $input) {{ __typename {selection} "
            "... on Refusal { code message data } } }"
        )
        answer = self.ask(person, document, input=fields)[mutation]
        if answer["__typename"].endswith("Refused"):
            with self._lock:
                self.refusals[answer["code"]] += 1
            return Refused(mutation, answer["code"], answer["message"], answer["data"])
        return answer


def at_once(work: Callable[[T], R], items: Iterable[T], tick: Callable[[], object]) -> list[R]:
    """Let several people act at the same time, in the items' order of results. The first failure ends it."""

    def one(item: T) -> R:
        result = work(item)
        tick()
        return result

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, items))
