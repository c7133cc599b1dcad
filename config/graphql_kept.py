"""Pages that strangers explore, kept whole in Valkey: the same for all of them, until something is changed that they
were read from.

    states of the tables        one statement, before anything else is read
    Valkey                      an answer, and in which states it found the tables that it was read from
    the same states             it is what would be answered now; otherwise it is executed, and kept anew

An answer is kept only where all of this holds:

- nobody has logged in, and the request carries no token and no cookie of a session;
- the document has one operation, a query, and at its root some of `ROOTS`, and nothing else;
- every table that its statements name is one whose state is told (`accounts.models.table_state`), as that of none is
  of which strangers are shown nothing: what is of candidates is not kept, by whatever way it got in;
- it has no errors, logs no reading of personal data, and leaves nothing to be done afterwards;
- the source of searches that is asked first has answered.

Time enters answers as the day alone, in UTC, which is a part of their names. What it costs is spent before anybody
looks here, as for any other request, and what is left is told beside what is kept. A change that was committed before a
request came is in its answer; nobody waits for Valkey, nor depends on it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC
from functools import cache, lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, connection
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from prometheus_client import Counter
from strawberry.types import ExecutionResult

from accounts.actions.table_states import begin_states
from accounts.api.context import Context
from accounts.queries.table_states import table_states, told_tables
from config import valkey
from config.graphql_operations import CACHED_DOCUMENTS, fragments_of, parsed
from config.graphql_reads import Reads
from config.graphql_request import Asked

ROOTS = frozenset({"opportunities", "opportunity", "skills", "exchangeRates", "node"})
TOLD_APART, SEARCH = frozenset({"budget"}), "search"
"""The extensions that each request has of its own, and the one that is kept: which source the page was found by."""
# Events are never rewritten, and which of them count is said by their deliveries, whose state is told.
IMMUTABLE = frozenset({"accounts_event"})
LONGEST = 256 * 1024  # bytes of an answer
MOST = 32 * 1024 * 1024
"""Bytes that are kept in one period, and again in the next, while these last: Valkey holds what workers are to do, too,
and strangers can ask for any number of pages."""
PATIENCE_SECONDS = 5.0
"""So long one request waits for another that executes the same."""

_KEEP = """
local used = redis.call('INCRBY', KEYS[2], #ARGV[1])
if used == #ARGV[1] then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
if used > tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

ANSWERS = Counter("muster_explored_pages", "Pages asked for by strangers, by how they were answered.", ["outcome"])


@dataclass(frozen=True, slots=True)
class Kept:
    """`data` is JSON in UTF-8; `extensions` are those that are the same for everybody; `states` are those of the tables
    it was read from."""

    data: bytes
    extensions: dict[str, Any]
    states: Mapping[str, str]

    def stands(self, states: Mapping[str, str]) -> bool:
        return all(states.get(table) == state for table, state in self.states.items())


Execute = Callable[[], ExecutionResult]
Answer = Kept | ExecutionResult


def kept_or_executed(asked: Asked, context: Context, execute: Execute) -> Answer:
    """An answer that is kept, or may be; else what executing came to. Raises what executing raises."""
    name = _name(asked, context)
    if name is None:
        return execute()
    try:
        # First of all. What is read later may be newer than this state, never older: so what is kept under it is not
        # found any more once something changes that is not in it.
        states = table_states()
    except DatabaseError:  # executing will tell
        return execute()
    found = _found(name)
    if found is not None and found.stands(states):
        ANSWERS.labels("found").inc()
        return found
    return _under_way.shared((name, frozenset(states.items())), lambda: _executed(name, context, execute, states))


def _executed(name: str, context: Context, execute: Execute, states: Mapping[str, str]) -> Answer:
    reads = Reads()
    with connection.execute_wrapper(reads):
        result = execute()
    kept = _kept(result, context, reads, states)
    ANSWERS.labels("passed on" if kept is None else "executed").inc()
    if kept is None:
        return result
    _keep(name, kept)
    return kept


def _kept(result: ExecutionResult, context: Context, reads: Reads, states: Mapping[str, str]) -> Kept | None:
    """None for what must not be kept."""
    is_whole = not result.errors and result.data is not None
    if not is_whole or context.read_of or context.afterwards or not reads.are_all:
        return None
    extensions = {name: tell() for name, tell in context.extensions.items() if name not in TOLD_APART}
    if not extensions.keys() <= {SEARCH} or extensions.get(SEARCH, {}).get("fellBack"):
        return None
    tables = reads.tables - IMMUTABLE
    if not tables <= told_tables():
        return None
    if new := tables - states.keys():  # nobody has written them since there are states
        begin_states(new)
        return None
    data = orjson.dumps(result.data)
    return Kept(data, extensions, {table: states[table] for table in tables}) if len(data) <= LONGEST else None


# What is asked


def _name(asked: Asked, context: Context) -> str | None:
    """Under which an answer is kept; None for what is none of a stranger's pages."""
    if not settings.GRAPHQL_KEPT_SECONDS or not _is_a_strangers(context):
        return None
    page = _page(asked.query)
    if page is None or asked.operation_name not in (None, page.operation_name):
        return None
    variables = {name: value for name, value in (asked.variables or {}).items() if name in page.variables}
    day = context.now.astimezone(UTC).date().isoformat()
    text = json.dumps([_program(), settings.ELASTICSEARCH_URL, day, asked.query, variables], sort_keys=True)
    return "muster:explored:" + hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


def _is_a_strangers(context: Context) -> bool:
    actor, request = context.actor, context.request
    is_nobody = actor.user_id is None and not actor.is_staff and not actor.is_system
    return is_nobody and "Authorization" not in request.headers and settings.SESSION_COOKIE_NAME not in request.COOKIES


@dataclass(frozen=True, slots=True)
class _Page:
    operation_name: str | None
    variables: frozenset[str]


@lru_cache(maxsize=CACHED_DOCUMENTS)
def _page(query: str) -> _Page | None:
    """Of a document that nobody has validated yet."""
    try:
        document = parsed(query)
    except GraphQLError:
        return None
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        return None
    [operation] = operations
    fragments, met, roots = fragments_of(document), set[str](), set[str]()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                roots.add(node.name.value)
            elif not isinstance(node, FragmentSpreadNode):
                waiting.append(node.selection_set)  # type: ignore[attr-defined]
            elif node.name.value not in met and node.name.value in fragments:
                met.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    roots.discard("__typename")
    if not roots or not roots <= ROOTS:
        return None
    variables = frozenset(one.variable.name.value for one in operation.variable_definitions or ())
    return _Page(operation.name.value if operation.name else None, variables)


@cache
def _program() -> str:
    """Which program answers: another release may answer otherwise."""
    digest = hashlib.blake2b(digest_size=16)
    for app in ("accounts", "config", "marketplace", "matching"):
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


# Keeping


def _found(name: str) -> Kept | None:
    there = valkey.asked(lambda client: client.get(name))
    if not isinstance(there, bytes):
        return None
    head, _, data = there.partition(b"\n")
    try:
        told = orjson.loads(head)
        return Kept(data, told["extensions"], told["states"])
    except (ValueError, LookupError):  # of nobody of ours
        return None


def _keep(name: str, kept: Kept) -> None:
    head = orjson.dumps({"extensions": kept.extensions, "states": kept.states})
    args: list[bytes | int] = [head + b"\n" + kept.data, settings.GRAPHQL_KEPT_SECONDS, MOST]
    valkey.asked(lambda client: client.register_script(_KEEP)(keys=[name, "muster:explored"], args=args))


class _UnderWay:
    """What is being executed, so that a crowd that asks for one page has it executed once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Any, Future[Kept | None]] = {}

    def shared(self, key: Any, execute: Callable[[], Answer]) -> Answer:
        with self._lock:
            answer = self._answers.get(key)
            leads = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        return self._lead(key, answer, execute) if leads else self._follow(answer, execute)

    def _lead(self, key: Any, answer: Future[Kept | None], execute: Callable[[], Answer]) -> Answer:
        found: Answer | None = None
        try:
            found = execute()
            return found
        finally:
            with self._lock:
                del self._answers[key]
            answer.set_result(found if isinstance(found, Kept) else None)

    def _follow(self, answer: Future[Kept | None], execute: Callable[[], Answer]) -> Answer:
        """Of one who found the tables in the very same states: what was read after that is as new for both."""
        try:
            found = answer.result(PATIENCE_SECONDS)
        except TimeoutError:
            found = None
        if found is None:
            return execute()
        ANSWERS.labels("shared").inc()
        return found


_under_way = _UnderWay()
