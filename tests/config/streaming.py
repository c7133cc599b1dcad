"""Following, as a client does: what comes over a stream, event by event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from accounts.models import User
from tests.config.graphql_client import token_of

SSE = {"Accept": "text/event-stream"}
PLAIN: dict[str, Any] = {"verify": False}  # loading certificates takes longer than a request


@dataclass
class Told:
    """What came, in its order."""

    lines: Iterator[str]
    ids: list[str] = field(default_factory=list)

    def next(self) -> dict[str, Any] | None:
        """The next event; None when the stream is complete."""
        name = data = ""
        for line in self.lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("id: "):
                self.ids.append(line.removeprefix("id: "))
            elif line.startswith("data:"):
                data = line.removeprefix("data:").strip()
            elif not line and name:
                assert name in ("next", "complete")
                return json.loads(data) if name == "next" else None
        raise AssertionError("the stream broke off")

    def wait_for_beats(self, number: int) -> None:
        """Until so many came; fails when something else is told before, or nothing at all for long."""
        while number:
            line = next(self.lines)
            assert not line or line == ":", line
            number -= line == ":"

    def data(self) -> Any:
        """What the subscription's field says in the next event."""
        answer = self.next()
        assert answer is not None
        assert "errors" not in answer, answer
        [told] = answer["data"].values()
        return told

    def refusal(self) -> str:
        """The code of the error that ends the stream."""
        answer = self.next()
        assert answer is not None
        assert answer.get("data") is None
        assert self.next() is None
        return answer["errors"][0]["extensions"]["code"]


@contextmanager
def subscribed(address: str, query: str, variables: dict[str, Any], by: User, **headers: str) -> Iterator[Told]:
    body = {"query": query, "variables": variables}
    headers = {**SSE, "Authorization": f"Bearer {token_of(by)}", **headers}
    with httpx.stream("POST", address, json=body, headers=headers, timeout=10, **PLAIN) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield Told(response.iter_lines())
