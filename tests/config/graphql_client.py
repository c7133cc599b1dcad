"""Asking over HTTP, as one person."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.api.nodes import global_id
from accounts.login.tokens import access_token
from accounts.models import User
from config.schema import schema  # knows the names of all nodes
from marketplace.models import Candidate

ADDRESS = "/graphql"
REFUSAL = "... on Refusal { code message field data }"


class Asker:
    """A browser of somebody who is logged in; of nobody without a user."""

    def __init__(self, person: User | Candidate | None = None) -> None:
        self.http = Client()
        user = person.user if isinstance(person, Candidate) else person
        if user is not None:
            self.http.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def post(self, body: Any, **options: Any) -> Any:
        body = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.http.post(ADDRESS, body, **{"content_type": "application/json", **options})

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer, errors and all."""
        response = self.post({"query": query, "variables": variables})
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """The extensions of the one error of a query that was refused."""
        [error] = self.answer(query, **variables)["errors"]
        extensions: dict[str, Any] = error["extensions"]
        return extensions

    def do(self, mutation: str, input: dict[str, Any], wanted: str = "", *, thing: str = "Node") -> Any:
        """What a mutation answers: fields of the thing (`wanted`), or the refusal."""
        name = mutation[0].upper() + mutation[1:]
        fields = f"... on {thing} {{ {wanted} }}" if wanted else ""
        document = (
            f"mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ __typename {fields} {REFUSAL} }} }}"
        )
        return self.ask(document, input=input)[mutation]

    def statements(self, query: str, **variables: Any) -> int:
        """How many SQL statements an answer takes."""
        with CaptureQueriesContext(connection) as captured:
            self.ask(query, **variables)
        return len(captured)


def seconds_of(work: Callable[[int], object], times: int = 5) -> float:
    """The least processor time of this thread that a piece of work takes; it is told which try it is. The machine does
    other things too; and garbage is not looked for, as what that takes hangs on all that the process holds."""
    tries = []
    gc.disable()
    try:
        for number in range(times):
            start = time.thread_time()
            work(number)
            tries.append(time.thread_time() - start)
    finally:
        gc.enable()
    return min(tries)


def token_of(user: User) -> str:
    """An access token, as a login gives out."""
    from allauth.headless.internal.sessionkit import new_session
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    session: SessionBase = new_session()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return access_token(user, session)


__all__ = ["Asker", "global_id", "schema", "seconds_of", "token_of"]
